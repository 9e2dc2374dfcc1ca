//! Runs versions through sea-orm-migration.
use crate::ServerError;
use sea_orm::{DbErr, RuntimeErr};
pub(crate) const POST_SUFFIX: &str = "__post";
pub(crate) fn db_error(error: &DbErr) -> ServerError {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => crate::server_error(error),
        other => ServerError::from(sqlx::Error::Protocol(other.to_string())),
    }
}
