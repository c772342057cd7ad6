//! The one list of settings: where each stands in the file, and which environment variable wins over it.

use super::{Error, ErrorKind};

/// A setting that the file or the environment may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// The dotted path in `haechi.toml`; `*` stands for a name the application chose.
    pub(crate) path: &'static str,
    /// The environment variable that wins over the file.
    pub(crate) variable: &'static str,
    /// How the variable's text becomes a TOML value.
    pub(crate) kind: Kind,
}

/// The shape of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text as it stands; durations are text as well.
    Text,
    /// Texts, separated by commas in the environment.
    List,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Switch,
}

const fn key(path: &'static str, variable: &'static str, kind: Kind) -> Key {
    Key { path, variable, kind }
}

/// Every setting there is.
pub(crate) const KEYS: &[Key] = &[
    key("bind", "HAECHI_BIND", Kind::List),
    key("mode", "HAECHI_MODE", Kind::Text),
    key("runtime", "HAECHI_RUNTIME", Kind::Text),
    key("data", "HAECHI_DATA", Kind::Text),
    key("pid_file", "HAECHI_PID_FILE", Kind::Text),
    key("allowed_hosts", "HAECHI_ALLOWED_HOSTS", Kind::List),
    key("trusted_origins", "HAECHI_TRUSTED_ORIGINS", Kind::List),
    key("trusted_proxies", "HAECHI_TRUSTED_PROXIES", Kind::List),
    key("proxy_protocol", "HAECHI_PROXY_PROTOCOL", Kind::Switch),
    key("plain_http_reason", "HAECHI_PLAIN_HTTP_REASON", Kind::Text),
    key("secret_key", "HAECHI_SECRET_KEY", Kind::Text),
    key("secret_key_fallbacks", "HAECHI_SECRET_KEY_FALLBACKS", Kind::List),
    key("database.url", "HAECHI_DATABASE_URL", Kind::Text),
    key("log.format", "HAECHI_LOG_FORMAT", Kind::Text),
    key("log.level", "HAECHI_LOG", Kind::Text),
    key("tls.certificate", "HAECHI_TLS_CERT", Kind::Text),
    key("tls.key", "HAECHI_TLS_KEY", Kind::Text),
    key("tls.development", "HAECHI_TLS_DEVELOPMENT", Kind::Switch),
    key("tls.redirect", "HAECHI_TLS_REDIRECT", Kind::Switch),
    key("mail", "HAECHI_MAIL", Kind::Text),
    key("mail_from", "HAECHI_MAIL_FROM", Kind::Text),
    key("session.idle", "HAECHI_SESSION__IDLE", Kind::Text),
    key("session.absolute", "HAECHI_SESSION__ABSOLUTE", Kind::Text),
    key("session.remembered_idle", "HAECHI_SESSION__REMEMBERED_IDLE", Kind::Text),
    key("session.remembered_absolute", "HAECHI_SESSION__REMEMBERED_ABSOLUTE", Kind::Text),
    key("session.store", "HAECHI_SESSION__STORE", Kind::Text),
    key("accounts.validators", "HAECHI_ACCOUNTS__VALIDATORS", Kind::List),
    key("accounts.minimum_password", "HAECHI_ACCOUNTS__MINIMUM_PASSWORD", Kind::Integer),
    key("django.secret_key", "HAECHI_DJANGO__SECRET_KEY", Kind::Text),
    key("django.secret_key_fallbacks", "HAECHI_DJANGO__SECRET_KEY_FALLBACKS", Kind::List),
    key("django.version", "HAECHI_DJANGO__VERSION", Kind::Text),
    key("django.time_zone", "HAECHI_DJANGO__TIME_ZONE", Kind::Text),
    key("django.session_engine", "HAECHI_DJANGO__SESSION_ENGINE", Kind::Text),
    key("django.database_time_zone", "HAECHI_DJANGO__DATABASE_TIME_ZONE", Kind::Text),
    key("django.use_tz", "HAECHI_DJANGO__USE_TZ", Kind::Switch),
    key("django.session_serializer", "HAECHI_DJANGO__SESSION_SERIALIZER", Kind::Text),
    key("django.signing_backend", "HAECHI_DJANGO__SIGNING_BACKEND", Kind::Text),
    key("django.auth_backend", "HAECHI_DJANGO__AUTH_BACKEND", Kind::Text),
    key("django.auth_backends", "HAECHI_DJANGO__AUTH_BACKENDS", Kind::List),
    key("django.password_hasher", "HAECHI_DJANGO__PASSWORD_HASHER", Kind::Text),
    key("django.pbkdf2_iterations", "HAECHI_DJANGO__PBKDF2_ITERATIONS", Kind::Integer),
    key("django.argon2_time_cost", "HAECHI_DJANGO__ARGON2_TIME_COST", Kind::Integer),
    key("django.argon2_memory_cost", "HAECHI_DJANGO__ARGON2_MEMORY_COST", Kind::Integer),
    key("django.argon2_parallelism", "HAECHI_DJANGO__ARGON2_PARALLELISM", Kind::Integer),
    key("django.bcrypt_rounds", "HAECHI_DJANGO__BCRYPT_ROUNDS", Kind::Integer),
    key("django.scrypt_work_factor", "HAECHI_DJANGO__SCRYPT_WORK_FACTOR", Kind::Integer),
    key("django.scrypt_block_size", "HAECHI_DJANGO__SCRYPT_BLOCK_SIZE", Kind::Integer),
    key("django.scrypt_parallelism", "HAECHI_DJANGO__SCRYPT_PARALLELISM", Kind::Integer),
    key("django.password_reset_timeout", "HAECHI_DJANGO__PASSWORD_RESET_TIMEOUT", Kind::Text),
    key("django.signed_cookie_legacy", "HAECHI_DJANGO__SIGNED_COOKIE_LEGACY", Kind::Switch),
    key("django.message_storage", "HAECHI_DJANGO__MESSAGE_STORAGE", Kind::Text),
    key("django.cookie_secure", "HAECHI_DJANGO__COOKIE_SECURE", Kind::Switch),
    key("django.session_cookie_name", "HAECHI_DJANGO__SESSION_COOKIE_NAME", Kind::Text),
    key("django.session_cookie_domain", "HAECHI_DJANGO__SESSION_COOKIE_DOMAIN", Kind::Text),
    key("django.session_cookie_path", "HAECHI_DJANGO__SESSION_COOKIE_PATH", Kind::Text),
    key("django.session_cookie_samesite", "HAECHI_DJANGO__SESSION_COOKIE_SAMESITE", Kind::Text),
    key("django.session_cookie_age", "HAECHI_DJANGO__SESSION_COOKIE_AGE", Kind::Text),
    key(
        "django.session_expire_at_browser_close",
        "HAECHI_DJANGO__SESSION_EXPIRE_AT_BROWSER_CLOSE",
        Kind::Switch,
    ),
    key("django.session_save_every_request", "HAECHI_DJANGO__SESSION_SAVE_EVERY_REQUEST", Kind::Switch),
    key("django.csrf_use_sessions", "HAECHI_DJANGO__CSRF_USE_SESSIONS", Kind::Switch),
    key("django.csrf_cookie_name", "HAECHI_DJANGO__CSRF_COOKIE_NAME", Kind::Text),
    key("django.csrf_cookie_domain", "HAECHI_DJANGO__CSRF_COOKIE_DOMAIN", Kind::Text),
    key("django.csrf_cookie_path", "HAECHI_DJANGO__CSRF_COOKIE_PATH", Kind::Text),
    key("django.csrf_cookie_samesite", "HAECHI_DJANGO__CSRF_COOKIE_SAMESITE", Kind::Text),
    key("django.csrf_cookie_age", "HAECHI_DJANGO__CSRF_COOKIE_AGE", Kind::Text),
    key("django.csrf_cookie_httponly", "HAECHI_DJANGO__CSRF_COOKIE_HTTPONLY", Kind::Switch),
    key("limits.request", "HAECHI_LIMITS__REQUEST", Kind::Text),
    key("limits.requests_per_minute", "HAECHI_LIMITS__REQUESTS_PER_MINUTE", Kind::Integer),
    key("limits.connections", "HAECHI_LIMITS__CONNECTIONS", Kind::Integer),
    key("limits.connections_per_network", "HAECHI_LIMITS__CONNECTIONS_PER_NETWORK", Kind::Integer),
    key("limits.first_byte", "HAECHI_LIMITS__FIRST_BYTE", Kind::Text),
    key("limits.handshake", "HAECHI_LIMITS__HANDSHAKE", Kind::Text),
    key("limits.head", "HAECHI_LIMITS__HEAD", Kind::Text),
    key("limits.head_bytes", "HAECHI_LIMITS__HEAD_BYTES", Kind::Integer),
    key("limits.head_fields", "HAECHI_LIMITS__HEAD_FIELDS", Kind::Integer),
    key("limits.body_bytes", "HAECHI_LIMITS__BODY_BYTES", Kind::Integer),
    key("limits.bodies_bytes", "HAECHI_LIMITS__BODIES_BYTES", Kind::Integer),
    key("limits.stall", "HAECHI_LIMITS__STALL", Kind::Text),
    key("limits.minimum_rate", "HAECHI_LIMITS__MINIMUM_RATE", Kind::Integer),
    key("limits.rate_grace", "HAECHI_LIMITS__RATE_GRACE", Kind::Text),
    key("limits.keep_alive", "HAECHI_LIMITS__KEEP_ALIVE", Kind::Text),
    key("limits.requests_per_connection", "HAECHI_LIMITS__REQUESTS_PER_CONNECTION", Kind::Integer),
    key("limits.h2_streams", "HAECHI_LIMITS__H2_STREAMS", Kind::Integer),
    key("limits.h2_resets", "HAECHI_LIMITS__H2_RESETS", Kind::Integer),
    key("limits.drain", "HAECHI_LIMITS__DRAIN", Kind::Text),
    key("sockets.*.bind", "", Kind::List),
    key("sockets.*.tls", "", Kind::Switch),
];

