//! Changes made in PostgreSQL behind the back of `mtm`: each must be found, and named by table, key and column.
//!
//! A fixed list of the changes that a migration is known to make by accident, and random ones, whose number and seed
//! can be set: `MUTATIONS=5000 MUTATION_SEED=7`.

#![allow(clippy::print_stdout, reason = "how many were made and found, and the seed that makes them again")]

mod columns;
mod fixed;
mod random;
mod schema;
mod world;
