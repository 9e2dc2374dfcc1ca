//! Bad input: each is one clear error on stderr, with its exit code, what is wrong, where, and the way out.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

use crate::{
    command::{Outcome, Way, Workplace},
    support::{TestDatabase, url_of},
};

const SMALL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');";

/// Every command that reads a source says the same about a bad one.
#[track_caller]
fn source_is_refused(place: &Workplace, source: &str, said: &[&str]) {
    let somewhere = "postgresql://nobody@127.0.0.1:1/none";
    for verb in ["audit", "schema", "plan", "apply", "verify"] {
        let mut arguments = vec![verb, "--source", source];
        if matches!(verb, "plan" | "apply" | "verify") {
            arguments.extend(["--target", somewhere]);
        }
        place.mtm(&arguments).fails(1, said);
    }
}

#[test]
fn no_such_file() {
    let place = Workplace::new();
    source_is_refused(&place, "nowhere.db", &["nowhere.db: there is no such file", "--source"]);
    source_is_refused(&place, "no/folder/nowhere.db", &["there is no such file"]);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "SQLite has made a file");
}

#[test]
fn directory() {
    let place = Workplace::new();
    fs::create_dir(place.path().join("folder.db")).unwrap();
    source_is_refused(
        &place,
        "folder.db",
        &["folder.db is a directory", "--source takes the SQLite file inside it"],
    );
}

#[test]
fn no_sqlite_database() {
    let place = Workplace::new();
    place.write("empty.db", "");
    source_is_refused(&place, "empty.db", &["empty.db is empty (0 bytes)"]);
    place.write("notes.txt", "Dear diary,\ntoday I listened to nothing.\n");
    source_is_refused(&place, "notes.txt", &["notes.txt is not a SQLite database", "looks like text"]);
    place.write("archive.db", [0x1f, 0x8b, 8, 0, 1, 2, 3]);
    source_is_refused(&place, "archive.db", &["archive.db is not a SQLite database", "gunzip"]);
    // Bytes as an encrypted file has them: none more often than another.
    let mut state = 88_172_645_463_325_252_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(8192)
    .collect();
    place.write("secret.db", random);
    source_is_refused(&place, "secret.db", &["secret.db looks encrypted", "sqlcipher_export"]);
}

#[test]
fn truncated_file() {
    let place = Workplace::new();
    let file = place.sqlite("cut.db", "CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(100000));");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    source_is_refused(&place, "cut.db", &["cut.db is truncated", ".recover"]);
    fs::write(&file, &whole[..50]).unwrap();
    source_is_refused(&place, "cut.db", &["cut.db is truncated"]);
}

#[test]
fn damaged_file() {
    let place = Workplace::new();
    let rows = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); \
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, hex(zeroblob(100)) FROM n;";
    let file = place.sqlite("damaged.db", rows);
    let whole = fs::read(&file).unwrap();
    // A page of the table is no page any more.
    let mut bytes = whole.clone();
    bytes[4096 * 5..4096 * 6].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    // Only the scan meets it.
    for verb in ["audit", "schema"] {
        place
            .mtm(&[verb, "--source", "damaged.db"])
            .fails(1, &["damaged.db: table t", "malformed", ".recover"]);
    }
    // The schema's page.
    let mut bytes = whole;
    bytes[100..2000].fill(0x5a);
    fs::write(&file, &bytes).unwrap();
    source_is_refused(&place, "damaged.db", &["damaged.db"]);
}

#[test]
fn malformed_schema() {
    let place = Workplace::new();
    let file = place.sqlite("malformed.db", SMALL);
    let connection = rusqlite::Connection::open(file).unwrap();
    connection
        .execute_batch("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t (('")
        .unwrap();
    drop(connection);
    source_is_refused(
        &place,
        "malformed.db",
        &["malformed.db: SQLite cannot read the schema", "writable_schema"],
    );
}

#[test]
fn locked_by_a_writer() {
    let place = Workplace::new();
    let file = place.sqlite("locked.db", SMALL);
    let writer = rusqlite::Connection::open(file).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE; INSERT INTO t VALUES (2, 'b')").unwrap();
    let said = ["locked.db is locked by another program", "try again later"];
    place.mtm(&["audit", "--source", "locked.db"]).fails(1, &said);
    // Afterwards it is readable again, and nothing of ours is left.
    writer.execute_batch("ROLLBACK").unwrap();
    place.mtm(&["audit", "--source", "locked.db"]).succeeds().says(&["t: 1 row"]);
}

/// Root reads everything: where a file is root's, somebody else has to try.
fn as_somebody_else_than_root(command: &mut Command, file: &Path) {
    const NOBODY: u32 = 65534;
    if fs::metadata(file).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
}