/// Variables that begin with `HAECHI_` and are not settings of an application.
const NOT_SETTINGS: &[&str] = &["HAECHI_CONFIG", "HAECHI_REQUIRE_ALL"];
const TEST_PREFIX: &str = "HAECHI_TEST_";

/// Refuses a table that names a setting there is not, and says which one may have been meant.
pub(super) fn refuse_unknown(table: &toml::Table) -> Result<(), Error> {
    walk(table, "")
}

fn walk(table: &toml::Table, prefix: &str) -> Result<(), Error> {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let known = KEYS.iter().any(|key| matches(key.path, &path));
        if let (true, toml::Value::Table(inner)) = (known, value) {
            walk(inner, &path)?;
        }
        if known {
            continue;
        }
        let section = KEYS.iter().any(|key| begins(key.path, &path));
        match value {
            toml::Value::Table(inner) if section => walk(inner, &path)?,
            _ if section => return Err(not_a_section(&path)),
            _ => {
                return Err(unknown(
                    ErrorKind::UnknownKey,
                    &path,
                    KEYS.iter().flat_map(|key| sections(key.path)),
                ));
            }
        }
    }
    Ok(())
}

/// Returns the setting that an environment variable names, `None` for a variable that is not ours.
pub(super) fn of_variable(variable: &str) -> Result<Option<&'static Key>, Error> {
    if !variable.starts_with("HAECHI_")
        || NOT_SETTINGS.contains(&variable)
        || variable.starts_with(TEST_PREFIX)
    {
        return Ok(None);
    }
    match KEYS.iter().find(|key| key.variable == variable) {
        Some(key) => Ok(Some(key)),
        None => Err(unknown(ErrorKind::UnknownVariable, variable, KEYS.iter().map(|key| key.variable))),
    }
}

