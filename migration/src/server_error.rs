//! What a PostgreSQL server said, fit to be shown.
//!
//! The driver's own text of an error ends in a line number of the server's C source, and the server's `DETAIL` quotes
//! cells. [`ServerError`] keeps the parts apart, and shows only what may be shown.

mod data_exceptions;

use std::{fmt, ops::Deref};

use sqlx::postgres::PgDatabaseError;

/// What a value may stand behind, in whatever language the server speaks (`lc_messages`): a colon, a quotation mark, the
/// sign of bytes. Names of types and encodings are quoted too; better without them than with a value.
const BEFORE_VALUES: [&str; 22] = [
    ": ", " :", "：", "\"", "'", "`", "“", "”", "„", "‟", "‘", "’", "‚", "‛", "«", "»", "‹", "›", "「", "『",
    "0x", "〝",
];
/// With fewer words than this the beginning of a message says nothing: `value`, `la valeur`.
const TELLING_WORDS: usize = 3;

/// An error of the server, or of the connection to it, taken apart. Its text is the message without cell values.
///
/// It is one pointer in size, so that the errors that hold it stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError(Box<Parts>);

/// The fields of the manual's "Error and Notice Message Fields" that are of use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
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
    /// Whether the connection broke, without a word of the server.
    pub connection_lost: bool,
    /// Whether no session was to be had in time.
    pub no_session_free: bool,
}

impl Deref for ServerError {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl ServerError {
    /// An error without a server behind it: a lost connection, an answer that could not be read.
    pub(crate) fn of_connection(message: String) -> ServerError {
        ServerError(Box::new(Parts { message, ..Parts::default() }))
    }

    /// An error of a connection that broke, or that did not come about.
    pub(crate) fn of_lost_connection(message: String) -> ServerError {
        ServerError(Box::new(Parts { message, connection_lost: true, ..Parts::default() }))
    }

    /// Whether the session has come to its end with this error: the server ended it (SQLSTATE class 08, and of classes
    /// 25 and 57 the codes of a server or a session that goes), or the connection broke.
    pub fn is_connection_lost(&self) -> bool {
        self.connection_lost
            || self.code.starts_with("08")
            || matches!(&*self.code, "25P03" | "57P01" | "57P02" | "57P03" | "57P05")
    }

    /// Whether the server had no room for another session: SQLSTATE 53300, or nothing until it was too late.
    pub fn is_out_of_sessions(&self) -> bool {
        self.no_session_free || self.code == "53300"
    }

    /// The message; of data exceptions (SQLSTATE class 22) only what stands before a value, or where that says too little
    /// the condition's name.
    fn shown_message(&self) -> &str {
        if !self.code.starts_with("22") {
            return &self.message;
        }
        let Some(value) = BEFORE_VALUES.iter().filter_map(|mark| self.message.find(mark)).min() else {
            return &self.message;
        };
        let before = self.message[..value].trim_end();
        if before.split_whitespace().count() < TELLING_WORDS {
            data_exceptions::name(&self.code)
        } else {
            before
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_connection_lost() {
            formatter.write_str("the connection to the server was lost: ")?;
        }
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
        sqlx::Error::Io(error) => ServerError::of_lost_connection(error.to_string()),
        sqlx::Error::PoolTimedOut => ServerError(Box::new(Parts {
            message: "no connection to the server came free in time".to_owned(),
            no_session_free: true,
            ..Parts::default()
        })),
        other => ServerError::of_connection(other.to_string()),
    }
}

fn of_database(error: &PgDatabaseError) -> ServerError {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    ServerError(Box::new(Parts {
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        table: owned(error.table()),
        column: owned(error.column()),
        constraint: owned(error.constraint()),
        connection_lost: false,
        no_session_free: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str, detail: Option<&str>, hint: Option<&str>) -> String {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let parts = Parts {
            code: code.to_owned(),
            message: message.to_owned(),
            detail: owned(detail),
            hint: owned(hint),
            ..Parts::default()
        };
        ServerError(Box::new(parts)).to_string()
    }

    #[test]
    fn values_are_not_shown() {
        let detail = Some("Key (id)=(secret) already exists.");
        let shown = error("22P02", "invalid input syntax for type integer: \"secret\"", detail, None);
        assert_eq!(shown, "invalid input syntax for type integer (SQLSTATE 22P02)");
    }

    #[test]
    fn values_are_shown_in_no_form_and_no_language() {
        for (code, message, expected) in [
            // Within the sentence.
            (
                "22003",
                "value \"123456789012\" is out of range for type integer",
                "numeric value out of range",
            ),
            ("22P02", "\"7\" is not a valid binary digit", "invalid text representation"),
            ("22007", "invalid value \"secret\" for \"YYYY\"", "invalid datetime format"),
            // As bytes.
            (
                "22021",
                "invalid byte sequence for encoding \"UTF8\": 0x73 0x65",
                "invalid byte sequence for encoding",
            ),
            (
                "22P05",
                "character with byte sequence 0xc3 0xa9 in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                "character with byte sequence",
            ),
            // Behind a colon, without quotes.
            (
                "22023",
                "requested character too large for encoding: 1234567",
                "requested character too large for encoding",
            ),
            // In the quotes of other languages.
            (
                "22P02",
                "ungültige Eingabesyntax für Typ integer: »secret«",
                "ungültige Eingabesyntax für Typ integer",
            ),
            (
                "22003",
                "Wert »123« ist außerhalb des gültigen Bereichs für Typ integer",
                "numeric value out of range",
            ),
            (
                "22P02",
                "la syntaxe en entrée est invalide pour le type integer : « secret »",
                "la syntaxe en entrée est invalide pour le type integer",
            ),
            ("22003", "la valeur « 123 » est hors des limites du type integer", "numeric value out of range"),
            ("22P02", "neplatná vstupní syntaxe pro typ „secret“", "neplatná vstupní syntaxe pro typ"),
            ("22P02", "sintaxis de entrada no es válida ‘secret’", "sintaxis de entrada no es válida"),
            ("22P02", "\"integer\"型の入力構文が不正です: \"secret\"", "invalid text representation"),
            // What holds no value stays as it is.
            ("22012", "division by zero", "division by zero"),
            (
                "22001",
                "value too long for type character varying(3)",
                "value too long for type character varying(3)",
            ),
            ("22ZZZ", "'secret'", "data exception"),
        ] {
            assert_eq!(
                error(code, message, None, None),
                format!("{expected} (SQLSTATE {code})"),
                "{message}"
            );
        }
    }

    #[test]
    fn session_that_the_server_ends_is_a_lost_connection() {
        let shown = error("57P01", "terminating connection due to administrator command", None, None);
        let said = "the connection to the server was lost: terminating connection due to administrator command (SQLSTATE 57P01)";
        assert_eq!(shown, said);
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(
            server_error(&sqlx::Error::Io(broken)).to_string(),
            "the connection to the server was lost: broken pipe"
        );
    }

    #[test]
    fn names_are_shown_with_the_hint() {
        let shown = error("42P01", "relation \"x\" does not exist", None, Some("Look again."));
        assert_eq!(shown, "relation \"x\" does not exist (SQLSTATE 42P01); the server's hint: Look again.");
    }
}
