//! The routes of the board, by who may reach them.

use haechi::axum::Router;
use haechi::axum::routing::{get, post};

use crate::{comments, moderation, posts, profiles, search};

/// What anybody may reach.
pub(crate) fn public() -> Router {
    Router::new()
        .route("/", get(search::latest))
        .route("/health", get(health))
        .route("/search", get(search::search))
        .route("/posts/{id}", get(posts::show))
        .route("/users/{name}", get(profiles::show))
}

/// `GET /health`: says that the process answers, to whoever starts it anew if it does not. Without the database: that one
/// coming back needs no new process.
async fn health() -> &'static str {
    "ok"
}

/// What needs a user.
pub(crate) fn members() -> Router {
    Router::new()
        .route("/posts/new", get(posts::new_page).post(posts::write))
        .route("/posts/{id}/edit", get(posts::edit_page).post(posts::edit))
        .route("/posts/{id}/delete", get(posts::delete_page).post(posts::delete))
        .route("/posts/{id}/comments", post(comments::write))
        .route("/profile", get(profiles::edit_page).post(profiles::edit))
}

/// What needs the permission to moderate.
pub(crate) fn moderation() -> Router {
    Router::new()
        .route("/moderation", get(moderation::list))
        .route("/moderation/comments/{id}/delete", post(moderation::delete_comment))
}
