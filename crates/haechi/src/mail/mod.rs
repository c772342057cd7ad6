//! Mail: written by a page, sent outside of its request, so that the time of an answer tells nothing.

mod mailer;
mod message;
mod transport;

use crate::build::Built;

pub use mailer::Mailer;
pub use message::{Mail, MailError};

/// Returns what `check` and the log say of a site whose pages write mail that reaches nobody.
pub(crate) fn warning(built: &Built) -> Option<&'static str> {
    let lost = !built.site.is_development()
        && built.app.accounts.is_some()
        && built.site.config().mail.expose() == "console";
    lost.then_some(
        "mail is \"console\": links for a new password reach nobody, and whoever reads the log can use them; set mail = \
         \"smtp://user:password@host\" and mail_from",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Mode};
    use crate::{Accounts, App, Secret};

    #[tokio::test]
    async fn a_site_whose_reset_links_go_to_its_log_is_warned_of_it() {
        let accounts = || Some(Accounts::default());
        #[rustfmt::skip]
        let rows = [
            (Mode::Production, "console", accounts(), true),
            (Mode::Production, "smtp://localhost", accounts(), false),
            (Mode::Production, "file:mails", accounts(), false),
            (Mode::Production, "console", None, false),
            (Mode::Development, "console", accounts(), false),
        ];
        for (mode, mail, accounts, expected) in rows {
            let mut config = Config { mode, ..Config::default() };
            config.database.url = Some(Secret::new("sqlite::memory:".to_owned()));
            config.secret_key = Some(Secret::new("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-test-only".to_owned()));
            config.allowed_hosts = vec!["example.org".to_owned()];
            config.mail = Secret::new(mail.to_owned());
            let app = App::new("test");
            let app = match accounts {
                Some(accounts) => app.accounts(accounts),
                None => app,
            };
            let built = app.build(config).await.unwrap();
            assert_eq!(warning(&built).is_some(), expected, "{mode:?} {mail}");
        }
    }
}
