//! The command `mtm`.

fn main() {}
