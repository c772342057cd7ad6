//! The crate from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod authority;
mod backends;
mod custom_users;
mod django;
mod engines;
mod hash;
mod hash_bounds;
mod judged_as_django;
mod known_device;
mod live_django;
#[path = "../django/people.rs"]
mod people;
mod reset;
mod rights;
mod security_log;
mod sign_in;
mod site;
mod table_users;
mod throttle;
