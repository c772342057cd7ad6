//! The Django site next door: its settings, read into what the parts of a site need.
//!
//! What haechi cannot share is refused at the start with its reason; a site that believes it shares sign-outs must not
//! find out by a session that lives on.

mod cookies;
mod faults;
mod hasher;
mod settings;
mod version;

use std::time::Duration;

use haechi_auth::{Authority, ResetTokens};
use haechi_core::{KeyRing, SecureCookie, SignedCookieSalt};
use haechi_db::Db;
use haechi_session::{CookieStore, DjangoMessages, DjangoStore, MessageStorage, Sessions};
use jiff::tz::TimeZone;

pub use self::faults::Faults;
use self::hasher::PreferredHasher;
use self::version::Version;
use crate::config;
use crate::users::Users;

/// Where the Django site keeps its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `django.contrib.sessions.backends.db`.
    Database,
    /// `django.contrib.sessions.backends.signed_cookies`.
    SignedCookies,
}

/// Where the Django site keeps the secret of its form tokens.
#[derive(Debug, Clone)]
pub(crate) enum CsrfPlace {
    /// In a cookie.
    Cookie(SecureCookie),
    /// In the session: `CSRF_USE_SESSIONS`.
    Session,
}

/// How cookies travel to this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Over TLS, here or at a proxy.
    Tls,
    /// In clear, on this machine or for the reason that the configuration gives.
    Plain,
}

/// The Django site next door.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) keys: KeyRing,
    pub(crate) engine: Engine,
    pub(crate) csrf: CsrfPlace,
    pub(crate) signed_cookies: SignedCookieSalt,
    pub(crate) secure: bool,
    /// What is allowed, and should be otherwise.
    pub(crate) warnings: Vec<String>,
    session_cookie: SecureCookie,
    messages: (MessageStorage, SecureCookie),
    hasher: PreferredHasher,
    zone: TimeZone,
    settings: config::Django,
}

impl Neighbour {
    /// Reads the settings, and lists everything that cannot be shared.
    pub(crate) fn read(
        settings: &config::Django,
        transport: Transport,
        development: bool,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let secure = settings.cookie_secure.unwrap_or(transport == Transport::Tls);
        let keys = faults.note(settings::keys(settings, development));
        let version = faults.note(Version::parse(&settings.version));
        let engine = faults.note(settings::engine(&settings.session_engine));
        let zone = faults.note(settings::zone(&settings.time_zone));
        let storage = faults.note(settings::message_storage(&settings.message_storage));
        let hasher = faults.note(PreferredHasher::read(settings, version));
        faults.note(settings::formats(settings));
        faults.note(settings::backends(settings));
        let session_cookie = faults.note(cookies::session(settings, secure));
        let messages_cookie = faults.note(cookies::messages(settings, secure));
        let csrf = faults.note(cookies::csrf(settings, secure));
        let (Some(keys), Some(version), Some(engine), Some(zone), Some(storage), Some(hasher)) =
            (keys, version, engine, zone, storage, hasher)
        else {
            return Err(faults);
        };
        let (Some(session_cookie), Some(messages_cookie), Some(csrf)) =
            (session_cookie, messages_cookie, csrf)
        else {
            return Err(faults);
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            warnings: settings::warnings(settings),
            keys,
            engine,
            csrf,
            signed_cookies: version.signed_cookies(settings.signed_cookie_legacy),
            secure,
            session_cookie,
            messages: (storage, messages_cookie),
            hasher,
            zone,
            settings: settings.clone(),
        })
    }

    /// Returns the sessions, shared.
    pub(crate) fn sessions(&self, db: &Db) -> Sessions {
        let (keys, age) = (self.keys.clone(), self.settings.session_cookie_age);
        let cookie = self.session_cookie.clone();
        let mut sessions = match self.engine {
            Engine::Database => Sessions::shared_with_django(self.store(db), cookie),
            Engine::SignedCookies => {
                let store = CookieStore::shared_with_django(keys.clone(), age);
                Sessions::in_cookie(store.backend(&self.settings.auth_backend)).cookie(cookie)
            }
        };
        if self.settings.session_expire_at_browser_close {
            sessions = sessions.expire_at_browser_close();
        }
        if self.settings.session_save_every_request {
            sessions = sessions.save_every_request();
        }
        let (storage, cookie) = &self.messages;
        sessions.messages(DjangoMessages::new(keys, cookie.clone(), *storage))
    }

    /// Returns the store of the engine `db`.
    pub(crate) fn store(&self, db: &Db) -> DjangoStore {
        DjangoStore::new(db.clone(), self.keys.clone(), self.settings.session_cookie_age)
            .backend(&self.settings.auth_backend)
            .backends(&self.settings.auth_backends)
    }

    /// Returns who may sign in: the users of the shared table, with hashes that the neighbour finds nothing to
    /// rewrite in, and reset links that open there as well.
    pub(crate) fn authority(&self, db: &Db, users: &Users) -> Result<Authority, haechi_auth::Error> {
        let links =
            ResetTokens::shared_with_django(self.keys.clone(), self.reset_timeout(), self.zone.clone());
        let authority = (users.authority)(db, self.keys.clone(), self.hasher.hashers())?;
        Ok(authority.reset_tokens(links))
    }

    /// Returns whether a session in the name of `backend` is somebody's here.
    pub(crate) fn lists(&self, backend: &str) -> bool {
        backend == self.settings.auth_backend
            || self.settings.auth_backends.iter().any(|path| path == backend)
    }

    fn reset_timeout(&self) -> Duration {
        self.settings.password_reset_timeout
    }

    /// Returns what a column of the preferred hasher begins with, before a `$`.
    pub(crate) fn hasher_prefix(&self) -> String {
        self.hasher.prefix()
    }

    /// Returns what `doctor` says of the hashes.
    pub(crate) fn hashes(&self) -> String {
        self.hasher.described()
    }
}

/// The name of the hidden field of forms.
pub(crate) const FORM_FIELD: &str = "csrfmiddlewaretoken";
/// Django's `DATA_UPLOAD_MAX_MEMORY_SIZE`: the most bytes of a form without its files.
pub(crate) const FORM_BYTES: usize = 2_621_440;
/// As [`FORM_BYTES`], for the limit of the server.
pub(crate) const BODY_BYTES: u64 = 2_621_440;
/// Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
pub(crate) const FORM_FIELDS: usize = 1_000;
