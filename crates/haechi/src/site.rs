//! A site that is ready to serve: the application with its configuration, keys, database and templates.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Clock, KeyRing, LocalPath, SecureCookie, SignedCookie, SignedCookieSalt};
use haechi_db::Db;
use haechi_session::Sessions;
use haechi_template::Templates;

use crate::config::Config;
use crate::csrf_exempt::CsrfExempt;
use crate::django::Neighbour;
use crate::language::Catalogue;
use crate::static_files::StaticFiles;

/// A site that is ready to serve. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) config: Config,
    pub(crate) development: bool,
    /// Whether cookies travel in clear.
    pub(crate) loopback: bool,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) db: Db,
    pub(crate) templates: Templates,
    pub(crate) asks_permissions: bool,
    pub(crate) static_files: StaticFiles,
    pub(crate) catalogue: Catalogue,
    pub(crate) authority: haechi_auth::Authority,
    pub(crate) password_rules: haechi_auth::PasswordRules,
    pub(crate) sessions: Sessions,
    pub(crate) form_cookie: SecureCookie,
    pub(crate) device_cookie: SecureCookie,
    pub(crate) csrf_exempt: CsrfExempt,
    pub(crate) csrf: haechi_guard::Csrf,
    pub(crate) mailer: crate::Mailer,
    pub(crate) bodies: crate::body_memory::BodyMemory,
    pub(crate) body_limits: crate::body_limits::BodyLimits,
    pub(crate) uploads: crate::Uploads,
    pub(crate) accounts: crate::Accounts,
    /// The Django site that shares users and sessions.
    pub(crate) neighbour: Option<Neighbour>,
}

impl Site {
    /// Returns the name that the application gave itself.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Tells whether this is a developer's machine.
    pub fn is_development(&self) -> bool {
        self.inner.development
    }

    /// Returns the database.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// Returns the templates.
    pub fn templates(&self) -> &Templates {
        &self.inner.templates
    }

    /// Returns the keys that sign what the site hands out.
    pub fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Returns what makes and knows users.
    pub fn authority(&self) -> &haechi_auth::Authority {
        &self.inner.authority
    }

    /// Returns the queue of outgoing mail.
    pub fn mailer(&self) -> &crate::Mailer {
        &self.inner.mailer
    }

    /// Returns the files that visitors sent.
    pub fn uploads(&self) -> &crate::Uploads {
        &self.inner.uploads
    }

    /// Tells whether users and sessions are shared with a Django site.
    pub fn is_shared(&self) -> bool {
        self.inner.neighbour.is_some()
    }

    /// Plans a signed cookie of the application, for `lifetime`; beside a Django, one that its `get_signed_cookie`
    /// reads and its `set_signed_cookie` writes, under the bare name. `salt` names what the value means.
    ///
    /// # Errors
    ///
    /// The name cannot be that of a cookie.
    pub fn signed_cookie(
        &self,
        name: &str,
        salt: &str,
        lifetime: Duration,
    ) -> Result<SignedCookie, haechi_core::Error> {
        let keys = self.keys().clone();
        let (cookie, form) = match &self.inner.neighbour {
            Some(neighbour) => {
                let cookie = SecureCookie::shared_with_django(name)?;
                (if neighbour.secure { cookie } else { cookie.on_loopback() }, neighbour.signed_cookies)
            }
            None => {
                let cookie = SecureCookie::new(name)?;
                (if self.inner.loopback { cookie.on_loopback() } else { cookie }, SignedCookieSalt::Current)
            }
        };
        Ok(SignedCookie::shared_with_django(keys, cookie, salt, lifetime, form))
    }

    /// Where people go who have signed in or out.
    pub(crate) fn home(&self) -> LocalPath {
        self.inner.accounts.start()
    }

    /// Returns the sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}
