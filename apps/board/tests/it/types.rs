//! Parameters that come twice, as a list, as JSON, too long or with characters that nothing may hold; fields nobody asked for.

use haechi::sql;

use crate::server::{PASSWORD, Server};

/// asvs_15_3_7, asvs_15_3_5, asvs_1_5_2: one value from one place, of the type that is asked for.
#[test]
fn asvs_15_3_7_a_parameter_is_one_value_of_its_type() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for fields in [
        &[("title", "a"), ("title", "b"), ("body", "c")][..],
        &[("title[]", "a"), ("body", "c")],
        &[("title", "a"), ("body[0]", "c")],
        &[("title", "a"), ("body", "c"), ("body.x", "c")],
        &[("title", "a")],
    ] {
        ada.submit("/posts/new", fields).expect(400);
    }
    for query in [
        "page=1&page=2",
        "page[]=1",
        "page[$gt]=1",
        "page=1abc",
        "page=1.0",
        "page=0x1",
        "page=%2b1&page=1",
        "sort=id&sort=-id",
        "title__contains=a&title__contains=b",
        "page=18446744073709551616",
        "author_id=1%20or%201=1",
    ] {
        ada.get(&format!("/search?{query}")).expect(400);
    }
    for id in ["1abc", "1.0", "0x1", "1e0", "99999999999999999999", "%201", "null", "true", "[1]"] {
        ada.get(&format!("/posts/{id}")).expect(400);
    }
    // A field in the address does not fill one that the form left out.
    ada.submit_to("/posts/new", "/posts/new?title=x&body=x", &[]).expect(400);
    ada.submit_to("/accounts/password/change", "/accounts/login?username=ada", &[("password", PASSWORD)])
        .expect(400);
    server.finish();
}

/// asvs_2_2_1, asvs_3_5_2: a body of another type is not read, with the right token or without.
#[test]
fn asvs_2_2_1_a_body_of_another_type_is_refused() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let token = ada.get("/posts/new").token().unwrap();
    let (deep, many) = ("[".repeat(100_000), "a=1&".repeat(30_000));
    for (kind, body) in [
        ("application/json", "{\"title\":\"forged\",\"body\":\"forged\"}"),
        ("application/json", "{\"title\":{\"$ne\":1}}"),
        ("application/json", &*deep),
        ("text/plain", "title=forged&body=forged"),
        ("application/xml", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
        ("", "title=forged&body=forged"),
        ("application/x-www-form-urlencoded", &*many),
        ("application/x-www-form-urlencoded", "&&&="),
        ("application/x-www-form-urlencoded", "title=%FF&body=forged"),
        ("application/x-www-form-urlencoded", "title=forged&body=%ED%A0%80"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nforged\r\n--b--\r\n",
        ),
        ("multipart/form-data", "x"),
    ] {
        for path in ["/posts/new", "/profile", "/accounts/signup", "/accounts/login"] {
            for headers in [
                &[("sec-fetch-site", "same-origin"), ("content-type", kind), ("x-csrf-token", &*token)][..],
                &[("sec-fetch-site", "same-origin"), ("content-type", kind)],
            ] {
                let status = ada.send("POST", path, headers, body).status;
                assert!(matches!(status, 400 | 403 | 413 | 415), "{kind} to {path}: {status}");
            }
        }
    }
    ada.get("/").expect(200).hides("forged");
    server.finish();
}

/// asvs_15_3_3, asvs_8_2_3: nobody writes a column that their form does not have.
#[tokio::test]
async fn asvs_15_3_3_a_field_that_a_form_does_not_have_is_never_stored() {
    let server = Server::behind_a_proxy();
    let mut ada = server.member("ada");
    let (mut bob, extra) = (
        server.member("bob"),
        [
            "id",
            "author_id",
            "user_id",
            "is_superuser",
            "is_staff",
            "is_active",
            "created",
            "password_hash",
            "permissions",
            "groups",
            "next_id",
        ],
    );
    let post = ada.submit("/posts/new", &[("title", "Hello"), ("body", "text")]).redirect();
    for name in extra {
        bob.submit("/posts/new", &[("title", "x"), ("body", "x"), (name, "1")]).expect(400);
        bob.submit("/profile", &[("website", ""), ("biography", "x"), (name, "1")]).expect(400);
        bob.submit_to(&post, &format!("{post}/comments"), &[("body", "x"), (name, "1")]).expect(400);
        let mut stranger = server.visitor_from(&format!("192.0.2.{}", name.len()));
        let username = format!("by.{name}");
        let fields = [("username", &*username), ("email", ""), ("password", PASSWORD), (name, "1")];
        let status = stranger.submit("/accounts/signup", &fields).status;
        assert!(matches!(status, 303 | 400 | 429), "{name}: {status}");
    }
    let db = server.open_database().await;
    let risen: i64 =
        sql!("select count(*) from auth_user where is_superuser or is_staff").scalar(&db).await.unwrap();
    assert_eq!(risen, 0);
    bob.get("/moderation").expect(403);
    server.finish();
}

