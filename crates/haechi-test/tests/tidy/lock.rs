//! Cargo.lock, as text.

use std::fs;

use crate::tree::root;

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `None` for a crate of this tree.
    pub(crate) source: Option<String>,
}

pub(crate) fn packages() -> Vec<Package> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let field = |package: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = package.lines().find(|line| line.starts_with(&start))?;
        Some(line[start.len()..].trim_end_matches('"').to_owned())
    };
    let packages: Vec<Package> = lock
        .split("[[package]]\n")
        .skip(1)
        .map(|package| Package {
            name: field(package, "name").unwrap(),
            version: field(package, "version").unwrap(),
            source: field(package, "source"),
        })
        .collect();
    assert!(packages.len() > 100, "Cargo.lock was not read");
    packages
}
