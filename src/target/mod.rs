//! The target: its sessions, its lock, its ledger and its versions.
//!
//! They live in the crate `migration`, which sea-orm's own command line uses too; the stages name them by this module.

pub use migration::{
    ConnectError, Ledger, LedgerError, Lock, LockError, MigrateError, Server, ServerError, Step, Target,
    TargetOptions, UpTo, Version, VersionError, VersionState, VersionStatus, connect,
    ledger::{Chunk, ChunkRange, Copied, NewRun, Outcome},
    migrator::{down, status, up},
    server_error,
    version::{load_folder, save},
};
