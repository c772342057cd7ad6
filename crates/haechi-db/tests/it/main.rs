//! What a user of the crate sees of it, and what one cannot do with it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

mod compile_fail;
mod corpus;
mod payloads;
mod place;
mod public_api;
mod send;
