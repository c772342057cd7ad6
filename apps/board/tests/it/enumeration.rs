//! Whether an answer tells who has an account: by its text, its status, its header fields or its cookies.

use haechi::sql;

use crate::client::Answer;
use crate::server::{PASSWORD, Server};

/// An answer without what differs from one to the next.
fn shape(answer: &Answer, typed: &str) -> (u16, Vec<String>, String) {
    let mut text = answer.body.replace(typed, "TYPED");
    if let Some(token) = answer.token() {
        text = text.replace(&token, "TOKEN");
    }
    if let Some(id) = answer.header("x-request-id") {
        text = text.replace(id, "ID");
    }
    (answer.status, answer.shape().into_iter().map(str::to_owned).collect(), text)
}

/// asvs_6_3_8: unknown, inactive, without a password, wrong, and even right but inactive: one answer.
#[tokio::test]
async fn asvs_6_3_8_the_sign_in_page_says_the_same_of_everybody() {
    let server = Server::behind_a_proxy();
    for name in ["usual", "inactive", "unusable"] {
        server.add_user(&[name]);
    }
    let db = server.open_database().await;
    sql!("update auth_user set is_active = false where username = 'inactive'").execute(&db).await.unwrap();
    sql!("update auth_user set password = '!x' where username = 'unusable'").execute(&db).await.unwrap();
    let mut seen = Vec::new();
    for (number, (name, password)) in [
        ("usual", "not the password"),
        ("nobody", "not the password"),
        ("inactive", "not the password"),
        ("inactive", PASSWORD),
        ("unusable", PASSWORD),
        ("unusable", "!x"),
        ("USUAL", PASSWORD),
        ("usual ", PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = server.visitor_from(&format!("192.0.2.{number}"));
        let answer = client.submit("/accounts/login", &[("username", name), ("password", password)]);
        seen.push((name, shape(&answer, name)));
    }
    for (name, shape) in &seen {
        assert_eq!(shape, &seen[0].1, "{name}");
    }
    server.finish();
}

/// asvs_6_3_8: known, unknown, inactive, in other letters, or no address at all: one answer, and mail for the owner only.
#[tokio::test]
async fn asvs_6_3_8_the_reset_page_says_the_same_of_every_address() {
    let outbox = std::env::temp_dir().join(format!("board-reset-{}", std::process::id()));
    let setting = format!("file:{}", outbox.display());
    let config = "mode = \"development\"\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let server = Server::start_with(config, &[("HAECHI_MAIL", &setting)]);
    server.add_user(&["ada"]);
    server.add_user(&["inactive"]);
    let db = server.open_database().await;
    sql!("update auth_user set email = username || '@example.org'").execute(&db).await.unwrap();
    sql!("update auth_user set is_active = false where username = 'inactive'").execute(&db).await.unwrap();
    let mut seen = Vec::new();
    let addresses = [
        "ada@example.org",
        "nobody@example.org",
        "inactive@example.org",
        "ADA@example.org",
        "not an address",
        "ada@example.org\r\nBcc: mallory@example.net",
        "<ada@example.org>, mallory@example.net",
        "mallory@example.net,ada@example.org",
        "ada@exampl\u{435}.org",
        "ada@example.org\0",
        "%61da@example.org",
    ];
    for (number, address) in addresses.into_iter().enumerate() {
        let mut client = server.visitor_from(&format!("192.0.2.{number}"));
        seen.push((
            address,
            shape(&client.submit("/accounts/password/reset", &[("email", address)]), address),
        ));
    }
    for (address, shape) in &seen {
        assert_eq!(shape, &seen[0].1, "{address}");
    }
    let began = std::time::Instant::now();
    let mails = loop {
        let mails = std::fs::read_to_string(&outbox).unwrap_or_default();
        if mails.matches("\nSubject: ").count() >= 2 || began.elapsed().as_secs() > 20 {
            break mails;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let to: Vec<_> = mails.lines().filter(|line| line.starts_with("To: ")).collect();
    assert!(!to.is_empty() && to.iter().all(|line| *line == "To: ada@example.org"), "{to:?}");
    assert!(!mails.contains("mallory") && !mails.contains("Bcc"), "{mails}");
    std::fs::remove_file(outbox).unwrap();
    server.finish();
}
