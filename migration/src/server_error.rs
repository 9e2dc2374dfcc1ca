//! What a PostgreSQL server said, fit to be shown.
//!
//! The driver's own text of an error ends in a line number of the server's C source, and the server's `DETAIL` quotes
//! cells. [`ServerError`] keeps the parts apart, and shows only what may be shown.

use std::fmt;

use sqlx::postgres::PgDatabaseError;

/// An error of the server, or of the connection to it, taken apart.
///
/// The fields are those of the manual, "Error and Notice Message Fields". Its text is the message without cell values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The SQLSTATE code; empty when the error did not come from the server.
    pub code: String,
    /// The primary message. It may quote a value: show the error itself instead.
    pub message: String,
    /// The server's `DETAIL`. It may quote rows: not for showing.
    pub detail: Option<String>,
    /// The server's `HINT`.
    pub hint: Option<String>,
    /// The table that the error is about.
    pub table: Option<String>,
    /// The column that the error is about.
    pub column: Option<String>,
    /// The constraint that was violated.
    pub constraint: Option<String>,
}

impl ServerError {
    /// An error without a server behind it: a lost connection, an answer that could not be read.
    fn of_connection(message: String) -> ServerError {
        ServerError {
            code: String::new(),
            message,
            detail: None,
            hint: None,
            table: None,
            column: None,
            constraint: None,
        }
    }

    /// The message without the value that data exceptions (SQLSTATE class 22) put behind a colon.
    fn shown_message(&self) -> &str {
        if !self.code.starts_with("22") {
            return &self.message;
        }
        self.message.find(": \"").map_or(self.message.as_str(), |end| &self.message[..end])
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.shown_message())?;
        if !self.code.is_empty() {
            write!(formatter, " (SQLSTATE {})", self.code)?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "; the server's hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServerError {}

impl From<sqlx::Error> for ServerError {
    fn from(error: sqlx::Error) -> ServerError {
        server_error(&error)
    }
}

/// Takes the driver's error apart.
pub fn server_error(error: &sqlx::Error) -> ServerError {
    match error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_database(error),
            None => ServerError::of_connection(database.message().to_owned()),
        },
        sqlx::Error::Io(error) => {
            ServerError::of_connection(format!("the connection to the server was lost ({error})"))
        }
        sqlx::Error::PoolTimedOut => {
            ServerError::of_connection("no connection to the server came free in time".to_owned())
        }
        other => ServerError::of_connection(other.to_string()),
    }
}

fn of_database(error: &PgDatabaseError) -> ServerError {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    ServerError {
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        table: owned(error.table()),
        column: owned(error.column()),
        constraint: owned(error.constraint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let error = ServerError {
            code: "22P02".to_owned(),
            detail: Some("Key (id)=(secret) already exists.".to_owned()),
            ..ServerError::of_connection("invalid input syntax for type integer: \"secret\"".to_owned())
        };
        assert_eq!(error.to_string(), "invalid input syntax for type integer (SQLSTATE 22P02)");
    }

    #[test]
    fn names_are_shown_with_the_hint() {
        let error = ServerError {
            code: "42P01".to_owned(),
            hint: Some("Look again.".to_owned()),
            ..ServerError::of_connection("relation \"x\" does not exist".to_owned())
        };
        let expected = "relation \"x\" does not exist (SQLSTATE 42P01); the server's hint: Look again.";
        assert_eq!(error.to_string(), expected);
    }
}
