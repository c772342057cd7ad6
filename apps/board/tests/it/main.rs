//! The board as its visitors meet it: the built program on a socket, driven by a small HTTP client.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod addresses;
mod check;
mod client;
#[path = "../../../../crates/haechi-db/tests/it/corpus.rs"]
mod corpus;
mod database;
mod enumeration;
mod forgery;
mod guessing;
mod headers;
mod injection;
mod journey;
mod language;
mod logs;
mod mails;
mod methods;
mod migrations;
mod pages;
mod passwords;
mod payloads;
mod refusals;
mod resilience;
mod security_log;
mod server;
mod sessions;
mod timing;
mod transport;
mod types;
mod validation;
