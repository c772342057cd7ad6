//! Methods: a link changes nothing, and what no route declares does not exist.

use crate::server::Server;

/// The paths of the board that take a POST, with a row of each kind to act on.
fn changing() -> Vec<String> {
    let (_, printed) = Server::start().command(&["routes", "--json"]);
    let paths: Vec<String> = printed
        .split("{\"methods\":[")
        .filter(|route| route.split(']').next().is_some_and(|methods| methods.contains("\"POST\"")))
        .filter_map(|route| route.split("\"path\":\"").nth(1)?.split('"').next())
        .map(|path| path.replace("{id}", "1").replace("{uid}", "MQ").replace("{token}", "x"))
        .collect();
    assert!(paths.len() > 12, "{printed}");
    paths
}

/// asvs_3_5_3, asvs_4_1_4: neither a link, nor a header or a field that names another method, acts as a form does.
#[test]
fn asvs_3_5_3_a_link_changes_nothing_on_any_route() {
    let server = Server::start();
    let mut ada = server.superuser("ada");
    let post = ada.submit("/posts/new", &[("title", "Hello"), ("body", "text")]).redirect();
    ada.submit_to(&post, &format!("{post}/comments"), &[("body", "a comment")]).redirect();
    let token = ada.get("/posts/new").token().unwrap();
    for path in changing() {
        let query =
            format!("{path}?_method=POST&title=x&body=x&end=others&csrf_token={token}&website=&biography=x");
        for method in ["GET", "HEAD", "OPTIONS"] {
            for (name, value) in [
                ("x-http-method-override", "POST"),
                ("x-http-method", "DELETE"),
                ("x-method-override", "POST"),
                ("accept", "text/html"),
            ] {
                let mut copy = ada.clone();
                let answer = copy.send(method, &query, &[(name, value), ("sec-fetch-site", "none")], "");
                assert!(answer.status < 500, "{method} {path}: {}", answer.status);
            }
        }
    }
    ada.get(&post).expect(200).shows("<h1>Hello</h1>").shows("a comment");
    ada.get("/profile").expect(200).hides(">x</textarea>").hides("\nx</textarea>");
    ada.get("/").shows("Hello").hides(">x</a>");
    server.finish();
}

/// asvs_13_4_4, asvs_4_1_4: TRACE and whatever else is not declared is refused, and echoes nothing.
#[test]
fn asvs_13_4_4_methods_that_no_route_declares_are_refused() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for path in ["/", "/profile", "/accounts/login", "/nowhere", "/static/board.css"] {
        for method in ["TRACE", "TRACK", "DEBUG", "PROPFIND", "FOO", "get", "CONNECT", "PRI"] {
            let answer = ada.send(method, path, &[("sec-fetch-site", "none"), ("x-secret", "echoed")], "");
            assert!(
                matches!(answer.status, 400 | 403 | 404 | 405 | 501),
                "{method} {path}: {}",
                answer.status
            );
            answer.hides("echoed").hides("session=");
        }
    }
    for (path, allowed) in [("/search", "GET,HEAD"), ("/accounts/logout", "POST")] {
        let answer = ada.send(
            "PATCH",
            path,
            &[("sec-fetch-site", "none"), ("content-type", "application/json")],
            "{}",
        );
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        answer.expect(405);
    }
    ada.get("/").expect(200);
    server.finish();
}

/// asvs_4_2_2: an answer that may have no body has none, and one that has is as long as it says.
#[test]
fn asvs_4_2_2_answers_are_framed_as_their_kind_asks() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for path in ["/", "/profile", "/nowhere", "/static/board.css", "/accounts/logout"] {
        let (head, page) = (ada.send("HEAD", path, &[], ""), ada.send("GET", path, &[], ""));
        assert!(head.body.is_empty(), "HEAD {path} has a body");
        assert_eq!(head.status, page.status, "{path}");
        if let Some(length) = page.header("content-length") {
            assert_eq!(length.parse::<usize>().unwrap(), page.body.len(), "{path}");
        }
    }
    let tag = ada.get("/static/board.css").header("etag").unwrap().to_owned();
    let same = ada.send("GET", "/static/board.css", &[("if-none-match", &tag)], "").expect(304);
    assert!(same.body.is_empty());
    server.finish();
}