/// Reads a variable's text as the value of its setting.
pub(super) fn value(key: &Key, text: &str) -> Result<toml::Value, Error> {
    let wrong = |wanted| {
        let message = format!("{} is \"{text}\", and must be {wanted}", key.variable);
        Error::new(ErrorKind::Value, message)
    };
    Ok(match key.kind {
        Kind::Text => toml::Value::String(text.to_owned()),
        Kind::List => toml::Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| toml::Value::String(item.to_owned()))
                .collect(),
        ),
        Kind::Integer => toml::Value::Integer(text.parse().map_err(|_| wrong("a whole number"))?),
        Kind::Switch => toml::Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
    })
}

/// Returns a path and every section that it stands in.
fn sections(path: &'static str) -> impl Iterator<Item = &'static str> {
    let dots = path.match_indices('.').map(|(at, _)| &path[..at]);
    std::iter::once(path).chain(dots)
}

fn matches(pattern: &str, path: &str) -> bool {
    pattern.split('.').count() == path.split('.').count() && begins(pattern, path)
}

/// Tells whether `path` is `pattern` or one of its sections.
fn begins(pattern: &str, path: &str) -> bool {
    let mut names = pattern.split('.');
    path.split('.').all(|part| names.next().is_some_and(|name| name == "*" || name == part))
}

fn not_a_section(path: &str) -> Error {
    let message = format!("\"{path}\" is a section; write its settings below [{path}]");
    Error::new(ErrorKind::UnknownKey, message)
}

fn unknown(kind: ErrorKind, name: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let nearest = known
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2)
        .map(|(_, candidate)| candidate);
    let cure = match nearest {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => "see docs/defaults.md for the settings there are".to_owned(),
    };
    let what = if kind == ErrorKind::UnknownKey { "setting" } else { "environment variable" };
    Error::new(kind, format!("unknown {what} \"{name}\": {cure}"))
}

