//! What the documents point to exists: relative links, and the paths that ARCHITECTURE.md names.

use std::path::Path;

use ringwire_repo_tests::manifest::members;
use ringwire_repo_tests::{assert_none, files_with_extension, read, root};

#[test]
fn every_relative_link_points_to_a_file() {
    let mut problems = Vec::new();
    let mut links = 0;
    for file in files_with_extension(&["md"]) {
        let directory = root().join(&file).parent().expect("a file has a directory").to_owned();
        for target in relative_links(&read(&file)) {
            links += 1;
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !directory.join(path).exists() {
                problems.push(format!("{file}: {target}"));
            }
        }
    }
    assert!(links > 0, "no document links to another: the links are not recognized");
    assert_none(&problems, "these links lead nowhere");
}

#[test]
fn the_code_map_names_paths_that_exist() {
    let map = read("ARCHITECTURE.md");
    let paths = repository_paths(&map);
    assert!(paths.len() >= members().len(), "the code map names hardly any paths: {paths:?}");
    let missing = paths.into_iter().filter(|path| !root().join(path).exists());
    assert_none(&missing.map(str::to_owned).collect::<Vec<_>>(), "ARCHITECTURE.md names what is not there");
}

#[test]
fn the_code_map_names_files_that_exist() {
    let map = read("ARCHITECTURE.md");
    let sources = files_with_extension(&["rs", "toml"]);
    // `session.rs` inside a crate's paragraph: some file of the repository must be meant.
    let spans = map.split('`').skip(1).step_by(2).filter(|span| Path::new(span).extension() == Some("rs".as_ref()));
    let missing = spans.filter(|span| !sources.iter().any(|file| file.ends_with(&format!("/{span}"))));
    assert_none(&missing.map(str::to_owned).collect::<Vec<_>>(), "ARCHITECTURE.md names files that are not there");
}

#[test]
fn the_code_map_names_every_crate() {
    let map = read("ARCHITECTURE.md");
    let paths = repository_paths(&map);
    let unnamed = members().into_iter().map(|crate_| crate_.directory).filter(|path| !paths.contains(&path.as_str()));
    assert_none(&unnamed.collect::<Vec<_>>(), "ARCHITECTURE.md does not name these crates");
}

/// Targets of Markdown links that are neither addresses nor places on the same page, outside of code.
fn relative_links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        // Every second part lies between backticks.
        for part in line.split('`').step_by(2).filter(|_| !in_code) {
            let targets = part.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
            let elsewhere = |target: &&str| target.contains("://") || target.starts_with("mailto:");
            links.extend(targets.filter(|target| !elsewhere(target) && !target.starts_with('#')));
        }
    }
    links
}

/// What `text` names between backticks or in a link as a path from the root: it begins with a directory that is there.
fn repository_paths(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "`()[],;\"'".contains(c));
    let words = words.map(|word| word.trim_end_matches(['.', ':', '/']));
    words
        .filter(|word| !word.contains(['*', '{', '<', '…']))
        .filter(|word| {
            let mut parts = Path::new(word).components();
            parts.next().is_some_and(|first| root().join(first).is_dir()) && parts.next().is_some()
        })
        .collect()
}
