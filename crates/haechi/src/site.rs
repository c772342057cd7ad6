//! A site that is ready to serve: the application with its configuration, keys, database and templates.

use std::sync::Arc;

use haechi_core::{Clock, KeyRing, SecureCookie};
use haechi_db::Db;
use haechi_session::Sessions;
use haechi_template::Templates;

use crate::config::Config;
use crate::csrf_exempt::CsrfExempt;
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
    pub(crate) uploads: crate::Uploads,
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

    /// Returns the sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}
