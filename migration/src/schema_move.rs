//! Tables move from one schema to another, and what is known of them moves along: versions, steps, copies, rejected rows.
//!
//! One transaction, so that they are never known in a schema in which they are not. No version says it: a version's names are
//! unqualified, and mean the schema in which it is recorded.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::time::sleep;

use crate::{
    Ledger, Target, Version, created_type,
    ledger::Place,
    migrator::{LOCK_PAUSES, MIGRATION_TABLE, MigrateError, POST_SUFFIX, applied_names, database},
    quote_identifier, sql_text,
};

/// How long the move waits for a table: behind it, everybody else waits too.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Tables that are in one schema and should be in another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaMove {
    /// The schema that they are in.
    pub from: String,
    /// The schema that they should be in.
    pub to: String,
    /// The tables, by the names that they have.
    pub tables: Vec<String>,
    /// The partitions of these, which do not go with their table by themselves.
    pub partitions: Vec<String>,
    /// The enumerated types of their columns that our versions made, by the names that they have.
    pub types: Vec<String>,
    /// The versions that are recorded in the new schema from then on.
    pub versions: Vec<String>,
    /// Tables that we have filled and nobody wants to move.
    pub stays: Vec<String>,
    /// Why it cannot be made, a sentence each.
    pub in_the_way: Vec<String>,
    /// Versions that have begun and are not through: what they have made for a while would not come along.
    pub half_done: Vec<String>,
}

impl SchemaMove {
    /// The statement that moves a table.
    fn statement(&self, table: &str) -> String {
        let [from, to, table] = [&self.from, &self.to, table].map(quote_identifier);
        format!("ALTER TABLE {from}.{table} SET SCHEMA {to}")
    }

    /// Every statement that moves something: tables, their partitions, their columns' types.
    #[must_use]
    pub fn statements(&self) -> Vec<String> {
        let relations = self.tables.iter().chain(&self.partitions).map(|table| self.statement(table));
        relations.chain(self.types.iter().map(|name| self.type_statement(name))).collect()
    }

    fn type_statement(&self, name: &str) -> String {
        let [from, to, name] = [&self.from, &self.to, name].map(quote_identifier);
        format!("ALTER TYPE {from}.{name} SET SCHEMA {to}")
    }

    /// Finds which of the wanted tables are still in the old schema and known to its ledger; `None`: none is.
    ///
    /// # Errors
    /// [`MigrateError`] when the target cannot be read.
    pub async fn find(
        from: &Target,
        to: &Target,
        wanted: &[String],
    ) -> Result<Option<SchemaMove>, MigrateError> {
        let Some(ledger) = Ledger::find(from).await? else { return Ok(None) };
        let recorded: Vec<Version> =
            ledger.versions().await?.into_iter().map(|recorded| recorded.version).collect();
        let mut filled: BTreeSet<String> = ledger.started_tables().await?.into_keys().collect();
        filled.extend(ledger.copied_tables().await?.into_iter().map(|copied| copied.table));
        let made: BTreeSet<String> = recorded.iter().flat_map(mentions).collect();
        let asked: Vec<&String> = wanted.iter().chain(&filled).collect();
        let there: BTreeSet<String> = sqlx::query_scalar(
            "SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')",
        )
        .bind(&from.schema)
        .bind(asked)
        .fetch_all(&from.pool)
        .await
        .map_err(database("looking for the tables of a schema"))?
        .into_iter()
        .collect();
        let is_ours =
            |table: &&String| there.contains(*table) && (filled.contains(*table) || made.contains(*table));
        let tables: Vec<String> = wanted.iter().filter(is_ours).cloned().collect();
        if tables.is_empty() {
            return Ok(None);
        }
        let stays: Vec<String> =
            filled.into_iter().filter(|table| there.contains(table) && !tables.contains(table)).collect();
        let versions = versions_of(&recorded, &tables, &stays);
        let (from_schema, to_schema) = (from.schema.clone(), to.schema.clone());
        let types = types_of(from, &recorded, &tables).await?;
        let partitions = partitions_of(from, &tables).await?;
        let in_the_way = Vec::new();
        let mut found = SchemaMove {
            from: from_schema,
            to: to_schema,
            tables,
            partitions,
            types,
            versions,
            stays,
            in_the_way,
            half_done: Vec::new(),
        };
        found.in_the_way = found.obstacles(&ledger, to).await?;
        let applied = applied_names(from).await?;
        let is_half_done =
            |name: &&String| applied.contains(*name) && !applied.contains(&format!("{name}{POST_SUFFIX}"));
        found.half_done = found.versions.iter().filter(is_half_done).cloned().collect();
        Ok(Some(found))
    }

