//! Where the server is, and how a connection to it is made safe.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::task::AbortHandle;
use tokio_postgres::{
    Client, Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure;
use crate::{Error, ErrorKind, Options, Prepared, Result};

/// The server, with the settings of a session.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: Option<MakeRustlsConnect>,
    pub(super) prepared: Prepared,
    owner: Config,
}

impl Address {
    pub(super) fn parse(url: &str, options: &Options) -> Result<Address> {
        let parts = Parts::split(url);
        // The driver's message may quote the URL, with the password in it.
        let mut config: Config =
            parts.url.parse().map_err(|_| configuration("the PostgreSQL URL cannot be read"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(configuration("the PostgreSQL URL names no host"));
        }
        let mode = parts.mode(is_local(&config))?;
        let prepared = parts.prepared(options.prepared)?;
        config.ssl_mode(mode);
        let tls = match mode {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls(parts.roots.as_deref().map(Path::new))?)),
        };
        config.connect_timeout(options.wait_timeout);
        if config.get_application_name().is_none() {
            config.application_name("haechi");
        }
        let mut owner = config.clone();
        if prepared == Prepared::Keep {
            config.options(session(&config, options));
            owner.options(with(&owner, OWNER.to_owned()));
        }
        Ok(Address { config, tls, prepared, owner })
    }

    /// Opens a connection; returns how to end it without a word to the server.
    pub(super) async fn connect(&self) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        self.open(&self.config).await
    }

    /// Names the database without user and password.
    pub(super) fn server(&self) -> String {
        let (hosts, addresses) = (self.owner.get_hosts(), self.owner.get_hostaddrs());
        let (ports, name) = (self.owner.get_ports(), self.owner.get_dbname());
        format!("{hosts:?} {addresses:?} {ports:?} {name:?} {:?}", self.owner.get_options())
    }

    pub(super) async fn connect_as_owner(&self) -> Result<Client> {
        let (client, _) = self.open(&self.owner).await.map_err(|error| failure::translate(&error))?;
        Ok(client)
    }

    async fn open(&self, config: &Config) -> Result<(Client, AbortHandle), tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                Ok((client, drive(connection)))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                Ok((client, drive(connection)))
            }
        }
    }
}

/// Moves the bytes of a connection until its client is dropped.
fn drive(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
) -> AbortHandle {
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(code = %failure::code(&error), "a connection to postgres was lost");
        }
    });
    driver.abort_handle()
}

/// The URL without the parameters that are ours: the driver knows neither `verify-full` nor a file of roots.
struct Parts {
    url: String,
    mode: Option<String>,
    roots: Option<String>,
    prepared: Option<String>,
}

impl Parts {
    fn split(url: &str) -> Parts {
        let (base, query) = url.rsplit_once('?').unwrap_or((url, ""));
        let mut parts = Parts { url: base.to_owned(), mode: None, roots: None, prepared: None };
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => parts.mode = Some(mode.to_owned()),
                Some(("sslrootcert", path)) => parts.roots = Some(path.to_owned()),
                Some(("prepared", prepared)) => parts.prepared = Some(prepared.to_owned()),
                _ => {
                    parts.url.push(separator);
                    parts.url.push_str(pair);
                    separator = '&';
                }
            }
        }
        parts
    }

    fn prepared(&self, unless_said: Prepared) -> Result<Prepared> {
        match self.prepared.as_deref() {
            None => Ok(unless_said),
            Some("keep") => Ok(Prepared::Keep),
            Some("drop") => Ok(Prepared::Drop),
            Some(_) => Err(configuration("prepared must be \"keep\", or \"drop\" behind a pooler")),
        }
    }

    /// Encrypts unless the server is on this machine; where it encrypts, it always verifies.
    fn mode(&self, local: bool) -> Result<SslMode> {
        match (self.mode.as_deref(), local) {
            (None | Some("disable" | "prefer"), true) => Ok(SslMode::Disable),
            (None | Some("require" | "verify-full"), _) => Ok(SslMode::Require),
            (Some("disable" | "prefer"), false) => Err(configuration(
                "the PostgreSQL URL allows an unencrypted connection to another machine; remove sslmode",
            )),
            (Some(_), _) => {
                Err(configuration("sslmode must be \"verify-full\", or \"disable\" on this machine"))
            }
        }
    }
}

fn configuration(why: &'static str) -> Error {
    Error::new(ErrorKind::Configuration(why))
}

