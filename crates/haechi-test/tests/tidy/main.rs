//! The invariants of the tree that no compiler holds: read as text, with the standard library alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod advisories;
mod arrows;
mod asvs;
mod budgets;
mod dependencies;
mod documents;
mod lock;
mod owners;
mod tree;