    async fn obstacles(&self, ledger: &Ledger, to: &Target) -> Result<Vec<String>, MigrateError> {
        let SchemaMove { from, to: schema, tables, partitions, versions, stays, .. } = self;
        let moved: Vec<&String> = tables.iter().chain(partitions).collect();
        let taken: Vec<String> = sqlx::query_scalar(include_str!("schema_move.sql"))
            .bind(from)
            .bind(schema)
            .bind(moved)
            .fetch_all(&to.pool)
            .await
            .map_err(database("looking for what is in the new schema"))?;
        let mut in_the_way: Vec<String> =
            taken.into_iter().map(|name| format!("schema {schema} has a {name} already")).collect();
        let applied = applied_names(to).await?;
        let twice = versions.iter().filter(|version| applied.contains(*version));
        in_the_way.extend(twice.map(|name| format!("version {name} is applied in schema {schema} already")));
        let of_its_own = Ledger::find(to).await?.is_some_and(|other| {
            other.place() != ledger.place() && matches!(other.place(), Place::TargetSchema { .. })
        });
        if of_its_own {
            in_the_way.push(format!("schema {schema} has a ledger of its own (mtm_copied and others)"));
        }
        if matches!(ledger.place(), Place::TargetSchema { .. }) && !stays.is_empty() {
            in_the_way.push(format!(
                "{} would stay in schema {from}, and the ledger, which is there too, cannot be in both",
                stays.join(", ")
            ));
        }
        Ok(in_the_way)
    }

    /// Moves the tables, in one transaction with all that is known of them. Where somebody holds a table for more than three
    /// seconds, it is tried again with growing pauses. Who calls it holds the locks of both schemas.
    ///
    /// # Errors
    /// [`MigrateError::Database`] for what the server refuses; nothing is moved then.
    pub async fn carry_out(&self, from: &Target) -> Result<(), MigrateError> {
        let Some(ledger) = Ledger::find(from).await? else { return Ok(()) };
        let mut pauses = LOCK_PAUSES.iter();
        loop {
            let moved = self.attempt(from, &ledger).await;
            match (moved, pauses.next()) {
                (Err(error), Some(pause)) if is_held(&error) => sleep(*pause).await,
                (moved, _) => return moved,
            }
        }
    }

