//! The target: its sessions, its lock, its ledger and its versions.
//!
//! They live in the crate `migration`, which sea-orm's own command line uses too; the stages name them by this module.

pub use migration::{
    Backend, ConnectError, Ledger, LedgerError, Lock, LockError, Mention, SchemaMove, Server, ServerError,
    Step, TEXT_FORM_SETTINGS, Target, TargetOptions, Version, VersionError,
    command::{CommandError, Redone, down as migrate_down, redo as migrate_redo, up as migrate_up},
    connect, created_names, created_type, identifiers,
    ledger::{
        Chunk, ChunkCounts, ChunkRange, Copied, NewRun, NormalForm, Outcome, RecordedCertificate,
        RecordedReject, RecordedRun, RefusedBy, Reject, RunId, Started,
    },
    migrator::{
        Build, MigrateError, State, UpTo, VersionStatus, builds, record_applied, status, up, up_telling,
    },
    replace_names, server_error,
    version::{Section, is_version_name, load_folder, save},
    with_labels_at_once,
};
