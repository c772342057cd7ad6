//! Forms that another site sends, or that come without their token.

use crate::server::Server;

#[test]
fn a_form_of_another_site_changes_nothing() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let token = ada.get("/posts/new").token().unwrap();
    let good = [("title", "forged"), ("body", "forged"), ("csrf_token", token.as_str())];
    let without_token = &good[..2];
    let host = ada.get("/posts/new");
    assert!(host.header("content-security-policy").unwrap().contains("form-action 'self'"));
    for (fields, headers) in [
        (&good[..], &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")][..]),
        (&good[..], &[("origin", "https://evil.example")][..]),
        (&good[..], &[("origin", "null")][..]),
        (&good[..], &[("sec-fetch-site", "same-site")][..]),
        (without_token, &[("sec-fetch-site", "same-origin")][..]),
        (
            &[("title", "forged"), ("body", "forged"), ("csrf_token", "x")][..],
            &[("sec-fetch-site", "same-origin")][..],
        ),
    ] {
        for path in ["/posts/new", "/posts/1/delete", "/profile", "/posts/1/comments"] {
            ada.post(path, fields, headers).expect(403);
        }
    }
    let mut mallory = server.member("mallory");
    let theirs = mallory.get("/posts/new").token().unwrap();
    let fields = [("title", "forged"), ("body", "forged"), ("csrf_token", theirs.as_str())];
    ada.post("/posts/new", &fields, &[("sec-fetch-site", "same-origin")]).expect(403);
    ada.get("/").hides("forged");
    ada.post("/posts/new", &good, &[("sec-fetch-site", "same-origin")]).redirect();
    ada.get("/").shows("forged");
    server.finish();
}
