//! Hundreds of strings that attack a parser of SQL, over HTTP, on each engine.

use std::collections::BTreeMap;

use crate::client::{Answer, Client, encode};
use crate::corpus::payloads;
use crate::server::Server;

const FAST: &str = "[limits]\nrequests_per_minute = 1000000\n";

#[test]
fn a_payload_over_http_is_stored_found_and_read_as_it_was_sent() {
    let payloads = payloads();
    assert!(payloads.len() >= 300, "{}", payloads.len());
    for server in Server::each(FAST) {
        let mut ada = server.member("ada");
        let mut stored = BTreeMap::new();
        for payload in &payloads {
            let written = ada.submit("/posts/new", &[("title", payload), ("body", payload)]);
            if is_blank(payload) {
                written.expect(422);
                continue;
            }
            let post = written.redirect();
            let kept = payload.replace("\r\n", "\n");
            let form = ada.get(&format!("{post}/edit")).expect(200);
            assert_eq!(between(&form, "name=\"title\" type=\"text\" value=\"", "\""), kept);
            assert_eq!(
                between(&form, "<textarea id=\"id_body\"", "</textarea>").split_once(">\n").unwrap().1,
                kept
            );
            stored.insert(post, kept);
        }
        let mut visitor = server.visitor();
        for payload in &payloads {
            let equal = stored.values().filter(|title| **title == *payload).count();
            let holding = stored.values().filter(|title| title.contains(payload.as_str())).count();
            // An empty value of a search form means that the field was left empty; no payload is one.
            found(&mut visitor, "title", payload, equal);
            found(&mut visitor, "title__contains", payload, holding);
            found(&mut visitor, "body__contains", payload, holding);
        }
        server.finish();
    }
}

#[test]
fn a_payload_over_http_is_no_sort_key_no_name_no_number_and_no_path() {
    for server in Server::each(FAST) {
        let mut visitor = server.visitor();
        for payload in payloads() {
            let written = encode(&payload);
            for query in [
                format!("sort={written}"),
                format!("sort=-{written}"),
                format!("{written}=1"),
                format!("title__{written}=1"),
                format!("page={written}"),
                format!("per_page={written}"),
                format!("author_id__any_of=1,{written}x"),
                format!("author_id={written}x"),
            ] {
                let status = visitor.get(&format!("/search?{query}")).status;
                assert_eq!(status, 400, "{query}");
            }
            for path in
                [format!("/posts/{written}"), format!("/posts/1{written}"), format!("/users/{written}")]
            {
                let status = visitor.get(&path).status;
                assert!(matches!(status, 400 | 404), "{path}: {status}");
            }
        }
        visitor.get("/").expect(200);
        server.finish();
    }
}

#[track_caller]
fn found(visitor: &mut Client, name: &str, payload: &str, expected: usize) {
    let query = format!("/search?{name}={}", encode(payload));
    visitor.get(&query).expect(200).shows(&format!("Found: {expected}</h2>"));
}

/// What a person would not see is no title.
fn is_blank(payload: &str) -> bool {
    payload.chars().all(|letter| letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{feff}'))
}

/// What stands between two marks of a page, as a browser reads it.
#[track_caller]
fn between(page: &Answer, before: &str, after: &str) -> String {
    let (_, rest) =
        page.body.split_once(before).unwrap_or_else(|| panic!("{before} is not in {}", page.body));
    let (text, _) = rest.split_once(after).unwrap();
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
}
