//! Any value in every escaper: nothing that ends its place.
#![no_main]

#[path = "../../tests/it/machine.rs"]
#[allow(dead_code, reason = "shared with the other target")]
mod machine;

libfuzzer_sys::fuzz_target!(|text: &str| machine::check_escapers(text));
