//! What a form refuses: beside its field, with what was typed, and never with 500.

use crate::server::Server;

/// asvs_2_2_2, asvs_2_2_1, asvs_1_3_3: checked on the server, whatever the page allows.
#[test]
fn a_form_says_what_is_wrong_and_keeps_what_was_typed() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let long_title = "가".repeat(201);
    let long_body = "b".repeat(20_001);
    let rows = [
        ("", "kept text", "Please write something here."),
        (" \u{200b}", "kept text", "Please write something here."),
        (&*long_title, "kept text", "This text is too long."),
        ("a\0b", "kept text", "This text holds a character that cannot be stored."),
        ("kept text", "", "Please write something here."),
        ("kept text", &*long_body, "This text is too long."),
    ];
    for (title, body, error) in rows {
        let refused = ada.submit("/posts/new", &[("title", title), ("body", body)]).expect(422);
        refused
            .shows(error)
            .shows("aria-invalid=\"true\"")
            .shows("aria-describedby=\"wrong_")
            .shows("kept text");
    }
    ada.submit("/posts/new", &[("title", "no body")]).expect(400);
    ada.submit("/posts/new", &[("title", "a"), ("body", "b"), ("author_id", "2")]).expect(400);
    ada.get("/").shows("Nothing is written yet.");

    let longest = ("가".repeat(200), "나".repeat(20_000));
    let post = ada.submit("/posts/new", &[("title", &longest.0), ("body", &longest.1)]).redirect();
    ada.get(&post).expect(200).shows(&longest.0).shows(&longest.1);
    let comments = format!("{post}/comments");
    ada.submit_to(&post, &comments, &[("body", &"c".repeat(5_001))]).expect(422).shows("too long");
    ada.submit_to(&post, &comments, &[("body", "")]).expect(422).shows("aria-invalid");
    ada.submit_to(&post, "/posts/99/comments", &[("body", "x")]).expect(404);
    server.finish();
}

#[test]
fn a_website_that_a_browser_would_run_is_not_stored() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for website in ["javascript:alert(1)", "JAVASCRIPT://x/%0aalert(1)", "data:text/html,x", "java\tscript:x"]
    {
        let refused = ada.submit("/profile", &[("website", website), ("biography", "me")]).expect(422);
        refused.shows("Write an address").shows("aria-invalid").hides("href=\"javascript:");
    }
    ada.get("/users/ada").expect(200).hides("rel=\"nofollow");
    ada.submit("/profile", &[("website", "https://a.example/?b=1&c"), ("biography", "")]).redirect();
    ada.get("/users/ada").shows("href=\"https://a.example/?b=1&amp;c\"");
    server.finish();
}
