//! Moves a SQLite database into PostgreSQL, and proves that nothing was lost.
//!
//! The data goes one way, one value a stage; `docs/ARCHITECTURE.md` has the picture.

pub mod audit;
pub mod demo;
pub mod local;
pub mod mapping;
pub mod schema;
pub mod source;
pub mod value;
