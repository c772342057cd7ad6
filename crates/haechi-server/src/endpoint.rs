//! What stands between an accepted socket and its protocol: PROXY header, TLS handshake, the count of its network.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::admission::Place;
use crate::hub::Hub;
use crate::socket::Socket;
use crate::{Certificate, Connection, Learnt, Network, Peer, PeerAddress, Protocol, certificate, proxy};

/// A connection being served; how it ends is logged.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A [`Protocol`] behind a pointer: on the two kinds of stream there are.
pub(crate) trait Serve: Send + Sync {
    fn offered(&self) -> Vec<Vec<u8>>;
    fn serve_plain(self: Arc<Self>, socket: Socket, connection: Connection) -> Serving;
    fn serve_tls(self: Arc<Self>, stream: Box<TlsStream<Socket>>, connection: Connection) -> Serving;
}

impl<P: Protocol> Serve for P {
    fn offered(&self) -> Vec<Vec<u8>> {
        self.alpn()
    }

    fn serve_plain(self: Arc<Self>, socket: Socket, connection: Connection) -> Serving {
        serve(self, socket, connection)
    }

    fn serve_tls(self: Arc<Self>, stream: Box<TlsStream<Socket>>, connection: Connection) -> Serving {
        serve(self, stream, connection)
    }
}

fn serve<P, T>(protocol: Arc<P>, transport: T, connection: Connection) -> Serving
where
    P: Protocol,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = Arc::clone(connection.peer());
    // In a box that goes when they are taken: an async block keeps room for what it captured to its end.
    let opened = Box::new((transport, connection));
    let serving = async move {
        let serving = {
            let (transport, connection) = *opened;
            protocol.serve(transport, connection)
        };
        serving.await
    };
    Box::pin(Watched { serving, peer })
}

pin_project! {
    /// Logs how a connection ended.
    struct Watched<F> {
        #[pin]
        serving: F,
        peer: Arc<Peer>,
    }
}

impl<F: Future<Output = io::Result<()>>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let alarm = Alarm(&this.peer.address);
        if let Err(error) = ready!(this.serving.poll(cx)) {
            tracing::debug!(peer = %alarm.0, %error, "connection ended");
        }
        Poll::Ready(())
    }
}

/// Says whose connection it was when its service panics. The panic ends that connection's task and nothing else.
struct Alarm<'a>(&'a PeerAddress);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(peer = %self.0, "a service panicked; its connection is closed");
        }
    }
}

/// How the connections of one listener are opened, and what is spoken on them.
pub(crate) struct Endpoint {
    protocol: Arc<dyn Serve>,
    tls: Option<TlsAcceptor>,
    proxies: Option<Vec<Network>>,
    on_plain: Option<Arc<dyn Serve>>,
    hub: Arc<Hub>,
}

impl Endpoint {
    pub(crate) fn new(
        protocol: Arc<dyn Serve>,
        certificate: Option<&Certificate>,
        proxies: Option<Vec<Network>>,
        on_plain: Option<Arc<dyn Serve>>,
        hub: Arc<Hub>,
    ) -> io::Result<Self> {
        let config =
            certificate.map(|certificate| certificate.server_config(protocol.offered())).transpose()?;
        let tls = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        Ok(Self { protocol, tls, proxies, on_plain, hub })
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Returns the connection's future; `None` when its network holds as many connections as it may.
    pub(crate) fn attend(
        self: &Arc<Self>,
        socket: Socket,
        address: PeerAddress,
        mut place: Place,
    ) -> Option<Serving> {
        let proxied = self.is_named_proxy(&address);
        if let Some(ip) = address.ip()
            && !proxied
            && !place.count_for(ip)
        {
            tracing::debug!(peer = %address, "closed: its network holds as many connections as it may");
            return None;
        }
        let peer = Peer { address, learnt: Learnt::Socket, tls: None };
        if proxied || self.tls.is_some() {
            let peer = Arc::new(peer);
            let serving = Arc::clone(self).open(socket, Peer::clone(&peer), place, proxied);
            return Some(Box::pin(Watched { serving, peer }));
        }
        Some(Arc::clone(&self.protocol).serve_plain(socket, self.connection(peer, place)))
    }

    async fn open(
        self: Arc<Self>,
        socket: Socket,
        peer: Peer,
        place: Place,
        proxied: bool,
    ) -> io::Result<()> {
        // In a box of its own, so that the memory of a handshake goes with it.
        let handshake = Box::pin(self.handshake(socket, peer, place, proxied));
        let opened = timeout(self.hub.limits.handshake, handshake).await;
        let (transport, peer, place) = opened.map_err(|_| too_slow())??;
        let connection = self.connection(peer, place);
        match transport {
            Transport::Plain(socket) => Arc::clone(&self.protocol).serve_plain(socket, connection),
            Transport::Tls(stream) => Arc::clone(&self.protocol).serve_tls(stream, connection),
            Transport::NotTls(socket, protocol) => protocol.serve_plain(socket, connection),
        }
        .await;
        Ok(())
    }

    async fn handshake(
        &self,
        mut socket: Socket,
        mut peer: Peer,
        mut place: Place,
        proxied: bool,
    ) -> io::Result<(Transport, Peer, Place)> {
        if proxied {
            let header = proxy::read_header(&mut socket).await?;
            peer.learnt = Learnt::ProxyProtocol(header.version);
            if let Some(client) = header.client {
                if !place.count_for(client.ip()) {
                    return Err(crowded(&client));
                }
                peer.address = PeerAddress::Ip(client);
            }
        }
        let Some(tls) = &self.tls else { return Ok((Transport::Plain(socket), peer, place)) };
        // A client that says nothing costs no TLS state.
        socket.readable().await?;
        let mut first = [0];
        if socket.peek(&mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first[0] != TLS_HANDSHAKE {
            let protocol = self.on_plain.clone().ok_or_else(not_tls)?;
            return Ok((Transport::NotTls(socket, protocol), peer, place));
        }
        let stream = Box::new(tls.accept(socket).await?);
        peer.tls = Some(Box::new(certificate::settled(stream.get_ref().1)));
        Ok((Transport::Tls(stream), peer, place))
    }

    fn connection(&self, peer: Peer, place: Place) -> Connection {
        Connection::placed(Arc::new(peer), Arc::clone(&self.hub), place)
    }

    fn is_named_proxy(&self, address: &PeerAddress) -> bool {
        self.proxies.as_ref().is_some_and(|networks| match address.ip() {
            Some(ip) => networks.iter().any(|network| network.contains(ip)),
            // Whoever may open the socket's file is named by its mode.
            None => true,
        })
    }
}

enum Transport {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
    NotTls(Socket, Arc<dyn Serve>),
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the handshake did not end in time")
}

fn not_tls() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the client did not begin with a TLS handshake")
}

fn crowded(client: &std::net::SocketAddr) -> io::Error {
    io::Error::other(format!("the network of {client} holds as many connections as it may"))
}

/// The content type of a TLS record that carries a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
