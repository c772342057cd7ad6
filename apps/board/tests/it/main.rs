//! The board as its visitors meet it: the built program on a socket, driven by a small HTTP client.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod forgery;
mod injection;
mod journey;
mod language;
mod refusals;
mod security_log;
mod server;
mod timing;
mod transport;
mod validation;
