//! The configuration: `haechi.toml`, and the environment, which wins over it.
//!
//! A setting that is misspelt is refused, with the nearest one that exists: a security setting that is
//! silently ignored is worse than one that was never written.

mod django;
mod duration;
mod error;
mod keys;
mod limits;
mod secret;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use haechi_auth::Validator;
use haechi_core::Secret;
use serde::Deserialize;

pub use self::django::Django;
use self::error::Error;
pub use self::error::{Error as ConfigError, ErrorKind};
pub use self::limits::RequestLimits;
pub(crate) use self::secret::{private_folder, secret_key};

/// The settings of an application, as `haechi.toml` and the environment give them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where the site listens: `localhost:8888`, `0.0.0.0:443`, `unix:/run/site.sock` or `systemd`.
    pub bind: Vec<String>,
    /// Whether this is a developer's machine or the open network.
    pub mode: Mode,
    /// How the cores are shared.
    pub runtime: Runtime,
    /// The folder of the files that the application makes: the database, the secret key.
    pub data: PathBuf,
    /// Where the process writes its id, for whoever sends it signals.
    pub pid_file: Option<PathBuf>,
    /// The host names that the site answers to.
    pub allowed_hosts: Vec<String>,
    /// Other origins whose forms this site accepts.
    pub trusted_origins: Vec<String>,
    /// Addresses (CIDR) of proxies whose word about the client is taken; `unix` for the one in front of a Unix socket.
    pub trusted_proxies: Vec<String>,
    /// Whether the trusted proxies begin each connection with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// Why plain HTTP on an address that is not loopback is acceptable here.
    pub plain_http_reason: Option<String>,
    /// The secret key; without it one is made on the first run and kept in the data folder.
    #[serde(deserialize_with = "secret::optional")]
    pub secret_key: Option<Secret<String>>,
    /// Former secret keys, which still verify and no longer sign.
    #[serde(deserialize_with = "secret::list")]
    pub secret_key_fallbacks: Vec<Secret<String>>,
    /// The database.
    pub database: Database,
    /// The log.
    pub log: Log,
    /// TLS.
    pub tls: Tls,
    /// Where mail goes: `console`, `file:PATH` or `smtp://…`.
    #[serde(deserialize_with = "secret::deserialize")]
    pub mail: Secret<String>,
    /// The sender of mail.
    pub mail_from: String,
    /// How long sessions live.
    pub session: Session,
    /// Rules of accounts.
    pub accounts: Accounts,
    /// The Django site that shares the database, if there is one.
    pub django: Option<Django>,
    /// What one client, and all clients together, may take.
    pub limits: RequestLimits,
    /// The raw socket services, by the name that the application gave them.
    pub sockets: BTreeMap<String, Socket>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: vec!["localhost:8888".to_owned()],
            mode: Mode::Auto,
            runtime: Runtime::MultiThread,
            data: PathBuf::from("var"),
            pid_file: None,
            allowed_hosts: Vec::new(),
            trusted_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            plain_http_reason: None,
            secret_key: None,
            secret_key_fallbacks: Vec::new(),
            database: Database::default(),
            log: Log::default(),
            tls: Tls::default(),
            mail: Secret::new("console".to_owned()),
            mail_from: "webmaster@localhost".to_owned(),
            session: Session::default(),
            accounts: Accounts::default(),
            django: None,
            limits: RequestLimits::default(),
            sockets: BTreeMap::new(),
        }
    }
}

/// Whether the site runs on a developer's machine or on the open network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Development where every address is loopback and neither TLS, hosts nor proxies are set; else production.
    Auto,
    /// Readable logs, error pages that show the template line, cookies without `Secure` on loopback.
    Development,
    /// Everything on.
    Production,
}

/// How the cores are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runtime {
    /// One runtime whose threads take work from each other.
    MultiThread,
    /// One runtime per core, each with its own listening socket.
    PerCore,
}

/// The database section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`; without it a SQLite file in the data folder.
    #[serde(deserialize_with = "secret::optional")]
    pub url: Option<Secret<String>>,
}

