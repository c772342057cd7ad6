//! The guard layer as an application uses it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod guard_layer;
