//! Architecture Invariant: dependencies between the crates point down, as `ARCHITECTURE.md` draws them.

use crate::tree::files;

/// Each crate, and the crates of ours that it may stand on.
const ARROWS: &[(&str, &[&str])] = &[
    ("haechi-core", &[]),
    ("haechi-context", &[]),
    ("haechi-db-macros", &[]),
    ("haechi-db", &["haechi-db-macros"]),
    ("haechi-server", &[]),
    ("haechi-template", &["haechi-context"]),
    ("haechi-guard", &["haechi-core"]),
    ("haechi-session", &["haechi-core", "haechi-db"]),
    ("haechi-auth", &["haechi-core", "haechi-db", "haechi-session"]),
    (
        "haechi",
        &[
            "haechi-auth",
            "haechi-core",
            "haechi-db",
            "haechi-guard",
            "haechi-server",
            "haechi-session",
            "haechi-template",
        ],
    ),
    ("haechi-test", &[]),
    ("board", &["haechi"]),
];

/// What a crate must not know, whatever else it uses.
const STRANGERS: &[(&str, &[&str])] = &[
    ("haechi-core", &["tokio", "axum", "rusqlite", "hyper"]),
    ("haechi-context", &["minijinja", "http", "serde"]),
    ("haechi-template", &["http", "axum", "tokio"]),
    ("haechi-db", &["http", "axum"]),
    ("haechi-server", &["axum", "minijinja"]),
    ("haechi-guard", &["tokio", "axum", "minijinja"]),
    ("haechi-session", &["axum", "minijinja"]),
    ("haechi-auth", &["axum", "minijinja"]),
];

/// The names below `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<&str> {
    manifest
        .split("\n[")
        .find(|section| section.starts_with("dependencies]"))
        .map(|section| {
            section
                .lines()
                .skip(1)
                .filter_map(|line| line.split(['.', ' ', '=']).next())
                .filter(|name| !name.is_empty() && !name.starts_with('#'))
                .collect()
        })
        .unwrap_or_default()
}

#[test]
fn every_dependency_between_our_crates_points_down() {
    let mut manifests = files("crates", "Cargo.toml");
    manifests.extend(files("apps", "Cargo.toml"));
    let mut seen = 0;
    for manifest in &manifests {
        let Some((crate_name, allowed)) =
            ARROWS.iter().find(|(name, _)| manifest.text.contains(&format!("\nname = \"{name}\"\n")))
        else {
            assert!(
                manifest.path.contains("/fuzz/") || manifest.path.contains("/benches/"),
                "{}",
                manifest.path
            );
            continue;
        };
        seen += 1;
        for dependency in dependencies(&manifest.text) {
            let ours = dependency == "haechi" || dependency.starts_with("haechi-");
            assert!(!ours || allowed.contains(&dependency), "{crate_name} must not depend on {dependency}");
            let strangers =
                STRANGERS.iter().find(|(name, _)| name == crate_name).map_or(&[][..], |row| row.1);
            assert!(!strangers.contains(&dependency), "{crate_name} must not know {dependency}");
        }
    }
    assert_eq!(seen, ARROWS.len(), "a crate is missing, or stands in no row");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for manifest in files("crates", "Cargo.toml") {
        let apart = manifest.path.contains("/fuzz/") || manifest.path.contains("/benches/");
        assert!(apart || manifest.text.contains("[lints]\nworkspace = true"), "{}", manifest.path);
    }
}

#[test]
fn every_crate_stands_in_the_map() {
    let map = std::fs::read_to_string(crate::tree::root().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "board") {
        assert!(map.contains(&format!("`{name}`")), "ARCHITECTURE.md says nothing of {name}");
    }
}
