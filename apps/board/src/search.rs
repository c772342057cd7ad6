//! The list of posts, and the search in it.

use haechi::axum::http::StatusCode;
use haechi::axum::response::{IntoResponse, Response};
use haechi::db::{Error, ErrorKind, FilterError};
use haechi::{Db, LocalPath, Query, Result, Serde, View, context};

use crate::listing::Listing;
use crate::models::{Post, PostFilter, post};

/// What stands behind the question mark, in order.
type Parameters = Query<Vec<(String, String)>>;

/// `GET /`: the newest posts first.
pub(crate) async fn latest(db: Db, Query(pairs): Parameters) -> Result<Response> {
    answer("home.html", LocalPath::root(), pairs, &db).await
}

/// `GET /search`: posts by what they hold, in the order that was asked for.
pub(crate) async fn search(db: Db, Query(pairs): Parameters) -> Result<Response> {
    answer("search.html", haechi::local!("/search"), pairs, &db).await
}

async fn answer(
    template: &'static str,
    here: LocalPath,
    pairs: Vec<(String, String)>,
    db: &Db,
) -> Result<Response> {
    let asked = Asked::of(&pairs);
    let found = match PostFilter::parse(pairs.iter().map(|(name, value)| (name, value))) {
        Ok(filter) => filter.run(Post::query(), post::id.desc(), db).await,
        Err(refused) => return Ok(refuse(asked, &refused)),
    };
    let page = match found {
        Ok(page) => page,
        Err(error) => return refused_by(asked, error),
    };
    let listing = Listing::of(page, db, |number| link(here.clone(), &pairs, number)).await?;
    Ok(View::new(template, context! { listing => Serde(listing), asked => Serde(asked), refused => "" })
        .into_response())
}

fn refused_by(asked: Asked, error: Error) -> Result<Response> {
    match error.kind() {
        ErrorKind::Filter(refused) => Ok(refuse(asked, refused)),
        _ => Err(error.into()),
    }
}

/// Says which parameter cannot be answered.
fn refuse(asked: Asked, refused: &FilterError) -> Response {
    let page = context! { asked => Serde(asked), refused => refused.parameter() };
    View::new("search.html", page).status(StatusCode::BAD_REQUEST).into_response()
}

/// The address of another page of the same search.
fn link(here: LocalPath, pairs: &[(String, String)], page: u32) -> String {
    let kept = pairs.iter().filter(|(name, value)| name != "page" && !value.is_empty());
    let here = kept.fold(here, |path, (name, value)| path.with_query(name, value));
    here.with_query("page", &page.to_string()).as_str().to_owned()
}

/// What the form of the search shows again.
#[derive(Debug, Default, serde::Serialize)]
struct Asked {
    title: String,
    body: String,
    sort: String,
}

impl Asked {
    fn of(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.clone());
        Self {
            title: value("title__contains").unwrap_or_default(),
            body: value("body__contains").unwrap_or_default(),
            sort: value("sort").unwrap_or_default(),
        }
    }
}
