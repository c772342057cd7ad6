//! One accept loop for any protocol: listeners, TLS, limits, deadlines and shutdown; raw streams and HTTP.
//!
//! A service on raw bytes is a plain function. What it is given is bounded in size and in time, and the server around
//! it holds every limit, so there is nothing to switch on:
//!
//! ```no_run
//! use std::io;
//!
//! use haechi_server::{Listener, Runtime, Server, Stream, run};
//!
//! async fn greet(mut stream: Stream) -> io::Result<()> {
//!     let request = stream.read_up_to(1024).await?;
//!     println!("Received data: {}", String::from_utf8_lossy(&request));
//!     stream.write_all(b"Hello, client!").await
//! }
//!
//! fn main() -> io::Result<()> {
//!     run(Runtime::MultiThread, async {
//!         Server::new().listen(Listener::bind("localhost:8888")?, greet).run().await?;
//!         Ok(())
//!     })?
//! }
//! ```
//!
//! # What stands where
//!
//! - [`Listener`]: where to listen (TCP, a Unix socket, what systemd passed), with TLS by a [`Certificate`] and the PROXY
//!   protocol from named [`Network`]s.
//! - [`Server`]: listeners and their protocols under one set of [`Limits`] and one [`Shutdown`].
//! - [`Stream`]: what a raw service speaks on. [`Connect`] opens one from the client's side.
//! - [`Protocol`] and [`Connection`]: the seam below, for a protocol that wants the bare transport.
//!
//! # What the accept loop does
//!
//! - **At the limit** a connection stays in the kernel's queue until there is a place, in the order of arrival: it costs
//!   this process nothing, and a client that the flood's silent ones delay is served when their deadlines end. Closing
//!   the newest instead would answer honest clients and attackers alike with an error. Idle kept-alive connections are
//!   asked to go meanwhile, the longest idle first. A client network that holds its share already is closed at once.
//! - **Without descriptors or memory** it waits 5 to 100 ms between two tries.
//! - **A panic** in a service ends that connection.
//! - **On shutdown** it first serves what the kernel had accepted, so that no request that was sent before the signal is
//!   lost; a passed socket is left to the process that holds it next. Then connections may end by themselves until
//!   [`Limits::drain`](Limits).
//!
//! The crate is for Unix systems; it is tested on Linux.

mod accept;
mod admission;
mod certificate;
mod connect;
mod connection;
mod endpoint;
mod eyeballs;
pub mod http;
mod hub;
mod idle;
mod limits;
mod listener;
mod network;
mod peer;
mod pressure;
mod proxy;
mod runtime;
mod server;
mod shutdown;
mod socket;
mod stream;

pub use certificate::Certificate;
pub use connect::Connect;
pub use connection::{Connection, Protocol};
pub use limits::Limits;
pub use listener::{Listener, ListenerOptions, LocalAddress};
pub use network::{Network, ParseNetworkError};
pub use peer::{Learnt, Peer, PeerAddress, Tls};
pub use runtime::{Runtime, run};
pub use server::{Drained, Server};
pub use shutdown::Shutdown;
pub use stream::Stream;
