//! What a visitor may search by, read from the query string.

use axum::extract::FromRequestParts;
use haechi_core::Denial;
use haechi_db::{Comparable, FilterSet, Model, OrderBy, Page, Query};
use http::{StatusCode, request::Parts};

use crate::{Error, Result};

/// The query string of a request, read by what `F` declares; anything else in it is a 400.
///
/// # Security
/// A name that is not declared, a value of another type, a sort key that is none, and a parameter that stands there
/// twice are refused before there is a statement. The client sees a 400; the log names the parameter, never its value.
///
/// # Examples
///
/// ```
/// use haechi::{Db, Filter, FilterSet, Model, Result};
///
/// #[derive(Model)]
/// struct Post { id: i64, title: String }
///
/// #[derive(FilterSet)]
/// #[filterset(model = Post, sort(id, title), per_page = 20, max_per_page = 50)]
/// struct PostFilter { #[filter(contains)] title: String }
///
/// async fn search(db: Db, filter: Filter<PostFilter>) -> Result<String> {
///     let found = filter.run(Post::query(), post::id.desc(), &db).await?;
///     Ok(format!("{} posts", found.items.len()))
/// }
/// ```
pub struct Filter<F: FilterSet>(pub haechi_db::Filter<F>);

impl<F: FilterSet> Filter<F> {
    /// Returns the page that was asked for, of the rows of `base`, as [`haechi_db::Filter::run`] does.
    ///
    /// # Errors
    /// Fails if `base` has a limit, and if the database fails.
    pub async fn run(
        self,
        base: Query<F::Model>,
        order: OrderBy<F::Model>,
        db: &haechi_db::Db,
    ) -> Result<Page<F::Model>>
    where
        <<F::Model as Model>::Key as haechi_db::Column>::Type: Comparable,
    {
        Ok(self.0.run(base, order, db).await?)
    }
}

impl<F: FilterSet, S: Sync> FromRequestParts<S> for Filter<F> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        read(parts.uri.query().unwrap_or_default())
    }
}

fn read<F: FilterSet>(query: &str) -> Result<Filter<F>> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(MOST_PAIRS).collect();
    // Bytes that are no UTF-8 become this letter: a filter would then ask for something that was not sent.
    if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
        return Err(Denial::new(StatusCode::BAD_REQUEST, "filter", "utf-8").into());
    }
    Ok(Filter(haechi_db::Filter::parse(pairs)?))
}

impl<F: FilterSet> std::fmt::Debug for Filter<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One more than `haechi_db` takes would do: what is beyond is refused there.
const MOST_PAIRS: usize = 100;

#[cfg(test)]
mod tests {
    use haechi_db::Model;

    use super::*;

    #[derive(Model)]
    #[model(table = "post")]
    #[allow(dead_code, reason = "only its columns are asked for")]
    struct Post {
        id: i64,
        title: String,
    }

    #[derive(FilterSet)]
    #[filterset(model = Post, sort(id, title), per_page = 20, max_per_page = 50)]
    #[allow(dead_code, reason = "a declaration")]
    struct PostFilter {
        #[filter(contains)]
        title: String,
        #[filter(eq)]
        id: i64,
    }

    #[track_caller]
    fn check(query: &str, expected: StatusCode) {
        let status = read::<PostFilter>(query).map_or_else(|error| error.status(), |_| StatusCode::OK);
        assert_eq!(status, expected, "{query}");
    }

    #[test]
    fn a_query_string_that_was_not_declared_is_a_400() {
        check("", StatusCode::OK);
        // A payload is a text like any other where a text is searched for.
        check("title__contains=%27+OR+%271%27%3D%271&sort=-title&page=2", StatusCode::OK);
        for refused in [
            "password__startswith=pbkdf2",
            "title__regex=a",
            "id=1+OR+1%3D1",
            "id=1;drop+table+post",
            "id=9223372036854775808",
            "sort=title+desc",
            "sort=(select+1)",
            "page=0",
            "page=-1",
            "page=1e9",
            "per_page=%27",
            "sort=id&sort=title",
            "title__contains=a%00b",
            "title__contains=%ff",
            "%27%3B--=1",
        ] {
            check(refused, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn a_refusal_names_the_parameter_and_not_the_value() {
        let refused = read::<PostFilter>("id=hunter2").unwrap_err();
        let shown = format!("{refused:?}");
        assert!(shown.contains("id") && !shown.contains("hunter2"), "{shown}");
        let by_hand = haechi_db::Filter::<PostFilter>::parse([("id", "hunter2")]).unwrap_err();
        assert_eq!(Error::from(by_hand).status(), StatusCode::BAD_REQUEST);
    }
}
