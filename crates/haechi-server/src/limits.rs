//! The limits of a server. Each default has its reason in `docs/defaults.md`.

use std::time::Duration;

/// What one client, and all clients together, may take.
///
/// # Examples
///
/// ```
/// use haechi_server::Limits;
///
/// let limits = Limits { connections: 200, ..Limits::default() };
/// assert_eq!(limits.head_bytes, 32 * 1024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all. The process's descriptor limit, less a reserve, bounds it as well.
    pub connections: usize,
    /// Connections of one client network: an IPv4 address or an IPv6 /64. Loopback, Unix sockets and named
    /// proxies are not counted, since behind them stand many clients.
    pub connections_per_network: usize,
    /// Time from accept to the first byte.
    pub first_byte: Duration,
    /// Time for a TLS handshake, and for a PROXY protocol header.
    pub handshake: Duration,
    /// Time from the first byte of a request to the end of its head.
    pub head: Duration,
    /// Bytes of a request head.
    pub head_bytes: usize,
    /// Header fields of a request.
    pub head_fields: usize,
    /// Bytes of a request body, unless the application widens it for a route.
    pub body_bytes: u64,
    /// Time without a byte while a body is awaited or a response is being written.
    pub stall: Duration,
    /// Bytes per second that a body or a response must move, measured after `rate_grace`.
    pub minimum_rate: u32,
    /// Time before `minimum_rate` is asked for.
    pub rate_grace: Duration,
    /// Time that a kept-alive connection may wait for its next request.
    pub keep_alive: Duration,
    /// Requests on one connection; then it is closed in an orderly way.
    pub requests_per_connection: u64,
    /// Concurrent HTTP/2 streams of one connection.
    pub h2_streams: u32,
    /// HTTP/2 streams that a client may have reset before they were answered; above it the connection ends.
    pub h2_resets: usize,
    /// Time that a drain on shutdown may take.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_network: 256,
            first_byte: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            head_fields: 100,
            body_bytes: 2 * 1024 * 1024,
            stall: Duration::from_secs(10),
            minimum_rate: 240,
            rate_grace: Duration::from_secs(5),
            keep_alive: Duration::from_secs(60),
            requests_per_connection: 10_000,
            h2_streams: 100,
            h2_resets: 20,
            drain: Duration::from_secs(30),
        }
    }
}
