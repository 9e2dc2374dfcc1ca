//! What the target is: its catalogue and its rows, read, never changed.
//!
//! Both sides of a difference are put in PostgreSQL's own words: [`normalise`] lets the server write the desired schema
//! as it would keep it, [`live`] reads what it keeps. In: a target. Out: a [`Catalogue`] and [`Live`].

mod catalogue;
mod compare;
mod dependents;
mod drift;
mod layout;
mod normal;
mod obstacles;
mod rows;
mod scratch;
mod staged;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::{AssertSqlSafe, Row};

pub use catalogue::{Catalogue, Definition, LiveColumn, LiveEnum, LiveTable};
pub use compare::{ObjectDifference, ObjectKind, differences};
pub use drift::{Drift, DriftError, drift};
pub use layout::Hangers;
pub use normal::{Normal, normalise, remember, try_fills};
pub use obstacles::{Obstacle, obstacles};
pub use types::EnumUse;

use crate::{
    diff::Difference,
    schema::{Desired, render},
    target::{Ledger, LedgerError, ServerError, Target, server_error},
};

/// Why the target could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The server refuses the desired schema.
    #[error("PostgreSQL refuses {what}: {reason}")]
    Refused {
        /// The object, for people.
        what: String,
        /// The statement.
        sql: String,
        /// The server's message.
        reason: String,
    },
    /// A query failed.
    #[error("the target could not be read: {}", server_error(.0))]
    Query(#[from] sqlx::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl InspectError {
    /// What the server said, where it said something that is not about the desired schema.
    #[must_use]
    pub fn server(&self) -> Option<ServerError> {
        match self {
            InspectError::Refused { .. } => None,
            InspectError::Query(error) => Some(server_error(error)),
            InspectError::Ledger(error) => error.server(),
        }
    }
}

/// What pending versions would make of an empty schema: `statements` are pairs of a name for people and SQL.
///
/// # Errors
/// [`InspectError::Refused`] names the step that the server does not take.
pub async fn replay(
    target: &Target,
    statements: impl IntoIterator<Item = (String, String)>,
    desired: &Desired,
) -> Result<Catalogue, InspectError> {
    scratch::replay(target, statements, &desired.table_names(), &type_names(desired)).await
}

/// The target as it is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Live {
    /// `server_encoding`: the target database's.
    pub server_encoding: String,
    /// Whether the target schema is there.
    pub schema_exists: bool,
    /// The managed tables that are there.
    pub catalogue: Catalogue,
    /// The enumerated types of the schema, and what else depends on them.
    pub enums: Vec<EnumUse>,
    /// Relations that are no tables but stand where tables or indexes are wanted: name and kind.
    pub in_the_way: Vec<(String, String)>,
    /// Rows in each managed table that is there.
    pub rows: BTreeMap<String, u64>,
    /// What would have to come along, of tables that are partitioned or are to be.
    #[serde(skip)]
    pub hangers: BTreeMap<String, Hangers>,
    /// Columns, each with its table, whose place no new one can take, since the server keeps something of them beside.
    pub irreplaceable: BTreeSet<(String, String)>,
    /// What the ledger knows of each table's rows.
    pub copies: BTreeMap<String, CopyState>,
}

impl Live {
    /// The target as it will be once the declared renames are made.
    #[must_use]
    pub fn renamed(&self, difference: &Difference) -> Live {
        let former = &difference.former;
        Live {
            catalogue: difference.renamed.clone(),
            rows: former.renamed(&self.rows),
            hangers: former.renamed(&self.hangers),
            copies: former.renamed(&self.copies),
            ..self.clone()
        }
    }

    /// Whether a table is there and holds rows.
    #[must_use]
    pub fn holds_rows(&self, table: &str) -> bool {
        self.rows.get(table).is_some_and(|&rows| rows > 0)
    }
}

/// How far a table's copy has come, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyState {
    /// What identifies the copy that the rows come from ([`crate::schema::TableCopy::digest`]).
    pub digest: String,
    /// Whether every chunk is there.
    pub finished: bool,
    /// Rows written so far.
    pub rows: u64,
    /// Rows rejected so far.
    pub rejected: u64,
}

