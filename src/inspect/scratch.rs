//! The scratch copy: a schema made in `pg_temp` inside a transaction that is rolled back, and read back.
//!
//! So a desired schema is put in the server's own words, and its DDL is tried on the real server before anything is
//! touched. It needs no right beyond TEMPORARY.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::types::Oid};

use super::{
    Catalogue, InspectError,
    catalogue::{self, Namespace},
    drift::Statement,
};
use crate::{
    diff,
    schema::{Change, EnumType, Fill, Schema, Table, render},
    target::{Target, identifiers, server_error, with_labels_at_once},
};

/// Tables in one transaction: each takes about fifteen locks, and a server has 6,400 of them by default.
const TABLES_A_TRANSACTION: usize = 200;

/// Makes some of the schema's tables in scratch and reads them back.
pub(super) async fn normalise(
    target: &Target,
    tables: &[&Table],
    schema: &Whole<'_>,
) -> Result<Catalogue, InspectError> {
    let mut whole = Catalogue::default();
    for batch in tables.chunks(TABLES_A_TRANSACTION) {
        let names: Vec<String> = batch.iter().map(|table| table.name.clone()).collect();
        let read = in_scratch(target, Sight::Target, statements(batch, schema), (&names, &[])).await?;
        whole.tables.extend(read.tables);
    }
    Ok(whole)
}

/// Tries in scratch what columns of a table are to be filled with.
pub(super) async fn try_fills(
    target: &Target,
    (table, fills): (&Table, &[&Fill]),
    schema: &Whole<'_>,
) -> Result<(), InspectError> {
    let queries = fills.iter().map(|fill: &&Fill| {
        let what = format!("what {}.{} is to be filled with", table.name, fill.column);
        (what, render::fill_trial(&table.name, fill))
    });
    let statements = statements(&[table], schema).chain(queries);
    in_scratch(target, Sight::Target, statements, (&[], &[])).await.map(|_| ())
}

/// A schema, of which a part is made.
pub(super) struct Whole<'a> {
    tables: BTreeMap<&'a str, &'a Table>,
    enums: &'a [EnumType],
}

impl<'a> Whole<'a> {
    pub(super) fn of(schema: &'a Schema) -> Whole<'a> {
        let tables = schema.tables.iter().map(|table| (table.name.as_str(), table)).collect();
        Whole { tables, enums: &schema.enums }
    }

    pub(super) fn table(&self, name: &str) -> Option<&'a Table> {
        self.tables.get(name).copied()
    }
}

/// What makes some tables, with what their columns and foreign keys need: names for people, and SQL. Partitions are not among
/// it: they are many, and their bounds are in the server's words already.
pub(super) fn statements(tables: &[&Table], schema: &Whole<'_>) -> impl Iterator<Item = Statement> + use<> {
    let stubs = stubs(tables, schema);
    let all = stubs.iter().chain(tables.iter().copied());
    let types = schema.enums.iter().copied().map(Change::CreateType);
    let is_wanted = |change: &Change| change.defines() && !matches!(change, Change::AddPartition { .. });
    let changes: Vec<Change> = types.chain(all.flat_map(diff::creation).filter(is_wanted)).collect();
    order(changes).into_iter().map(|change| (change.summary(), render::statement(&change)))
}

/// Runs statements that stand in versions, in scratch, and reads back the named tables.
pub(super) async fn replay(
    target: &Target,
    statements: impl IntoIterator<Item = (String, String)>,
    names: &[String],
    types: &[String],
) -> Result<Catalogue, InspectError> {
    let definitions = with_labels_at_once(statements).into_iter().filter(|(_, sql)| defines(sql));
    in_scratch(target, Sight::ScratchAlone, definitions, (names, types)).await
}

