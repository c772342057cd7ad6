//! Where a server listens: TCP, a Unix socket, or what the program before it passed on.

mod bound;
mod options;
mod passed;
mod unix_file;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use bound::Bound;
pub use options::ListenerOptions;

use crate::endpoint::Serve;
use crate::{Certificate, Network, Protocol};

/// Listening sockets, and what stands between them and the protocol: TLS, the PROXY protocol.
///
/// | address | listens on |
/// |---|---|
/// | `127.0.0.1:8888`, `[::1]:8888` | that address; port 0 lets the system choose |
/// | `localhost:8888` | every address the name stands for |
/// | `[::]:80` | every address of the machine, IPv6 and IPv4 |
/// | `unix:/run/app.sock` | a Unix socket; the file has mode 0600 and goes when the server ends |
/// | `systemd` | every socket that was passed to the process (`LISTEN_FDS`) |
/// | `fd:web` | the sockets passed under that name (`FileDescriptorName=` of the systemd socket unit) |
///
/// # Examples
///
/// ```
/// use haechi_server::Listener;
///
/// let listener = Listener::bind("127.0.0.1:0")?;
/// println!("http://{}", listener.local_addresses()[0]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Listener {
    pub(crate) sockets: Vec<Bound>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) proxies: Option<Vec<Network>>,
    pub(crate) on_plain: Option<Arc<dyn Serve>>,
}

impl Listener {
    /// Listens on an address in one of the forms above, with the default [`ListenerOptions`].
    ///
    /// # Errors
    ///
    /// When the address cannot be read, resolved or listened on; the message says what to do about it.
    pub fn bind(address: &str) -> io::Result<Self> {
        ListenerOptions::default().bind(address)
    }

    pub(crate) fn of(sockets: Vec<Bound>) -> Self {
        Self { sockets, certificate: None, proxies: None, on_plain: None }
    }

    /// Returns the addresses that are listened on, with the ports that the system chose.
    pub fn local_addresses(&self) -> Vec<LocalAddress> {
        self.sockets.iter().map(|bound| bound.address().clone()).collect()
    }

    /// Speaks TLS with this certificate on every connection.
    #[must_use]
    pub fn tls(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Expects a PROXY protocol header, version 1 or 2, on every connection from these networks.
    ///
    /// # Security
    ///
    /// From a named proxy a missing or broken header closes the connection. From everyone else a header is not
    /// read: its bytes are data, so nobody can choose an address for himself. Who may connect to a Unix socket
    /// is settled by its mode, so there every client counts as named.
    #[must_use]
    pub fn proxies(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.proxies = Some(networks.into_iter().collect());
        self
    }

    /// Answers clients that do not speak TLS on a TLS port with another protocol: a redirect, say.
    ///
    /// Without it, such a connection is closed. It only has effect together with [`tls`](Self::tls).
    #[must_use]
    pub fn on_plain(mut self, protocol: impl Protocol) -> Self {
        self.on_plain = Some(Arc::new(protocol));
        self
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("sockets", &self.sockets)
            .field("certificate", &self.certificate)
            .field("proxies", &self.proxies)
            .field("on_plain", &self.on_plain.is_some())
            .finish()
    }
}

/// An address that is listened on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket's file.
    Unix(PathBuf),
}

impl LocalAddress {
    /// Returns whether only this machine can reach the address.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