/// asvs_2_2_2, asvs_8_3_1, asvs_8_2_2: what the pages do not offer is refused by the server.
#[test]
fn asvs_8_3_1_what_is_somebody_elses_is_refused_without_any_page() {
    let server = Server::start();
    let (mut ada, mut bob) = (server.member("ada"), server.member("bob"));
    let post = ada.submit("/posts/new", &[("title", "Hello"), ("body", "text")]).redirect();
    for step in ["edit", "delete"] {
        let path = format!("{post}/{step}");
        bob.get(&path).expect(403);
        bob.submit_to("/posts/new", &path, &[("title", "taken"), ("body", "taken")]).expect(403);
        bob.submit_to("/posts/new", &format!("{path}?author_id=2"), &[("title", "taken"), ("body", "x")])
            .expect(403);
    }
    bob.submit_to("/posts/new", "/moderation/comments/1/delete", &[]).expect(403);
    bob.submit("/posts/new", &[("title", &*"x".repeat(201)), ("body", "x")]).expect(422);
    ada.get(&post).expect(200).shows("<h1>Hello</h1>");
    server.finish();
}

/// asvs_1_3_3: no character and no length that a stranger can send is an error of ours.
#[test]
fn asvs_1_3_3_no_text_of_a_stranger_is_a_failure() {
    let server = Server::behind_a_proxy();
    let mut ada = server.member("ada");
    let long = "é".repeat(40_000);
    let texts = ODD.iter().copied().chain([&*long]);
    for (number, text) in texts.enumerate() {
        for (path, names) in FORMS {
            for name in *names {
                let fields: Vec<_> =
                    names.iter().map(|other| (*other, if other == name { text } else { "ok" })).collect();
                let mut client = if path.starts_with("/accounts/signup") || path.ends_with("reset") {
                    server.visitor_from(&format!("192.0.2.{number}"))
                } else {
                    ada.clone()
                };
                let answer = client.submit_to("/accounts/signup", path, &fields);
                assert!(answer.status < 500, "{path} {name}={text:.20?}: {}", answer.status);
                assert_eq!(answer.header("x-evil"), None, "{path} {name}");
                assert!(!answer.body.contains('\0') && !answer.body.contains("<script>"), "{path} {name}");
            }
        }
        let encoded = crate::client::encode(&text.chars().take(5_000).collect::<String>());
        for place in [
            "/search?title__contains=",
            "/search?",
            "/posts/",
            "/users/",
            "/?page=",
            "/accounts/login?next=",
            "/",
            "/static/",
            "/accounts/email/",
            "/accounts/reset/MQ/",
        ] {
            let status = ada.get(&format!("{place}{encoded}")).status;
            assert!(status < 500, "{place}{text:.20?}: {status}");
        }
    }
    server.finish();
}

/// What no form expects.
const ODD: &[&str] = &[
    "",
    "\0",
    "a\0b",
    "\u{fffd}",
    "\u{feff}",
    "\u{202e}",
    "\u{2028}",
    "\u{10ffff}",
    "\r\nX-Evil: 1",
    "\u{1b}[31m",
    "\u{7f}",
    "{{ 7 * 7 }}",
    "${7*7}",
    "%00",
    "%s%s%n",
    "../../etc/passwd",
    "' or 1=1--",
    "<script>",
    "-1",
    "1e999",
    "NaN",
];

/// The fields of each form.
const FORMS: &[(&str, &[&str])] = &[
    ("/posts/new", &["title", "body"]),
    ("/profile", &["website", "biography"]),
    ("/accounts/password/change", &["old_password", "new_password"]),
    ("/accounts/devices", &["end"]),
    ("/accounts/confirm", &["password", "next"]),
    ("/accounts/login", &["username", "password", "next", "remember"]),
    ("/accounts/signup", &["username", "email", "password", "next"]),
    ("/accounts/password/reset", &["email"]),
];
