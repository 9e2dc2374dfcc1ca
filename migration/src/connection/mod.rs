//! The way to the target: a pool of sessions that are known to be real ones.
//!
//! In comes [`TargetOptions`]; out goes a [`Target`], or a [`ConnectError`] that says what to do. The URL is taken apart
//! here and nowhere else, and never shown: what people see is [`Target::display`].

mod address;
mod backend;
mod choice;
mod error;

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use self::{
    backend::Backend,
    choice::{TargetOptions, TargetSource, environment},
    error::ConnectError,
};
use crate::{ServerError, server_error, sql_text::quote_identifier};

/// What every session calls itself.
pub const APPLICATION_NAME: &str = "mtm";

/// A PostgreSQL database, and the schema in it that is to be filled.
#[derive(Clone)]
pub struct Target {
    /// Sessions, each with the target schema as its whole `search_path`.
    pub pool: PgPool,
    /// The target schema's name.
    pub schema: String,
    /// Whether the schema was there when the connection was made.
    pub schema_exists: bool,
    /// What the server is.
    pub server: Server,
    /// `user@host:port/database`, for people. No password.
    pub display: String,
    entry: Arc<Entry>,
}

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `server_version_num`: 150018 is 15.18.
    pub version_num: i32,
    /// `server_version`: `15.18 (Debian …)`.
    pub version: String,
}

/// How a further session is opened.
#[derive(Clone)]
struct Entry {
    options: PgConnectOptions,
    timeout: Duration,
    /// Host and port.
    server: String,
    user: String,
    database: String,
    nonce: String,
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Target")
            .field("display", &self.display)
            .field("schema", &self.schema)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Connects to the target.
///
/// Each session carries its settings as startup options, so that they are also what `RESET` goes back to, among them a
/// nonce that is read back: a pooler that shares sessions does not hand it on.
///
/// # Errors
/// [`ConnectError`], one variant a cause.
pub async fn connect(options: &TargetOptions) -> Result<Target, ConnectError> {
    check_schema(&options.schema)?;
    let source = options.resolve_url(environment)?;
    let address = address::address(&source, environment)?;
    let nonce = new_nonce();
    let plain = address.options;
    let user = plain.get_username().to_owned();
    let database = plain.get_database().unwrap_or(&user).to_owned();
    let host =
        plain.get_socket().map_or_else(|| plain.get_host().to_owned(), |path| path.display().to_string());
    let server = format!("{host}:{}", plain.get_port());
    let display = format!("{user}@{server}/{database}");
    let session_options = session_options(plain, options, &nonce);
    let entry = Entry { options: session_options, timeout: address.timeout, server, user, database, nonce };

    let mut first = entry.open().await?;
    let (server, schema_exists) = entry.ask(&mut first, &options.schema).await?;
    first.close().await.ok();

    let pool = entry.pool(options.max_connections);
    Ok(Target {
        pool,
        schema: options.schema.clone(),
        schema_exists,
        server,
        display,
        entry: Arc::new(entry),
    })
}

impl Target {
    /// Opens a session outside the pool, for what must not be shared or must outlive a transaction.
    ///
    /// # Errors
    /// As [`connect`].
    pub async fn session(&self) -> Result<PgConnection, ConnectError> {
        self.entry.open().await
    }

    /// How long to wait for an answer that takes the server no time.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.entry.timeout
    }

    /// A pool of one session whose unqualified names mean this schema: what sea-orm's migrations run on, since they
    /// set timeouts for the statements that follow.
    pub(crate) fn single_session_pool(&self, schema: &str) -> PgPool {
        let mut entry = (*self.entry).clone();
        entry.options = entry.options.options([("search_path", quote_identifier(schema))]);
        entry.pool(1)
    }