/// The log section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Log {
    /// Lines for people, or JSON for machines.
    pub format: LogFormat,
    /// The filter: `info`, or `info,haechi=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text in development, JSON in production.
    Auto,
    /// One readable line an event.
    Text,
    /// One JSON object a line.
    Json,
}

/// The TLS section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate chain, a PEM file.
    pub certificate: Option<PathBuf>,
    /// The private key, a PEM file.
    pub key: Option<PathBuf>,
    /// Whether to make a certificate for loopback names.
    pub development: bool,
    /// Whether plain HTTP on the same port is answered with a redirect to HTTPS.
    pub redirect: bool,
}

/// The session section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Session {
    /// Where sessions are kept.
    pub store: SessionPlace,
    /// A session unused for this long ends.
    #[serde(deserialize_with = "duration::deserialize")]
    pub idle: Duration,
    /// A session ends after this long, however much it is used.
    #[serde(deserialize_with = "duration::deserialize")]
    pub absolute: Duration,
    /// As `idle`, for whoever chose to stay signed in on a device.
    #[serde(deserialize_with = "duration::deserialize")]
    pub remembered_idle: Duration,
    /// As `absolute`, for whoever chose to stay signed in on a device.
    #[serde(deserialize_with = "duration::deserialize")]
    pub remembered_absolute: Duration,
}

impl Default for Session {
    fn default() -> Self {
        let limits = haechi_session::Limits::default();
        Self {
            store: SessionPlace::Database,
            idle: limits.idle,
            absolute: limits.absolute,
            remembered_idle: limits.remembered_idle,
            remembered_absolute: limits.remembered_absolute,
        }
    }
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionPlace {
    /// In the database: they can be listed and ended.
    Database,
    /// In the browser's cookie, signed: nothing is written, and none can be listed or ended.
    Cookie,
}

/// The accounts section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Accounts {
    /// The shortest password, in characters.
    pub minimum_password: usize,
    /// Who judges a new password: `nist`, which is haechi's own rules, and Django's `similarity`, `minimum-length`
    /// (or `minimum-length=12`), `common` and `numeric`.
    #[serde(deserialize_with = "validators")]
    pub validators: Vec<Validator>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { minimum_password: 15, validators: vec![Validator::Nist] }
    }
}

/// Reads names of validators. A list that judges no length would take every password, and is refused.
fn validators<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Validator>, D::Error> {
    use serde::de::Error as _;
    let names = Vec::<String>::deserialize(deserializer)?;
    let list: Result<Vec<Validator>, _> = names.iter().map(|name| name.parse()).collect();
    let list = list.map_err(D::Error::custom)?;
    if !list.iter().any(|one| matches!(one, Validator::Nist | Validator::MinimumLength(_))) {
        return Err(D::Error::custom("the list judges no length: add \"nist\" or \"minimum-length\""));
    }
    Ok(list)
}

/// A raw socket service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Socket {
    /// Where it listens.
    pub bind: Vec<String>,
    /// Whether it speaks TLS, with the site's certificate.
    pub tls: bool,
}

impl Config {
    /// Returns the trusted proxies that have an address.
    pub(crate) fn proxy_networks(&self) -> impl Iterator<Item = &str> {
        self.trusted_proxies.iter().map(String::as_str).filter(|proxy| *proxy != "unix")
    }

    /// Reads the file that `HAECHI_CONFIG` names, or `haechi.toml` where there is one, and the environment.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not TOML; a setting or variable is unknown, or has a value that it
    /// cannot have.
    pub fn load(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        let text = match environment.get("HAECHI_CONFIG") {
            Some(path) => read(Path::new(path), Missing::Refused)?,
            None => read(Path::new("haechi.toml"), Missing::Empty)?,
        };
        Self::parse(&text, &environment)
    }

