//! Posts: showing one, writing, editing and deleting.

use haechi::axum::http::StatusCode;
use haechi::axum::response::Response;
use haechi::db::Query;
use haechi::{
    Auth, CurrentUser, Db, FlashLevel, Form, MaybeUser, Path, Result, Serde, Site, View, context, local,
    redirect,
};
use serde::{Deserialize, Serialize};

use crate::comments;
use crate::field::Field;
use crate::models::{NewPost, Post, Writer, post};
use crate::moment::Moment;
use crate::rights;

/// The form of a post, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Typed {
    title: String,
    body: String,
}

/// The form of a post, as its page shows it.
#[derive(Debug, Default, Serialize)]
struct Fields {
    title: Field,
    body: Field,
}

impl Fields {
    fn of(typed: &Typed) -> Self {
        Self { title: Field::required(&typed.title, 200), body: Field::required(&typed.body, 20_000) }
    }

    /// Returns what is to be stored, or the form with its errors.
    fn input(self) -> Result<NewPost, Self> {
        match self.title.is_good() && self.body.is_good() {
            true => Ok(NewPost { title: self.title.value, body: self.body.value }),
            false => Err(self),
        }
    }
}

/// `GET /posts/{id}`.
pub(crate) async fn show(db: Db, auth: Auth, user: MaybeUser, Path(id): Path<i64>) -> Result<View> {
    page(&db, &auth, user, id, Field::default()).await
}

/// The page of a post with its comments, and the comment that is being written.
pub(crate) async fn page(db: &Db, auth: &Auth, user: MaybeUser, id: i64, draft: Field) -> Result<View> {
    let (row, author) = Post::query()
        .filter(post::id.eq(id))
        .join(post::author, Writer::query())
        .all(db)
        .await?
        .pop()
        .ok_or_else(haechi::Error::not_found)?;
    let comments = comments::below(db, row.id).await?;
    let may_change = match &user.0 {
        Some(user) => rights::may_change(auth, user, row.author_id).await?,
        None => false,
    };
    let status = if draft.is_good() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let data = context! {
        id => row.id,
        title => row.title,
        body => row.body,
        author => author.username,
        created => Serde(Moment::from(row.created)),
        changed => Serde(row.changed.map(Moment::from)),
        comments => Serde(comments),
        may_change,
        draft => Serde(draft),
    };
    Ok(View::new("post.html", data).status(status))
}

/// `GET /posts/new`.
pub(crate) async fn new_page() -> View {
    form(&Fields::default(), None)
}

/// `POST /posts/new`.
pub(crate) async fn write(
    site: Site,
    db: Db,
    auth: Auth,
    user: CurrentUser,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let input = match Fields::of(&typed).input() {
        Ok(input) => input,
        Err(fields) => return Ok(answer(form(&fields, None))),
    };
    let stored = Post::insert(input)
        .set(post::author_id, user.id)
        .set(post::created, crate::now(&site)?)
        .returning(&db)
        .await?;
    auth.session().flash(FlashLevel::Success, "Your post is published.").await?;
    let id = stored.id;
    Ok(redirect(local!("/posts/{id}")))
}

/// `GET /posts/{id}/edit`.
pub(crate) async fn edit_page(db: Db, auth: Auth, user: CurrentUser, Path(id): Path<i64>) -> Result<View> {
    let row = changeable(&db, &auth, &user, id).await?;
    Ok(form(&Fields { title: Field::of(row.title), body: Field::of(row.body) }, Some(id)))
}

/// `POST /posts/{id}/edit`.
pub(crate) async fn edit(
    site: Site,
    db: Db,
    auth: Auth,
    user: CurrentUser,
    Path(id): Path<i64>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let row = changeable(&db, &auth, &user, id).await?;
    let input = match Fields::of(&typed).input() {
        Ok(input) => input,
        Err(fields) => return Ok(answer(form(&fields, Some(id)))),
    };
    this(&row).update().input(input).set(post::changed, Some(crate::now(&site)?)).execute(&db).await?;
    auth.session().flash(FlashLevel::Success, "Your changes are saved.").await?;
    Ok(redirect(local!("/posts/{id}")))
}

/// `GET /posts/{id}/delete`: asks once more, without a script.
pub(crate) async fn delete_page(db: Db, auth: Auth, user: CurrentUser, Path(id): Path<i64>) -> Result<View> {
    let row = changeable(&db, &auth, &user, id).await?;
    Ok(View::new("post_delete.html", context! { id, title => row.title }))
}

/// `POST /posts/{id}/delete`.
pub(crate) async fn delete(db: Db, auth: Auth, user: CurrentUser, Path(id): Path<i64>) -> Result<Response> {
    let row = changeable(&db, &auth, &user, id).await?;
    this(&row).delete().execute(&db).await?;
    auth.session().flash(FlashLevel::Success, "The post is deleted.").await?;
    Ok(redirect(local!("/")))
}

/// Reads a post that the user may change.
async fn changeable(db: &Db, auth: &Auth, user: &CurrentUser, id: i64) -> Result<Post> {
    let row = Post::query().filter(post::id.eq(id)).one(db).await?;
    rights::require(auth, user, row.author_id).await?;
    Ok(row)
}

fn this(row: &Post) -> Query<Post> {
    Post::query().filter(post::id.eq(row.id).and(post::author_id.eq(row.author_id)))
}

fn form(fields: &Fields, id: Option<i64>) -> View {
    let good = fields.title.is_good() && fields.body.is_good();
    let status = if good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    View::new("post_form.html", context! { fields => Serde(fields), id }).status(status)
}

fn answer(view: View) -> Response {
    haechi::axum::response::IntoResponse::into_response(view)
}