/// Reads what the target holds of the desired tables.
///
/// # Errors
/// [`InspectError`], where the server does not answer or the role may not read.
pub async fn live(target: &Target, desired: &Desired) -> Result<Live, InspectError> {
    let names = names(desired);
    // One transaction, with the search path of the scratch copy, so that both read alike.
    let mut connection = target.pool.begin().await?;
    scratch::set_path(&mut connection, &[&target.schema, "public"]).await?;
    let namespace = catalogue::Namespace::Schema(&target.schema);
    let server_encoding: String =
        sqlx::query_scalar("SELECT current_setting('server_encoding')").fetch_one(&mut *connection).await?;
    let Some(oid) = catalogue::oid(&mut connection, namespace).await? else {
        return Ok(Live { server_encoding, ..Live::default() });
    };
    let types = type_names(desired);
    let mut catalogue = catalogue::read(&mut connection, namespace, &desired.table_names(), &types).await?;
    // A table of a former name is somebody else's where the one of the right name is there.
    let is_there = |name: &str| catalogue.tables.contains_key(name);
    let former = desired.former.iter().filter_map(|names| names.table_there(is_there));
    let kept: BTreeSet<String> = names.iter().map(String::as_str).chain(former).map(str::to_owned).collect();
    catalogue.tables.retain(|name, _| kept.contains(name));
    let kept: Vec<String> = kept.into_iter().collect();
    staged::without_underway(&mut connection, oid, &mut catalogue).await?;
    let irreplaceable = staged::irreplaceable(&mut connection, oid, &kept).await?;
    let enums = types::of_schema(&mut connection, oid, &kept).await?;
    let mut wanted = names.clone();
    // A key's index has the key's name.
    for table in &desired.schema.tables {
        wanted.extend(table.indexes.iter().map(|index| index.name.clone()));
        wanted.extend(table.keys.iter().map(|key| key.name.clone()));
        wanted.extend(table.partitions().into_iter().map(|partition| partition.name));
    }
    let mut in_the_way = types::in_the_way(&mut connection, oid, &types).await?;
    for row in
        sqlx::query(include_str!("relations.sql")).bind(oid).bind(&wanted).fetch_all(&mut *connection).await?
    {
        let (name, kind): (String, String) = (row.try_get("name")?, row.try_get("kind")?);
        let is_table = matches!(kind.as_str(), "r" | "p") && names.contains(&name);
        let is_index = matches!(kind.as_str(), "i" | "I")
            && catalogue
                .tables
                .values()
                .any(|table| table.indexes.contains_key(&name) || table.constraints.contains_key(&name));
        let is_partition = catalogue.tables.values().any(|table| table.partitions.contains_key(&name));
        if !is_table && !is_index && !is_partition {
            in_the_way.push((name, kind_name(&kind).to_owned()));
        }
    }
    let mut rows = BTreeMap::new();
    for table in catalogue.tables.keys() {
        let sql =
            format!("SELECT count(*) FROM {}.{}", render::quoted(&target.schema), render::quoted(table));
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        rows.insert(table.clone(), count.unsigned_abs());
    }
    let hangers = layout::hangers(&mut connection, oid, &catalogue, desired).await?;
    connection.rollback().await?;
    let copies = match Ledger::find(target).await? {
        Some(ledger) => copies(&ledger).await?,
        None => BTreeMap::new(),
    };
    Ok(Live {
        server_encoding,
        schema_exists: true,
        catalogue,
        enums,
        in_the_way,
        rows,
        hangers,
        irreplaceable,
        copies,
    })
}

/// Reads the catalogue of some tables, in the words in which [`normalise`] gives the desired one.
///
/// # Errors
/// [`InspectError`], where the server does not answer.
pub async fn tables(target: &Target, names: &[String]) -> Result<Catalogue, InspectError> {
    let mut connection = target.pool.begin().await?;
    scratch::set_path(&mut connection, &[&target.schema, "public"]).await?;
    let namespace = catalogue::Namespace::Schema(&target.schema);
    let catalogue = catalogue::read(&mut connection, namespace, names, &[]).await?;
    connection.rollback().await?;
    Ok(catalogue)
}

fn names(desired: &Desired) -> Vec<String> {
    desired.schema.tables.iter().map(|table| table.name.clone()).collect()
}

/// The enumerated types that are wanted.
fn type_names(desired: &Desired) -> Vec<String> {
    desired.schema.enums.iter().map(|of| of.name().to_owned()).collect()
}

/// `pg_class.relkind` in words (PostgreSQL's manual, 53.11).
fn kind_name(kind: &str) -> &'static str {
    match kind {
        "r" | "p" => "table",
        "i" | "I" => "index",
        "S" => "sequence",
        "v" => "view",
        "m" => "materialized view",
        "c" => "composite type",
        "f" => "foreign table",
        _ => "relation",
    }
}

async fn copies(ledger: &Ledger) -> Result<BTreeMap<String, CopyState>, LedgerError> {
    let finished = ledger.copied_tables().await?;
    let is_finished = |table: &str, digest: &str| {
        finished.iter().any(|copied| copied.table == table && copied.source_digest == digest)
    };
    let started = ledger.started_tables().await?;
    let states = started.into_iter().map(|(table, started)| {
        let finished = is_finished(&table, &started.source_digest);
        let (rows, rejected) = (started.rows_written, started.rows_rejected);
        (table, CopyState { digest: started.source_digest, finished, rows, rejected })
    });
    Ok(states.collect())
}
