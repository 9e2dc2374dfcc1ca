//! The commands, a file each: from arguments to a stage's value, and from the value to the report.

pub(super) mod apply;
pub(super) mod audit;
pub(super) mod demo;
pub(super) mod drift;
pub(super) mod local;
pub(super) mod mapping;
pub(super) mod migrate;
pub(super) mod plan;
pub(super) mod schema;
pub(super) mod serve;
pub(super) mod verify;
