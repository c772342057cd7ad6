//! Every refusal that curl can provoke: a clear answer, sealed like every other, and nothing of the inside.

use std::process::Command;

use crate::server::Server;
use crate::transport::has;

struct Refusal {
    status: u16,
    head: String,
    body: String,
}

fn curl(arguments: &[&str]) -> Refusal {
    let output = Command::new("curl")
        .args(["-s", "-i", "--http1.1", "--max-time", "20", "-H", "Accept: text/html", "-H", "Expect:"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{arguments:?} got {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Refusal { status, head: head.to_lowercase(), body: body.to_owned() }
}

#[track_caller]
fn check(status: u16, arguments: &[&str]) {
    let refusal = curl(arguments);
    let Refusal { head, body, .. } = &refusal;
    assert_eq!(refusal.status, status, "{arguments:?}: {head}\n{body}");
    // What is refused before its head was read through has no `Accept` that could be believed: plain text.
    let page = head.contains("content-type: text/html; charset=utf-8");
    assert!(page || head.contains("content-type: text/plain; charset=utf-8"), "{status}: {head}");
    assert_eq!(page, body.contains("<h1>"), "{status}: {body}");
    for header in ["content-security-policy: ", "x-content-type-options: nosniff", "referrer-policy: "] {
        assert!(head.contains(header), "{status} without {header}: {head}");
    }
    let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert!(body.to_lowercase().contains(id), "{status} without its id: {body}");
    assert!(body.len() > 40, "{status} tells nobody what to do: {body}");
    for inner in ["haechi_", ".rs", "axum", "hyper", "serde", "i64", "select ", "panicked", "evil"] {
        assert!(!body.contains(inner), "{status} shows {inner}: {body}");
    }
}

/// asvs_16_5_1, asvs_3_4_4: what to do, and nothing of the inside.
#[test]
fn curl_sees_a_clear_answer_to_whatever_is_refused() {
    if !has("curl") {
        return;
    }
    let server = Server::start();
    let to = |path: &str| format!("http://{}{path}", server.address());
    let here = "Sec-Fetch-Site: same-origin";
    let huge = format!("X-Huge: {}", "a".repeat(40 * 1024));
    check(400, &[&to("/posts/evil")]);
    check(400, &["-H", "Host: 127.0.0.1:1:2", &to("/")]);
    check(403, &["-d", "title=evil", "-H", "Origin: https://evil.example", &to("/posts/new")]);
    check(403, &["-d", "title=evil", "-H", here, "-b", "a=evil", &to("/posts/new")]);
    check(404, &[&to("/evil")]);
    check(405, &["-X", "DELETE", "-H", "Content-Type: application/json", "-H", here, &to("/search")]);
    check(413, &["-d", "a", "-H", "Content-Length: 99999999", "-H", here, &to("/accounts/login")]);
    check(415, &["-d", "<evil/>", "-H", "Content-Type: application/xml", "-H", here, &to("/accounts/login")]);
    check(421, &["-H", "Host: evil.example", &to("/")]);
    check(431, &["-H", &huge, &to("/")]);
}

/// The server finds this out itself, and leaves it to the site to say.
#[test]
fn a_person_who_sends_too_much_reads_the_page_of_the_site_in_their_language() {
    if !has("curl") {
        return;
    }
    let server = Server::start();
    let to = |path: &str| format!("http://{}{path}", server.address());
    let folder = std::env::temp_dir().join(format!("haechi-board-large-{}", std::process::id()));
    std::fs::write(&folder, vec![b'a'; 3 * 1024 * 1024]).unwrap();
    let file = format!("@{}", folder.display());
    let common = ["-H", "Sec-Fetch-Site: same-origin", "-H", "Accept-Language: ko", "--data-binary", &file];
    // A form of parts that announces no length is refused by its first part, which should be the token.
    let kinds: [&[&str]; 3] = [
        &["-H", "Content-Type: application/x-www-form-urlencoded"],
        &["-H", "Content-Type: multipart/form-data; boundary=a"],
        &["-H", "Content-Type: application/x-www-form-urlencoded", "-H", "Transfer-Encoding: chunked"],
    ];
    for kind in kinds {
        let url = to("/accounts/login");
        let refusal = curl(&[kind, &common, &[&*url]].concat());
        let page = (refusal.status, refusal.body.contains("<html lang=\"ko\""));
        assert_eq!(page, (413, true), "{kind:?}: {}\n{}", refusal.head, refusal.body);
        assert!(refusal.head.contains("connection: close"), "{kind:?}: {}", refusal.head);
    }
    // A page elsewhere that calls the site by a foreign name learns nothing of it.
    let foreign = curl(&["-H", "Host: evil.example", "-H", "Content-Length: 99999999", "-d", "a", &to("/")]);
    assert!(!foreign.body.contains("board"), "{}", foreign.body);
    assert_eq!(foreign.status, 421);
    std::fs::remove_file(&folder).unwrap();
}

/// asvs_2_4_1: with the time to wait.
#[test]
fn curl_is_told_when_it_asks_too_often() {
    if !has("curl") {
        return;
    }
    let server = Server::start_with("[limits]\nrequests_per_minute = 5\n", &[]);
    let page = format!("http://{}/", server.address());
    let last = (0..6).map(|_| curl(&[&page])).find(|answer| answer.status == 429).unwrap();
    assert!(last.head.contains("retry-after: "), "{}", last.head);
    check(429, &[&page]);
}
