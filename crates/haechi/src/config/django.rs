//! The Django section: what a Django site next door must tell us.

use std::time::Duration;

use haechi_core::Secret;
use serde::Deserialize;

use super::{duration, secret};

/// What a Django site next door must tell us. Each default is Django's own; the command `django exporter` prints the
/// program that writes this section from the settings of a site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Django {
    /// `SECRET_KEY`.
    #[serde(deserialize_with = "secret::deserialize")]
    pub secret_key: Secret<String>,
    /// `SECRET_KEY_FALLBACKS`.
    #[serde(default, deserialize_with = "secret::list")]
    pub secret_key_fallbacks: Vec<Secret<String>>,
    /// Its version, such as `5.2.19`: it decides hash parameters and the salt of signed cookies.
    pub version: String,
    /// `TIME_ZONE`.
    #[serde(default = "text::<UTC>")]
    pub time_zone: String,
    /// `TIME_ZONE` of the database, where it has a meaning: SQLite.
    #[serde(default)]
    pub database_time_zone: Option<String>,
    /// `USE_TZ`.
    #[serde(default = "yes")]
    pub use_tz: bool,
    /// `SESSION_ENGINE`, whole or by its last part.
    #[serde(default = "text::<DB>")]
    pub session_engine: String,
    /// `SESSION_SERIALIZER`.
    #[serde(default = "text::<JSON>")]
    pub session_serializer: String,
    /// `SIGNING_BACKEND`.
    #[serde(default = "text::<TIMESTAMP_SIGNER>")]
    pub signing_backend: String,
    /// The entry of `AUTHENTICATION_BACKENDS` in whose name people sign in here.
    #[serde(default = "text::<MODEL_BACKEND>")]
    pub auth_backend: String,
    /// `AUTHENTICATION_BACKENDS`; without it, `auth_backend` alone.
    #[serde(default)]
    pub auth_backends: Vec<String>,
    /// The first of `PASSWORD_HASHERS`, by its algorithm.
    #[serde(default = "text::<PBKDF2>")]
    pub password_hasher: String,
    /// The iterations of PBKDF2 where they are not those of the version.
    #[serde(default)]
    pub pbkdf2_iterations: Option<u32>,
    /// `time_cost` of the Argon2 hasher; each parameter of a hasher is Django's own unless it is said.
    #[serde(default)]
    pub argon2_time_cost: Option<u32>,
    /// `memory_cost` of the Argon2 hasher, in KiB.
    #[serde(default)]
    pub argon2_memory_cost: Option<u32>,
    /// `parallelism` of the Argon2 hasher.
    #[serde(default)]
    pub argon2_parallelism: Option<u32>,
    /// `rounds` of the bcrypt hashers.
    #[serde(default)]
    pub bcrypt_rounds: Option<u32>,
    /// `work_factor` of the scrypt hasher.
    #[serde(default)]
    pub scrypt_work_factor: Option<u32>,
    /// `block_size` of the scrypt hasher.
    #[serde(default)]
    pub scrypt_block_size: Option<u32>,
    /// `parallelism` of the scrypt hasher.
    #[serde(default)]
    pub scrypt_parallelism: Option<u32>,
    /// `PASSWORD_RESET_TIMEOUT`.
    #[serde(default = "days::<3>", deserialize_with = "duration::deserialize")]
    pub password_reset_timeout: Duration,
    /// `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`, where it is not that of the version.
    #[serde(default)]
    pub signed_cookie_legacy: Option<bool>,
    /// `MESSAGE_STORAGE`: `fallback`, `cookie` or `session`.
    #[serde(default = "text::<FALLBACK>")]
    pub message_storage: String,
    /// Whether cookies are `Secure`; without it, wherever the site is reached over TLS.
    #[serde(default)]
    pub cookie_secure: Option<bool>,
    /// `SESSION_COOKIE_NAME`.
    #[serde(default = "text::<SESSIONID>")]
    pub session_cookie_name: String,
    /// `SESSION_COOKIE_DOMAIN`.
    #[serde(default)]
    pub session_cookie_domain: Option<String>,
    /// `SESSION_COOKIE_PATH`.
    #[serde(default = "text::<ROOT>")]
    pub session_cookie_path: String,
    /// `SESSION_COOKIE_SAMESITE`.
    #[serde(default = "text::<LAX>")]
    pub session_cookie_samesite: String,
    /// `SESSION_COOKIE_AGE`.
    #[serde(default = "days::<14>", deserialize_with = "duration::deserialize")]
    pub session_cookie_age: Duration,
    /// `SESSION_EXPIRE_AT_BROWSER_CLOSE`.
    #[serde(default)]
    pub session_expire_at_browser_close: bool,
    /// `SESSION_SAVE_EVERY_REQUEST`.
    #[serde(default)]
    pub session_save_every_request: bool,
    /// `CSRF_USE_SESSIONS`.
    #[serde(default)]
    pub csrf_use_sessions: bool,
    /// `CSRF_COOKIE_NAME`.
    #[serde(default = "text::<CSRFTOKEN>")]
    pub csrf_cookie_name: String,
    /// `CSRF_COOKIE_DOMAIN`.
    #[serde(default)]
    pub csrf_cookie_domain: Option<String>,
    /// `CSRF_COOKIE_PATH`.
    #[serde(default = "text::<ROOT>")]
    pub csrf_cookie_path: String,
    /// `CSRF_COOKIE_SAMESITE`.
    #[serde(default = "text::<LAX>")]
    pub csrf_cookie_samesite: String,
    /// `CSRF_COOKIE_AGE`.
    #[serde(default = "days::<364>", deserialize_with = "duration::deserialize")]
    pub csrf_cookie_age: Duration,
    /// `CSRF_COOKIE_HTTPONLY`.
    #[serde(default)]
    pub csrf_cookie_httponly: bool,
}

/// A default that is a text, by its place in the list.
fn text<const AT: usize>() -> String {
    TEXTS[AT].to_owned()
}

fn days<const DAYS: u64>() -> Duration {
    Duration::from_secs(DAYS * 86_400)
}

fn yes() -> bool {
    true
}

const TEXTS: &[&str] = &[
    "UTC",
    "db",
    "django.contrib.sessions.serializers.JSONSerializer",
    "django.core.signing.TimestampSigner",
    "django.contrib.auth.backends.ModelBackend",
    "pbkdf2_sha256",
    "fallback",
    "sessionid",
    "/",
    "Lax",
    "csrftoken",
];
const UTC: usize = 0;
const DB: usize = 1;
const JSON: usize = 2;
const TIMESTAMP_SIGNER: usize = 3;
const MODEL_BACKEND: usize = 4;
const PBKDF2: usize = 5;
const FALLBACK: usize = 6;
const SESSIONID: usize = 7;
const ROOT: usize = 8;
const LAX: usize = 9;
const CSRFTOKEN: usize = 10;
