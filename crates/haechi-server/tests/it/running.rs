//! A server inside the test's own process.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use haechi_server::{Drained, Limits, Listener, LocalAddress, Protocol, Server, Shutdown, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    server: JoinHandle<io::Result<Drained>>,
}

impl Running {
    /// Serves on a port the system chooses.
    pub(crate) fn start(limits: Limits, protocol: impl Protocol) -> Self {
        Self::on(Listener::bind("127.0.0.1:0").unwrap(), limits, protocol)
    }

    pub(crate) fn on(listener: Listener, limits: Limits, protocol: impl Protocol) -> Self {
        let address = match &listener.local_addresses()[0] {
            LocalAddress::Tcp(address) => *address,
            _ => SocketAddr::from(([0; 4], 0)),
        };
        let shutdown = Shutdown::new();
        let server = Server::new().limits(limits).shutdown(shutdown.clone()).listen(listener, protocol);
        Self { address, shutdown, server: tokio::spawn(server.run()) }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn drain(self) -> Drained {
        self.shutdown.drain();
        self.ended().await
    }

    pub(crate) async fn ended(self) -> Drained {
        patience(self.server).await.unwrap().unwrap()
    }
}

/// Sends bytes, ends that direction, and returns everything that comes back.
pub(crate) async fn ask(mut stream: TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    rest(&mut stream).await
}

/// Reads to the end; a reset counts as one.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = patience(stream.read_to_end(&mut answer)).await {
        answer.extend(format!("<{:?}>", error.kind()).into_bytes());
    }
    String::from_utf8(answer).unwrap()
}

/// Fails a test that would hang.
pub(crate) async fn patience<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("nothing happened for 20 seconds")
}

/// Sends every byte back.
pub(crate) async fn echo(mut stream: Stream) -> io::Result<()> {
    loop {
        let bytes = stream.read_up_to(8192).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        stream.write_all(&bytes).await?;
    }
}

/// Tells the client who it is and how that was learnt, then what it sent.
pub(crate) async fn whoami(mut stream: Stream) -> io::Result<()> {
    let who = format!("{} {:?}\n", stream.peer().address, stream.peer().learnt);
    stream.write_all(who.as_bytes()).await?;
    echo(stream).await
}
