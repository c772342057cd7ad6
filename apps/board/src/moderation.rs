//! What whoever may moderate sees: the newest of everything, with a way to take it down.

use haechi::axum::response::Response;
use haechi::{Auth, Db, FlashLevel, Path, Result, Serde, View, context, local, redirect};

use crate::comments;
use crate::listing::lines;
use crate::models::{Comment, Post, comment, post};

/// `GET /moderation`.
pub(crate) async fn list(db: Db) -> Result<View> {
    let posts = Post::query().order_by(post::id.desc()).limit(50).all(&db).await?;
    let posts = lines(posts, &db).await?;
    let comments = comments::newest(&db, 50).await?;
    Ok(View::new("moderation.html", context! { posts => Serde(posts), comments => Serde(comments) }))
}

/// `POST /moderation/comments/{id}/delete`.
pub(crate) async fn delete_comment(db: Db, auth: Auth, Path(id): Path<i64>) -> Result<Response> {
    let deleted = Comment::query().filter(comment::id.eq(id)).delete().execute(&db).await?;
    if deleted == 0 {
        return Err(haechi::Error::not_found());
    }
    auth.session().flash(FlashLevel::Success, "The comment is deleted.").await?;
    Ok(redirect(local!("/moderation")))
}
