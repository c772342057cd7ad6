//! The certificate a server shows in a TLS handshake, and its renewal while connections go on.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection};

/// A certificate chain and its key, read from PEM files. Clones are the same certificate.
///
/// A running server reads the files again on `SIGHUP` and when they changed (it looks every ten seconds). Handshakes
/// after that show the new certificate; connections that stand are not touched. Files that do not fit each other, as in
/// the middle of a renewal, leave the old certificate in place.
///
/// # Examples
///
/// ```no_run
/// use haechi_server::{Certificate, Listener};
///
/// let certificate = Certificate::files("/etc/app/fullchain.pem", "/etc/app/key.pem")?;
/// let listener = Listener::bind("[::]:443")?.tls(certificate);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Shown>);

struct Shown {
    current: RwLock<Arc<CertifiedKey>>,
    chain: PathBuf,
    key: PathBuf,
    purpose: Purpose,
    seen: Mutex<[Option<Stamp>; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Anyone,
    Development,
}

impl Certificate {
    /// Reads a chain, the server's own certificate first, and its private key.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds no certificate or key, or when the key does not belong to the certificate. The message
    /// names the file.
    pub fn files(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> io::Result<Self> {
        Self::open(chain.into(), key.into(), Purpose::Anyone)
    }

    /// Reads a certificate for `localhost`, `127.0.0.1` and `::1` from this file, which is made on first use.
    ///
    /// It is kept, so that an exception made for it in a browser lasts.
    ///
    /// # Errors
    ///
    /// When the file cannot be made or read.
    ///
    /// # Security
    ///
    /// Nobody vouches for it, so a server refuses to show it on an address that other machines can reach. The file holds the
    /// key and has mode 0600.
    pub fn development(file: impl Into<PathBuf>) -> io::Result<Self> {
        let file = file.into();
        if !file.try_exists()? {
            make_development(&file)?;
        }
        Self::open(file.clone(), file, Purpose::Development)
    }

    fn open(chain: PathBuf, key: PathBuf, purpose: Purpose) -> io::Result<Self> {
        warn_of_readers(&key);
        let seen = Mutex::new([stamp(&chain), stamp(&key)]);
        let current = RwLock::new(Arc::new(read(&chain, &key)?));
        Ok(Self(Arc::new(Shown { current, chain, key, purpose, seen })))
    }

    /// Reads the files again; handshakes from now on show what they hold.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files); the old certificate stays then.
    pub fn reload(&self) -> io::Result<()> {
        let shown = &self.0;
        *shown.seen.lock().unwrap_or_else(PoisonError::into_inner) = [stamp(&shown.chain), stamp(&shown.key)];
        let read = Arc::new(read(&shown.chain, &shown.key)?);
        *shown.current.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// Reads the files again if they are not the ones that were last read; returns whether they were not.
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload).
    pub fn reload_if_changed(&self) -> io::Result<bool> {
        let now = [stamp(&self.0.chain), stamp(&self.0.key)];
        if *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    pub(crate) fn is_development(&self) -> bool {
        self.0.purpose == Purpose::Development
    }

    /// Returns the settings of a handshake: TLS 1.3 and 1.2, post-quantum key exchange preferred, one ticket (more
    /// save nothing: resumption costs the server as much as a full handshake).
    pub(crate) fn server_config(&self, alpn: Vec<Vec<u8>>) -> io::Result<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = alpn;
        config.send_tls13_tickets = 1;
        Ok(config)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("chain", &self.chain)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The cryptography of both sides, named rather than installed for the whole process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Returns what a finished handshake settled.
pub(crate) fn settled(connection: &ServerConnection) -> crate::Tls {
    crate::Tls {
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
        server_name: connection.server_name().map(str::to_owned),
        version: match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        },
    }
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some(Stamp { inode: file.ino(), length: file.len(), modified: (file.mtime(), file.mtime_nsec()) })
}

fn read(chain: &Path, key: &Path) -> io::Result<CertifiedKey> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|source| unreadable("certificate", chain, source))?;
    if certificates.is_empty() {
        return Err(unreadable("certificate", chain, "it holds no CERTIFICATE section in PEM form"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|source| unreadable("key", key, source))?;
    CertifiedKey::from_der(certificates, secret, &provider()).map_err(|source| {
        let why = format!("with the certificate {}: {source}", chain.display());
        unreadable("key", key, why)
    })
}

fn unreadable(what: &str, path: &Path, why: impl fmt::Display) -> io::Error {
    let message = format!("cannot use the TLS {what} file {}: {why}", path.display());
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn warn_of_readers(key: &Path) {
    if let Ok(file) = fs::metadata(key)
        && file.mode() & 0o004 != 0
    {
        tracing::warn!("every user of this machine can read the TLS key {0}: chmod 600 {0}", key.display());
    }
}

fn make_development(file: &Path) -> io::Result<()> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut settings = CertificateParams::new(names).map_err(io::Error::other)?;
    settings.distinguished_name.push(DnType::CommonName, "haechi development");
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = settings.self_signed(&key).map_err(io::Error::other)?;
    // Under another name until it is whole, so that nobody reads half of it.
    let mut partial = file.as_os_str().to_owned();
    partial.push(format!(".{}", std::process::id()));
    let partial = PathBuf::from(partial);
    let mut writer =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    writer.write_all(certificate.pem().as_bytes())?;
    writer.write_all(key.serialize_pem().as_bytes())?;
    writer.sync_all()?;
    fs::rename(partial, file)
}
