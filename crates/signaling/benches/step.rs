//! What the rules cost: they run on every command and every delivery.

fn main() {}
