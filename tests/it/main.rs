//! Integration tests: one binary, a real PostgreSQL, a database a test.
//!
//! `script/test` starts the server and sets `MTM_TEST_SERVER`; without it every test here fails.
#![allow(missing_docs, unreachable_pub, reason = "tests speak through their names, and have no users")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod alterations;
mod any_file;
mod bad_input;
mod cases;
mod certificate;
mod command;
mod conversions;
mod dashboard;
mod drift;
mod encryption;
mod enums;
mod exit_codes;
mod expressions;
mod faults;
mod fills;
mod generated;
mod interrupted;
mod live_targets;
mod local;
mod mapping;
mod migrate;
mod migration;
mod music_time_machine;
mod mutations;
mod normal_forms;
mod online;
mod partitions;
mod partitions_beside;
mod plan_formats;
mod rejects;
mod renames;
mod restart;
mod round_trip;
mod saved_plans;
mod saved_versions;
mod schema_moves;
mod staged;
mod support;
mod verify;
mod ways_back;
