//! Any template: no panic, one meaning, whatever the cuts.
#![no_main]

#[path = "../../tests/it/machine.rs"]
#[allow(dead_code, reason = "shared with the other target")]
mod machine;

libfuzzer_sys::fuzz_target!(|source: &str| machine::check_machine(source));