    /// The same database, and another schema in it.
    ///
    /// # Errors
    /// As [`connect`].
    pub async fn in_schema(&self, schema: &str) -> Result<Target, ConnectError> {
        check_schema(schema)?;
        let mut entry = (*self.entry).clone();
        entry.options = entry.options.options([("search_path", quote_identifier(schema))]);
        let mut session = entry.open().await?;
        let (server, schema_exists) = entry.ask(&mut session, schema).await?;
        session.close().await.ok();
        let pool = entry.pool(self.pool.options().get_max_connections());
        let (schema, display) = (schema.to_owned(), self.display.clone());
        Ok(Target { pool, schema, schema_exists, server, display, entry: Arc::new(entry) })
    }

    /// The same target, with a pool kept as these options say: how many sessions, for how long. Each is still known to be a
    /// real one, and has the settings of all, and these.
    #[must_use]
    pub fn with_pool(self, options: PgPoolOptions, settings: &[(&str, &str)]) -> Target {
        let mut entry = (*self.entry).clone();
        entry.options = entry.options.options(settings.iter().copied());
        Target { pool: entry.pool_as(options), entry: Arc::new(entry), ..self }
    }

    /// Creates the target schema if it is not there.
    ///
    /// # Errors
    /// What the server says, as when the role may not create schemas.
    pub async fn create_schema(&self) -> Result<(), ServerError> {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(&self.schema));
        self.pool.execute(AssertSqlSafe(sql)).await?;
        Ok(())
    }
}

impl Entry {
    async fn open(&self) -> Result<PgConnection, ConnectError> {
        let opened = tokio::time::timeout(self.timeout, PgConnection::connect_with(&self.options)).await;
        let mut connection = match opened {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(self.explain(error)),
            Err(_) => {
                return Err(ConnectError::TimedOut { server: self.server.clone(), waited: self.timeout });
            }
        };
        match read_nonce(&mut connection).await {
            Ok(Some(nonce)) if nonce == self.nonce => Ok(connection),
            Ok(_) => Err(ConnectError::TransactionPooler { server: self.server.clone() }),
            Err(error) => Err(self.question(error)),
        }
    }

    async fn ask(&self, connection: &mut PgConnection, schema: &str) -> Result<(Server, bool), ConnectError> {
        let (version_num, version, schema_exists) = sqlx::query_as(include_str!("server.sql"))
            .bind(schema)
            .fetch_one(connection)
            .await
            .map_err(|error| self.question(error))?;
        Ok((Server { version_num, version }, schema_exists))
    }

    /// Sessions are kept: none is closed for its age or for resting. One that no longer answers is waited for no longer than
    /// for a new one.
    fn pool(&self, max_connections: u32) -> PgPool {
        let options = PgPoolOptions::new()
            .max_connections(max_connections.max(1))
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(self.timeout);
        self.pool_as(options)
    }

