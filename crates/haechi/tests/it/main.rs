//! Attacks on a whole site: every default, over the stack that the server calls.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cookies;
mod csrf;
mod devices;
mod failure;
mod headers;
mod host;
mod known_device;
mod password_reset;
mod policy;
mod recent;
mod sign_in;
mod site;
mod static_files;
