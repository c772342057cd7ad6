//! Mail by SMTP, to a server of a few lines.

use std::sync::{Arc, Mutex};

use haechi::{Mail, Secret, Site};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::site::{config, open, sign_up};

/// What a mail server that offers no TLS was told, line by line.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl Sink {
    /// Listens on a port of its own; returns the setting that leads there.
    async fn open(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(sink.clone().talk(stream));
            }
        });
        format!("smtp://{address}")
    }

    async fn talk(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).split(b'\n');
        write.write_all(b"220 sink\r\n").await.unwrap();
        let mut in_mail = false;
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).into_owned();
            // Servers differ in what ends a mail: the lax ones take a bare LF or CR as well.
            let ends = line.trim_end_matches('\r') == ".";
            let answer = match (in_mail, line.split([' ', '\r']).next().unwrap_or_default()) {
                (true, _) => {
                    if ends {
                        "250 kept\r\n"
                    } else {
                        ""
                    }
                }
                (false, "EHLO") => "250-sink\r\n250 8BITMIME\r\n",
                (false, "DATA") => "354 go on\r\n",
                (false, _) => "250 yes\r\n",
            };
            in_mail = if in_mail { !ends } else { line.starts_with("DATA") };
            self.0.lock().unwrap().push(line.trim_end_matches('\r').to_owned());
            if write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn said(&self, beginning: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with(beginning)).cloned().collect()
    }
}

async fn site_with(setting: String) -> (Site, crate::site::Browser) {
    let mut config = config();
    config.mail = Secret::new(setting);
    open(config).await
}

#[tokio::test]
async fn a_mail_leaves_by_smtp_to_one_person() {
    let sink = Sink::default();
    let (site, mut browser) = site_with(sink.open().await).await;
    sign_up(&mut browser, "ada").await;
    site.mailer().flush().await;
    assert_eq!(sink.said("MAIL FROM:").len(), 1);
    assert_eq!(sink.said("RCPT TO:"), ["RCPT TO:<ada@example.org>"]);
    assert_eq!(sink.said("To: "), ["To: ada@example.org"]);
    assert_eq!(sink.said("Subject: "), ["Subject: Confirm your address at test"]);
    assert_eq!(sink.said("http://localhost/accounts/email/").len(), 1, "{:?}", sink.said(""));
}

#[tokio::test]
async fn without_the_tls_that_is_demanded_no_mail_leaves() {
    let sink = Sink::default();
    let (site, mut browser) = site_with(format!("{}?tls=required", sink.open().await)).await;
    sign_up(&mut browser, "ada").await;
    site.mailer().flush().await;
    assert!(sink.said("EHLO").len() == 1 && sink.said("MAIL").is_empty(), "{:?}", sink.said(""));
}

#[tokio::test]
async fn a_mail_server_elsewhere_is_refused_without_tls() {
    for setting in [
        "smtp://192.0.2.1:25?tls=opportunistic",
        "smtp://mail.example?tls=",
        "smtp://u:p@mail.example?tls=no",
    ] {
        let mut config = config();
        config.mail = Secret::new(setting.to_owned());
        let refused = crate::site::app().into_service(config).await.err().unwrap().to_string();
        assert!(refused.contains("tls=required") && !refused.contains("u:p"), "{setting}: {refused}");
    }
}

#[tokio::test]
async fn no_text_ends_a_mail_early_or_begins_another() {
    let sink = Sink::default();
    let (site, _) = site_with(sink.open().await).await;
    let smuggled = "MAIL FROM:<eve@example.org>\r\nRCPT TO:<all@example.org>\r\nDATA\r\n";
    for end in ["\r\n.\r\n", "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n\0.\r\n"] {
        let mail = Mail::new("ada@example.org", "Hello", format!("text{end}{smuggled}")).unwrap();
        site.mailer().send(mail).unwrap();
        site.mailer().flush().await;
    }
    assert_eq!(sink.said("RCPT TO:<ada"), vec!["RCPT TO:<ada@example.org>"; 6]);
    let lines = sink.said("");
    assert_eq!(lines.iter().filter(|line| *line == ".").count(), 6, "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
}

#[tokio::test]
async fn a_line_break_in_an_address_or_a_subject_makes_no_mail() {
    let sink = Sink::default();
    let (site, mut browser) = site_with(sink.open().await).await;
    for email in [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org>\nRCPT TO:<eve@example.org",
        "\"a\r\nb\"@example.org",
    ] {
        assert!(Mail::new(email, "Hello", "text").is_err(), "{email:?}");
        browser.get("/accounts/password/reset").await;
        browser.post_form("/accounts/password/reset", &[("email", email)]).await;
        browser.get("/accounts/signup").await;
        let fields = [("username", "ada"), ("email", email), ("password", crate::site::PASSWORD)];
        assert_eq!(browser.post_form("/accounts/signup", &fields).await.status, 422, "{email:?}");
    }
    assert!(Mail::new("ada@example.org", "Hello\r\nBcc: eve@example.org", "text").is_err());
    browser.get("/accounts/signup").await;
    let fields =
        [("username", "ada\r\nBcc: eve"), ("email", "ada@example.org"), ("password", crate::site::PASSWORD)];
    assert_eq!(browser.post_form("/accounts/signup", &fields).await.status, 422);
    site.mailer().flush().await;
    assert!(sink.said("").is_empty(), "{:?}", sink.said(""));
}