    fn pool_as(&self, options: PgPoolOptions) -> PgPool {
        let nonce: Arc<str> = self.nonce.as_str().into();
        options
            .after_connect(move |connection, _| {
                let nonce = Arc::clone(&nonce);
                Box::pin(async move {
                    if read_nonce(connection).await?.as_deref() == Some(&*nonce) {
                        return Ok(());
                    }
                    Err(sqlx::Error::Protocol("a session does not answer with its own nonce".to_owned()))
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    fn question(&self, error: sqlx::Error) -> ConnectError {
        ConnectError::Question { server: self.server.clone(), source: error.into() }
    }

    /// What the TLS library has against a certificate, the driver reports as wrong data of the connection; that the file
    /// of `sslrootcert` is missing, as a missing file, which only a socket can be besides.
    fn is_about_certificates(&self, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::InvalidData => true,
            io::ErrorKind::NotFound => self.options.get_socket().is_none(),
            _ => false,
        }
    }

    /// Codes from the manual, appendix "PostgreSQL Error Codes".
    fn explain(&self, error: sqlx::Error) -> ConnectError {
        let (server, user, database) = (self.server.clone(), self.user.clone(), self.database.clone());
        match &error {
            sqlx::Error::Io(error) if self.is_about_certificates(error) => {
                return ConnectError::Tls { server, reason: error.to_string() };
            }
            sqlx::Error::Io(error) => return ConnectError::NoServer { server, reason: error.to_string() },
            sqlx::Error::Tls(error) => return ConnectError::Tls { server, reason: error.to_string() },
            sqlx::Error::Configuration(error) => {
                return ConnectError::BadUrl {
                    origin: "the connection's settings".into(),
                    reason: error.to_string(),
                };
            }
            _ => {}
        }
        let source = server_error(&error);
        match source.code.as_str() {
            "28P01" => ConnectError::WrongPassword { server, user },
            "28000" => ConnectError::RoleRefused { server, user, source },
            "3D000" => ConnectError::NoDatabase { server, database },
            "42501" => ConnectError::DatabaseRefused { server, database, user },
            // PgBouncer's answer to the options that a session needs.
            "08P01" if source.message.contains("unsupported startup parameter") => {
                ConnectError::TransactionPooler { server }
            }
            _ => ConnectError::Refused { server, source },
        }
    }
}

/// Whitespace other than a space would end a startup option early: the driver escapes spaces and backslashes only.
fn check_schema(schema: &str) -> Result<(), ConnectError> {
    let reason = if schema.is_empty() {
        "it is empty"
    } else if schema.chars().any(|letter| letter.is_control()) {
        "it holds a control character"
    } else if schema.len() > 63 {
        "PostgreSQL's names have at most 63 bytes"
    } else if schema.starts_with("pg_") || schema == "information_schema" {
        "PostgreSQL keeps it for itself"
    } else if schema == "mtm" {
        "the ledger has its place there"
    } else {
        return Ok(());
    };
    Err(ConnectError::BadSchema { schema: schema.to_owned(), reason })
}

/// The settings of a session by which a text is read as a value or a value written as one, and a name is found: what has to
/// be the same wherever a conversion is computed.
pub const TEXT_FORM_SETTINGS: [&str; 7] = [
    "search_path",
    "timezone",
    "datestyle",
    "intervalstyle",
    "extra_float_digits",
    "bytea_output",
    "standard_conforming_strings",
];

/// The settings of every session. The target schema alone is searched, so that an unqualified name can neither be found
/// nor created anywhere else; the rest makes text forms independent of the role's and the server's defaults.
///
/// [`TEXT_FORM_SETTINGS`] names those of them by which a text is read or written.
fn session_options(plain: PgConnectOptions, options: &TargetOptions, nonce: &str) -> PgConnectOptions {
    let mut settings = vec![
        ("search_path", quote_identifier(&options.schema)),
        ("client_min_messages", "warning".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("bytea_output", "hex".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
        ("quote_all_identifiers", "off".to_owned()),
        ("mtm.nonce", nonce.to_owned()),
    ];
    let timeouts = [("lock_timeout", options.lock_timeout), ("statement_timeout", options.statement_timeout)];
    for (name, timeout) in timeouts {
        settings.extend(timeout.map(|timeout| (name, timeout.as_millis().to_string())));
    }
    plain
        .application_name(APPLICATION_NAME)
        // The most that any server takes: a float's text then reads back as the same float.
        .extra_float_digits(3)
        .options(settings)
        // Slow statements would otherwise be logged with their SQL.
        .disable_statement_logging()
}

async fn read_nonce(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT current_setting('mtm.nonce', true)").fetch_one(connection).await
}

/// Different for each target of each process; it is no secret.
fn new_nonce() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    let seed = format!("{count} {now} {}", std::process::id());
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(seed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_that_cannot_be_searched_are_refused() {
        for schema in ["", "a\tb", "a\nb", "a\0b", "pg_catalog", "information_schema", "mtm", &"n".repeat(64)]
        {
            assert!(matches!(check_schema(schema), Err(ConnectError::BadSchema { .. })), "{schema:?}");
        }
        for schema in ["public", "My Schema", "with\"quote", "back\\slash", "ünï"] {
            assert!(check_schema(schema).is_ok(), "{schema:?}");
        }
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(new_nonce(), new_nonce());
    }
}
