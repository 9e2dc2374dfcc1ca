//! What both `mtm` and sea-orm's own command line need of a target: the connection, the lock, the ledger, and versions.
//!
//! A *version* is the schema part of a plan, frozen as SQL text in a folder. [`migrator`] runs versions through
//! sea-orm-migration, which records them in `seaql_migrations`; the [`ledger`] keeps each one's SQL and checksum beside
//! it, and where a copy stands; the [`lock`] lets one run at a time do so. Nothing here knows SQLite, mappings or plans.

pub mod command;
pub mod connection;
mod enum_types;
pub mod ledger;
pub mod lock;
pub mod migrator;
mod schema_move;
mod server_error;
mod sql_text;
pub mod version;

pub use self::{
    connection::{
        APPLICATION_NAME, Backend, ConnectError, Server, TEXT_FORM_SETTINGS, Target, TargetOptions,
        TargetSource, connect,
    },
    enum_types::{created_type, with_labels_at_once},
    ledger::{Ledger, LedgerError},
    lock::{Lock, LockError},
    schema_move::SchemaMove,
    server_error::{ServerError, server_error},
    sql_text::{Mention, created_names, names as identifiers, quote_identifier, replace_names},
    version::{Step, Version, VersionError},
};
