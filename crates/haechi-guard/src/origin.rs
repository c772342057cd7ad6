//! Keeps pages of other sites from opening our WebSockets and from loading our pages as parts of theirs.

use haechi_core::{Denial, Field, Guard, Head, Origin as SiteOrigin, Scheme};
use http::header::{CONNECTION, ORIGIN, UPGRADE};
use http::{HeaderName, Method, StatusCode, Version};

/// Refuses upgrades from other origins, and what another site loads other than by a link.
///
/// An upgrade (and an extended CONNECT of HTTP/2) needs `Origin` to be this site or a trusted one: the same-origin policy does not cover
/// WebSockets. Any other request that a browser marks `cross-site` or `same-site` passes only as a top-level navigation by GET, which is a link; images,
/// scripts, frames and `fetch` of other sites are refused, unless the origin is trusted. Requests without the marks come from programs, or from browsers
/// before 2023, and are left to the CSRF guard and to the headers.
///
/// # Security
///
/// Protects from cross-site WebSocket hijacking, from reading our answers through side channels (Spectre, XS-Leaks), and from being framed by browsers that
/// ignore the headers. Does not cover files that other sites may load: give those paths to [`Origin::open`].
#[derive(Debug, Clone, Default)]
pub struct Origin {
    trusted: Vec<SiteOrigin>,
    open: Vec<&'static str>,
    upgrades: Upgrades,
}

/// By what a WebSocket may come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Upgrades {
    #[default]
    ByAnyScheme,
    ByTls,
}

impl Origin {
    /// Trusts this site alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts another origin, exactly as written.
    #[must_use]
    pub fn trust(mut self, origin: SiteOrigin) -> Self {
        self.trusted.push(origin);
        self
    }

    /// Lets every site load what stands under a path that ends in `/`: the static files of a widget, for example.
    #[must_use]
    pub fn open(mut self, prefix: &'static str) -> Self {
        self.open.push(prefix);
        self
    }

    /// Refuses WebSockets that do not come by TLS: `ws:` sends the session's cookie and every message in clear.
    #[must_use]
    pub fn upgrades_by_tls(mut self) -> Self {
        self.upgrades = Upgrades::ByTls;
        self
    }

    fn knows(&self, head: &Head<'_>, text: &str) -> bool {
        let Ok(origin) = SiteOrigin::parse(text) else {
            return false;
        };
        head.host.is_some_and(|host| origin.is(head.scheme, host)) || self.trusted.contains(&origin)
    }

    fn upgrade(&self, head: &Head<'_>) -> Result<(), Denial> {
        if self.upgrades == Upgrades::ByTls && head.scheme != Scheme::Https {
            return Err(denied("upgrade-plain"));
        }
        match head.field(&ORIGIN) {
            Field::Once(origin) if self.knows(head, origin) => Ok(()),
            Field::Once(origin) => Err(denied("upgrade-foreign").detail(origin)),
            // A program that opens a WebSocket can say whose it is; a browser always does.
            Field::Missing => Err(denied("upgrade-no-origin")),
            Field::Malformed => Err(denied("upgrade-malformed")),
        }
    }

    fn resource(&self, head: &Head<'_>) -> Result<(), Denial> {
        let site = match head.field(&SEC_FETCH_SITE) {
            Field::Missing | Field::Once("same-origin" | "none") => return Ok(()),
            Field::Once(site) => site,
            Field::Malformed => return Err(denied("sec-fetch-site-malformed")),
        };
        let is = |name: &HeaderName, value: &str| head.field(name) == Field::Once(value);
        let link = is(&SEC_FETCH_MODE, "navigate")
            && is(&SEC_FETCH_DEST, "document")
            && matches!(*head.method, Method::GET | Method::HEAD);
        let trusted = matches!(head.field(&ORIGIN), Field::Once(origin) if self.knows(head, origin));
        // The dots of `/open/../private` are for the router: it matches paths as they stand, so this cannot lead elsewhere.
        let open = matches!(*head.method, Method::GET | Method::HEAD)
            && self.open.iter().any(|prefix| head.uri.path().starts_with(prefix));
        if link || trusted || open { Ok(()) } else { Err(denied("cross-site-resource").detail(site)) }
    }
}

