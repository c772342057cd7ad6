//! The board as its visitors meet it: the built program on a socket, driven by a small HTTP client.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod check;
mod client;
#[path = "../../../../crates/haechi-db/tests/it/corpus.rs"]
mod corpus;
mod database;
mod forgery;
mod injection;
mod journey;
mod language;
mod migrations;
mod payloads;
mod refusals;
mod security_log;
mod server;
mod timing;
mod transport;
mod validation;
