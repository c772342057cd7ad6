//! The client side: connections with a deadline, over TCP, TLS and Unix sockets.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::certificate::provider;
use crate::eyeballs::{self, Unreachable};
use crate::{Connection, Learnt, Limits, Peer, PeerAddress, Shutdown, Stream, Tls};

/// How to connect to a server.
///
/// A name that has several addresses is tried as RFC 8305 says: IPv6 and IPv4 in turn, the next one a quarter of a
/// second after the one before, and the first that answers wins.
///
/// # Examples
///
/// ```no_run
/// use haechi_server::Connect;
///
/// # async fn example() -> std::io::Result<()> {
/// let mut stream = Connect::new().tls("example.org:443").await?;
/// stream.write_all(b"GET / HTTP/1.0\r\nHost: example.org\r\n\r\n").await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "it connects by `tcp`, `tls` or `unix`"]
pub struct Connect {
    deadline: Duration,
    limits: Limits,
    roots: Roots,
    alpn: Vec<Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Roots {
    System,
    File(PathBuf),
}

impl Connect {
    /// Returns the defaults: a deadline of 10 seconds, the system's roots, no ALPN.
    pub fn new() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            limits: Limits::default(),
            roots: Roots::System,
            alpn: Vec::new(),
        }
    }

    /// Sets the time that name resolution, connecting and the TLS handshake may take together.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the limits of the stream, of which a client uses the idle times.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Trusts the certificates of this PEM file, and no others.
    pub fn roots(mut self, file: impl Into<PathBuf>) -> Self {
        self.roots = Roots::File(file.into());
        self
    }

    /// Offers these protocols by ALPN, the preferred one first.
    pub fn alpn(mut self, protocols: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.alpn = protocols.into_iter().collect();
        self
    }

    /// Connects to `host:port` over TCP.
    ///
    /// # Errors
    ///
    /// When the name does not resolve, when no address answers (the message lists each with its reason), or after the
    /// deadline.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping it ends every attempt.
    pub async fn tcp(&self, server: &str) -> io::Result<Stream> {
        let connected = timeout(self.deadline, connect(server)).await;
        let (socket, address) = connected.map_err(|_| self.too_slow(server))??;
        Ok(self.stream(socket, PeerAddress::Ip(address), None))
    }

    /// Connects to `host:port` over TLS, and verifies that the server is that host.
    ///
    /// # Errors
    ///
    /// Besides those of [`tcp`](Self::tcp): when the roots cannot be read, and when the certificate does not prove the host's
    /// name.
    ///
    /// # Cancel safety
    ///
    /// As [`tcp`](Self::tcp).
    ///
    /// # Security
    ///
    /// There is no way to skip the verification.
    pub async fn tls(&self, server: &str) -> io::Result<Stream> {
        let name =
            ServerName::try_from(host_of(server).to_owned()).map_err(|source| failed(server, source))?;
        let connector = TlsConnector::from(Arc::new(self.config()?));
        let open = async {
            let (socket, address) = connect(server).await?;
            let stream = connector.connect(name, socket).await.map_err(|source| failed(server, source))?;
            Ok((stream, address))
        };
        let opened: Result<io::Result<_>, _> = timeout(self.deadline, open).await;
        let (stream, address) = opened.map_err(|_| self.too_slow(server))??;
        let connection = stream.get_ref().1;
        let tls = Tls {
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            server_name: Some(host_of(server).to_owned()),
            version: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
        };
        Ok(self.stream(stream, PeerAddress::Ip(address), Some(tls)))
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// When nobody listens at the path, or after the deadline.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn unix(&self, path: impl AsRef<Path>) -> io::Result<Stream> {
        let path = path.as_ref();
        let name = format!("unix:{}", path.display());
        let connected = timeout(self.deadline, UnixStream::connect(path)).await;
        let socket = connected.map_err(|_| self.too_slow(&name))?.map_err(|source| failed(&name, source))?;
        let uid = socket.peer_cred().ok().map(|credentials| credentials.uid());
        Ok(self.stream(socket, PeerAddress::Unix { uid }, None))
    }

    fn stream<S>(&self, transport: S, address: PeerAddress, tls: Option<Tls>) -> Stream
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let peer = Peer { address, learnt: Learnt::Socket, tls: tls.map(Box::new) };
        Stream::new(transport, Connection::new(peer, self.limits.clone(), Shutdown::new()))
    }

    fn config(&self) -> io::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(io::Error::other)?;
        let builder = match &self.roots {
            Roots::System => builder.with_platform_verifier().map_err(io::Error::other)?,
            Roots::File(file) => builder.with_root_certificates(read_roots(file)?),
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(config)
    }

    fn too_slow(&self, server: &str) -> io::Error {
        let message = format!("cannot connect to {server}: no answer within {:?}", self.deadline);
        io::Error::new(io::ErrorKind::TimedOut, message)
    }
}

impl Default for Connect {
    fn default() -> Self {
        Self::new()
    }
}

async fn connect(server: &str) -> io::Result<(TcpStream, SocketAddr)> {
    let addresses: Vec<_> = lookup_host(server).await.map_err(|source| failed(server, source))?.collect();
    let connected = eyeballs::race(addresses, TcpStream::connect).await;
    let (socket, address) = connected.map_err(|unreachable: Unreachable| {
        io::Error::new(unreachable.kind(), format!("cannot connect to {server}: {unreachable}"))
    })?;
    socket.set_nodelay(true)?;
    Ok((socket, address))
}

/// Returns the host of `host:port`, without the brackets of an IPv6 address.
fn host_of(server: &str) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if bare.parse::<IpAddr>().is_ok() { bare } else { host }
}

fn read_roots(file: &Path) -> io::Result<RootCertStore> {
    let name = format!("with the roots of {}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|source| failed(&name, source))? {
        let certificate = certificate.map_err(|source| failed(&name, source))?;
        roots.add(certificate).map_err(|source| failed(&name, source))?;
    }
    if roots.is_empty() {
        return Err(failed(&name, "the file holds no CERTIFICATE section in PEM form"));
    }
    Ok(roots)
}

fn failed(server: &str, why: impl fmt::Display) -> io::Error {
    io::Error::other(format!("cannot connect to {server}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_host(server: &str, expected: &str) {
        assert_eq!(host_of(server), expected);
    }

    #[test]
    fn the_host_to_verify_is_what_stands_before_the_port() {
        check_host("example.org:443", "example.org");
        check_host("127.0.0.1:443", "127.0.0.1");
        check_host("[::1]:443", "::1");
        check_host("[example.org]:443", "[example.org]");
    }
}