    async fn attempt(&self, from: &Target, ledger: &Ledger) -> Result<(), MigrateError> {
        let failed = database("moving the tables to another schema");
        let mut transaction = from.pool.begin().await.map_err(&failed)?;
        let milliseconds = LOCK_TIMEOUT.as_millis();
        let settings = format!("SET LOCAL lock_timeout = {milliseconds}");
        let schema = format!("CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(&self.to));
        // Whoever may not create schemas may use one that is there.
        let exists: bool = sqlx::query_scalar("SELECT to_regnamespace(quote_ident($1)) IS NOT NULL")
            .bind(&self.to)
            .fetch_one(&mut *transaction)
            .await
            .map_err(&failed)?;
        let statements =
            std::iter::once(settings).chain((!exists).then_some(schema)).chain(self.statements());
        for sql in statements {
            transaction.execute(AssertSqlSafe(sql)).await.map_err(&failed)?;
        }
        self.move_migrations(&mut transaction).await.map_err(&failed)?;
        ledger.move_to(&mut transaction, &self.to, &self.tables, &self.versions).await?;
        transaction.commit().await.map_err(&failed)
    }

    /// The rows of sea-orm-migration's own table. The table itself goes once nobody has a row in it.
    async fn move_migrations(&self, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
        let [old, new] = [&self.from, &self.to]
            .map(|schema| format!("{}.{}", quote_identifier(schema), quote_identifier(MIGRATION_TABLE)));
        let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(&old)
            .fetch_one(&mut *transaction)
            .await?;
        if !exists {
            return Ok(());
        }
        let create = format!("CREATE TABLE IF NOT EXISTS {new} (LIKE {old} INCLUDING ALL)");
        transaction.execute(AssertSqlSafe(create)).await?;
        let names: Vec<String> =
            self.versions.iter().flat_map(|name| [name.clone(), format!("{name}{POST_SUFFIX}")]).collect();
        let rows = format!(
            "WITH moved AS (DELETE FROM {old} WHERE version = ANY ($1) RETURNING *) INSERT INTO {new} SELECT * FROM moved"
        );
        sqlx::query(AssertSqlSafe(rows)).bind(names).execute(&mut *transaction).await?;
        let empty: bool = sqlx::query_scalar(AssertSqlSafe(format!("SELECT NOT EXISTS (SELECT FROM {old})")))
            .fetch_one(&mut *transaction)
            .await?;
        if empty {
            transaction.execute(AssertSqlSafe(format!("DROP TABLE {old}"))).await?;
        }
        Ok(())
    }
}

/// The enumerated types of these tables' columns that the versions made.
async fn types_of(
    from: &Target,
    recorded: &[Version],
    tables: &[String],
) -> Result<Vec<String>, MigrateError> {
    let steps = recorded.iter().flat_map(|version| version.pre_data.iter().chain(&version.post_data));
    let made: Vec<String> = steps.filter_map(|step| created_type(&step.sql)).collect();
    sqlx::query_scalar(
        "SELECT DISTINCT t.typname FROM pg_catalog.pg_attribute AS a \
         JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid AND t.typnamespace = n.oid \
         WHERE n.nspname = $1 AND c.relname = ANY ($2) AND t.typname = ANY ($3) AND t.typtype = 'e' ORDER BY 1",
    )
    .bind(&from.schema)
    .bind(tables)
    .bind(made)
    .fetch_all(&from.pool)
    .await
    .map_err(database("looking for the types of a schema"))
}

/// The partitions of these tables that lie in the same schema.
async fn partitions_of(from: &Target, tables: &[String]) -> Result<Vec<String>, MigrateError> {
    sqlx::query_scalar(
        "SELECT part.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         CROSS JOIN LATERAL pg_partition_tree(c.oid) AS tree \
         JOIN pg_catalog.pg_class AS part ON part.oid = tree.relid AND part.oid <> c.oid AND part.relnamespace = n.oid \
         WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind = 'p' ORDER BY part.relname COLLATE \"C\"",
    )
    .bind(&from.schema)
    .bind(tables)
    .fetch_all(&from.pool)
    .await
    .map_err(database("looking for the partitions of a schema's tables"))
}

/// Every name in a version.
fn mentions(version: &Version) -> Vec<String> {
    version.pre_data.iter().chain(&version.post_data).flat_map(|step| sql_text::names(&step.sql)).collect()
}

/// The versions that go along: all but those that are about tables which stay, and none that moves.
fn versions_of(recorded: &[Version], tables: &[String], stays: &[String]) -> Vec<String> {
    let goes = |version: &&Version| {
        let mentioned = mentions(version);
        let about = |tables: &[String]| tables.iter().any(|table| mentioned.contains(table));
        about(tables) || !about(stays)
    };
    recorded.iter().filter(goes).map(|version| version.name.clone()).collect()
}

/// Whether somebody held a table.
fn is_held(error: &MigrateError) -> bool {
    error.server().is_some_and(|error| error.code == LOCK_NOT_AVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    #[test]
    fn versions_go_with_their_tables() {
        let version = |name: &str, sql: &str| Version {
            name: name.to_owned(),
            pre_data: vec![Step::new(sql)],
            ..Version::default()
        };
        let recorded = [
            version("both", "CREATE TABLE a (b text REFERENCES stays)"),
            version("stays", "ALTER TABLE stays ADD COLUMN c text"),
            version("neither", "CREATE FUNCTION f()"),
        ];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(versions_of(&recorded, &names(&["a"]), &names(&["stays"])), names(&["both", "neither"]));
    }

    #[test]
    fn names_are_quoted() {
        let one = SchemaMove { from: "pub\"lic".to_owned(), to: "Music".to_owned(), ..SchemaMove::default() };
        assert_eq!(one.statement("a b"), "ALTER TABLE \"pub\"\"lic\".\"a b\" SET SCHEMA \"Music\"");
    }
}
