//! Every text of the board's pages has its Korean, and no Korean is left over.

use std::collections::BTreeSet;
use std::path::Path;

fn read(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// The texts that stand in quotes after each of the beginnings.
fn quoted<'t>(text: &'t str, beginnings: &[&str]) -> BTreeSet<&'t str> {
    let after = |beginning: &&str| text.split(*beginning).skip(1).collect::<Vec<_>>();
    beginnings
        .iter()
        .flat_map(after)
        .filter_map(|rest| rest.split('"').next())
        .filter(|t| !t.is_empty())
        .collect()
}

#[test]
fn english_and_korean_have_the_same_texts_on_the_board() {
    let (templates, sources) = (read("templates"), read("src"));
    let catalogue = read("locales");
    let korean: BTreeSet<&str> = catalogue.lines().filter_map(|line| line.split('"').nth(1)).collect();
    let shown = quoted(&templates, &["t(\""]);
    let missing: Vec<_> = shown
        .iter()
        .chain(&quoted(&sources, &["FlashLevel::Success, \"", "error = \""]))
        .copied()
        .filter(|text| !korean.contains(text) && !of_haechi(text))
        .collect();
    assert!(missing.is_empty(), "no Korean: {missing:?}");
    let left: Vec<_> = korean
        .iter()
        .filter(|text| !shown.contains(*text) && !sources.contains(&format!("\"{text}\"")))
        .collect();
    assert!(left.is_empty(), "no page shows: {left:?}");
}

/// What haechi's own catalogue translates for every site.
fn of_haechi(text: &str) -> bool {
    read("../../crates/haechi/locales").contains(&format!("\"{text}\" = "))
}