impl Guard for Origin {
    fn name(&self) -> &'static str {
        "origin"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        if is_upgrade(head) { self.upgrade(head) } else { self.resource(head) }
    }
}

/// The offer of HTTP/2 that curl and Java make on plain text; the server never takes it and answers in HTTP/1.1.
fn is_h2c(value: &http::HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"h2c")
}

/// HTTP/1.1 says `Upgrade` (whatever `Connection` says: who reads it loosely decides), HTTP/2 sends CONNECT.
fn is_upgrade(head: &Head<'_>) -> bool {
    let names_upgrade = head
        .headers
        .get_all(CONNECTION)
        .iter()
        .any(|value| value.as_bytes().to_ascii_lowercase().windows(7).any(|word| word == b"upgrade"));
    let websocket = head.headers.contains_key(SEC_WEBSOCKET_KEY);
    // `Upgrade: h2c` alone, as old clients send, is ignored by the server: only what can become a WebSocket matters here.
    let to_websocket = head
        .headers
        .get_all(UPGRADE)
        .iter()
        .any(|value| value.as_bytes().to_ascii_lowercase().windows(9).any(|word| word == b"websocket"));
    to_websocket
        || websocket
        || (names_upgrade && head.headers.get_all(UPGRADE).iter().any(|value| !is_h2c(value)))
        || (head.version >= Version::HTTP_2 && *head.method == Method::CONNECT)
}

