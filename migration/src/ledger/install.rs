//! The ledger's own migrations: compiled in, run by sea-orm-migration, recorded beside the ledger's tables.

use sea_orm::{
    ConnectionTrait, DbErr, DynIden, SqlxPostgresConnector, sea_query::Alias, sea_query::IntoIden,
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager, async_trait::async_trait,
};
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::{LedgerError, Place, database, place::Places};
use crate::{Target, lock::LOCK_CLASS, migrator::db_error, quote_identifier};

/// Every migration of the ledger, oldest first: its name and its SQL.
const MIGRATIONS: &[(&str, &str)] = &[
    ("m20261123_000001_ledger", include_str!("sql/m20261123_000001_ledger.sql")),
    ("m20261123_000002_rejects", include_str!("sql/m20261123_000002_rejects.sql")),
    ("m20261126_000003_normal_forms", include_str!("sql/m20261126_000003_normal_forms.sql")),
    ("m20261127_000004_certificates", include_str!("sql/m20261127_000004_certificates.sql")),
];

/// The second key of the lock under which a ledger is made; one ledger serves many target schemas.
const INSTALL_KEY: i32 = 0;

/// Makes the ledger, or brings it up to date.
pub(super) async fn install(target: &Target) -> Result<Place, LedgerError> {
    let places = Places::ask(target).await.map_err(database("looking for the ledger"))?;
    let Some(place) = places.possible(target) else {
        return Err(LedgerError::NoRoom { schema: target.schema.clone(), target: target.display.clone() });
    };
    let mut session = target.session().await.map_err(LedgerError::Connect)?;
    sqlx::query("SELECT pg_advisory_lock($1, $2)")
        .bind(LOCK_CLASS)
        .bind(INSTALL_KEY)
        .execute(&mut session)
        .await
        .map_err(database("waiting to make the ledger"))?;
    if place == Place::OwnSchema && !has_schema(&mut session, place.schema()).await? {
        let sql = format!("CREATE SCHEMA {}", quote_identifier(place.schema()));
        session.execute(AssertSqlSafe(sql)).await.map_err(database("making the ledger's schema"))?;
    }
    let pool = target.single_session_pool(place.schema());
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = migrate(&LedgerMigrator { place: place.clone() }, &connection).await;
    pool.close().await;
    session.close().await.ok();
    migrated
        .map_err(|error| LedgerError::Database { doing: "making the ledger", source: db_error(&error) })?;
    Ok(place)
}

async fn has_schema(session: &mut sqlx::PgConnection, schema: &str) -> Result<bool, LedgerError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(session)
        .await
        .map_err(database("looking for the ledger's schema"))
}

/// Nothing is sent but questions when nothing is pending: a role that may not create tables can go on using a ledger.
async fn migrate(migrator: &LedgerMigrator, connection: &sea_orm::DatabaseConnection) -> Result<(), DbErr> {
    if migrator.get_pending_migrations_read_only(connection).await?.is_empty() {
        return Ok(());
    }
    migrator.up(connection, None).await
}

struct LedgerMigrator {
    place: Place,
}

#[async_trait]
impl MigratorTraitSelf for LedgerMigrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let prefix = self.place.prefix();
        let migration = |(name, sql): &(&'static str, &'static str)| -> Box<dyn MigrationTrait> {
            Box::new(LedgerMigration { name, sql: sql.replace("{prefix}", prefix) })
        };
        MIGRATIONS.iter().map(migration).collect()
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new(format!("{}seaql_migrations", self.place.prefix())).into_iden()
    }
}

struct LedgerMigration {
    name: &'static str,
    sql: String,
}

impl MigrationName for LedgerMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for LedgerMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&self.sql).await.map(|_| ())
    }
}
