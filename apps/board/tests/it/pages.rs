//! What stands on every page: no third party, no script, fields that a password manager can fill, and a way out.

use crate::client::Client;
use crate::server::Server;

const OPEN: [&str; 8] = [
    "/",
    "/search",
    "/posts/1",
    "/users/ada",
    "/accounts/login",
    "/accounts/signup",
    "/accounts/password/reset",
    "/nowhere",
];
const OF_MEMBERS: [&str; 7] = [
    "/posts/new",
    "/posts/1/edit",
    "/posts/1/delete",
    "/profile",
    "/accounts/devices",
    "/accounts/password/change",
    "/accounts/confirm",
];

fn pages() -> (Server, Client, Vec<(&'static str, String)>) {
    let server = Server::start();
    let mut ada = server.member("ada");
    ada.submit("/posts/new", &[("title", "Hello"), ("body", "text")]).redirect();
    let mut visitor = server.visitor();
    let mut pages: Vec<_> = OPEN.iter().map(|path| (*path, visitor.get(path).body)).collect();
    pages.extend(OPEN.iter().chain(&OF_MEMBERS).map(|path| (*path, ada.get(path).body)));
    (server, ada, pages)
}

/// asvs_3_6_1, asvs_14_2_3, asvs_14_3_3, asvs_3_7_1: nothing comes from elsewhere, and no script keeps anything in a browser.
#[test]
fn asvs_14_2_3_a_page_loads_nothing_from_elsewhere_and_runs_no_script() {
    let (server, _, pages) = pages();
    for (path, page) in &pages {
        for attribute in ["src=\"", "href=\"", "action=\"", "srcset=\"", "poster=\""] {
            for target in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let here = target.starts_with('#') || target.starts_with('/') && !target.starts_with("//");
                assert!(here, "{path} names {target}");
            }
        }
        for part in [
            "<script",
            "<iframe",
            "<object",
            "<embed",
            "<applet",
            "localStorage",
            "sessionStorage",
            "indexedDB",
            " on",
        ] {
            let found = page.split(part).skip(1).any(|rest| part != " on" || handler(rest));
            assert!(!found, "{path} has {part}");
        }
    }
    server.finish();
}

/// `load="…"` of ` onload="…"`.
fn handler(rest: &str) -> bool {
    let name: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
    !name.is_empty() && rest[name.len()..].starts_with("=\"")
}

/// asvs_6_2_6, asvs_6_2_7, asvs_6_4_2: hidden while typed, filled and pasted by a manager, and no question or hint beside it.
#[test]
fn asvs_6_2_7_a_password_is_hidden_and_can_be_pasted() {
    let (server, _, pages) = pages();
    let mut fields = 0;
    for (path, page) in &pages {
        for input in page.split("<input ").skip(1).filter_map(|rest| rest.split('>').next()) {
            assert!(!input.contains("onpaste") && !input.contains("maxlength=\"64\""), "{path}: {input}");
            if !input.contains("name=\"password\"") && !input.contains("_password\"") {
                continue;
            }
            fields += 1;
            assert!(input.contains("type=\"password\""), "{path}: {input}");
            let kept = ["autocomplete=\"current-password\"", "autocomplete=\"new-password\""];
            assert!(kept.iter().any(|kind| input.contains(kind)), "{path}: {input}");
            assert!(input.contains("value=\"\""), "{path} sends a password back: {input}");
        }
        for asked in ["maiden", "question", "favourite", "security answer", "birthplace"] {
            assert!(!page.to_lowercase().contains(asked), "{path} asks for {asked}");
        }
    }
    assert!(fields >= 6, "only {fields} fields for passwords were seen");
    server.finish();
}

/// asvs_7_4_4: whoever is signed in sees how to sign out, on each page that asked for it.
#[test]
fn asvs_7_4_4_every_page_of_a_member_shows_the_way_out() {
    let (server, mut ada, _) = pages();
    for path in
        OPEN.iter().filter(|path| **path != "/nowhere" && **path != "/accounts/login").chain(&OF_MEMBERS)
    {
        ada.get(path)
            .expect(200)
            .shows("<form method=\"post\" action=\"/accounts/logout\">")
            .shows("Sign out");
    }
    server.finish();
}

/// asvs_3_5_6: no name of a function in an address makes a script of an answer.
#[test]
fn asvs_3_5_6_an_answer_is_never_wrapped_in_a_function() {
    let server = Server::start();
    let mut visitor = server.visitor();
    for name in ["callback", "jsonp", "cb", "_callback", "function"] {
        for path in ["/accounts/login", "/users/x", "/posts/1", "/nowhere"] {
            let answer = visitor.get(&format!("{path}?{name}=evil%28%29"));
            assert!(!answer.body.contains("evil("), "{path}: {}", answer.body);
            assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{path}");
        }
        visitor.get(&format!("/?{name}=evil")).expect(400).hides("evil(");
    }
    visitor.get("/").expect(200);
    server.finish();
}

/// asvs_15_3_1: no page holds a column of a person that it does not show: a hash, an address, a time, a right.
#[tokio::test]
async fn asvs_15_3_1_no_page_holds_more_of_a_person_than_it_shows() {
    let (server, mut ada, _) = pages();
    let db = server.open_database().await;
    haechi::sql!("update auth_user set email = 'private@example.org', first_name = 'Privatename' where username = 'ada'")
        .execute(&db)
        .await
        .unwrap();
    let hash: String =
        haechi::sql!("select password from auth_user where username = 'ada'").scalar(&db).await.unwrap();
    let (mut visitor, mut mallory) = (server.visitor(), server.member("mallory"));
    for path in OPEN.iter().chain(&["/search?title__contains=Hello", "/?page=1"]) {
        for client in [&mut visitor, &mut mallory] {
            let page = client.get(path).body;
            for column in
                [&*hash, "argon2", "private@example.org", "Privatename", "is_superuser", "last_login"]
            {
                assert!(!page.contains(column), "{path} holds {column}");
            }
        }
    }
    ada.get("/accounts/devices").shows("private@example.org").hides(&hash);
    server.finish();
}
