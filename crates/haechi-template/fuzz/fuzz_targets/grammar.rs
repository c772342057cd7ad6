//! Templates as people write them, by the fuzzer's choices: a value changes no tag of the page.
#![no_main]

#[path = "../../tests/it/generated.rs"]
mod generated;
#[path = "../../tests/it/grammar.rs"]
mod grammar;
#[path = "../../tests/it/structure.rs"]
mod structure;

libfuzzer_sys::fuzz_target!(|choices: &[u8]| {
    let mut choices = choices.iter();
    // Behind the end every choice is the last one, which nests nothing.
    generated::check(&mut |bound| choices.next().map_or(bound - 1, |byte| usize::from(*byte) % bound));
});
