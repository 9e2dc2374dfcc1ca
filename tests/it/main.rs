//! Integration tests: one binary, a real PostgreSQL, a database a test.
//!
//! `script/test` starts the server and sets `MTM_TEST_SERVER`; without it every test here fails.
#![allow(missing_docs, reason = "tests speak through their names")]

mod local;
mod support;
mod verify;
