//! Refuses what another site makes a visitor's browser send.

use haechi_core::{Denial, Field, Guard, Head, Origin};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN};
use http::{HeaderName, Method, StatusCode};

/// Lets a request that may change something pass only if this site sent it.
///
/// Three questions in this order, for every method but GET, HEAD, OPTIONS and TRACE:
/// 1. `Sec-Fetch-Site`, which no page can forge: `same-origin` and `none` (the user's own doing) pass, `cross-site` and `same-site` do not,
///    unless `Origin` is a trusted one. Sibling hosts and other ports of localhost are `same-site`: they attack too.
/// 2. Without it, `Origin`: this site or a trusted origin passes; `null` never does.
/// 3. With neither: with a cookie or authorization it is refused; without, there is nothing to ride on.
///
/// A field that stands there twice or holds other bytes is refused: which of the two a browser wrote cannot be told. What passes may still need a
/// form token, see [`Csrf::token_requirement`].
///
/// # Security
///
/// Protects from cross-site forms and scripts, also of sibling hosts and at sign-in. Does not protect from a script on this very site (XSS),
/// nor a handler that changes something on GET.
#[derive(Debug, Clone, Default)]
pub struct Csrf {
    trusted: Vec<Origin>,
}

/// Whose page or program sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Here,
    Trusted,
    /// Somebody without credentials.
    Nobody,
}

/// Whether a request that passed the head needs a form token besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRequirement {
    /// It changes nothing, or a page of another site could not have sent it without asking first.
    NotNeeded,
    /// It is of a kind that a form sends: the token of the visitor's form secret is needed, also before there is a session.
    Needed,
}

impl Csrf {
    /// Trusts this site alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts another origin to send requests on behalf of visitors, exactly as written.
    #[must_use]
    pub fn trust(mut self, origin: Origin) -> Self {
        self.trusted.push(origin);
        self
    }

    /// Decides on the head, and tells whether the form token has to be checked.
    ///
    /// # Errors
    ///
    /// The [`Denial`] of the first of the three questions that the request fails.
    pub fn token_requirement(&self, head: &Head<'_>) -> Result<TokenRequirement, Denial> {
        if is_safe(head.method) {
            return Ok(TokenRequirement::NotNeeded);
        }
        match self.sender(head)? {
            // A page of theirs cannot know our visitor's token: its origin is the proof.
            Sender::Trusted => Ok(TokenRequirement::NotNeeded),
            Sender::Here | Sender::Nobody if needs_no_preflight(head) => Ok(TokenRequirement::Needed),
            Sender::Here | Sender::Nobody => Ok(TokenRequirement::NotNeeded),
        }
    }

    fn sender(&self, head: &Head<'_>) -> Result<Sender, Denial> {
        match (head.field(&SEC_FETCH_SITE), head.field(&ORIGIN)) {
            (Field::Malformed, _) => Err(denied("sec-fetch-site-malformed")),
            (_, Field::Malformed) => Err(denied("origin-malformed")),
            (Field::Once("same-origin" | "none"), Field::Missing) => Ok(Sender::Here),
            // A browser that says `same-origin` sends our own origin beside it: a contradiction is nobody's browser.
            (Field::Once("same-origin" | "none"), Field::Once(origin)) => {
                self.known(head, origin, "origin-contradicts")
            }
            (Field::Once(_), Field::Once(origin)) => self.trusted(origin, "cross-site"),
            (Field::Once(site), Field::Missing) => Err(denied("cross-site").detail(site)),
            (Field::Missing, Field::Once(origin)) => self.known(head, origin, "origin-foreign"),
            (Field::Missing, Field::Missing) if carries_credentials(head) => Err(denied("no-proof")),
            // Anybody can send this from a machine of their own, and learns what they would learn there.
            (Field::Missing, Field::Missing) => Ok(Sender::Nobody),
        }
    }

    fn known(&self, head: &Head<'_>, text: &str, reason: &'static str) -> Result<Sender, Denial> {
        let ours = head
            .host
            .is_some_and(|host| Origin::parse(text).is_ok_and(|origin| origin.is(head.scheme, host)));
        if ours { Ok(Sender::Here) } else { self.trusted(text, reason) }
    }

