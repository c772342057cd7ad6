//! Architecture Invariant: what the README states of OWASP ASVS 5.0, tests show.
//!
//! `asvs.txt` lists the requirements that a framework can make true: number, level, and class. Class E holds for every
//! application built on haechi, P for one that opts in, and D is a text that we ship. A test names the requirements that it
//! shows as `asvs_3_5_1`, in its doc comment or in its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::tree::{files, root};

const LIST: &str = include_str!("asvs.txt");

/// Where a requirement stands: its level and its class.
type Place = (u8, char);

fn requirements() -> BTreeMap<String, Place> {
    LIST.lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(' ').collect();
            let [id, level, class] = cells[..] else { panic!("asvs.txt: {line:?} is not `id level class`") };
            (id.to_owned(), (level.parse().unwrap(), class.chars().next().unwrap()))
        })
        .collect()
}

/// The requirements that a text names.
fn named(text: &str) -> impl Iterator<Item = String> {
    text.split(MARK).skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '_').collect();
        digits.trim_end_matches('_').replace('_', ".")
    })
}

/// The requirements that the tests of a source name, and those that stand at no test.
fn shown(source: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut shown, mut lost) = (BTreeSet::new(), BTreeSet::new());
    let (mut waiting, mut at_test) = (String::new(), false);
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            at_test = true;
        }
        let head = line.starts_with("///") || line.starts_with("#[");
        let function = line.starts_with("fn ") || line.starts_with("async fn ");
        if head {
            waiting.push_str(line);
        } else if function && at_test {
            shown.extend(named(&waiting).chain(named(line.split('(').next().unwrap())));
            (waiting, at_test) = (String::new(), false);
        } else {
            lost.extend(named(&waiting).chain(named(line)));
            (waiting, at_test) = (String::new(), false);
        }
    }
    (shown, lost)
}

fn all_shown() -> BTreeSet<String> {
    let mut sources = files("crates", ".rs");
    sources.extend(files("apps", ".rs"));
    let mut all = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.path.ends_with("/tidy/asvs.rs")) {
        let (shown, lost) = shown(&source.text);
        assert!(lost.is_empty(), "{}: {lost:?} stand at no test", source.path);
        all.extend(shown);
    }
    all
}

#[test]
fn a_requirement_is_counted_where_a_test_names_it_and_nowhere_else() {
    #[track_caller]
    fn check(source: &str, expected_shown: &[&str], expected_lost: &[&str]) {
        let (shown, lost) = shown(source);
        assert!(shown.iter().eq(expected_shown), "{shown:?}");
        assert!(lost.iter().eq(expected_lost), "{lost:?}");
    }
    check("/// asvs_3_5_1, asvs_7_2_4: why.\n#[test]\nfn a() {}", &["3.5.1", "7.2.4"], &[]);
    check("#[tokio::test]\nasync fn asvs_3_5_1_a() {}", &["3.5.1"], &[]);
    check("/// asvs_3_5_1\nfn not_a_test() {}", &[], &["3.5.1"]);
    check("/// asvs_3_5_1\n\n#[test]\nfn a() {}", &[], &["3.5.1"]);
    check("#[test]\nfn a() { let text = \"asvs_3_5_1\"; }", &[], &[]);
    check("let text = \"asvs_3_5_1\";", &[], &["3.5.1"]);
}

#[test]
fn every_requirement_that_a_test_names_is_one_of_the_list() {
    let requirements = requirements();
    assert_eq!(requirements.len(), LIST.lines().count(), "asvs.txt lists a requirement twice");
    let unknown: Vec<String> = all_shown().into_iter().filter(|id| !requirements.contains_key(id)).collect();
    assert!(unknown.is_empty(), "no requirement of asvs.txt: {unknown:?}");
}

#[test]
fn the_readme_states_the_share_of_asvs_that_tests_show() {
    let (requirements, shown) = (requirements(), all_shown());
    let count = |wanted: &dyn Fn(Place) -> bool| {
        let of: Vec<&String> =
            requirements.iter().filter(|(_, place)| wanted(**place)).map(|(id, _)| id).collect();
        (of.iter().filter(|id| shown.contains(**id)).count(), of.len())
    };
    let (all, first, opted) = (
        count(&|(_, class)| class == 'E'),
        count(&|place| place == (1, 'E')),
        count(&|(_, class)| class == 'P'),
    );
    let stated = [
        format!("ASVS-E shown by a test: {} of {} (level 1: {} of {})", all.0, all.1, first.0, first.1),
        format!("ASVS-P available with a test: {} of {}", opted.0, opted.1),
    ];
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for sentence in stated {
        assert!(readme.contains(&sentence), "the README does not say \"{sentence}\"");
    }
}

const MARK: &str = "asvs_";
