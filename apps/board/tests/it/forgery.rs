//! Forms that another site sends, or that come without their token.

use crate::server::Server;

/// asvs_3_5_1: neither another site nor a token of somebody else writes anything.
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

/// Where a request says that it comes from, and whether that is this site.
const PLACES: [(&[(&str, &str)], bool); 15] = [
    (&[("sec-fetch-site", "same-origin")], true),
    (&[("sec-fetch-site", "none")], true),
    (&[("sec-fetch-site", "same-origin"), ("origin", "HERE")], true),
    (&[("origin", "HERE")], true),
    (&[], false),
    (&[("sec-fetch-site", "same-site"), ("origin", "HERE")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
    (&[("sec-fetch-site", "bogus"), ("origin", "HERE")], false),
    (&[("sec-fetch-site", "same-origin, cross-site")], false),
    (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
    (&[("origin", "null")], false),
    (&[("origin", "HERE.evil.example")], false),
    (&[("origin", "http://localhost:1")], false),
    (&[("origin", "")], false),
    (&[("referer", "HERE/")], false),
];

const KINDS: [&str; 6] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "",
    "application/x-www-form-urlencoded, text/plain",
    "application/json",
];

/// asvs_3_5_1, asvs_3_5_2, asvs_3_7_5: each place, kind of body and token, by each method: one way in writes, and no other.
#[test]
fn asvs_3_5_2_a_form_writes_only_from_here_with_its_own_token() {
    let server = Server::start_with("[limits]\nrequests_per_minute = 100000\n", &[]);
    let (mut ada, mut mallory) = (server.member("ada"), server.member("mallory"));
    let token = ada.get("/posts/new").token().unwrap();
    let theirs = mallory.get("/posts/new").token().unwrap();
    let here = ada.origin();
    let (mut rows, mut written) = (0, 0);
    for method in ["POST", "PUT", "DELETE"] {
        for (place, from_here) in PLACES {
            let place: Vec<(&str, String)> =
                place.iter().map(|(name, value)| (*name, value.replace("HERE", &here))).collect();
            for kind in KINDS {
                for (sent, right) in
                    [(Some(&*token), true), (Some(&*theirs), false), (Some(""), false), (None, false)]
                {
                    let mut headers: Vec<(&str, &str)> =
                        place.iter().map(|(name, value)| (*name, &**value)).collect();
                    headers.push(("content-type", kind));
                    let answer = ada.send(method, "/posts/new", &headers, &body(kind, sent));
                    let form = kind == KINDS[0];
                    let expected: &[u16] = match (from_here, kind == "application/json", right) {
                        (true, false, true) if form && method == "POST" => &[303],
                        (true, true, _) | (true, false, true) => &[403, 405, 415],
                        _ => &[403, 400],
                    };
                    let row = format!("{method} {place:?} {kind} {right}");
                    assert!(expected.contains(&answer.status), "{row}: {}", answer.status);
                    rows += 1;
                    written += usize::from(answer.status == 303);
                }
            }
        }
    }
    assert_eq!((rows, written), (1_080, 4));
    server.finish();
}

fn body(kind: &str, token: Option<&str>) -> String {
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    if kind.starts_with("multipart") {
        let token = token.map_or_else(String::new, |token| part("csrf_token", token));
        return token + &part("title", "forged") + &part("body", "forged") + "--b--\r\n";
    }
    let token = token.map_or_else(String::new, |token| format!("&csrf_token={token}"));
    format!("title=forged&body=forged{token}")
}
