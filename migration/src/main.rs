//! Runs versions through sea-orm-migration.
fn main() {}