#[test]
fn file_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new();
    let file = place.sqlite("mine.db", SMALL);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = place.command(&["audit", "--source", "mine.db"]);
    as_somebody_else_than_root(&mut command, &file);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("an unprivileged user cannot run {}: {error}", crate::command::MTM),
    };
    Outcome::of("audit", output).fails(1, &["mine.db: no permission to read it", "change the file's mode"]);
}

#[test]
fn folder_that_may_not_be_written_is_no_hindrance() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new();
    fs::create_dir(place.path().join("shared")).unwrap();
    let file = place.sqlite("shared/data.db", &format!("PRAGMA journal_mode = WAL; {SMALL}"));
    let writer = rusqlite::Connection::open(&file).unwrap();
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (2, 'in the WAL')").unwrap();
    let before = fs::read_dir(place.path().join("shared")).unwrap().count();
    for name in ["shared/data.db", "shared/data.db-wal", "shared/data.db-shm"] {
        fs::set_permissions(place.path().join(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(place.path().join("shared"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::create_dir(place.path().join("tmp")).unwrap();
    fs::set_permissions(place.path().join("tmp"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = place.command(&["audit", "--source", "shared/data.db"]);
    command.env("TMPDIR", place.path().join("tmp"));
    as_somebody_else_than_root(&mut command, &file);
    Outcome::of("audit", command.output().unwrap()).succeeds().says(&["t: 2 rows"]);
    fs::set_permissions(place.path().join("shared"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(fs::read_dir(place.path().join("shared")).unwrap().count(), before);
    assert_eq!(fs::read_dir(place.path().join("tmp")).unwrap().count(), 0, "the copy aside was left behind");
}

/// Writes a mapping, and gives what `mtm schema` says about it.
fn with_mapping(sql: &str, mapping: &str) -> (Workplace, Outcome) {
    let place = Workplace::new();
    place.sqlite("source.db", sql);
    place.write("mapping.yaml", mapping);
    let outcome = place.mtm(&["schema", "--source", "source.db", "--mapping", "mapping.yaml"]);
    (place, outcome)
}

#[test]
fn mistakes_in_a_mapping() {
    let head = "version: 1\ntables:\n  t:\n    columns:\n";
    for (what, mapping, said) in [
        (
            "a typo in a key",
            "version: 1\ntabels: {}\n".to_owned(),
            &["mapping.yaml:2:1", "tabels", "did you mean `tables`"][..],
        ),
        (
            "a typo in a column's key",
            format!("{head}      v: {{tipe: text}}\n"),
            &["mapping.yaml:5:", "tipe", "did you mean `type`"],
        ),
        (
            "an unknown type",
            format!("{head}      v: jsonbb\n"),
            &["mapping.yaml:5:10", "jsonbb", "did you mean `jsonb`"],
        ),
        (
            "a column that is not there",
            format!("{head}      vv: text\n"),
            &["mapping.yaml:5:7", "unknown column of table t `vv`", "did you mean `v`"],
        ),
        (
            "a table that is not there",
            "version: 1\ntables:\n  tt: {columns: {v: text}}\n".to_owned(),
            &["mapping.yaml:3:3", "unknown table `tt`", "did you mean `t`"],
        ),
        (
            "a duplicate key",
            format!("{head}      v: text\n      v: jsonb\n"),
            &["mapping.yaml:6:7", "duplicate", "v"],
        ),
        ("no YAML", "version: 1\ntables: [\n".to_owned(), &["mapping.yaml:"]),
        ("an empty file", String::new(), &["mapping.yaml", "version"]),
        ("another version", "version: 2\n".to_owned(), &["mapping.yaml:1:10", "version"]),
        (
            "two mistakes at once",
            format!("{head}      vv: text\n      w: text\n"),
            &["mapping.yaml:5:7", "mapping.yaml:6:7"],
        ),
        (
            "an index on a column that is not there",
            format!("{head}      v: text\n    indexes:\n      - {{name: i, columns: [x]}}\n"),
            &["mapping.yaml:7:", "unknown column of table t `x`"],
        ),
        (
            "a foreign key to a table that is not there",
            format!(
                "{head}      v: text\n    foreign_keys:\n      - {{columns: [v], references: {{table: u, columns: [x]}}}}\n"
            ),
            &["mapping.yaml:7:", "unknown table `u`"],
        ),
        (
            "a foreign key that cannot be",
            format!(
                "{head}      v: text\n    foreign_keys:\n      - {{columns: [v], references: {{table: t, columns: [id]}}}}\n"
            ),
            &["mapping.yaml:7:", "this foreign key cannot be"],
        ),
        (
            "from on a text",
            format!("{head}      v: {{type: text, from: epoch_ms}}\n"),
            &["mapping.yaml:5:", "`from` is for the types timestamptz and timestamp"],
        ),
    ] {
        let (_place, outcome) = with_mapping(SMALL, &mapping);
        assert_eq!(outcome.code, Some(1), "{what}: {outcome:?}");
        outcome.fails(1, said);
    }
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    place
        .mtm(&["schema", "--source", "source.db", "--mapping", "nowhere.yaml"])
        .fails(1, &["cannot read the mapping nowhere.yaml"]);
    fs::create_dir(place.path().join("folder.yaml")).unwrap();
    place
        .mtm(&["schema", "--source", "source.db", "--mapping", "folder.yaml"])
        .fails(1, &["cannot read the mapping folder.yaml"]);
    place.write("binary.yaml", [0xff, 0xfe, 0]);
    place.mtm(&["schema", "--source", "source.db", "--mapping", "binary.yaml"]).fails(1, &["binary.yaml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_in_a_mapping_that_the_server_refuses() {
    let way = Way::from_sql(SMALL).await;
    for (mapping, said) in [
        ("{v: {type: text, check: 'nothing > 0'}}}}", &["nothing"][..]),
        ("{v: {type: text, default: 'no_such_function()'}}}}", &["no_such_function"]),
        ("{v: {type: text, check: 'v > 0); DROP SCHEMA public; --'}}}}", &["t"]),
    ] {
        way.place.write("mapping.yaml", format!("version: 1\ntables: {{t: {{columns: {mapping}\n"));
        for (verb, more) in
            [("plan", &["--mapping", "mapping.yaml"][..]), ("apply", &["--yes", "--mapping", "mapping.yaml"])]
        {
            way.run(verb, more).fails(1, said);
        }
        assert_eq!(way.relations().await, "0", "{mapping}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_not_there() {
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    for verb in ["plan", "apply", "verify"] {
        let run = |target: &str, code, said: &[&str]| {
            place.mtm(&[verb, "--source", "source.db", "--target", target]).fails(code, said)
        };
        run(
            "postgresql://me:hunter2@127.0.0.1:1/music",
            1,
            &["there is no PostgreSQL server at", "127.0.0.1", "check the host and the port"],
        );
        run("postgresql://me@nowhere.invalid/music", 1, &["nowhere.invalid"]);
        run(
            "postgresql://me@localhost/music?host=/nowhere",
            1,
            &["there is no PostgreSQL server at", "/nowhere"],
        );
        run("mysql://me@localhost/music", 64, &["cannot be used", "postgresql://"]);
        run("local", 1, &["mtm local start"]);
        let failed =
            run("postgresql://me:hunter2@localhost:notaport/music", 64, &["cannot be used", "--target"]);
        assert!(!failed.stderr.contains("hunter2"), "{}", failed.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_that_cannot_be() {
    let way = Way::from_sql(SMALL).await;
    for schema in ["", "pg_catalog", "information_schema", "mtm", &"n".repeat(64)] {
        way.run("plan", &["--schema", schema])
            .fails(64, &["the schema's name", "cannot be used", "--schema"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_not_there() {
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    let target = url_of("mtm_test_that_nobody_made");
    place
        .mtm(&["plan", "--source", "source.db", "--target", &target])
        .fails(1, &["has no database \"mtm_test_that_nobody_made\"", "createdb"]);
}

/// A server that asks for passwords, in a folder of the test's.
pub struct Guarded {
    pub place: Workplace,
    port: u16,
    pub password: String,
}

impl Guarded {
    pub fn start() -> Guarded {
        let place = Workplace::new();
        place.sqlite("source.db", SMALL);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        place.mtm(&["local", "start", "--port", &port.to_string()]).ends_with(0);
        let status = place.mtm(&["local", "status"]).succeeds().stdout;
        let file = status.split("password in ").nth(1).unwrap_or_else(|| panic!("{status}")).trim();
        let password = fs::read_to_string(file).unwrap().trim().to_owned();
        Guarded { place, port, password }
    }

    pub fn url(&self, password: &str) -> String {
        format!("postgresql://postgres:{password}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.place.command(&["local", "stop"]).output().ok();
        for pointer in ["postgres.location", "socket.location"] {
            let path = self.place.path().join(".mtm").join(pointer);
            let elsewhere = fs::read_to_string(path).unwrap_or_default();
            if elsewhere.contains("/mtm-") {
                fs::remove_dir_all(elsewhere.trim_end()).ok();
            }
        }
    }
}

#[test]
fn wrong_password() {
    let guarded = Guarded::start();
    let said = ["refuses the password of the role \"postgres\"", "check the password in the URL"];
    for password in ["hunter2", "p%40ss%2Fword"] {
        for verb in ["plan", "apply", "verify"] {
            let target = guarded.url(password);
            let refused = guarded
                .place
                .mtm(&[verb, "--source", "source.db", "--target", &target, "-vv"])
                .ends_with(1)
                .complains_of(&said);
            assert!(
                !refused.stderr.contains("hunter2") && !refused.stderr.contains("ss/word"),
                "{}",
                refused.stderr
            );
            assert!(!refused.stderr.contains("p%40ss"), "{}", refused.stderr);
        }
    }
    // The right one is taken, and never shown.
    let target = guarded.url(&guarded.password);
    for arguments in [
        ["plan", "--format", "json", "-vv"],
        ["apply", "--yes", "--format=text", "-vv"],
        ["verify", "--format", "json", "-vv"],
    ] {
        let mut command = guarded.place.command(&arguments);
        command.args(["--source", "source.db"]).env("DATABASE_URL", &target);
        let done = Outcome::of(arguments[0], command.output().unwrap()).ends_with(0);
        assert!(!done.stdout.contains(&guarded.password) && !done.stderr.contains(&guarded.password));
    }
}

/// The test server's URL for another role.
fn url_as(role: &str, database: &str) -> String {
    let url = url_of(database);
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{role}@{host}")
}

/// A role of its own for a test; it goes with its database.
struct Role {
    name: String,
    database: TestDatabase,
}

impl Role {
    async fn new() -> Role {
        let database = TestDatabase::new().await;
        let name = format!("{}_role", database.name);
        database.execute(&format!("DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN")).await;
        Role { name, database }
    }

    async fn drop(self) {
        self.database.execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_without_the_right_to_create() {
    let role = Role::new().await;
    role.database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    let target = url_as(&role.name, &role.database.name);
    place.mtm(&["plan", "--source", "source.db", "--target", &target]).succeeds().says(&["+ table t"]);
    place.mtm(&["apply", "--yes", "--source", "source.db", "--target", &target]).ends_with(1).complains_of(
        &[
            "the role may create neither a schema",
            "nor tables in schema \"public\"",
            "GRANT CREATE, USAGE ON SCHEMA public",
        ],
    );
    let made = role.database.value("SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema)'").await;
    assert_eq!(made.as_deref(), Some("0"));
    // The twin: with the right it is done, by a role that has no other.
    role.database.execute(&format!("GRANT CREATE ON SCHEMA public TO {}", role.name)).await;
    for (arguments, code) in [(["apply", "--yes"], 0), (["verify", "-q"], 0), (["plan", "--exit-code"], 0)] {
        let mut command = place.command(&arguments);
        command.args(["--source", "source.db", "--target", &target]);
        Outcome::of(arguments[0], command.output().unwrap()).ends_with(code);
    }
    role.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn role_that_may_not_make_temporary_tables() {
    let role = Role::new().await;
    let sql = format!(
        "REVOKE TEMPORARY ON DATABASE {0} FROM PUBLIC; GRANT CREATE ON SCHEMA public TO {1}",
        role.database.name, role.name
    );
    role.database.execute(&sql).await;
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    let target = url_as(&role.name, &role.database.name);
    place
        .mtm(&["plan", "--source", "source.db", "--target", &target])
        .fails(1, &["permission denied", "temporary", "GRANT TEMPORARY ON DATABASE"]);
    role.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_in_the_way_in_the_target() {
    let way = Way::from_sql(&format!("{SMALL} CREATE INDEX i ON t (v);")).await;
    for (what, sql, undo, said) in [
        ("a view", "CREATE VIEW t AS SELECT 1", "DROP VIEW t", &["view named t"][..]),
        ("a sequence", "CREATE SEQUENCE t", "DROP SEQUENCE t", &["sequence named t"]),
        ("a type", "CREATE TYPE t AS (a int)", "DROP TYPE t", &["type", "t"]),
        ("an index's name", "CREATE TABLE i (a int)", "DROP TABLE i", &["named i"]),
        ("a key's name", "CREATE TABLE t_pkey (a int)", "DROP TABLE t_pkey", &["named t_pkey"]),
        ("a table of other columns", "CREATE TABLE t (id text, w int)", "DROP TABLE t", &["t.id"]),
    ] {
        way.target.execute(sql).await;
        let refused = way.run("apply", &["--yes"]);
        assert_eq!(refused.code, Some(3), "{what}: {refused:?}");
        refused.complains_of(said);
        way.target.execute(undo).await;
        assert_eq!(way.relations().await, "0", "{what}");
    }
    way.goes_through();
}
