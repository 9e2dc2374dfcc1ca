//! The site's sessions with the database, and the one way to ask it something.

use std::time::Instant;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult, RuntimeErr,
    SqlxPostgresConnector, Statement, Value,
};

use super::{ServeError, fault::Fault, metrics};
use crate::target::Target;

/// A question to the database: a file of SQL, with what is known about how it is answered.
#[derive(Debug)]
pub struct Question {
    /// Its name in metrics: the page's, and its own.
    pub name: &'static str,
    /// The statement, with `$1`, `$2` for what is asked for.
    pub sql: &'static str,
    /// Something that could be asked for, as SQL literals in the order of the parameters.
    pub sample: &'static [&'static str],
    /// What it reads.
    pub reads: Reads,
}

/// What a question reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// What these indexes lead to; each of them is used.
    Indexes(&'static [&'static str]),
    /// A whole table, since the answer depends on every row of it, as this says.
    Whole(&'static str),
}

/// Names a question after its file, `pages/PAGE/NAME.sql`.
macro_rules! question {
    ($page:literal, $name:literal, $sample:expr, $reads:expr) => {
        $crate::dashboard::database::Question {
            name: concat!($page, ".", $name),
            sql: include_str!(concat!($name, ".sql")),
            sample: &$sample,
            reads: $reads,
        }
    };
}
pub(super) use question;

/// The database, by sessions that a pool keeps.
pub(super) struct Database {
    target: Target,
    orm: DatabaseConnection,
}

/// How the pool stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolState {
    /// Sessions that are open.
    pub(super) open: u32,
    /// Those of them that nobody needs.
    pub(super) idle: u32,
    /// As many as there may be.
    pub(super) max: u32,
}

impl Database {
    pub(super) fn new(target: Target) -> Database {
        let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(target.pool.clone());
        Database { target, orm }
    }

    /// sea-orm's connection, for entities.
    pub(super) fn orm(&self) -> &DatabaseConnection {
        &self.orm
    }

    /// The target, for the ledger.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn pool(&self) -> PoolState {
        let pool = &self.target.pool;
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        PoolState {
            open: pool.size(),
            idle: idle.min(pool.size()),
            max: pool.options().get_max_connections(),
        }
    }

    /// The rows that answer a question.
    pub(super) async fn rows<T: FromQueryResult>(
        &self,
        question: &Question,
        asked: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<T>, Fault> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, question.sql, asked);
        self.timed(question.name, T::find_by_statement(statement).all(&self.orm)).await
    }

    /// The one row that answers a question; a question that has none is answered by none.
    pub(super) async fn row<T: FromQueryResult>(
        &self,
        question: &Question,
        asked: impl IntoIterator<Item = Value>,
    ) -> Result<Option<T>, Fault> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, question.sql, asked);
        self.timed(question.name, T::find_by_statement(statement).one(&self.orm)).await
    }

    /// Waits for an answer, takes its time, and says what went wrong as a page can.
    pub(super) async fn timed<T>(
        &self,
        name: &'static str,
        answer: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        let answer = answer.await;
        metrics::query(name, begun.elapsed(), answer.is_ok());
        answer.map_err(|error| self.fault(error))
    }

    /// What an error of the driver means for whoever asked.
    pub(super) fn fault_of(&self, error: sqlx::Error) -> Fault {
        self.fault(DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }

    /// What a failed question means for whoever asked.
    pub(super) fn fault(&self, error: DbErr) -> Fault {
        let PoolState { open, idle, max } = self.pool();
        Fault::of_database(error, open >= max && idle == 0)
    }

    /// What the two tables hold, in a form that tells only whether it is the same as before. The server's counters follow a
    /// change within a second, and within ten where the one who made it has nothing more to do.
    pub(super) async fn state(&self) -> Result<String, Fault> {
        let statement = Statement::from_string(DbBackend::Postgres, include_str!("state.sql"));
        let row = self.timed("state", self.orm.query_one_raw(statement)).await?.ok_or(Fault::Internal)?;
        row.try_get_by_index(0).map_err(|error| self.fault(error))
    }

    /// Whether the target has the tables and columns that the pages show, of types that they can ask.
    pub(super) async fn check(&self) -> Result<(), ServeError> {
        let lacks: Option<String> = sqlx::query_scalar(include_str!("lacks.sql"))
            .bind(&self.target.schema)
            .fetch_one(&self.target.pool)
            .await
            .map_err(|error| ServeError::Ask(error.into()))?;
        match lacks {
            None => Ok(()),
            Some(lacks) => Err(ServeError::NotOurs {
                schema: self.target.schema.clone(),
                target: self.target.display.clone(),
                lacks,
            }),
        }
    }
}
