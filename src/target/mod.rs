//! The target: its sessions, its lock, its ledger and its versions.
//!
//! They live in the crate `migration`, which sea-orm's own command line uses too; the stages name them by this module.

pub use migration::{
    APPLICATION_NAME, ConnectError, Ledger, LedgerError, Lock, LockError, Server, ServerError, Step, Target,
    TargetOptions, TargetSource, Version, VersionError, command, connect, ledger, lock, migrator,
    quote_identifier, server_error, version,
};
