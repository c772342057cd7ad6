//! What the log says, and what it never says, after a run of attacks.

use std::time::{Duration, Instant};

use crate::server::Server;

const CANARY: &str = "canary-8f3a secret sentence";

/// asvs_16_2_4, asvs_16_2_2, asvs_16_2_5, asvs_16_4_1: every line is one object with a time in UTC, and holds no secret.
#[test]
fn asvs_16_2_5_the_log_is_whole_and_holds_no_secret() {
    let outbox = std::env::temp_dir().join(format!("board-logs-{}", std::process::id()));
    let mail = format!("file:{}", outbox.display());
    let config = "[log]\nformat = \"json\"\nlevel = \"debug\"\n";
    let server = Server::start_with(config, &[("HAECHI_MAIL", &mail)]);
    let mut ada = server.visitor();
    let fields = [("username", "ada"), ("email", "canary-mail@example.org"), ("password", CANARY)];
    ada.submit("/accounts/signup", &fields).expect_redirect("/");
    let token = ada.get("/posts/new").token().unwrap();
    let mut secrets: Vec<String> = ada.cookies().values().cloned().collect();
    secrets.extend([CANARY.to_owned(), "canary-".to_owned(), token.clone()]);
    for password in [CANARY, "canary-wrong password"] {
        server.visitor().submit("/accounts/login", &[("username", "ada"), ("password", password)]);
    }
    ada.submit(
        "/accounts/password/change",
        &[("old_password", "canary-old"), ("new_password", "canary-short")],
    );
    ada.submit("/accounts/password/reset", &[("email", "canary-mail@example.org")]).expect(200);
    ada.get("/search?title__contains=canary-search&password=canary-query").expect(400);
    ada.get("/accounts/reset/MQ/canary-token/");
    ada.get("/accounts/email/canary-token/");
    ada.post("/posts/new", &[("title", "x"), ("csrf_token", &token)], &[("origin", "https://evil.example")])
        .expect(403);
    ada.post("/posts/new", &[("title", "canary-title")], &[("sec-fetch-site", "same-origin")]).expect(403);
    for odd in [
        "a\u{1b}[2Jb",
        "{\"level\":\"ERROR\",\"forged\":true}",
        "a\"b\\c",
        "tab\tand\u{2028}line",
        "\u{202e}",
    ] {
        ada.send("GET", "/nowhere", &[("user-agent", odd), ("referer", odd)], "");
        ada.get(&format!("/nowhere/{}", crate::client::encode(odd))).expect(404);
        ada.submit_to("/accounts/signup", "/accounts/login", &[("username", odd), ("password", "x")]);
    }
    let log = after(&server, "/the-last-of-all");
    let events: Vec<&String> = log.iter().filter(|line| line.starts_with('{')).collect();
    assert!(events.len() > 20, "{log:#?}");
    for line in &events {
        let read: Event = line_of(line);
        assert!(read.timestamp.ends_with('Z') && read.timestamp.len() >= 20, "{line}");
        assert!(!line.contains("\"forged\":true") && !line.contains('\u{1b}'), "{line}");
    }
    // What begins with no brace is what the program says before it serves.
    let began = log.iter().position(|line| line.starts_with('{')).unwrap();
    assert!(
        log[began..].iter().all(|line| line.is_empty() || line.starts_with(['{', ' '])),
        "{:#?}",
        log.iter().filter(|line| !line.starts_with('{')).collect::<Vec<_>>()
    );
    for secret in &secrets {
        let found: Vec<_> = log.iter().filter(|line| line.contains(&**secret)).collect();
        assert!(found.is_empty(), "{secret:.12} stands in {found:#?}");
    }
    let (code, text) = server.command(&["log", "verify"]);
    assert_eq!(code, Some(0), "{text}");
    std::fs::remove_file(outbox).unwrap();
}

/// asvs_16_3_3: who tries to get around a defence stands in the log, with the number that the answer shows.
#[test]
fn asvs_16_3_3_a_refusal_stands_in_the_log_with_its_number() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let forged = ada.post("/posts/new", &[("title", "x")], &[("origin", "https://evil.example")]).expect(403);
    let host = ada
        .send("GET", "/", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "iframe")], "")
        .expect(403);
    let denied = ada.get("/moderation").expect(403);
    let log = after(&server, "/the-last-of-all");
    for (answer, guard) in [(forged, "guard=csrf"), (host, "guard=origin"), (denied, "guard=policy")] {
        let id = answer.header("x-request-id").unwrap();
        let line = log.iter().find(|line| line.contains(id) && line.contains("refused"));
        assert!(line.is_some_and(|line| line.contains(guard)), "{guard} {id}: {log:#?}");
        assert!(answer.body.contains(id), "{}", answer.body);
    }
    server.finish();
}

/// Only what is looked at.
#[derive(serde::Deserialize)]
struct Event {
    timestamp: String,
}

#[track_caller]
fn line_of(line: &str) -> Event {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Returns the log once it has told of a last request.
fn after(server: &Server, path: &str) -> Vec<String> {
    server.visitor().get(path);
    let began = Instant::now();
    while !server.log().iter().any(|line| line.contains(path)) {
        assert!(began.elapsed() < Duration::from_secs(10), "{:#?}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.log()
}