/// Whether no byte can leave this machine: every name and every address is loopback or a Unix socket.
fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig> {
    let unusable = |_| configuration("the roots of trust for PostgreSQL cannot be set up");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(unusable)?;
    let Some(path) = roots else {
        return Ok(builder.with_platform_verifier().map_err(unusable)?.with_no_client_auth());
    };
    let unreadable = |_| configuration("the file of sslrootcert cannot be read");
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        store.add(certificate.map_err(unreadable)?).map_err(unusable)?;
    }
    if store.is_empty() {
        return Err(configuration("the file of sslrootcert holds no certificate"));
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// The limits of each session; they stand behind those of the URL, so that they win.
fn session(config: &Config, options: &Options) -> String {
    let limits = limits(options).map(|(name, value)| format!("-c {name}={value}"));
    with(config, limits.join(" "))
}

/// What starts a transaction. Where a pooler hands the session to others, and refuses to be told its limits when it is
/// opened, each transaction sets them for itself.
pub(super) fn begin(prepared: Prepared, options: &Options) -> String {
    match prepared {
        Prepared::Keep => "BEGIN".to_owned(),
        Prepared::Drop => {
            let limits = limits(options).map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
            format!("BEGIN{}", limits.concat())
        }
    }
}

fn limits(options: &Options) -> [(&'static str, String); 5] {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    [
        ("statement_timeout", milliseconds(options.statement_timeout)),
        ("lock_timeout", milliseconds(options.wait_timeout)),
        ("idle_in_transaction_session_timeout", IDLE.to_string()),
        ("standard_conforming_strings", "on".to_owned()),
        ("TimeZone", "UTC".to_owned()),
    ]
}

fn with(config: &Config, settings: String) -> String {
    match config.get_options() {
        Some(own) => format!("{own} {settings}"),
        None => settings,
    }
}

/// A migration may take long, but must not queue for a lock: every query behind it would queue as well.
const OWNER: &str =
    "-c statement_timeout=0 -c lock_timeout=10000 -c standard_conforming_strings=on -c TimeZone=UTC";

/// Milliseconds, well above what a transaction may last, since the cap of the closure ends it first.
const IDLE: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<SslMode>) {
        let address = Address::parse(url, &Options::default());
        assert_eq!(address.as_ref().ok().map(|address| address.config.get_ssl_mode()), expected, "{url}");
        if let Ok(address) = address {
            assert_eq!(address.tls.is_some(), expected != Some(SslMode::Disable), "{url}");
        }
    }

    /// asvs_12_3_1: a database elsewhere is reached by verified TLS.
    #[test]
    fn only_this_machine_is_reached_without_verified_tls() {
        check("postgres://u@127.0.0.1/d", Some(SslMode::Disable));
        check("postgres://u@localhost/d?sslmode=disable", Some(SslMode::Disable));
        check("postgres://u@%2Frun%2Fpostgresql/d", Some(SslMode::Disable));
        check("postgres://u@[::1]/d", Some(SslMode::Disable));
        check("postgres://u@127.0.0.1/d?sslmode=verify-full", Some(SslMode::Require));
        check("postgres://u@db.example.org/d", Some(SslMode::Require));
        check("postgres://u@db.example.org/d?sslmode=verify-full&application_name=x", Some(SslMode::Require));
        check("postgres://u@10.0.0.5/d", Some(SslMode::Require));
        check("postgres://u@db.example.org/d?sslmode=disable", None);
        check("postgres://u@db.example.org/d?sslmode=prefer", None);
        check("postgres://u@127.0.0.1,db.example.org/d?sslmode=disable", None);
        check("postgres://u@localhost/d?hostaddr=10.0.0.5&sslmode=disable", None);
        check("postgres://u@localhost.example.org/d?sslmode=disable", None);
        check("postgres://u@127.0.0.1/d?sslmode=verify-ca", None);
        check("postgres:///d", None);
        check("postgres://u@db.example.org/d?sslrootcert=/nonexistent", None);
    }

    #[test]
    fn a_url_says_that_a_pooler_stands_before_the_server() {
        let prepared = |url: &str| Address::parse(url, &Options::default()).map(|address| address.prepared);
        assert_eq!(prepared("postgres://u@127.0.0.1/d"), Ok(Prepared::Keep));
        assert_eq!(prepared("postgres://u@127.0.0.1/d?prepared=keep"), Ok(Prepared::Keep));
        assert_eq!(prepared("postgres://u@127.0.0.1/d?prepared=drop&sslmode=disable"), Ok(Prepared::Drop));
        assert!(prepared("postgres://u@127.0.0.1/d?prepared=Drop").is_err());
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        let error = Address::parse("postgres://u:hunter2@h:port/d", &Options::default()).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
