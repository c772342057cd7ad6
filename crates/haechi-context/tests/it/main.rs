//! The machine and the escapers, from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod acorn;
mod arbitrary;
mod attributes;
mod branches;
#[path = "../corpus/browser.rs"]
mod browser;
mod corpus;
mod cuts;
mod html5ever;
mod machine;
mod places;
mod random;
mod refusals;
mod render;
