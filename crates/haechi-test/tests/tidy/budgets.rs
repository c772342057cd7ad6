//! Architecture Invariant: a file can be read in one sitting, and is called by its noun.

use crate::tree::{files, shipped, without_tests};

const LONGEST_FILE: usize = 600;
const VAGUE: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc"];

#[test]
fn no_file_is_longer_than_its_budget() {
    let mut sources = files("crates", ".rs");
    sources.extend(files("apps", ".rs"));
    let long: Vec<String> = sources
        .iter()
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    assert!(long.is_empty(), "files above {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn no_file_has_a_vague_name() {
    for file in shipped() {
        let name = file.path.rsplit('/').find(|part| *part != "mod.rs").unwrap();
        assert!(!VAGUE.contains(&name.trim_end_matches(".rs")), "{}", file.path);
    }
}

#[test]
fn every_file_says_what_it_is() {
    for file in shipped() {
        assert!(file.text.starts_with("//! "), "{} begins without a module doc", file.path);
    }
}

#[test]
fn nothing_is_left_to_do_without_an_issue() {
    for file in shipped() {
        for word in ["TODO", "FIXME"] {
            assert!(!without_tests(&file.text).contains(word), "{}: {word}", file.path);
        }
    }
}
