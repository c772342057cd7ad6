//! What stands on every answer: a type with its charset, no permission for other sites, no cache for what is private, no banner.

use crate::client::{Answer, Client};
use crate::server::Server;

const PATHS: [&str; 14] = [
    "/",
    "/search",
    "/search?sort=1",
    "/posts/1",
    "/posts/abc",
    "/users/ada",
    "/profile",
    "/accounts/devices",
    "/accounts/login",
    "/accounts/signup",
    "/moderation",
    "/nowhere",
    "/static/board.css",
    "/static/nothing.css",
];

fn everywhere(server: &Server) -> Vec<(String, Answer)> {
    let (ada, visitor) = (server.member("ada"), server.visitor());
    let seen = |(who, mut client): (&str, Client)| -> Vec<(String, Answer)> {
        let page = |path: &&str| (format!("{path} as {who}"), client.get(path));
        PATHS.iter().map(page).collect()
    };
    [("ada", ada), ("a visitor", visitor)].into_iter().flat_map(seen).collect()
}

/// asvs_4_1_1, asvs_13_4_6, asvs_3_4_4: a browser never guesses, and nobody is told what runs here.
#[test]
fn asvs_4_1_1_every_body_says_what_it_is_and_no_answer_says_who_made_it() {
    let server = Server::start();
    for (place, answer) in everywhere(&server) {
        match answer.header("content-type") {
            Some(kind) => assert!(kind.ends_with("; charset=utf-8"), "{place}: {kind}"),
            None => assert!(answer.body.is_empty(), "{place} has a body of no type"),
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{place}");
        for banner in ["server", "x-powered-by", "via", "x-runtime", "x-version"] {
            assert_eq!(answer.header(banner), None, "{place}");
        }
        let body = answer.body.to_lowercase();
        for name in ["haechi/", "axum", "hyper", "rustc", "0.1.0"] {
            assert!(!body.contains(name), "{place} names {name}");
        }
    }
    server.finish();
}

/// asvs_3_4_2: no other origin is let in, however it is spelt.
#[test]
fn asvs_3_4_2_no_other_origin_may_read_an_answer() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let here = ada.origin();
    let named = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("{here}.evil.example"),
        here.replace("http://", "http://evil"),
        "http://localhost:1".to_owned(),
        here.clone(),
    ];
    for origin in &named {
        for method in ["GET", "OPTIONS", "HEAD"] {
            let headers = [
                ("origin", origin.as_str()),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "x-csrf-token, content-type"),
                ("access-control-request-private-network", "true"),
            ];
            let answer = ada.send(method, "/profile", &headers, "");
            let allowed = answer.headers.iter().find(|(name, _)| name.starts_with("access-control"));
            assert_eq!(allowed, None, "{method} from {origin}");
        }
    }
    server.finish();
}

/// asvs_14_2_2, asvs_14_3_2: what a person sees is kept nowhere on the way; what everybody sees may be.
#[test]
fn asvs_14_2_2_nothing_of_a_person_is_kept_by_a_cache() {
    let server = Server::start();
    for (place, answer) in everywhere(&server) {
        let (kept, varies) = (answer.header("cache-control"), answer.header("vary"));
        if place.starts_with("/static/") {
            let file = match place.starts_with("/static/board.css") {
                true => "public, max-age=300, must-revalidate",
                false => "no-store",
            };
            assert_eq!((kept, varies), (Some(file), None), "{place}");
            assert!(answer.shape().iter().all(|name| *name != "session" && *name != "form"), "{place}");
            continue;
        }
        assert_eq!(kept, Some("no-store"), "{place}");
        assert_eq!(varies, Some("Cookie"), "{place}");
    }
    server.finish();
}
