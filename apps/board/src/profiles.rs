//! What people say of themselves.

use haechi::axum::http::StatusCode;
use haechi::axum::response::{IntoResponse, Response};
use haechi::{
    Auth, CurrentUser, Db, Error, FlashLevel, Form, Path, Result, Serde, UserId, View, context, local,
    redirect,
};
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::listing::lines;
use crate::models::{NewProfile, Post, Profile, Writer, post, profile, writer};
use crate::moment::Moment;
use crate::website;

/// The form of a profile, as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Typed {
    website: String,
    biography: String,
}

/// The form of a profile, as its page shows it.
#[derive(Debug, Serialize)]
struct Fields {
    website: Field,
    biography: Field,
}

/// `GET /users/{name}`.
pub(crate) async fn show(db: Db, Path(name): Path<String>) -> Result<View> {
    if name.contains('\0') {
        return Err(Error::not_found());
    }
    let person = Writer::query().filter(writer::username.eq(name.as_str()).and(writer::is_active.eq(true)));
    let person = person.one(&db).await?;
    let said = of(&db, person.id).await?;
    let posts = Post::query().filter(post::author_id.eq(person.id)).order_by(post::id.desc()).limit(50);
    let posts = lines(posts.all(&db).await?, &db).await?;
    let data = context! {
        name => person.username,
        id => person.id,
        joined => Serde(Moment::from(person.date_joined)),
        website => said.website,
        biography => haechi::sanitize(&said.biography),
        posts => Serde(posts),
    };
    Ok(View::new("user.html", data))
}

/// `GET /profile`.
pub(crate) async fn edit_page(db: Db, user: CurrentUser) -> Result<View> {
    let said = of(&db, user.id).await?;
    Ok(form(&Fields { website: Field::of(said.website), biography: Field::of(said.biography) }))
}

/// `POST /profile`.
pub(crate) async fn edit(
    db: Db,
    auth: Auth,
    user: CurrentUser,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let fields = Fields {
        website: website::read(&typed.website),
        biography: Field::optional(&typed.biography, 5_000),
    };
    if !fields.website.is_good() || !fields.biography.is_good() {
        return Ok(form(&fields).into_response());
    }
    let input = NewProfile { website: fields.website.value, biography: fields.biography.value };
    Profile::insert(input)
        .set(profile::user_id, user.id)
        .or_update(profile::unique_user_id)
        .execute(&db)
        .await?;
    auth.session().flash(FlashLevel::Success, "Your profile is saved.").await?;
    Ok(redirect(local!("/profile")))
}

/// Reads what a person says; an empty profile, if nothing yet.
async fn of(db: &Db, user_id: UserId) -> Result<Profile> {
    let said = Profile::query().filter(profile::user_id.eq(user_id)).optional(db).await?;
    Ok(said.unwrap_or(Profile { user_id, website: String::new(), biography: String::new() }))
}

fn form(fields: &Fields) -> View {
    let good = fields.website.is_good() && fields.biography.is_good();
    let status = if good { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    View::new("profile.html", context! { fields => Serde(fields) }).status(status)
}
