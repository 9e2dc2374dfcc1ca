//! Databases on the running server: their URLs, and making them.

use std::fmt::Write;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{LocalError, Running, SUPERUSER};
use crate::schema::render::quoted;

impl Running {
    /// Gives a database's URL over the unix socket, as sqlx and libpq take it. It holds no password, since the socket
    /// needs none. An empty name gives a URL without a database.
    pub fn url(&self, database: &str) -> String {
        let socket = self.socket_directory.to_string_lossy();
        format!(
            // The port is named, lest a PGPORT of the environment go into the socket's name; so is sslmode, since sqlx
            // heeds a PGSSLMODE on a socket too, and a socket has no TLS.
            "postgresql://{SUPERUSER}@localhost:{}/{}?host={}&sslmode=disable",
            self.port,
            percent_encoded(database),
            percent_encoded(&socket),
        )
    }

    /// Makes a database unless it is there; says whether it made it.
    ///
    /// # Errors
    /// [`LocalError::Database`].
    pub async fn ensure_database(&self, name: &str) -> Result<bool, LocalError> {
        self.create_database(name).await.map_err(|source| LocalError::Database {
            database: name.to_owned(),
            log: self.log.clone(),
            source,
        })
    }

    async fn create_database(&self, name: &str) -> Result<bool, sqlx::Error> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)")
                .bind(name)
                .fetch_one(&mut connection)
                .await?;
        if !there {
            let sql = format!("CREATE DATABASE {}", quoted(name));
            connection.execute(AssertSqlSafe(sql)).await?;
        }
        connection.close().await?;
        Ok(!there)
    }
}

/// Encodes text for a part of a URL (RFC 3986, 2.3): what is not unreserved is escaped. The slash stays, for a socket's
/// path is to be read by people too.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::postgres::PgConnectOptions;

    use super::*;

    #[test]
    fn url_is_read_back_by_sqlx() {
        for (socket, database) in [
            ("/var/tmp/mtm-1/run", "mtm_demo"),
            ("/home/ada/my music & more/100%/é/.mtm/run", "Ünï \"quoted\" 50%?x=y"),
        ] {
            let running = Running {
                pid: 1,
                port: 6001,
                tcp: false,
                socket_directory: socket.into(),
                data: "/data".into(),
                log: "/log".into(),
                password_file: None,
            };
            let url = running.url(database);
            let options = PgConnectOptions::from_str(&url).unwrap();
            assert_eq!(options.get_socket().unwrap().to_str(), Some(socket), "{url}");
            assert_eq!(options.get_database(), Some(database), "{url}");
            assert_eq!((options.get_username(), options.get_port()), ("postgres", 6001), "{url}");
        }
    }
}