    fn trusted(&self, text: &str, reason: &'static str) -> Result<Sender, Denial> {
        match Origin::parse(text) {
            Ok(origin) if self.trusted.contains(&origin) => Ok(Sender::Trusted),
            _ => Err(denied(reason).detail(text)),
        }
    }
}

impl Guard for Csrf {
    fn name(&self) -> &'static str {
        "csrf"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        self.token_requirement(head).map(drop)
    }
}

/// The refusal of a request whose form token is missing or of somebody else; the step behind the guards answers with it.
#[must_use]
pub fn token_denial(reason: &'static str) -> Denial {
    denied(reason)
}

/// RFC 9110 §9.2.1. Unknown methods are not safe, and neither is QUERY, whose body a form cannot send but whose effects nobody declared.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

fn carries_credentials(head: &Head<'_>) -> bool {
    head.headers.contains_key(COOKIE) || head.headers.contains_key(AUTHORIZATION)
}

/// Tells whether a page of another site could send this without the browser asking us first (the CORS-safelisted content types).
///
/// A type that cannot be read counts as one a form sends.
fn needs_no_preflight(head: &Head<'_>) -> bool {
    let Field::Once(content_type) = head.field(&CONTENT_TYPE) else {
        return true;
    };
    let essence = content_type.split([';', ',']).next().unwrap_or(content_type).trim().to_ascii_lowercase();
    let simple_method = *head.method == Method::POST;
    let form = matches!(
        essence.as_str(),
        "application/x-www-form-urlencoded" | "multipart/form-data" | "text/plain" | ""
    );
    // PUT, PATCH and DELETE always ask first, but a form body is read by the same extractors, so it gets the same token.
    form || (simple_method && !essence.contains('/'))
}

