//! Architecture Invariant: no crate that we stand on has a hole that is known and mended elsewhere.
//!
//! `advisories.txt` holds what the advisory database of RustSec says of each crate of Cargo.lock, and the day of the
//! look-up; docs/dependencies.md says how soon what is found there is mended. `cargo audit` asks the database of today.

use std::collections::BTreeMap;

use crate::lock::packages;

const LIST: &str = include_str!("advisories.txt");

/// The versions that an advisory is about, from the first to before the last; without a last there is no cure.
struct Advisory<'a> {
    id: &'a str,
    from: &'a str,
    fixed: Option<&'a str>,
}

impl Advisory<'_> {
    fn is_about(&self, version: &str) -> bool {
        let version = numbers(version);
        version >= numbers(self.from) && self.fixed.is_none_or(|fixed| version < numbers(fixed))
    }
}

fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap();
    plain.split('.').map(|part| part.parse().unwrap()).collect()
}

/// Each crate that was looked up, with what was found.
fn looked_up() -> BTreeMap<&'static str, Vec<Advisory<'static>>> {
    let mut all: BTreeMap<&str, Vec<Advisory<'_>>> = BTreeMap::new();
    let mut current = "";
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => {
                current = line;
                all.entry(line).or_default();
            }
            Some(advisory) => {
                let cells: Vec<&str> = advisory.split(' ').collect();
                let [id, from, fixed, ..] = cells[..] else { panic!("advisories.txt: {line}") };
                let fixed = (fixed != "-").then_some(fixed);
                all.get_mut(current).unwrap().push(Advisory { id, from, fixed });
            }
        }
    }
    all
}

#[test]
fn an_advisory_is_about_versions_from_its_first_to_before_its_cure() {
    #[track_caller]
    fn check(from: &str, fixed: &str, version: &str, expected: bool) {
        let fixed = (fixed != "-").then_some(fixed);
        assert_eq!(Advisory { id: "", from, fixed }.is_about(version), expected, "{version}");
    }
    check("1.2.0", "1.2.10", "1.1.9", false);
    check("1.2.0", "1.2.10", "1.2.0", true);
    check("1.2.0", "1.2.10", "1.2.9", true);
    check("1.2.0", "1.2.10", "1.2.10", false);
    check("0.0.0", "1.0.0", "0.99.99+spec-1.1.0", true);
    check("0.0.0", "-", "99.0.0", true);
}

/// asvs_15_2_1: every crate was looked up, and none is of a version that an advisory is about.
#[test]
fn asvs_15_2_1_no_crate_has_a_hole_that_is_known() {
    let looked_up = looked_up();
    for package in packages().iter().filter(|package| package.source.is_some()) {
        let name = &*package.name;
        let Some(advisories) = looked_up.get(name) else {
            panic!(
                "{name} was never looked up: run `cargo audit`, and add it to advisories.txt with what was found"
            )
        };
        let known = advisories.iter().filter(|one| one.is_about(&package.version));
        let known: Vec<String> = known
            .map(|one| match one.fixed {
                Some(fixed) => format!("{}: take {fixed} or later", one.id),
                None => format!("{}: find another crate", one.id),
            })
            .collect();
        assert!(known.is_empty(), "{name} {} has {known:?}", package.version);
    }
}

#[test]
fn what_is_no_longer_used_is_no_longer_listed() {
    let packages = packages();
    for name in looked_up().into_keys() {
        assert!(
            packages.iter().any(|package| package.name == name),
            "advisories.txt: {name} has left Cargo.lock"
        );
    }
}
