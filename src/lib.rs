//! Moves a SQLite database into PostgreSQL, and proves that nothing was lost.
//!
//! The data goes one way, one value a stage; each stage is a verb that takes the value of the one before:
//!
//! ```text
//! SQLite ── audit ──▶ Audit ─┐
//!                            ├─ resolve ─▶ Desired ─┐
//! mappings/types.yaml ───────┘                      ├─ diff ─▶ Plan ── apply ──▶ PostgreSQL ── verify ──▶ Certificate
//! PostgreSQL ── inspect ──▶ Live ───────────────────┘
//! ```
//!
//! `docs/ARCHITECTURE.md` says where each stage lives and why.

pub mod apply;
pub mod audit;
pub mod cli;
pub mod dashboard;
pub mod demo;
pub mod diff;
pub mod inspect;
pub mod local;
pub mod mapping;
pub mod plan;
pub mod report;
pub mod schema;
pub mod source;
pub mod target;
pub mod value;
pub mod verify;
