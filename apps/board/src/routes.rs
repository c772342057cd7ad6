//! The routes of the board, by who may reach them.

use haechi::axum::Router;
use haechi::axum::routing::{get, post};

use crate::{comments, moderation, posts, profiles, search};

/// What anybody may reach.
pub(crate) fn public() -> Router {
    Router::new()
        .route("/", get(search::latest))
        .route("/search", get(search::search))
        .route("/posts/{id}", get(posts::show))
        .route("/users/{name}", get(profiles::show))
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
