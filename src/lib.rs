//! Moves a SQLite database into PostgreSQL, and proves that nothing was lost.
//!
//! The data goes one way, one value a stage; `docs/ARCHITECTURE.md` has the picture.

pub mod audit;
pub mod mapping;
pub mod schema;
pub mod source;
pub mod target;
pub mod value;
