//! A database of its own for each test, on the server named by `MTM_TEST_SERVER`.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// A new, empty database; dropped when the test ends.
pub struct TestDatabase {
    /// Its name.
    pub name: String,
    /// Its URL, as `--target` takes it.
    pub url: String,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The server's URL, without a database's name: `postgresql://postgres@localhost/?host=/socket/dir`.
pub fn server_url() -> String {
    std::env::var("MTM_TEST_SERVER").expect("MTM_TEST_SERVER is not set: run the tests with script/test")
}

/// The server's URL with this database in it.
pub fn url_of(database: &str) -> String {
    let server = server_url();
    let (head, query) = server.split_once('?').map_or((server.as_str(), None), |(h, q)| (h, Some(q)));
    let head = head.trim_end_matches('/');
    query.map_or_else(|| format!("{head}/{database}"), |query| format!("{head}/{database}?{query}"))
}

impl TestDatabase {
    /// Makes it.
    pub async fn new() -> TestDatabase {
        TestDatabase::from_template("template1").await
    }

    /// A copy of another one, as it is now.
    pub async fn copy_of(other: &TestDatabase) -> TestDatabase {
        TestDatabase::from_template(&other.name).await
    }

    async fn from_template(template: &str) -> TestDatabase {
        let name = format!("mtm_test_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut connection =
            PgConnection::connect(&url_of("postgres")).await.expect("the test server answers");
        connection
            .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
            .await
            .expect("drop");
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}")))
            .await
            .expect("create");
        let url = url_of(&name);
        TestDatabase { name, url }
    }

    /// A database of a server that goes with the test, and takes it along.
    pub fn of(url: String) -> TestDatabase {
        TestDatabase { name: String::new(), url }
    }

    /// Runs SQL in it.
    pub async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url).await.expect("connect");
        connection
            .execute(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The one value of a query, as text.
    pub async fn value(&self, sql: &str) -> Option<String> {
        let mut connection = PgConnection::connect(&self.url).await.expect("connect");
        sqlx::query_scalar::<_, Option<String>>(AssertSqlSafe(format!("SELECT ({sql})::text")))
            .fetch_one(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        if name.is_empty() {
            return;
        }
        // A thread of its own: the test's runtime may be the one that is dropping.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&url_of("postgres")).await {
                    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    connection.execute(AssertSqlSafe(sql)).await.ok();
                }
            });
        });
        dropped.join().ok();
    }
}

/// A SQLite file made from SQL text, in a folder that goes with the test.
pub fn sqlite_file(directory: &Path, name: &str, sql: &str) -> PathBuf {
    let path = directory.join(name);
    let connection = rusqlite::Connection::open(&path).expect("open");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    path
}