fn denied(reason: &'static str) -> Denial {
    Denial::new(StatusCode::FORBIDDEN, "csrf", reason)
        .title("This form could not be accepted")
        .message("It seems to come from another site, or the page was open for a long time. Go back, reload the page and send the form again. If you typed the address of this site differently, use one address only.")
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Row;

    #[track_caller]
    fn check(row: &Row<'_>, expected: &str) {
        let guard = Csrf::new().trust(Origin::parse("https://partner.example").unwrap());
        let seen = row.resolved(|head| match guard.token_requirement(head) {
            Ok(TokenRequirement::NotNeeded) => "pass".to_owned(),
            Ok(TokenRequirement::Needed) => "pass with token".to_owned(),
            Err(denial) => format!("{} {}", denial.status().as_u16(), denial.reason()),
        });
        assert_eq!(seen, expected);
    }

    fn json() -> Row<'static> {
        Row::post().header("content-type", "application/json").header("cookie", "s=1")
    }

    #[test]
    fn reading_is_open_to_every_site() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            // Abused by whoever finds a handler that changes something on GET.
            check(
                &Row::new(method, "/")
                    .host("example.org")
                    .header("cookie", "s=1")
                    .header("sec-fetch-site", "cross-site"),
                "pass",
            );
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY", "PROPFIND", "get", "X"] {
            check(
                &Row::new(method, "/")
                    .host("example.org")
                    .header("cookie", "s=1")
                    .header("sec-fetch-site", "cross-site"),
                "403 cross-site",
            );
        }
    }

    /// asvs_3_5_1.
    #[test]
    fn fetch_metadata_decides_where_it_stands() {
        // Abused by a script on this very site.
        check(&json().header("sec-fetch-site", "same-origin"), "pass");
        check(
            &json().header("sec-fetch-site", "same-origin").header("origin", "https://example.org"),
            "pass",
        );
        // The user's own doing: a bookmarklet or an extension of theirs.
        check(&json().header("sec-fetch-site", "none"), "pass");
        check(&json().header("sec-fetch-site", "cross-site"), "403 cross-site");
        check(&json().header("sec-fetch-site", "same-site"), "403 cross-site");
        check(
            &json().header("sec-fetch-site", "same-site").header("origin", "https://evil.example.org"),
            "403 cross-site",
        );
        check(
            &json().header("sec-fetch-site", "cross-site").header("origin", "https://example.org"),
            "403 cross-site",
        );
        // Abused by whoever holds the partner's site.
        check(
            &json().header("sec-fetch-site", "cross-site").header("origin", "https://partner.example"),
            "pass",
        );
        check(
            &json().header("sec-fetch-site", "same-origin").header("origin", "https://evil.test"),
            "403 origin-contradicts",
        );
        check(&json().header("sec-fetch-site", "none").header("origin", "null"), "403 origin-contradicts");
        check(&json().header("sec-fetch-site", ""), "403 cross-site");
        check(&json().header("sec-fetch-site", "Same-Origin"), "403 cross-site");
        check(&json().header("sec-fetch-site", "same-origin, same-origin"), "403 cross-site");
        check(
            &json().header("sec-fetch-site", "same-origin").header("sec-fetch-site", "same-origin"),
            "403 sec-fetch-site-malformed",
        );
        check(&json().bytes("sec-fetch-site", b"same-origin\xff"), "403 sec-fetch-site-malformed");
    }

    /// asvs_3_7_5, asvs_3_5_1: a browser that sends no Fetch Metadata is protected all the same.
    #[test]
    fn without_it_the_origin_decides() {
        check(&json().header("origin", "https://example.org"), "pass");
        check(&json().header("origin", "https://example.org:443"), "pass");
        check(&json().header("origin", "https://partner.example"), "pass");
        for foreign in [
            "null",
            "",
            "https://evil.test",
            "http://example.org",
            "https://example.org:8443",
            "https://a.example.org",
            "https://example.org.evil.test",
            "https://example.org@evil.test",
            "https://example.org/",
            "https://partner.example:8443",
            "http://partner.example",
            "https://a.partner.example",
            "example.org",
            "https://example.org https://evil.test",
            "file://",
            "chrome-extension://abc",
        ] {
            check(&json().header("origin", foreign), "403 origin-foreign");
        }
        check(
            &json().header("origin", "https://example.org").header("origin", "https://example.org"),
            "403 origin-malformed",
        );
        check(&json().bytes("origin", b"https://example.org\xff"), "403 origin-malformed");
        check(&json().plain().header("origin", "https://example.org"), "403 origin-foreign");
        check(
            &Row::new("POST", "/").header("origin", "https://example.org").header("cookie", "s=1"),
            "403 origin-foreign",
        );
    }

    /// Go, tower-http and better-auth let the first of these pass.
    #[test]
    fn with_neither_a_credential_is_refused() {
        check(&json(), "403 no-proof");
        check(
            &Row::post().header("content-type", "application/json").header("authorization", "Bearer x"),
            "403 no-proof",
        );
        check(&Row::post().header("content-type", "application/json").header("cookie", ""), "403 no-proof");
        check(&json().header("referer", "https://example.org/"), "403 no-proof");
        // A program without credentials: it can do what anybody can.
        check(&Row::post().header("content-type", "application/json"), "pass");
        check(&Row::post(), "pass with token");
    }

    /// asvs_3_5_2: what a form, or a script that dodges the preflight, can send needs the token as well.
    #[test]
    fn kinds_that_a_form_sends_need_the_token() {
        let from_here = || Row::post().header("sec-fetch-site", "same-origin").header("cookie", "s=1");
        check(&from_here(), "pass with token");
        for form in [
            "application/x-www-form-urlencoded",
            "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8",
            "multipart/form-data; boundary=x",
            "text/plain",
            "text/plain; application/json",
            "text/plain, application/json",
            "",
            ";",
            "json",
            " text/plain ",
        ] {
            check(&from_here().header("content-type", form), "pass with token");
        }
        for program in
            ["application/json", "application/json; charset=utf-8", "application/octet-stream", "image/png"]
        {
            check(&from_here().header("content-type", program), "pass");
        }
        check(
            &from_here().header("content-type", "application/json").header("content-type", "text/plain"),
            "pass with token",
        );
        check(&from_here().bytes("content-type", b"application/json\xff"), "pass with token");
        let put = || Row::new("PUT", "/").host("example.org").header("sec-fetch-site", "same-origin");
        check(&put().header("content-type", "text/plain"), "pass with token");
        check(&put().header("content-type", "application/json"), "pass");
        // Abused by whoever holds the partner's site, which is what trusting it means.
        check(&Row::post().header("origin", "https://partner.example").header("cookie", "s=1"), "pass");
    }

    #[test]
    fn the_guard_refuses_what_the_decision_refuses() {
        assert!(json().resolved(|head| Csrf::new().check(head)).is_err());
        assert!(
            json().header("sec-fetch-site", "same-origin").resolved(|head| Csrf::new().check(head)).is_ok()
        );
    }
}
