//! Markup and SQL in everything that an outsider can send.

use crate::client::encode;
use crate::server::Server;

const MARKUP: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
];

const SQL: [&str; 10] = [
    "1 or 1=1",
    "1'--",
    "1\"",
    "1;drop table post",
    "1) union select password from auth_user --",
    "id desc",
    "(select 1)",
    "%27 OR %271%27=%271",
    "-1",
    "9223372036854775808",
];

/// asvs_1_1_2, asvs_1_3_7, asvs_1_3_2: stored as typed, escaped where it is shown; no text is a template.
#[test]
fn markup_comes_back_as_text() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for payload in MARKUP {
        let post = ada.submit("/posts/new", &[("title", payload), ("body", payload)]).redirect();
        ada.submit_to(&post, &format!("{post}/comments"), &[("body", payload)]).expect_redirect(&post);
        ada.submit("/profile", &[("website", ""), ("biography", payload)]).expect_redirect("/profile");
        let kept = ada.submit("/posts/new", &[("title", payload), ("body", "")]).expect(422);
        let pages = [&post, "/", "/profile", &format!("{post}/edit"), &format!("{post}/delete")];
        let search = format!("/search?title__contains={}", encode(payload));
        let searched = ada.get(&search).expect(200).shows("Found: 1");
        let shown = pages.map(|page| ada.get(page).expect(200));
        for page in shown.into_iter().chain([kept, searched]) {
            page.hides("<script>alert").hides("<img").hides("<svg").hides("&amp;amp;");
        }
        // A biography is rich text: what is harmless of it stays markup.
        let biography = ada.get("/users/ada").expect(200);
        biography.hides("<script>alert").hides("x\" onerror").hides("<img src=x").hides("<svg");
        let escaped = payload
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        ada.get(&post).shows(&format!("<h1>{escaped}</h1>"));
    }
    server.finish();
}

/// asvs_1_3_1: an allow-list.
#[test]
fn a_biography_keeps_its_markup_and_nothing_that_runs() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let text = "<b>kept</b><script>alert(1)</script><a href=\"javascript:alert(2)\" onclick=\"alert(3)\">here</a>\
                <p style=\"position:fixed\">there</p><form action=//evil.example><input name=password></form><iframe src=//evil.example></iframe>";
    ada.submit("/profile", &[("website", ""), ("biography", text)]).expect_redirect("/profile");
    let shown = ada.get("/users/ada").expect(200);
    let mut shown = shown.shows("<b>kept</b>").shows(">here</a>").shows("<p>there</p>");
    for gone in ["alert(", "onclick", "position:fixed", "evil.example", "<input name=\"password\"", "<iframe"]
    {
        shown = shown.hides(gone);
    }
    server.finish();
}

/// asvs_1_2_4, asvs_1_4_2: declared parameters only.
#[test]
fn sql_in_a_parameter_is_a_bad_request_that_names_it() {
    let server = Server::start();
    let mut visitor = server.visitor();
    for payload in SQL {
        let payload = encode(payload);
        for name in
            ["sort", "page", "per_page", "author_id", "author_id__any_of", "id", "password__startswith"]
        {
            if (name, payload.as_str()) == ("author_id", "-1")
                || (name, payload.as_str()) == ("author_id__any_of", "-1")
            {
                continue;
            }
            for path in ["/", "/search"] {
                visitor
                    .get(&format!("{path}?{name}={payload}"))
                    .expect(400)
                    .shows(&format!("<code>{name}</code>"));
            }
        }
        let of_name = visitor.get(&format!("/search?{payload}=1")).expect(400);
        of_name.shows("role=\"alert\"");
        for path in [format!("/posts/{payload}"), format!("/users/{payload}")] {
            let status = visitor.get(&path).status;
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
        visitor.get(&format!("/search?title__contains={payload}")).expect(200).shows("Found: 0");
    }
    visitor.get("/search?title__contains=a%00b").expect(400);
    visitor.get("/users/a%00b").expect(404);
    visitor.get("/search?sort=id&sort=title").expect(400);
    // A parameter without a name.
    for path in ["/?=", "/?=x", "/?page=1&=", "/search?=", "/search?title__contains=a&="] {
        visitor.get(path).expect(400);
    }
    server.finish();
}

/// asvs_1_2_4: values travel beside the statement.
#[test]
fn sql_in_a_text_is_stored_as_it_stands() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for payload in SQL {
        let post = ada.submit("/posts/new", &[("title", payload), ("body", payload)]).redirect();
        ada.submit_to(&post, &format!("{post}/comments"), &[("body", payload)]).expect_redirect(&post);
        let escaped = payload.replace('\'', "&#39;").replace('"', "&#34;");
        ada.get(&post).shows(&format!("<h1>{escaped}</h1>"));
    }
    for wildcard in ["%25", "_", "%5C"] {
        let found = ada.get(&format!("/search?body__contains={wildcard}")).expect(200);
        let expected = if wildcard == "%5C" { "Found: 0" } else { "Found: 1" };
        found.shows(expected);
    }
    server.finish();
}
