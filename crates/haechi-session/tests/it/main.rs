//! The crate from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conformance;
mod cookie_store;
mod database;
mod django;
mod layer;
mod messages;
mod session;
mod sessions;
