//! Addresses that are written so that a cache, a proxy or a router reads another one.

use crate::server::Server;

/// asvs_14_2_5, asvs_1_1_1: what a cache would take for a picture or a style sheet is no page of a person.
#[test]
fn asvs_14_2_5_no_other_spelling_reaches_a_private_page() {
    let server = Server::start();
    let mut ada = server.member("wren");
    ada.submit("/posts/new", &[("title", "Hello"), ("body", "text")]).redirect();
    for page in ["/profile", "/accounts/devices", "/posts/new", "/moderation"] {
        for other in [
            "{}/x.css",
            "{};x.css",
            "{}%2fx.css",
            "{}%00.css",
            "{}.css",
            "{}/",
            "{}//",
            "/{}",
            "/.{}",
            "/x/..{}",
            "/%2e{}",
            "/x/%2e%2e{}",
            "{}%2f",
            "{}%3fx.css",
            "{}%23x.css",
            "{}%20",
            "{}%0a",
            "/static/..{}",
            "/static/%2e%2e{}",
            "/static/..%2f{}",
            "/static/..;{}",
            "{}\\x.css",
            "/\\{}",
            "{}/.",
            "{}/..;/x.js",
        ] {
            let path = other.replace("{}", page);
            let answer = ada.send("GET", &path, &[("accept", "text/html")], "");
            assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
            answer.hides("csrf_token").hides("wren");
        }
        let upper = page.to_uppercase();
        ada.get(&upper).expect(404);
    }
    for other in [
        "/posts/1/x.css",
        "/posts/1;x",
        "/posts/1%2f",
        "/posts/1/",
        "/users/wren/x.css",
        "/users/wren%2fx.css",
    ] {
        let status = ada.get(other).status;
        assert!(matches!(status, 400 | 404), "{other}: {status}");
    }
    server.finish();
}

/// asvs_1_1_1: what was encoded twice is decoded once.
#[test]
fn asvs_1_1_1_an_address_is_decoded_once() {
    let server = Server::start();
    let mut ada = server.member("ada");
    ada.submit("/posts/new", &[("title", "%41%2e%2e"), ("body", "text")]).redirect();
    ada.get("/search?title__contains=%2541").expect(200).shows("Found: 1").shows("value=\"%41\"");
    ada.get("/search?title__contains=%41").expect(200).shows("Found: 0").shows("value=\"A\"");
    ada.get("/search?title__contains=%25252e").expect(200).shows("Found: 0").shows("value=\"%252e\"");
    ada.get("/users/%2561da").expect(404);
    ada.get("/users/%61da").expect(200);
    server.finish();
}

/// asvs_13_4_1, asvs_13_4_3, asvs_13_4_5, asvs_13_4_7: no dot file, listing, source, database or page for operators.
#[test]
fn asvs_13_4_1_only_the_files_of_the_site_are_served() {
    let server = Server::start();
    let mut visitor = server.visitor();
    for path in [
        "/static",
        "/static/",
        "/static/.env",
        "/static/.git/config",
        "/static/.htaccess",
        "/static/board.css/",
        "/static/Board.css",
        "/static/board.css%00.png",
        "/static/board.css.bak",
        "/static/board.css~",
        "/static//board.css",
        "/static/./board.css",
        "/static/%2e/board.css",
        "/static/..%5cboard.css",
        "/static/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static/....//etc/passwd",
        "/static//etc/passwd",
        "/static/board.rs",
        "/static/board.db",
        "/static/board.toml",
        "/.git/HEAD",
        "/.git/config",
        "/.env",
        "/.svn/entries",
        "/.DS_Store",
        "/haechi.toml",
        "/board.db",
        "/secret.key",
        "/uploads/",
        "/var/board.db",
        "/Cargo.toml",
        "/src/main.rs",
        "/metrics",
        "/debug",
        "/debug/pprof/",
        "/docs",
        "/openapi.json",
        "/swagger",
        "/actuator/env",
        "/server-status",
        "/-/",
        "/-/csp-report/x",
        "/admin/",
        "/phpinfo.php",
        "/backup.zip",
    ] {
        let answer = visitor.send("GET", path, &[("accept", "text/html")], "");
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        answer.hides("Index of").hides("secret");
    }
    visitor.get("/static/board.css").expect(200);
    server.finish();
}

/// asvs_3_7_2: whatever stands in `next`, a browser stays here.
#[test]
fn asvs_3_7_2_no_spelling_of_next_leads_away() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let mut kept = 0;
    for next in NEXT.iter().copied().chain([&*format!("/{}", "a".repeat(5_000))]) {
        let page = format!("/accounts/login?next={}", crate::client::encode(next));
        let to = ada.get(&page).redirect();
        assert!(to.len() <= 2_048, "{next:?} leads to {to:?}");
        // As a browser reads it, and as it is read behind proxies that decode it first.
        let path = to.split(['?', '#']).next().unwrap().to_owned();
        for path in std::iter::successors(Some(path), |path| Some(decode(path))).take(4) {
            let read: String =
                path.chars().filter(|c| !c.is_control()).collect::<String>().replace('\\', "/");
            assert!(read.starts_with('/') && !read.starts_with("//"), "{next:?} leads to {to:?}");
        }
        assert!(to.is_ascii() && !to.contains(['\r', '\n', '\t', ' ']), "{next:?} leads to {to:?}");
        kept += u8::from(to != "/");
    }
    assert!(kept >= 4, "even paths of this site were not kept");
    server.finish();
}

/// Decodes what is percent-encoded, once.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend([&[byte], &part.as_bytes()[2..]].concat()),
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const NEXT: [&str; 52] = [
    "/posts/1",
    "/search?title__contains=a&page=2",
    "/a?next=//evil.example",
    "/a//evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:///evil.example",
    "HTTPS://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/%09/evil.example",
    "/\n/evil.example",
    "/\r//evil.example",
    " //evil.example",
    "\u{8}//evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "http:///evil.example",
    "http:\\\\evil.example",
    "http:/\\//evil.example",
    "/\\\\//evil.example",
    "//user:pass@evil.example",
    "http://127.0.0.1@evil.example",
    "http://127.0.0.1.evil.example",
    "//127.0.0.1//evil.example",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "%2f%2fevil.example",
    "/..//evil.example",
    "/./\\evil.example",
    "/a/../..//evil.example",
    "//[evil",
    "http://[::1",
    "ftp://evil.example",
    "///\0evil.example",
    "\0//evil.example",
    "?x=//evil.example",
    "#//evil.example",
    "evil.example",
    ".evil.example",
    "\u{3000}//evil.example",
    "/\u{2044}/evil.example",
    "/a\r\nSet-Cookie: session=x",
    "/a%0d%0aLocation:%20//evil.example",
];
