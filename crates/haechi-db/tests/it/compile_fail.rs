//! Programs that must not compile, each with the promise it proves and the compiler's answer beside it.

/// asvs_1_2_4, asvs_15_3_3: The control compiles; since it does, the others are refused for the reason that their `.stderr` shows.
#[test]
fn what_could_inject_does_not_compile() {
    let programs = trybuild::TestCases::new();
    programs.pass("tests/compile_pass/*.rs");
    programs.compile_fail("tests/compile_fail/*.rs");
}