/// The Levenshtein distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: Option<&str>) {
        let table: toml::Table = file.parse().unwrap();
        assert_eq!(
            refuse_unknown(&table).err().map(|error| error.to_string()).as_deref(),
            expected,
            "{file}"
        );
    }

    #[test]
    fn known_settings_pass() {
        check(
            "bind = ['localhost:1']\n[database]\nurl = 'sqlite:a.db'\n[sockets.live]\nbind = ['localhost:2']",
            None,
        );
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_nearest() {
        check("alowed_hosts = []", Some("unknown setting \"alowed_hosts\": did you mean \"allowed_hosts\"?"));
        check(
            "[limits]\nconections = 1",
            Some("unknown setting \"limits.conections\": did you mean \"limits.connections\"?"),
        );
        check(
            "[sockets.live]\nbindd = 1",
            Some("unknown setting \"sockets.live.bindd\": did you mean \"sockets.*.bind\"?"),
        );
        check("[databse]\nurl = ''", Some("unknown setting \"databse\": did you mean \"database\"?"));
        check(
            "zzzzzzzzzzzzzz = 1",
            Some("unknown setting \"zzzzzzzzzzzzzz\": see docs/defaults.md for the settings there are"),
        );
    }

    #[test]
    fn a_section_is_not_a_value_and_a_value_not_a_section() {
        check(
            "database = 'sqlite:a.db'",
            Some("\"database\" is a section; write its settings below [database]"),
        );
        check(
            "[bind]\nport = 1",
            Some("unknown setting \"bind.port\": see docs/defaults.md for the settings there are"),
        );
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest() {
        assert_eq!(
            of_variable("HAECHI_TRUSTED_PROXY").unwrap_err().to_string(),
            "unknown environment variable \"HAECHI_TRUSTED_PROXY\": did you mean \"HAECHI_TRUSTED_PROXIES\"?"
        );
        assert!(of_variable("HAECHI_TEST_POSTGRES").unwrap().is_none());
        assert!(of_variable("PATH").unwrap().is_none());
        assert_eq!(of_variable("HAECHI_BIND").unwrap().unwrap().path, "bind");
    }
}
