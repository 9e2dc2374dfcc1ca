//! The scratch copy: a schema made in `pg_temp` inside a transaction that is rolled back, and read back.
//!
//! So a desired schema is put in the server's own words, and its DDL is tried on the real server before anything is
//! touched. It needs no right beyond TEMPORARY.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::types::Oid};

use super::{
    Catalogue, InspectError,
    catalogue::{self, Namespace},
    drift::Statement,
};
use crate::{
    diff,
    schema::{Change, Schema, Table, render},
    target::{Target, identifiers, server_error, with_labels_at_once},
};

/// Tables in one transaction: each takes about fifteen locks, and a server has 6,400 of them by default.
const TABLES_A_TRANSACTION: usize = 200;

/// Makes the schema's tables in scratch and reads them back.
pub(super) async fn normalise(target: &Target, schema: &Schema) -> Result<Catalogue, InspectError> {
    let mut whole = Catalogue::default();
    let type_names: Vec<String> = schema.enums.iter().map(|of| of.name().to_owned()).collect();
    for batch in schema.tables.chunks(TABLES_A_TRANSACTION) {
        let names: Vec<String> = batch.iter().map(|table| table.name.clone()).collect();
        let types = schema.enums.iter().copied().map(Change::CreateType);
        let stubs = stubs(schema, batch);
        let changes: Vec<Change> =
            stubs.iter().chain(batch).flat_map(diff::creation).filter(Change::defines).collect();
        let statements = order(types.chain(changes).collect())
            .into_iter()
            .map(|change| (change.summary(), render::statement(&change)));
        let read = in_scratch(target, Sight::Target, statements, (&names, &type_names)).await?;
        whole.types.extend(read.types);
        whole.tables.extend(read.tables);
    }
    Ok(whole)
}

/// Runs statements that stand in versions, in scratch, and reads back the named tables.
pub(super) async fn replay(
    target: &Target,
    statements: impl IntoIterator<Item = (String, String)>,
    names: &[String],
    types: &[String],
) -> Result<Catalogue, InspectError> {
    in_scratch(target, Sight::ScratchAlone, with_labels_at_once(statements), (names, types)).await
}

/// What statements in scratch see.
#[derive(Debug, Clone, Copy)]
enum Sight {
    /// Functions and types of the target schema too: every table that they name is made before.
    Target,
    /// Nothing of the target schema, so that a statement about a table that is there cannot reach it.
    ScratchAlone,
}

/// Tables first, then keys, then what refers to them.
fn order(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_key(Change::rank);
    changes
}

/// Parents outside the batch, with their columns and keys alone, so that foreign keys have something to refer to.
fn stubs(schema: &Schema, batch: &[Table]) -> Vec<Table> {
    let inside: BTreeSet<&str> = batch.iter().map(|table| table.name.as_str()).collect();
    let wanted: BTreeSet<&str> = batch
        .iter()
        .flat_map(|table| &table.foreign_keys)
        .map(|foreign_key| foreign_key.parent_table.as_str())
        .filter(|parent| !inside.contains(parent))
        .collect();
    let outside = schema.tables.iter().filter(|table| wanted.contains(table.name.as_str()));
    outside
        .map(|table| {
            let unique = table.indexes.iter().filter(|index| index.unique).cloned().collect();
            Table { foreign_keys: Vec::new(), checks: Vec::new(), indexes: unique, ..table.clone() }
        })
        .collect()
}

/// Whether extensions lie in the schema public.
async fn has_extensions(connection: &mut PgConnection) -> Result<bool, InspectError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_extension WHERE extnamespace = to_regnamespace('public'))";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

/// Sets the search path of a transaction.
pub(super) async fn set_path(connection: &mut PgConnection, schemas: &[&str]) -> Result<(), InspectError> {
    let schemas: Vec<String> = schemas.iter().map(|schema| render::quoted(schema)).collect();
    let sql = format!("SET LOCAL search_path = {}", schemas.join(", "));
    connection.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

/// What came of statements that were replayed one by one.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// The tables that they made.
    pub(super) catalogue: Catalogue,
    /// Statements that scratch does not take, a sentence each with the server's reason.
    pub(super) refused: Vec<String>,
    /// Tables that a refused statement names.
    pub(super) doubtful: BTreeSet<String>,
}

