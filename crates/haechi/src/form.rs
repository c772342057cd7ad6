//! A form, read into a type; a field that is doubled, unknown to the type or of the wrong shape is a 400.

use axum::extract::{FromRequest, Request};
use haechi_core::Denial;
use http::StatusCode;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;

use crate::field_value::FieldValue;
use crate::{Error, Result, body_memory};

/// The urlencoded fields of a request, read into `T`.
///
/// The token field has been checked and is left out. A field that stands there twice is refused for a `T` that
/// wants one value: which of the two is meant cannot be told.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let kind = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let refused = Denial::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "form", "content-type");
            return Err(refused.detail(essence).into());
        }
        let body = request.into_body().collect().await.map_err(|error| body_memory::refusal(&error))?;
        read(&body.to_bytes()).map(Self)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    std::str::from_utf8(body).map_err(|_| malformed("utf-8", ""))?;
    from_pairs(form_urlencoded::parse(body))
}

/// Reads the fields of a form into `T`, whatever kind of body they came in.
pub(crate) fn from_pairs<T, N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<T>
where
    T: DeserializeOwned,
    N: AsRef<str>,
    V: AsRef<str>,
{
    let pairs: Vec<(N, V)> = pairs
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_ref(), "csrf_token" | "csrfmiddlewaretoken"))
        .take(MOST_FIELDS + 1)
        .collect();
    if pairs.len() > MOST_FIELDS {
        return Err(malformed("too-many-fields", ""));
    }
    if pairs
        .iter()
        .any(|(name, value)| [name.as_ref(), value.as_ref()].iter().any(|text| text.contains('\u{fffd}')))
    {
        return Err(malformed("utf-8", ""));
    }
    let fields = pairs.iter().map(|(name, value)| (name.as_ref(), FieldValue(value.as_ref())));
    T::deserialize(MapDeserializer::new(fields)).map_err(|error| malformed("fields", &error.to_string()))
}

fn malformed(reason: &'static str, detail: &str) -> Error {
    Denial::new(StatusCode::BAD_REQUEST, "form", reason).detail(detail).into()
}

/// The most fields of one form.
pub(crate) const MOST_FIELDS: usize = 1_000;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Post {
        title: String,
        #[serde(default)]
        stars: Option<u8>,
    }

    #[track_caller]
    fn check(body: &str, expected: Option<(&str, Option<u8>)>) {
        let read: Option<Post> = read(body.as_bytes()).ok();
        let expected = expected.map(|(title, stars)| Post { title: title.to_owned(), stars });
        assert_eq!(read, expected, "{body}");
    }

    #[test]
    fn fields_are_read_and_the_token_is_not_one() {
        check("title=a+b%20c&csrf_token=x", Some(("a b c", None)));
        check("title=%ED%95%B4%EC%B9%98&stars=5", Some(("해치", Some(5))));
    }

    /// asvs_1_5_2, asvs_15_3_7: declared fields of declared types, once each.
    #[test]
    fn what_cannot_be_meant_is_refused() {
        check("", None);
        check("title=a&title=b", None);
        check("title=a&stars=256", None);
        check("title=a&stars=1+OR+1", None);
        check("title=a&is_superuser=on", None);
        check("title=%FF", None);
        check(&format!("title=a{}", "&x=1".repeat(1_001)), None);
    }
}
