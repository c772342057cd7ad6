//! Architecture Invariant: what the documents promise, a test shows.

use std::fs;

use crate::tree::{files, root};

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The functions with `#[test]` or `#[tokio::test]`, the doc tests' files, and the scripts.
fn tests() -> String {
    let mut names = String::new();
    let mut sources = files("crates", ".rs");
    sources.extend(files("apps", ".rs"));
    for file in sources {
        let mut after_attribute = false;
        for line in file.text.lines() {
            let line = line.trim();
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                after_attribute = true;
            } else if let (true, Some(at)) = (after_attribute, line.find("fn ")) {
                names.push_str(line[at + 3..].split(['(', '<']).next().unwrap());
                names.push('\n');
                after_attribute = false;
            }
        }
    }
    names
}

#[test]
fn every_threat_names_a_test_that_exists() {
    let tests = tests();
    let mut rows = 0;
    let document = document("docs/threats.md");
    let is_row =
        |line: &&str| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| threat ");
    for row in document.lines().filter(is_row) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "a row of docs/threats.md has three cells: {row}");
        let names: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test is named: {row}");
        for name in names {
            let exists = match name.strip_prefix("scripts/") {
                Some(_) => root().join(name).is_file(),
                None => tests.lines().any(|test| test == name),
            };
            assert!(exists, "docs/threats.md names `{name}`, which does not exist");
        }
        rows += 1;
    }
    assert!(rows >= 20, "docs/threats.md has only {rows} rows");
}

#[test]
fn every_setting_has_a_paragraph() {
    let keys = fs::read_to_string(root().join("crates/haechi/src/config/keys.rs")).unwrap();
    let defaults = document("docs/defaults.md");
    for path in keys.lines().filter_map(|line| line.trim().strip_prefix("key(\"")?.split('"').next()) {
        assert!(defaults.contains(&format!("`{path}`")), "docs/defaults.md says nothing of `{path}`");
    }
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut sources = text_files("crates");
    for folder in ["apps", "docs", "scripts", ".ci"] {
        sources.extend(text_files(folder));
    }
    for file in sources {
        for prefix in ["work", "farm", "root"] {
            let path = format!("/{prefix}/");
            assert!(!file.text.contains(&path), "{} names {path}", file.path);
        }
    }
}

fn text_files(folder: &str) -> Vec<crate::tree::Source> {
    ["rs", "md", "py", "sh", "toml", "html", "sql", "run"]
        .iter()
        .flat_map(|ending| files(folder, ending))
        .collect()
}