/// Runs statements in scratch, each under a savepoint, and reads back every table that they make. A statement that names
/// a table of a refused one is left out: it could reach past scratch, to the table itself.
pub(super) async fn replay_each(
    target: &Target,
    statements: Vec<Statement>,
) -> Result<Replayed, InspectError> {
    let mut replayed = Replayed::default();
    let mut connection = target.pool.acquire().await?;
    let connection: &mut PgConnection = &mut connection;
    let mut transaction = connection.begin().await?;
    set_scratch_path(&mut transaction, target).await?;
    let live = match catalogue::oid(&mut transaction, Namespace::Schema(&target.schema)).await? {
        Some(oid) => table_names(&mut transaction, oid).await?,
        None => Vec::new(),
    };
    let statements = with_labels_at_once(statements);
    let qualified = [format!("{}.", target.schema), format!("{}.", render::quoted(&target.schema))];
    for (what, sql) in statements {
        let mentioned = identifiers(&sql);
        let named: Vec<String> = live.iter().filter(|table| mentioned.contains(table)).cloned().collect();
        let reason = if named.iter().any(|table| replayed.doubtful.contains(table)) {
            "it is about a table of another step that was not replayed".to_owned()
        } else if qualified.iter().any(|schema| sql.contains(schema)) {
            "it names the schema, so that in scratch it would reach the table itself".to_owned()
        } else {
            let mut savepoint = transaction.begin().await?;
            // Prepared, as in `in_scratch`.
            let statement = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            match statement.execute(&mut *savepoint).await {
                Ok(_) => {
                    savepoint.commit().await?;
                    continue;
                }
                Err(error) => {
                    savepoint.rollback().await?;
                    server_error(&error).message.clone()
                }
            }
        };
        replayed.refused.push(format!("{what}: {reason}"));
        replayed.doubtful.extend(named);
    }
    if let Some(oid) = catalogue::oid(&mut transaction, Namespace::Scratch).await? {
        let names = table_names(&mut transaction, oid).await?;
        replayed.catalogue = catalogue::read(&mut transaction, Namespace::Scratch, &names, &[]).await?;
    }
    transaction.rollback().await?;
    Ok(replayed)
}

async fn table_names(connection: &mut PgConnection, oid: Oid) -> Result<Vec<String>, InspectError> {
    Ok(sqlx::query_scalar(include_str!("table_names.sql")).bind(oid).fetch_all(connection).await?)
}

/// Lets statements see scratch alone; extensions lie in public as a rule, and their operator classes are wanted.
async fn set_scratch_path(connection: &mut PgConnection, target: &Target) -> Result<(), InspectError> {
    if target.schema != "public" || has_extensions(connection).await? {
        set_path(connection, &["pg_temp", "public"]).await
    } else {
        set_path(connection, &["pg_temp"]).await
    }
}

async fn in_scratch(
    target: &Target,
    sight: Sight,
    statements: impl IntoIterator<Item = (String, String)>,
    (names, types): (&[String], &[String]),
) -> Result<Catalogue, InspectError> {
    let mut connection = target.pool.acquire().await?;
    let connection: &mut PgConnection = &mut connection;
    let mut transaction = connection.begin().await?;
    match sight {
        Sight::Target => set_path(&mut transaction, &["pg_temp", &target.schema, "public"]).await?,
        Sight::ScratchAlone => set_scratch_path(&mut transaction, target).await?,
    }
    for (what, sql) in statements {
        // Prepared, so that the server takes one statement and no second one behind a semicolon: a COMMIT out of a mapping's
        // expression would let what follows it stay.
        let statement = sqlx::query(AssertSqlSafe(sql.clone())).persistent(false);
        if let Err(error) = statement.execute(&mut *transaction).await {
            return Err(InspectError::Refused { what, sql, reason: server_error(&error).message.clone() });
        }
    }
    let read = catalogue::read(&mut transaction, Namespace::Scratch, names, types).await?;
    transaction.rollback().await?;
    Ok(read)
}
