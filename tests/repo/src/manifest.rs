//! Manifests: the workspace's members and what each crate depends on.

use crate::read;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its directory, relative to the root.
    pub directory: String,
    /// Its package name.
    pub name: String,
    /// Every dependency that its manifest declares.
    pub dependencies: Vec<Dependency>,
}

/// One line of a dependency table.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The package depended on.
    pub name: String,
    /// What it is needed for.
    pub kind: DependencyKind,
    /// Whether version and source are the workspace's.
    pub from_workspace: bool,
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// The crate itself.
    Normal,
    /// Its tests, examples and benches.
    Development,
    /// Its build script.
    Build,
}

impl Manifest {
    /// The names of what the crate itself or its build script needs.
    pub fn shipped(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
    }

    /// Reads the manifest in `directory`.
    fn read(directory: &str) -> Self {
        let file = format!("{directory}/Cargo.toml");
        let text = read(&file);
        let mut name = None;
        let mut dependencies = Vec::new();
        for (table, key, value) in entries(&text) {
            if table == "package" && key == "name" {
                name = Some(value.trim_matches('"').to_owned());
            }
            assert!(!value.contains("package ="), "{file}: {key}: a dependency keeps its package's name");
            if let Some(kind) = kind_of(table) {
                let (dependency, workspace_key) = match key.split_once('.') {
                    Some((dependency, rest)) => (dependency, rest == "workspace" && value == "true"),
                    None => (key, value.contains("workspace = true")),
                };
                dependencies.push(Dependency { name: dependency.to_owned(), kind, from_workspace: workspace_key });
            }
        }
        let name = name.unwrap_or_else(|| panic!("{file} has no package name"));
        Self { directory: directory.to_owned(), name, dependencies }
    }
}

/// Every crate of the workspace.
#[must_use]
pub fn members() -> Vec<Manifest> {
    let text = read("Cargo.toml");
    let start = text.find("\nmembers = [").expect("the root manifest lists its members");
    let list = &text[start..start + text[start..].find(']').expect("the list of members ends")];
    let directories = list.split('"').skip(1).step_by(2);
    let members: Vec<_> = directories.map(Manifest::read).collect();
    assert!(members.len() > 1, "the root manifest lists no members");
    members
}

/// The member called `name`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn member(name: &str) -> Manifest {
    let found = members().into_iter().find(|member| member.name == name);
    found.unwrap_or_else(|| panic!("the workspace has no member {name}"))
}

/// The names of the packages that the workspace takes from elsewhere.
#[must_use]
pub fn external_packages() -> Vec<String> {
    let text = read("Cargo.toml");
    let declared = entries(&text).into_iter().filter(|(table, ..)| *table == "workspace.dependencies");
    declared.filter(|(.., value)| !value.contains("path =")).map(|(_, key, _)| key.to_owned()).collect()
}

/// The lines `key = value` of a manifest, each with its table. Of a value that spans lines, the first.
fn entries(text: &str) -> Vec<(&str, &str, &str)> {
    let mut table = "";
    let mut entries = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end().trim_matches(['[', ']']);
            let single = ["dependencies.", "dev-dependencies.", "build-dependencies."];
            assert!(
                !single.iter().any(|prefix| table.starts_with(prefix)),
                "[{table}]: write it as a line of its table"
            );
        } else if let Some((key, value)) = line.split_once(" = ")
            && !line.starts_with(['#', ' '])
        {
            entries.push((table, key.trim(), value.trim()));
        }
    }
    entries
}

/// What a table's dependencies are needed for, if it lists any. Tables of single targets end the same way.
fn kind_of(table: &str) -> Option<DependencyKind> {
    match table.rsplit('.').next() {
        Some("dependencies") if !table.starts_with("workspace") => Some(DependencyKind::Normal),
        Some("dev-dependencies") => Some(DependencyKind::Development),
        Some("build-dependencies") => Some(DependencyKind::Build),
        _ => None,
    }
}
