//! Who may depend on whom. Kept without cargo-deny too, because these bans are what the crates exist for.

use ringwire_repo_tests::manifest::{Manifest, external_packages, member, members};
use ringwire_repo_tests::{assert_none, read};

/// What each crate of the product may use of the others, in itself and its build script.
const DIRECTION: [(&str, &[&str]); 5] = [
    ("ringwire-signaling", &[]),
    ("ringwire-wire", &["ringwire-signaling"]),
    ("ringwire-store", &["ringwire-signaling", "ringwire-wire"]),
    ("ringwire-node", &["ringwire-signaling", "ringwire-wire", "ringwire-store"]),
    ("ringwire-client", &["ringwire-signaling", "ringwire-wire"]),
];

#[test]
fn the_rules_depend_on_nothing() {
    let rules = member("ringwire-signaling");
    assert_eq!(rules.shipped().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_crates_depend_in_one_direction() {
    let mut problems = Vec::new();
    for crate_ in members().iter().filter(|crate_| crate_.directory.starts_with("crates/")) {
        let Some((_, allowed)) = DIRECTION.iter().find(|(name, _)| *name == crate_.name) else {
            problems.push(format!("{} is not in the table of this test", crate_.name));
            continue;
        };
        let ours = crate_.shipped().filter(|name| name.starts_with("ringwire-"));
        let wrong = ours.filter(|name| !allowed.contains(name));
        problems.extend(wrong.map(|name| format!("{} depends on {name}", crate_.name)));
    }
    assert_none(&problems, "signaling ← wire ← store ← node; client → signaling, wire");
}

#[test]
fn only_the_node_depends_on_actix() {
    assert_only("ringwire-node", |dependency| dependency.starts_with("actix"));
}

#[test]
fn only_the_store_depends_on_redis_and_redb() {
    assert_only("ringwire-store", |dependency| dependency == "redis" || dependency == "redb");
}

#[test]
fn only_wire_depends_on_bincode() {
    assert_only("ringwire-wire", |dependency| dependency == "bincode");
}

#[test]
fn bincode_is_pinned_to_its_last_usable_version() {
    let pinned = read("Cargo.toml").lines().any(|line| line.starts_with("bincode") && line.contains("\"=2.0.1\""));
    assert!(pinned, "bincode 3 does not compile on purpose, and nobody maintains bincode 2");
}

#[test]
fn versions_stand_in_the_root_manifest_only() {
    let mut problems = Vec::new();
    for Manifest { directory, dependencies, .. } in members() {
        let own = dependencies.into_iter().filter(|dependency| !dependency.from_workspace);
        problems.extend(own.map(|dependency| format!("{directory}/Cargo.toml: {}", dependency.name)));
    }
    assert_none(&problems, "write `name.workspace = true`, and the version into the root manifest");
}

#[test]
fn every_external_dependency_has_its_reason_on_record() {
    let record = read("docs/adr/0002-dependencies.md");
    let undocumented = external_packages().into_iter().filter(|name| !record.contains(&format!("`{name}`")));
    assert_none(&undocumented.collect::<Vec<_>>(), "say in docs/adr/0002-dependencies.md what these are for");
}

#[test]
fn every_recorded_dependency_is_one() {
    let declared = external_packages();
    let record = read("docs/adr/0002-dependencies.md");
    let rows = record.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let stale = rows.map(|(name, _)| name.to_owned()).filter(|name| !declared.contains(name));
    assert_none(
        &stale.collect::<Vec<_>>(),
        "docs/adr/0002-dependencies.md has a row for what the workspace does not use",
    );
}

/// Fails if a crate other than `owner` declares a dependency of any kind that is `banned`, or if the owner does not.
fn assert_only(owner: &str, banned: impl Fn(&str) -> bool) {
    let mut problems = Vec::new();
    for crate_ in members() {
        let matching = crate_.dependencies.iter().filter(|dependency| banned(&dependency.name));
        let names: Vec<_> = matching.map(|dependency| dependency.name.clone()).collect();
        if crate_.name == owner {
            assert!(!names.is_empty(), "{owner} has none of these dependencies: the ban checks nothing");
        } else {
            problems.extend(names.into_iter().map(|name| format!("{} depends on {name}", crate_.name)));
        }
    }
    assert_none(&problems, &format!("only {owner} may"));
}
