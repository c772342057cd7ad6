//! The limits section: the server's limits, and those of a request.

use std::time::Duration;

use haechi_server::Limits;
use serde::Deserialize;

use super::duration;

/// What one client, and all clients together, may take.
///
/// The fields of a connection are those of [`haechi_server::Limits`], with the same defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is the field of haechi_server::Limits of the same name")]
pub struct RequestLimits {
    /// The time that a handler may take to begin its answer.
    #[serde(deserialize_with = "duration::deserialize")]
    pub request: Duration,
    /// Requests of one client network in a minute.
    pub requests_per_minute: u32,
    pub connections: usize,
    pub connections_per_network: usize,
    #[serde(deserialize_with = "duration::deserialize")]
    pub first_byte: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub handshake: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub head: Duration,
    pub head_bytes: usize,
    pub head_fields: usize,
    pub body_bytes: u64,
    /// The memory for the bodies of all requests, beyond the first 64 KiB of each.
    pub bodies_bytes: u64,
    #[serde(deserialize_with = "duration::deserialize")]
    pub stall: Duration,
    pub minimum_rate: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub rate_grace: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub keep_alive: Duration,
    pub requests_per_connection: u64,
    pub h2_streams: u32,
    pub h2_resets: usize,
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        let Limits {
            connections,
            connections_per_network,
            first_byte,
            handshake,
            head,
            head_bytes,
            head_fields,
            body_bytes,
            stall,
            minimum_rate,
            rate_grace,
            keep_alive,
            requests_per_connection,
            h2_streams,
            h2_resets,
            drain,
        } = Limits::default();
        Self {
            request: Duration::from_secs(30),
            requests_per_minute: 1_200,
            bodies_bytes: 64 * 1_024 * 1_024,
            connections,
            connections_per_network,
            first_byte,
            handshake,
            head,
            head_bytes,
            head_fields,
            body_bytes,
            stall,
            minimum_rate,
            rate_grace,
            keep_alive,
            requests_per_connection,
            h2_streams,
            h2_resets,
            drain,
        }
    }
}

impl RequestLimits {
    /// Returns the part that the accept loop enforces.
    pub fn server(&self) -> Limits {
        Limits {
            connections: self.connections,
            connections_per_network: self.connections_per_network,
            first_byte: self.first_byte,
            handshake: self.handshake,
            head: self.head,
            head_bytes: self.head_bytes,
            head_fields: self.head_fields,
            body_bytes: self.body_bytes,
            stall: self.stall,
            minimum_rate: self.minimum_rate,
            rate_grace: self.rate_grace,
            keep_alive: self.keep_alive,
            requests_per_connection: self.requests_per_connection,
            h2_streams: self.h2_streams,
            h2_resets: self.h2_resets,
            drain: self.drain,
        }
    }
}