fn denied(reason: &'static str) -> Denial {
    Denial::new(StatusCode::FORBIDDEN, "origin", reason).title("Not from here").message(
        "Another site tried to load this page as a part of its own. Open it in a tab of its own instead.",
    )
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, outcome};

    #[track_caller]
    fn check(row: &Row<'_>, expected: &str) {
        let guard =
            Origin::new().trust(SiteOrigin::parse("https://partner.example").unwrap()).open("/widget/");
        assert_eq!(row.resolved(|head| outcome(guard.check(head))), expected);
    }

    fn page() -> Row<'static> {
        Row::get("/").host("example.org")
    }

    fn upgrade() -> Row<'static> {
        page().header("connection", "keep-alive, Upgrade").header("upgrade", "WebSocket")
    }

    /// asvs_4_4_2.
    #[test]
    fn a_websocket_opens_only_from_here() {
        // Abused by a script on this site or on the partner's.
        check(&upgrade().header("origin", "https://example.org"), "pass");
        check(&upgrade().header("origin", "https://partner.example"), "pass");
        check(&upgrade(), "403 upgrade-no-origin");
        for foreign in [
            "null",
            "https://evil.test",
            "http://example.org",
            "https://example.org:1",
            "https://a.example.org",
            "",
        ] {
            check(&upgrade().header("origin", foreign), "403 upgrade-foreign");
        }
        check(
            &upgrade().header("origin", "https://example.org").header("origin", "https://example.org"),
            "403 upgrade-malformed",
        );
        check(&page().header("upgrade", "foo, WEBSOCKET"), "403 upgrade-no-origin");
        check(&page().header("sec-websocket-key", "x"), "403 upgrade-no-origin");
        check(&Row::new("CONNECT", "example.org:443").http_2(), "403 upgrade-no-origin");
        check(&upgrade().header("sec-fetch-site", "same-origin"), "403 upgrade-no-origin");
        let offer = || page().header("connection", "Upgrade, HTTP2-Settings");
        check(&offer().header("upgrade", "h2c"), "pass");
        check(&offer().header("upgrade", "h2c, websocket"), "403 upgrade-no-origin");
        check(&offer().header("upgrade", "h2c").header("upgrade", "websocket"), "403 upgrade-no-origin");
        check(&offer().header("upgrade", "h2c").header("sec-websocket-key", "x"), "403 upgrade-no-origin");
        check(&offer().header("upgrade", "h2c foo"), "403 upgrade-no-origin");
        // RFC 9110 §7.8: without `Connection: upgrade` an offer is void, and without an offer there is nothing to open.
        check(&page().header("connection", "keep-alive").header("upgrade", "something-else"), "pass");
        check(&page().header("connection", "upgrade"), "pass");
        check(&Row::get("https://example.org/").http_2(), "pass");
        // To HTTP/1.1 this is a proxy's method, which no route answers.
        check(&Row::new("CONNECT", "example.org:443"), "pass");
    }

    /// asvs_4_4_1: a WebSocket travels in the clear only where a site says so.
    #[test]
    fn asvs_4_4_1_a_websocket_in_the_clear_is_refused() {
        let guard = Origin::new().upgrades_by_tls();
        let check = |row: &Row<'_>, expected: &str| {
            assert_eq!(row.resolved(|head| outcome(guard.check(head))), expected);
        };
        let upgrade = || upgrade().header("origin", "https://example.org");
        check(&upgrade(), "pass");
        check(&upgrade().plain(), "403 upgrade-plain");
        check(&upgrade().plain().header("x-forwarded-proto", "https"), "403 upgrade-plain");
        check(&page().plain(), "pass");
        let open = Origin::new();
        let same = || page().header("upgrade", "websocket").header("origin", "http://example.org").plain();
        check(&same(), "403 upgrade-plain");
        assert_eq!(same().resolved(|head| outcome(open.check(head))), "pass");
    }

    /// asvs_3_5_8.
    #[test]
    fn other_sites_may_link_and_nothing_else() {
        let from = |site, mode, dest| {
            page()
                .header("sec-fetch-site", site)
                .header("sec-fetch-mode", mode)
                .header("sec-fetch-dest", dest)
        };
        // A link or a redirect from anywhere: what makes the web.
        check(&from("cross-site", "navigate", "document"), "pass");
        check(&from("same-site", "navigate", "document"), "pass");
        check(&from("same-origin", "cors", "empty"), "pass");
        check(&from("none", "navigate", "document"), "pass");
        // Programs and old browsers send no mark at all.
        check(&page(), "pass");
        check(&from("cross-site", "navigate", "iframe"), "403 cross-site-resource");
        check(&from("cross-site", "navigate", "embed"), "403 cross-site-resource");
        check(&from("cross-site", "navigate", "object"), "403 cross-site-resource");
        check(&from("cross-site", "no-cors", "image"), "403 cross-site-resource");
        check(&from("same-site", "no-cors", "script"), "403 cross-site-resource");
        check(&from("cross-site", "cors", "empty"), "403 cross-site-resource");
        check(
            &from("cross-site", "cors", "empty").header("origin", "https://evil.test"),
            "403 cross-site-resource",
        );
        check(&from("cross-site", "cors", "empty").header("origin", "https://partner.example"), "pass");
        check(&page().header("sec-fetch-site", "cross-site"), "403 cross-site-resource");
        check(&page().header("sec-fetch-site", "rubbish"), "403 cross-site-resource");
        check(
            &page().header("sec-fetch-site", "none").header("sec-fetch-site", "none"),
            "403 sec-fetch-site-malformed",
        );
        let form = Row::post()
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        check(&form, "403 cross-site-resource");
    }

    #[test]
    fn an_open_path_may_be_loaded_by_all() {
        let load =
            |method, path| Row::new(method, path).host("example.org").header("sec-fetch-site", "cross-site");
        // Whatever stands there is public, also to scripts that time it.
        check(&load("GET", "/widget/a.js"), "pass");
        check(&load("POST", "/widget/a.js"), "403 cross-site-resource");
        check(&load("GET", "/widgets"), "403 cross-site-resource");
    }
}
