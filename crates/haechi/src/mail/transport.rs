//! The ways that a mail can leave: the console, a file, a mail server.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::Mail;
use crate::config::{ConfigError, ErrorKind};

/// Where mail goes.
pub(super) enum Transport {
    /// Standard error.
    Console,
    /// The end of a file, or a file each in a folder.
    File(PathBuf),
    /// A mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl Transport {
    /// Reads the setting `mail`. Its text may hold a password, so that no error shows it.
    pub(super) fn parse(setting: &str) -> Result<Self, ConfigError> {
        let refuse = |text: &str| Err(ConfigError::new(ErrorKind::Value, format!("mail: {text}")));
        if setting == "console" {
            return Ok(Self::Console);
        }
        if let Some(path) = setting.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(PathBuf::from(path)));
        }
        let Some(url) = with_tls(setting) else {
            return refuse(
                "write \"console\", \"file:PATH\", or \"smtp://user:password@host\"; without tls=required a mail server has to be on this machine",
            );
        };
        match AsyncSmtpTransport::<Tokio1Executor>::from_url(&url) {
            Ok(builder) => Ok(Self::Smtp(Box::new(builder.timeout(Some(PATIENCE)).build()))),
            Err(_) => refuse(
                "the address of the mail server cannot be read; write \"smtp://user:password@host:587\"",
            ),
        }
    }

    pub(super) async fn deliver(&self, mail: &Mail, from: &Mailbox) -> io::Result<()> {
        match self {
            Self::Console => {
                io::stderr().write_all(format!("\n{}\n", mail.shown(&from.to_string())).as_bytes())
            }
            Self::File(path) => append(path, &mail.shown(&from.to_string())),
            Self::Smtp(server) => {
                let message = Message::builder()
                    .from(from.clone())
                    .to(Mailbox::new(None, mail.to.clone()))
                    .subject(mail.subject.clone())
                    .header(ContentType::TEXT_PLAIN)
                    .body(mail.text.clone())
                    .map_err(io::Error::other)?;
                server.send(message).await.map(drop).map_err(io::Error::other)
            }
        }
    }
}

/// Mails hold links that sign people in: only the owner may read the file.
fn append(path: &PathBuf, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    if !path.is_dir() {
        return options.create(true).append(true).open(path)?.write_all(format!("{text}\n").as_bytes());
    }
    let name = haechi_core::Token::generate().expose();
    options.create_new(true).write(true).open(path.join(format!("{name}.eml")))?.write_all(text.as_bytes())
}

/// Returns the address of a mail server with TLS demanded, or `None` where it would do without.
///
/// An attacker on the way strips an offer of TLS; only a demand holds.
fn with_tls(setting: &str) -> Option<String> {
    if setting.starts_with("smtps://") {
        return Some(setting.to_owned());
    }
    let rest = setting.strip_prefix("smtp://")?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let here =
        matches!(if port.parse::<u16>().is_ok() { name } else { host }, "localhost" | "127.0.0.1" | "[::1]");
    match rest.split_once("tls=") {
        Some((_, wish)) => (here || wish == "required").then(|| setting.to_owned()),
        None if here => Some(setting.to_owned()),
        None => Some(format!("{setting}{}tls=required", if rest.contains('?') { '&' } else { '?' })),
    }
}

/// How long one mail may take, so that a dead server does not hold the queue for ever.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(setting: &str, expected: Option<&str>) {
        assert_eq!(with_tls(setting).as_deref(), expected, "{setting}");
    }

    #[test]
    fn a_mail_server_elsewhere_has_to_speak_tls() {
        check("smtp://localhost:25", Some("smtp://localhost:25"));
        check("smtp://127.0.0.1:1025", Some("smtp://127.0.0.1:1025"));
        check("smtp://[::1]:1025", Some("smtp://[::1]:1025"));
        check("smtp://u:p@mail.example:587", Some("smtp://u:p@mail.example:587?tls=required"));
        check("smtp://u:p@mail.example", Some("smtp://u:p@mail.example?tls=required"));
        check("smtp://mail.example?tls=required", Some("smtp://mail.example?tls=required"));
        check("smtp://mail.example?tls=opportunistic", None);
        check("smtp://localhost@mail.example?tls=opportunistic", None);
        check("smtps://mail.example", Some("smtps://mail.example"));
        check("http://mail.example", None);
    }

    #[test]
    fn a_setting_that_cannot_be_meant_is_refused_and_not_shown() {
        for wrong in
            ["", "hunter2", "file:", "smtp://u:hunter2@mail.example?tls=opportunistic", "smtp://u:hunter2@"]
        {
            let refused = Transport::parse(wrong).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|text| !text.contains("hunter2")), "{wrong}");
        }
    }
}
