//! All guards together, around an application.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod stack;