    /// Reads settings from the text of a file and from environment variables.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), but for reading the file.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut table: toml::Table = text.parse().map_err(Error::syntax)?;
        keys::refuse_unknown(&table)?;
        for (variable, value) in environment {
            if let Some(key) = keys::of_variable(variable)? {
                insert(&mut table, key.path, keys::value(key, value)?);
            }
        }
        if let Some(toml::Value::String(one)) = table.get("bind") {
            let one = toml::Value::String(one.clone());
            table.insert("bind".to_owned(), toml::Value::Array(vec![one]));
        }
        table.try_into().map_err(Error::value)
    }
}

#[derive(Clone, Copy)]
enum Missing {
    Refused,
    Empty,
}

fn read(path: &Path, missing: Missing) -> Result<String, Error> {
    match (std::fs::read_to_string(path), missing) {
        (Ok(text), _) => Ok(text),
        (Err(error), Missing::Empty) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        (Err(error), _) => Err(Error::read(path, error)),
    }
}

fn insert(table: &mut toml::Table, path: &str, value: toml::Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            // A section that is not a table has been refused before.
            if let toml::Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::keys::KEYS;
    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::parse(text, &environment)
    }

    #[track_caller]
    fn refused(text: &str, environment: &[(&str, &str)], expected: &str) {
        let message = parse(text, environment).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn nothing_at_all_is_a_complete_configuration() {
        let config = parse("", &[]).unwrap();
        assert_eq!(config.bind, ["localhost:8888"]);
        assert_eq!(config.limits.server(), haechi_server::Limits::default());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = parse(
            "bind = ['localhost:1']\n[database]\nurl = 'sqlite:a.db'\n[limits]\nhead = '3s'",
            &[
                ("HAECHI_BIND", "127.0.0.1:2, [::1]:2"),
                ("HAECHI_DATABASE_URL", "sqlite:b.db"),
                ("HAECHI_LIMITS__CONNECTIONS", "7"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(config.bind, ["127.0.0.1:2", "[::1]:2"]);
        assert_eq!(config.database.url.unwrap().expose(), "sqlite:b.db");
        assert_eq!(config.limits.server().head, Duration::from_secs(3));
        assert_eq!(config.limits.server().connections, 7);
    }

    #[test]
    fn one_address_may_stand_without_brackets() {
        assert_eq!(parse("bind = '[::]:80'", &[]).unwrap().bind, ["[::]:80"]);
    }

    #[test]
    fn a_value_that_a_setting_cannot_have_is_refused_with_the_cure() {
        refused("[limits]\nhead = '3 seconds'", &[], "\"3 seconds\" is not a duration");
        refused("mode = 'prod'", &[], "unknown variant `prod`");
        refused("", &[("HAECHI_LIMITS__CONNECTIONS", "many")], "HAECHI_LIMITS__CONNECTIONS is \"many\"");
        refused("", &[("HAECHI_TLS_REDIRECT", "yes")], "HAECHI_TLS_REDIRECT is \"yes\"");
        refused("bind = ", &[], "haechi.toml");
    }

    #[test]
    fn every_setting_of_the_list_is_read() {
        for key in KEYS.iter().filter(|key| !key.variable.is_empty()) {
            let text = match key.kind {
                keys::Kind::Integer => "8",
                keys::Kind::Switch => "true",
                keys::Kind::List | keys::Kind::Text => match key.path {
                    "mode" => "production",
                    "runtime" => "per-core",
                    "log.format" => "json",
                    "session.store" => "cookie",
                    "accounts.validators" => "nist",
                    path if path.starts_with("limits.") || path.starts_with("session.") => "5s",
                    path if path.ends_with("_age") || path.ends_with("_timeout") => "5s",
                    _ => "x",
                },
            };
            let mut environment = vec![(key.variable, text)];
            if key.path.starts_with("django.") {
                environment
                    .extend([("HAECHI_DJANGO__SECRET_KEY", "k"), ("HAECHI_DJANGO__VERSION", "5.2.19")]);
            }
            parse("", &environment).unwrap_or_else(|error| panic!("{}: {error}", key.path));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = parse("secret_key = 'hunter2hunter2hunter2hunter2hunter2'", &[]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
