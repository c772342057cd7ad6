//! Comments below a post.

use haechi::axum::response::{IntoResponse, Response};
use haechi::{Auth, CurrentUser, Db, Form, MaybeUser, Path, Result, Site, local, redirect};
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::models::{Comment, NewComment, Post, Writer, comment, post};
use crate::moment::Moment;
use crate::posts;

/// The form of a comment, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Typed {
    body: String,
}

/// A comment as the pages show it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    id: i64,
    post_id: i64,
    body: String,
    author: String,
    created: Moment,
}

/// Returns the comments below a post, the oldest first, with their authors in the same statement.
pub(crate) async fn below(db: &Db, post_id: i64) -> Result<Vec<Shown>> {
    let below = Comment::query().filter(comment::post_id.eq(post_id));
    let rows = below.order_by(comment::id.asc()).limit(MOST).join(comment::author, Writer::query());
    Ok(rows.all(db).await?.into_iter().map(Shown::from).collect())
}

/// Returns the newest comments of all.
pub(crate) async fn newest(db: &Db, count: u32) -> Result<Vec<Shown>> {
    let newest = Comment::query().order_by(comment::id.desc()).limit(count);
    let rows = newest.join(comment::author, Writer::query()).all(db).await?;
    Ok(rows.into_iter().map(Shown::from).collect())
}

impl From<(Comment, Writer)> for Shown {
    fn from((row, author): (Comment, Writer)) -> Self {
        Self {
            id: row.id,
            post_id: row.post_id,
            body: row.body,
            author: author.username,
            created: row.created.into(),
        }
    }
}

/// `POST /posts/{id}/comments`.
pub(crate) async fn write(
    site: Site,
    db: Db,
    auth: Auth,
    user: CurrentUser,
    Path(id): Path<i64>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let body = Field::required(&typed.body, 5_000);
    if !body.is_good() {
        let user = MaybeUser(Some((*user).clone()));
        return Ok(posts::page(&db, &auth, user, id, body).await?.into_response());
    }
    if !Post::query().filter(post::id.eq(id)).exists(&db).await? {
        return Err(haechi::Error::not_found());
    }
    Comment::insert(NewComment { body: body.value })
        .set(comment::post_id, id)
        .set(comment::author_id, user.id)
        .set(comment::created, crate::now(&site)?)
        .execute(&db)
        .await?;
    Ok(redirect(local!("/posts/{id}")))
}

/// As many comments as a page shows.
const MOST: u32 = 500;
