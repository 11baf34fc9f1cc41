//! The `burdenwatch` program.

fn main() {}
