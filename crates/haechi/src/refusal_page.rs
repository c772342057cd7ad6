//! What a person sees of a refusal or a failure: the site's own page, in their language.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use haechi_core::{Denial, RequestContext, RequestId};
use haechi_template::{Page, context};
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderValue};

use crate::site::Site;

/// Puts the site's page into the answer of a denial.
///
/// A page that cannot be rendered leaves the plain one of [`Denial`]: there must be an answer when the templates fail, too.
///
/// # Security
///
/// No session is read and no name shown: the page is the same for everybody who is refused.
pub(crate) fn put(
    site: &Site,
    response: &mut Response,
    denial: &Denial,
    wanted: Option<HeaderValue>,
    context: &RequestContext,
) {
    let languages: HeaderMap = wanted.map(|wanted| (ACCEPT_LANGUAGE, wanted)).into_iter().collect();
    if let Some(html) = write(site, denial, &languages, context.id()) {
        *response.body_mut() = Body::from(html);
    }
}

/// Writes the page of what a guard refused.
///
/// # Security
///
/// Who calls the site by a foreign name keeps the plain page: it would tell a page elsewhere what runs here.
pub(crate) fn of_guard(site: &Site, denial: &Denial, headers: &HeaderMap, id: RequestId) -> Option<Bytes> {
    match denial.guard() {
        "host" | "proxy" => None,
        _ => write(site, denial, headers, id).map(Bytes::from),
    }
}

fn write(site: &Site, denial: &Denial, headers: &HeaderMap, id: RequestId) -> Option<String> {
    let page = Page::new().global("lang", site.inner.catalogue.choose(headers)).global("site", site.name());
    let data = context! {
        title => denial.public_title(),
        message => denial.public_message(),
        status => denial.status().as_u16(),
        id => id.to_string(),
    };
    match site.templates().render_value(TEMPLATE, &data, &page) {
        Ok(html) => Some(html),
        Err(error) => {
            tracing::error!(target: "haechi::failure", %error, "the page of a refusal failed");
            None
        }
    }
}

pub(crate) const TEMPLATE: &str = "haechi/refused.html";

/// The titles and sentences of refusals, for the catalogue.
#[cfg(test)]
pub(crate) const TEXTS: &[&str] = &[
    "Another site tried to load this page as a part of its own. Open it in a tab of its own instead.",
    "Bad request",
    "Busy",
    "It seems to come from another site, or the page was open for a long time. Go back, reload the page and send the form again. If you typed the address of this site differently, use one address only.",
    "Not allowed",
    "Not found",
    "Not from here",
    "Not possible here",
    "Please sign in",
    "Please wait a moment and try again.",
    "Something went wrong",
    "The request could not be understood. Go back and try again.",
    "The site cannot answer at the moment. Please try again shortly.",
    "The site could not answer. Please try again later.",
    "There is no page at this address.",
    "This form could not be accepted",
    "This page does not understand that kind of request.",
    "This request was refused. Go back, reload the page and try again.",
    "Too large",
    "Too many requests",
    "What was sent is larger than this site accepts.",
    "You need to be signed in to see this page.",
    "Your account has no permission for this. If it should have, ask whoever runs this site.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_behind_the_guards_has_its_words_in_the_catalogue() {
        for status in [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 501, 503] {
            let denial = Denial::new(http::StatusCode::from_u16(status).unwrap(), "test", "test");
            for text in [denial.public_title(), denial.public_message()] {
                assert!(TEXTS.contains(&text), "{status}: {text}");
            }
        }
    }
}
