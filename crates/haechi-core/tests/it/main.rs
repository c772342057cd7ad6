//! The guard layer and signed texts, as an application uses them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod foreign_tokens;
mod guard_layer;
