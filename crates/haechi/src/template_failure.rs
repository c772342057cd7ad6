//! What a developer sees when a template fails; nobody else ever sees it.

use axum::response::Response;
use bytes::Bytes;
use haechi_core::{DenialFormat, RequestContext};
use haechi_template::{Page, Problem, context};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::site::Site;

/// Answers with the places in the templates where a page failed.
///
/// Nothing in production, and nothing for an error that has no place in a template: the client then sees the
/// number of its request, like everybody.
///
/// # Security
///
/// The page quotes templates and data. Development answers on loopback addresses only, see `refuse_unsafe`.
pub(crate) fn answer(
    site: &Site,
    error: &(dyn std::error::Error + 'static),
    format: DenialFormat,
    context: &RequestContext,
) -> Option<Response> {
    if !site.is_development() {
        return None;
    }
    let error = error.downcast_ref::<haechi_template::Error>()?;
    let problems = site.templates().problems_of(error);
    if problems.is_empty() {
        return None;
    }
    let text = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n\n");
    let (content_type, body) = match format {
        DenialFormat::Html => {
            let data = context! { count => problems.len(), text, id => context.id().to_string() };
            let page = site.templates().render_value(TEMPLATE, &data, &Page::new()).ok()?;
            ("text/html; charset=utf-8", page)
        }
        DenialFormat::Text => ("text/plain; charset=utf-8", text + "\n"),
        DenialFormat::Json => return None,
    };
    let mut response = Response::new(Bytes::from(body).into());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

pub(crate) const TEMPLATE: &str = "haechi/template_failure.html";
