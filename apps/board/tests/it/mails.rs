//! Mails that a stranger tries to lead elsewhere: by an address, by a host, by a user name.

use std::time::{Duration, Instant};

use crate::server::{PASSWORD, Server};

fn outbox(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("board-mails-{name}-{}", std::process::id()))
}

/// asvs_1_3_11: no address is a second header line or a second recipient.
#[test]
fn asvs_1_3_11_no_address_begins_a_line_of_a_mail() {
    let outbox = outbox("address");
    let config = "mode = \"development\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let server = Server::start_with(config, &[("HAECHI_MAIL", &format!("file:{}", outbox.display()))]);
    for (number, address) in [
        "a@example.org\r\nBcc: b@evil.example",
        "a@example.org\nBcc: b@evil.example",
        "a@example.org, b@evil.example",
        "a@example.org;b@evil.example",
        "<a@example.org>",
        "A <a@example.org>",
        "a@example.org\r\n\r\nbody",
        "a@example.org\0",
        "a @example.org",
        "@example.org",
        "a@",
        "a",
        "a@b@c.example",
        "a@exa mple.org",
    ]
    .into_iter()
    .enumerate()
    {
        let mut stranger = server.visitor_from(&format!("192.0.2.{number}"));
        let name = format!("user{number}");
        let fields = [("username", &*name), ("email", address), ("password", PASSWORD)];
        stranger.submit("/accounts/signup", &fields).expect(422).shows("This is not an e-mail address.");
    }
    let fields = [("username", "good"), ("email", "good@example.org"), ("password", PASSWORD)];
    server.visitor_from("192.0.2.99").submit("/accounts/signup", &fields).redirect();
    let mails = first(&outbox);
    assert!(
        mails.contains("To: good@example.org") && !mails.contains("evil") && !mails.contains("Bcc"),
        "{mails}"
    );
    std::fs::remove_file(outbox).unwrap();
    server.finish();
}

/// A link in a mail leads to this site, whatever host a request names.
#[test]
fn a_link_in_a_mail_leads_here_whatever_host_was_named() {
    let outbox = outbox("host");
    let server = Server::start_with("", &[("HAECHI_MAIL", &format!("file:{}", outbox.display()))]);
    let fields = [("username", "ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    server.visitor().submit("/accounts/signup", &fields).redirect();
    let confirm = first(&outbox);
    let here = server.visitor().origin();
    assert!(confirm.contains(&format!("{here}/accounts/email/")), "{confirm}");
    std::fs::remove_file(&outbox).unwrap();
    let mut stranger = server.visitor();
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("host", "evil.example"),
    ] {
        let token = stranger.get("/accounts/password/reset").token().unwrap();
        let fields = [("email", "ada@example.org"), ("csrf_token", &*token)];
        let answer = stranger.post(
            "/accounts/password/reset",
            &fields,
            &[("sec-fetch-site", "same-origin"), (name, value)],
        );
        let expected: &[u16] = if name == "host" { &[400, 421] } else { &[200, 429] };
        assert!(expected.contains(&answer.status), "{name}: {}", answer.status);
    }
    let mails = first(&outbox);
    assert!(mails.contains(&format!("{here}/accounts/reset/")) && !mails.contains("evil"), "{mails}");
    std::fs::remove_file(outbox).unwrap();
    server.finish();
}

/// Waits for the first mail.
fn first(outbox: &std::path::Path) -> String {
    let began = Instant::now();
    loop {
        let mails = std::fs::read_to_string(outbox).unwrap_or_default();
        if mails.contains("http://") && mails.ends_with('\n') {
            return mails;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{mails}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
