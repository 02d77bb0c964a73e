//! Commits per second on a file.

fn main() {
    divan::main();
}
