//! The server as its users and its enemies meet it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod child;
mod http;
mod listening;
mod passed;
mod proxy;
mod raw;
mod running;
mod shortage;
mod stopping;
mod stream;
mod tls;