/// Nobody waits for what is only looked at; who looks does not wait for long either.
const SET_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";

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
fn stubs(batch: &[&Table], schema: &Whole<'_>) -> Vec<Table> {
    let inside: BTreeSet<&str> = batch.iter().map(|table| table.name.as_str()).collect();
    let wanted: BTreeSet<&str> = batch
        .iter()
        .flat_map(|table| &table.foreign_keys)
        .map(|foreign_key| foreign_key.parent_table.as_str())
        .filter(|parent| !inside.contains(parent))
        .collect();
    let outside = wanted.into_iter().filter_map(|name| schema.table(name));
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
    let path = set_scratch_path(&mut transaction, target).await?;
    let live = match catalogue::oid(&mut transaction, Namespace::Schema(&target.schema)).await? {
        Some(oid) => table_names(&mut transaction, oid).await?,
        None => Vec::new(),
    };
    let statements = with_labels_at_once(statements);
    let qualified = [format!("{}.", target.schema), format!("{}.", render::quoted(&target.schema))];
    for (what, sql) in statements.into_iter().filter(|(_, sql)| defines(sql)) {
        let mentioned = identifiers(&sql);
        let named: Vec<String> = live.iter().filter(|table| mentioned.contains(table)).cloned().collect();
        let reason = if let Some(relation) = past_scratch(&mut transaction, path, &sql).await? {
            format!("it is about {relation}, which no step before it has made")
        } else if named.iter().any(|table| replayed.doubtful.contains(table)) {
            "it is about a table of another step that was not replayed".to_owned()
        // A comment's text reaches nothing.
        } else if match sql.starts_with(render::COMMENT_ON) {
            true => mentioned.contains(&target.schema),
            false => qualified.iter().any(|schema| sql.contains(schema)),
        } {
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

/// Lets statements see scratch alone; extensions lie in public as a rule, and their operator classes are wanted. Gives the
/// schemas that can be seen beside scratch.
async fn set_scratch_path(
    connection: &mut PgConnection,
    target: &Target,
) -> Result<&'static [&'static str], InspectError> {
    let path: &[&str] =
        if target.schema != "public" || has_extensions(connection).await? { &["public"] } else { &[] };
    set_path(connection, &[&["pg_temp"], path].concat()).await?;
    connection.execute(SET_LOCK_TIMEOUT).await?;
    Ok(path)
}

/// Whether a statement says what an object is. What moves rows or a sequence has nothing to say of the schema, and a
/// sequence that was moved is not moved back by a rollback. A trigger is no part of what is compared, and a function in scratch
/// would be found by nobody (PostgreSQL's manual, 20.11.1, `search_path`).
fn defines(sql: &str) -> bool {
    let words = identifiers(sql);
    let mut words = words.iter().map(String::as_str).filter(|word| !["or", "replace"].contains(word));
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    ["create", "alter", "drop", "comment"].contains(&first) && !["function", "trigger"].contains(&second)
}

/// The first relation that a definition would find in these schemas, since scratch lacks it.
async fn past_scratch(
    connection: &mut PgConnection,
    schemas: &[&str],
    sql: &str,
) -> Result<Option<String>, InspectError> {
    if schemas.is_empty() {
        return Ok(None);
    }
    let words = identifiers(sql);
    let names = relations_of(&words);
    Ok(sqlx::query_scalar(include_str!("past_scratch.sql"))
        .bind(schemas)
        .bind(names)
        .fetch_optional(connection)
        .await?)
}

/// The relations that a definition is about, but for the one that it makes, by its words.
fn relations_of(words: &[String]) -> Vec<&str> {
    /// Words before a relation's name; of a list behind `DROP` each word may be one.
    const BEFORE: [&str; 12] = [
        "table",
        "index",
        "sequence",
        "view",
        "on",
        "only",
        "references",
        "exists",
        "concurrently",
        "like",
        "partition",
        "of",
    ];
    let is_drop = words.first().is_some_and(|word| word == "drop");
    const RELATIONS: [&str; 6] = ["table", "unlogged", "unique", "index", "sequence", "view"];
    let is_create = words.first().is_some_and(|word| word == "create")
        && words.get(1).is_some_and(|word| RELATIONS.contains(&word.as_str()));
    let mut found: Vec<&str> = words
        .windows(2)
        .filter(|pair| is_drop || BEFORE.contains(&pair[0].as_str()))
        .map(|pair| pair[1].as_str())
        .filter(|word| !BEFORE.contains(word) && !["if", "not"].contains(word))
        .collect();
    if is_create && !found.is_empty() {
        found.remove(0);
    }
    found
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
    let reachable: &[&str] = match sight {
        Sight::Target => {
            // As the sessions that carry it out see it.
            set_path(&mut transaction, &["pg_temp", &target.schema]).await?;
            transaction.execute(SET_LOCK_TIMEOUT).await?;
            &[]
        }
        Sight::ScratchAlone => set_scratch_path(&mut transaction, target).await?,
    };
    for (what, sql) in statements {
        if let Some(relation) = past_scratch(&mut transaction, reachable, &sql).await? {
            let reason = format!("it is about {relation}, which no version before it has made");
            return Err(InspectError::Refused { what, sql, reason });
        }
        // Prepared, so that the server takes one statement and no second one behind a semicolon: a COMMIT out of a mapping's
        // expression would let what follows it stay.
        let statement = sqlx::query(AssertSqlSafe(sql.clone())).persistent(false);
        if let Err(error) = statement.execute(&mut *transaction).await {
            return Err(InspectError::Refused { what, sql, reason: server_error(&error).message.clone() });
        }
    }
    // And read as the target itself is.
    set_path(&mut transaction, &["pg_temp", &target.schema, "public"]).await?;
    let read = catalogue::read(&mut transaction, Namespace::Scratch, names, types).await?;
    transaction.rollback().await?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_is_about() {
        let cases = [
            ("CREATE TABLE t (plays text)", vec![]),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (plays)", vec!["t"]),
            ("ALTER TABLE IF EXISTS ONLY \"T t\" ADD COLUMN plays text", vec!["T t"]),
            (
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE",
                vec!["t", "p", "delete"],
            ),
            ("DROP TABLE IF EXISTS a, b", vec!["a", "b"]),
            ("ALTER INDEX i RENAME TO j", vec!["i"]),
            ("CREATE TABLE p PARTITION OF t DEFAULT", vec!["t"]),
            ("CREATE TABLE t (LIKE o INCLUDING ALL)", vec!["o"]),
            ("ALTER INDEX i ATTACH PARTITION p", vec!["i", "p"]),
        ];
        for (sql, expected) in cases {
            assert_eq!(relations_of(&identifiers(sql)), expected, "{sql}");
        }
        assert!(
            !defines("CREATE OR REPLACE FUNCTION f() RETURNS trigger") && !defines("DROP TRIGGER x ON t")
        );
        assert!(!defines("SELECT setval('s', 7)") && defines("-- why\ncreate table t (a text)"));
    }
}
