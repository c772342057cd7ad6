//! Attacks on a whole site: every default, over the stack that the server calls.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chromium;
mod cookies;
mod csp;
mod csrf;
mod devices;
mod failure;
mod headers;
mod host;
mod password_reset;
mod policy;
mod sign_in;
mod site;
mod static_files;
mod template_failure;
mod view;
