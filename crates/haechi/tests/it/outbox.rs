//! The mails of one test, in a file.

use std::path::{Path, PathBuf};

use haechi::{Secret, Site};

use crate::site::{Browser, config, open};

/// A file for the mails of one test.
pub(crate) struct Outbox(pub(crate) PathBuf);

impl Outbox {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("haechi-it-{}-{name}.eml", std::process::id()));
        drop(std::fs::remove_file(&path));
        Self(path)
    }

    /// Returns what was sent.
    pub(crate) async fn read(&self, site: &Site) -> String {
        site.mailer().flush().await;
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    /// Forgets what was sent.
    pub(crate) async fn empty(&self, site: &Site) {
        site.mailer().flush().await;
        drop(std::fs::remove_file(&self.0));
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

pub(crate) async fn site_with(outbox: &Path) -> (Site, Browser) {
    let mut config = config();
    config.mail = Secret::new(format!("file:{}", outbox.display()));
    open(config).await
}

/// The path of the last link in a mail.
pub(crate) fn link(mail: &str) -> String {
    let (_, rest) = mail.rsplit_once("http://localhost").expect("the mail has a link to this site");
    rest.split_whitespace().next().unwrap().to_owned()
}
