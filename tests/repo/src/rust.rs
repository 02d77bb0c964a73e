//! Rust files as lines of code, without their comments and, on request, without their tests.

use crate::read;

/// The lines of a Rust file that are not comments, each with its number.
#[must_use]
pub fn code(file: &str) -> Vec<(usize, String)> {
    numbered(&read(file)).collect()
}

/// Like [`code`], up to the file's tests: a `#[cfg(test)]` module stands last.
#[must_use]
pub fn shipped_code(file: &str) -> Vec<(usize, String)> {
    let is_tests = file.ends_with("/tests.rs") || file.contains("/tests/");
    let text = if is_tests { String::new() } else { read(file) };
    let lines: Vec<_> = text.lines().collect();
    let module = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    let end = lines.windows(2).position(module).unwrap_or(lines.len());
    numbered(&lines[..end].join("\n")).collect()
}

/// The lines of `text` that are not whole-line comments, counted from one.
fn numbered(text: &str) -> impl Iterator<Item = (usize, String)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(index, line)| (index + 1, line.to_owned())).collect::<Vec<_>>().into_iter()
}
