//! Connection, lock, ledger and versions against a real server.
//!
//! The server listens on 127.0.0.1 too, where it asks for SCRAM passwords.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

use migration::{
    ConnectError, Ledger, LedgerError, Lock, LockError, Step, Target, TargetOptions, Version, command,
    connect,
    ledger::{ChunkCounts, ChunkRange, NewRun, Outcome, Place, RecordedReject, RefusedBy, Reject},
    migrator::{self, MigrateError, Migrator, State, UpTo},
    version::Section,
};
use sqlx::{Connection, Executor};

use crate::support::{TestDatabase, url_of};

const FIRST: &str = "m20260101_000000_tracks";
const SECOND: &str = "m20260201_000000_plays";

fn options(url: &str) -> TargetOptions {
    TargetOptions { url: Some(url.to_owned()), ..TargetOptions::default() }
}

async fn target_of(database: &TestDatabase) -> Target {
    connect(&options(&database.url)).await.expect("connect")
}

/// The same database as another role.
fn as_role(url: &str, role: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}user={role}")
}

fn steps(sql: &[&str]) -> Vec<Step> {
    sql.iter().map(|sql| Step::new(sql)).collect()
}

fn concurrent(sql: &str) -> Step {
    Step { concurrent: true, ..Step::new(sql) }
}

fn first() -> Version {
    Version {
        name: FIRST.to_owned(),
        pre_data: steps(&["CREATE TABLE tracks (id text, name text)"]),
        post_data: steps(&[
            "CREATE INDEX tracks_name ON tracks (name)",
            "ALTER TABLE tracks ADD PRIMARY KEY (id)",
        ]),
        down: steps(&["DROP TABLE tracks"]),
    }
}

fn second() -> Version {
    Version {
        name: SECOND.to_owned(),
        pre_data: steps(&["CREATE TABLE plays (track_id text)"]),
        post_data: steps(&["ALTER TABLE plays ADD FOREIGN KEY (track_id) REFERENCES tracks (id)"]),
        down: steps(&["DROP TABLE plays"]),
    }
}

async fn states(target: &Target, versions: &[Version]) -> Vec<(String, String)> {
    let found = migrator::status(target, versions).await.expect("status");
    found.into_iter().map(|version| (version.name.clone(), version.to_string())).collect()
}

fn is(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[tokio::test]
async fn versions_go_up_and_down() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let versions = [first(), second()];
    assert_eq!(states(&target, &versions).await, [is(FIRST, "pending"), is(SECOND, "pending")]);
    let untouched = "SELECT count(*) FROM pg_class WHERE relname IN ('seaql_migrations', 'run')";
    assert_eq!(database.value(untouched).await.as_deref(), Some("0"), "status writes nothing");

    let ledger = Ledger::install(&target).await.unwrap();
    assert_eq!(*ledger.place(), Place::OwnSchema);
    let applied = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    assert_eq!(applied.len(), 4);
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied"), is(SECOND, "applied")]);
    assert!(migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap().is_empty());
    let recorded = ledger.versions().await.unwrap();
    assert_eq!(recorded[0].version, first());
    assert_eq!(recorded[0].checksum, first().checksum());

    assert_eq!(migrator::down(&target, &ledger, &versions, 1, &[]).await.unwrap(), [SECOND]);
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied"), is(SECOND, "pending")]);
    let applied = migrator::up(&target, &ledger, &versions, UpTo::Versions(1), &[]).await.unwrap();
    assert_eq!(applied, [SECOND.to_owned(), format!("{SECOND}__post")]);
    assert_eq!(migrator::down(&target, &ledger, &versions, 9, &[]).await.unwrap(), [SECOND, FIRST]);
    assert_eq!(database.value("to_regclass('tracks')").await, None);
    assert_eq!(database.value("SELECT count(*) FROM seaql_migrations").await.as_deref(), Some("0"));
    assert!(ledger.versions().await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_are_copied_between_the_two_halves() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let versions = [first()];
    let applied = migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap();
    assert_eq!(applied, [FIRST]);
    assert_eq!(states(&target, &versions).await, [is(FIRST, "pre-data applied, post-data 0 of 2")]);
    assert!(migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap().is_empty());
    let applied = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    assert_eq!(applied, [format!("{FIRST}__post")]);

    // Half a version can be taken back too.
    migrator::down(&target, &ledger, &versions, 1, &[]).await.unwrap();
    migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap();
    assert_eq!(migrator::down(&target, &ledger, &versions, 1, &[]).await.unwrap(), [FIRST]);
    assert_eq!(states(&target, &versions).await, [is(FIRST, "pending")]);
}

#[tokio::test]
async fn a_version_gone_from_the_folder_is_known_and_can_be_taken_back() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    let applied = is(FIRST, "applied, not in the folder (the ledger has its SQL)");
    assert_eq!(states(&target, &[second()]).await, [applied, is(SECOND, "pending")]);
    migrator::up(&target, &ledger, &[second()], UpTo::All, &[]).await.unwrap();
    assert_eq!(migrator::down(&target, &ledger, &[], 2, &[]).await.unwrap(), [SECOND, FIRST]);
    assert_eq!(database.value("to_regclass('tracks')").await, None);
}

#[tokio::test]
async fn a_migration_of_somebody_else_stays() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    database
        .execute("CREATE TABLE seaql_migrations (version varchar PRIMARY KEY, applied_at bigint NOT NULL)")
        .await;
    database.execute("INSERT INTO seaql_migrations VALUES ('m20250101_000000_theirs', 0)").await;
    let applied = migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    assert_eq!(applied.len(), 2);
    let found = migrator::status(&target, &[first()]).await.unwrap();
    assert_eq!((found[0].state, found[0].in_folder), (State::Applied, false));
    assert_eq!(found[0].to_string(), "applied, not in the folder (something else made it)");
    let error = migrator::down(&target, &ledger, &[first()], 2, &[]).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::NoWayBack { name, .. } if name == "m20250101_000000_theirs"),
        "{error}"
    );
    assert_eq!(database.value("SELECT count(*) FROM seaql_migrations").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn an_edited_version_is_refused() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    let mut edited = first();
    edited.pre_data = steps(&["CREATE TABLE tracks (id text, name text, more text)"]);
    assert_eq!(states(&target, std::slice::from_ref(&edited)).await, [is(FIRST, "applied, edited since")]);
    let versions = [edited, second()];
    for error in [
        migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap_err(),
        migrator::down(&target, &ledger, &versions, 1, &[]).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains(FIRST), "{error}");
        assert!(matches!(&error, MigrateError::Edited { names } if names == &[FIRST]), "{error}");
    }
    // A comment or a timeout is no edit.
    let mut same = first();
    same.pre_data = vec![Step {
        lock_timeout: Some(Duration::from_secs(9)),
        ..Step::new("-- why\nCREATE TABLE tracks\n  (id text, name text);")
    }];
    migrator::up(&target, &ledger, &[same, second()], UpTo::All, &[]).await.unwrap();
}

#[tokio::test]
async fn rows_are_not_deleted_unless_allowed() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    database.execute("INSERT INTO tracks VALUES ('1', 'one')").await;
    let error = migrator::down(&target, &ledger, &[first()], 1, &[]).await.unwrap_err();
    assert!(error.is_refusal());
    let text = error.to_string();
    assert!(
        text.contains("--allow deletes-data") && text.contains("tracks") && text.contains("MTM_ALLOW"),
        "{text}"
    );
    assert_eq!(states(&target, &[first()]).await, [is(FIRST, "applied")], "nothing is half taken back");

    let allow = ["deletes-data".to_owned()];
    assert_eq!(migrator::down(&target, &ledger, &[first()], 1, &allow).await.unwrap(), [FIRST]);
    assert_eq!(database.value("to_regclass('tracks')").await, None);
}

#[tokio::test]
async fn a_recorded_hazard_counts_only_where_rows_are() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let hazardous = Version {
        name: SECOND.to_owned(),
        pre_data: vec![Step {
            hazards: vec!["rewrites-table".to_owned()],
            ..Step::new("ALTER TABLE tracks ADD COLUMN added timestamptz DEFAULT clock_timestamp()")
        }],
        down: steps(&["ALTER TABLE tracks DROP COLUMN added"]),
        ..Version::default()
    };
    let versions = [first(), hazardous];
    migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    migrator::down(&target, &ledger, &versions, 1, &[]).await.unwrap();
    database.execute("INSERT INTO tracks VALUES ('1', 'one')").await;
    let error = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap_err();
    assert!(error.to_string().contains("--allow rewrites-table"), "{error}");
    let allow = ["rewrites-table".to_owned()];
    migrator::up(&target, &ledger, &versions, UpTo::All, &allow).await.unwrap();
    let error = migrator::down(&target, &ledger, &versions, 1, &allow).await.unwrap_err();
    assert!(
        error.to_string().contains("--allow deletes-data"),
        "DROP COLUMN deletes, though nobody said so: {error}"
    );
}

#[tokio::test]
async fn post_data_goes_on_where_it_failed() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let versions = [first()];
    migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap();
    database.execute("INSERT INTO tracks VALUES ('1', 'one'), ('1', 'again')").await;
    let error = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap_err();
    let MigrateError::Step { number: 2, section: Section::PostData, source, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(source.code, "23505");
    let shown = format!("{error} {source}");
    assert!(
        shown.contains(FIRST) && shown.contains("ADD PRIMARY KEY") && !shown.contains("again"),
        "{shown}"
    );
    assert_eq!(states(&target, &versions).await, [is(FIRST, "pre-data applied, post-data 1 of 2")]);

    database.execute("DELETE FROM tracks WHERE name = 'again'").await;
    migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied")]);
}

#[tokio::test]
async fn a_concurrent_index_that_was_cut_short_is_made_anew() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let version = Version {
        post_data: vec![concurrent(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS tracks_name ON tracks (name)",
        )],
        ..first()
    };
    let versions = [version];
    migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap();
    database.execute("INSERT INTO tracks VALUES ('1', 'one'), ('2', 'one')").await;
    let error = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap_err();
    assert!(matches!(error, MigrateError::Step { number: 1, .. }), "{error}");
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tracks_name'::regclass";
    assert_eq!(database.value(valid).await.as_deref(), Some("false"), "the server leaves an invalid index");

    database.execute("DELETE FROM tracks WHERE id = '2'").await;
    migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    assert_eq!(database.value(valid).await.as_deref(), Some("true"));
}

#[tokio::test]
async fn an_index_of_somebody_else_is_not_taken_for_ours() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let post_data = vec![concurrent("CREATE INDEX CONCURRENTLY IF NOT EXISTS tracks_name ON tracks (name)")];
    let versions = [Version { post_data, ..first() }];
    migrator::up(&target, &ledger, &versions, UpTo::BeforeLastPost, &[]).await.unwrap();
    database.execute("CREATE INDEX tracks_name ON tracks (id)").await;
    for _ in 0..2 {
        let error = migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap_err();
        assert!(
            matches!(&error, MigrateError::IndexInTheWay { index, .. } if index == "tracks_name"),
            "{error}"
        );
    }
    database.execute("DROP INDEX tracks_name").await;
    migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
}

#[tokio::test]
async fn timeouts_are_those_of_the_step() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let note = |number: u32, timeout: Option<u64>| Step {
        lock_timeout: timeout.map(Duration::from_secs),
        ..Step::new(&format!("INSERT INTO seen SELECT {number}, current_setting('lock_timeout')"))
    };
    let version = Version {
        pre_data: vec![
            Step::new("CREATE TABLE seen (number int, value text)"),
            note(1, Some(3)),
            note(2, None),
        ],
        post_data: vec![Step { concurrent: true, ..note(3, Some(4)) }, note(4, None)],
        ..first()
    };
    migrator::up(&target, &ledger, &[version], UpTo::All, &[]).await.unwrap();
    let seen = "SELECT string_agg(value, ' ' ORDER BY number) FROM seen";
    assert_eq!(database.value(seen).await.as_deref(), Some("3s 0 4s 0"));
}

#[tokio::test]
async fn versions_are_recorded_without_running() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let versions = [first(), second()];
    migrator::record_applied(&target, &ledger, &versions).await.unwrap();
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied"), is(SECOND, "applied")]);
    assert_eq!(database.value("to_regclass('tracks')").await, None);
}

#[tokio::test]
async fn sea_orms_own_calls_refuse_to_drop_everything() {
    use migrator::MigratorTraitSelf as _;
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let versions = [first(), second()];
    migrator::up(&target, &ledger, &versions, UpTo::All, &[]).await.unwrap();
    let connection = sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(target.pool.clone());
    let migrator = Migrator::new(&target, &ledger, &versions, &[]).await.unwrap();
    for refused in [
        migrator.fresh(&connection).await,
        migrator.refresh(&connection).await,
        migrator.reset(&connection).await,
    ] {
        assert!(refused.unwrap_err().to_string().contains("refused"));
    }
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied"), is(SECOND, "applied")]);
    // sea-orm counts migrations, of which a version has two.
    migrator.down(&connection, Some(2)).await.unwrap();
    assert_eq!(states(&target, &versions).await, [is(FIRST, "applied"), is(SECOND, "pending")]);
}

#[tokio::test]
async fn a_missing_or_strange_schema() {
    let database = TestDatabase::new().await;
    let schema = r#"my "odd\ schema"#;
    let options = TargetOptions { schema: schema.to_owned(), ..options(&database.url) };
    let target = connect(&options).await.unwrap();
    assert!(!target.schema_exists);
    let ledger = Ledger::install(&target).await.unwrap();
    let error = migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap_err();
    assert!(matches!(&error, MigrateError::NoSchema { schema: named } if named == schema), "{error}");

    target.create_schema().await.unwrap();
    assert!(connect(&options).await.unwrap().schema_exists);
    migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    let found = "SELECT schemaname FROM pg_tables WHERE tablename = 'tracks'";
    assert_eq!(database.value(found).await.as_deref(), Some(schema));
    let other = target_of(&database).await;
    assert_eq!(states(&other, &[first()]).await, [is(FIRST, "pending")], "schemas do not see one another");
}

#[tokio::test]
async fn the_lock_names_its_holder_and_ends_with_it() {
    let database = TestDatabase::new().await;
    let (one, other) = (target_of(&database).await, target_of(&database).await);
    let lock = Lock::try_acquire(&one).await.unwrap();
    let error = Lock::try_acquire(&other).await.unwrap_err();
    let LockError::Held { holder, .. } = &error else { panic!("{error}") };
    let pid = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
               (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.value(pid).await, Some(holder.pid.to_string()));
    assert_eq!((holder.application.as_str(), holder.client.as_deref()), ("mtm", Some("local socket")));
    assert!(holder.since.is_some() && error.to_string().contains(&holder.pid.to_string()), "{error}");

    // Another schema is another lock.
    let elsewhere = TargetOptions { schema: "elsewhere".to_owned(), ..options(&database.url) };
    Lock::try_acquire(&connect(&elsewhere).await.unwrap()).await.unwrap().release().await;
    drop(lock);
    let mut lock = Lock::wait(&other, Duration::from_secs(10)).await.expect("it ends with its session");
    lock.confirm().await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    database
        .execute(&format!(
            "{kill} AND database = (SELECT oid FROM pg_database WHERE datname = '{}')",
            database.name
        ))
        .await;
    assert!(matches!(lock.confirm().await, Err(LockError::Session { .. })));
}

#[tokio::test]
async fn two_at_once_apply_each_version_once() {
    let database = TestDatabase::new().await;
    let (one, other) = (target_of(&database).await, target_of(&database).await);
    let concurrently = Version {
        post_data: vec![concurrent("CREATE INDEX CONCURRENTLY tracks_name ON tracks (name)")],
        ..first()
    };
    let versions = [concurrently];
    let patience = Duration::from_secs(60);
    let (left, right) = tokio::join!(
        command::up(&one, &versions, UpTo::All, &[], patience),
        command::up(&other, &versions, UpTo::All, &[], patience),
    );
    assert_eq!(left.unwrap().len() + right.unwrap().len(), 2);
    let outcomes = "SELECT string_agg(outcome, ' ') FROM mtm.run";
    assert_eq!(database.value(outcomes).await.as_deref(), Some("done done"));

    let held = Lock::try_acquire(&one).await.unwrap();
    let refused = command::down(&other, &versions, 1, &[]).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    held.release().await;
}

#[tokio::test]
async fn a_role_that_may_not_create_schemas_keeps_its_ledger_in_the_target_schema() {
    let database = TestDatabase::new().await;
    let role = format!("{}_owner", database.name);
    database.execute(&format!("CREATE ROLE {role} LOGIN")).await;
    let target = connect(&options(&as_role(&database.url, &role))).await.unwrap();
    let error = Ledger::install(&target).await.unwrap_err();
    assert!(matches!(error, LedgerError::NoRoom { .. }), "{error}");

    database.execute(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}")).await;
    assert!(Ledger::find(&target).await.unwrap().is_none());
    let ledger = Ledger::install(&target).await.unwrap();
    assert_eq!(*ledger.place(), Place::TargetSchema { schema: "public".to_owned() });
    assert_eq!(ledger.place().table("run"), "\"public\".\"mtm_run\"");
    migrator::up(&target, &ledger, &[first()], UpTo::All, &[]).await.unwrap();
    assert_eq!(states(&target, &[first()]).await, [is(FIRST, "applied")]);
    assert_eq!(
        database.value("SELECT count(*) FROM public.mtm_seaql_migrations").await.as_deref(),
        Some("4")
    );

    // Another role, who could do better, finds the same one.
    let superuser = target_of(&database).await;
    assert_eq!(Ledger::install(&superuser).await.unwrap().place(), ledger.place());
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn chunks_are_copied_once() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    assert!(Ledger::find(&target).await.unwrap().is_some());
    let ranges = [ChunkRange { lower: None, upper: Some(10) }, ChunkRange { lower: Some(10), upper: None }];
    ledger.plan_chunks("tracks", "digest", &ranges).await.unwrap();
    ledger.plan_chunks("tracks", "digest", &[]).await.unwrap();
    let error = ledger.plan_chunks("tracks", "another", &ranges).await.unwrap_err();
    assert!(matches!(error, LedgerError::OtherSource { .. }), "{error}");
    let pending = ledger.pending_chunks("tracks").await.unwrap();
    assert_eq!(
        pending.iter().map(|chunk| (chunk.number, chunk.range)).collect::<Vec<_>>(),
        [(0, ranges[0]), (1, ranges[1])]
    );

    let mut transaction = target.pool.begin().await.unwrap();
    let error = ledger.claim_chunk(&mut transaction, "tracks", "another", 0).await.unwrap_err();
    assert!(matches!(error, LedgerError::NoSuchChunk { .. }), "{error}");
    assert!(ledger.claim_chunk(&mut transaction, "tracks", "digest", 0).await.unwrap());
    let (ledger_of_other, target_of_other) = (ledger.clone(), target.clone());
    let other = tokio::spawn(async move {
        let mut transaction = target_of_other.pool.begin().await.unwrap();
        ledger_of_other.claim_chunk(&mut transaction, "tracks", "digest", 0).await.unwrap()
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while !other.is_finished() && database.value(waiting).await.as_deref() == Some("0") {
        tokio::task::yield_now().await;
    }
    let counts = ChunkCounts { written: 9, nulled: 1, rejected: 0 };
    ledger.finish_chunk(&mut transaction, "tracks", 0, counts).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(!other.await.unwrap(), "the second waits, and finds nothing to do");

    let mut session = target.pool.acquire().await.unwrap();
    let error = ledger.finish_table(&mut session, "tracks", "Tracks", "digest").await.unwrap_err();
    assert!(matches!(error, LedgerError::Unfinished { pending: 1, .. }), "{error}");
    let error = ledger.finish_chunk(&mut session, "tracks", 0, counts).await.unwrap_err();
    assert!(matches!(error, LedgerError::NoSuchChunk { number: 0, .. }), "{error}");
    let rejects = [rejected(3, Some("v"), RefusedBy::Type), rejected(1, None, RefusedBy::Server)];
    ledger.record_rejects(&mut session, "tracks", "Tracks", 1, &rejects).await.unwrap();
    let counts = ChunkCounts { written: 5, nulled: 0, rejected: 2 };
    ledger.finish_chunk(&mut session, "tracks", 1, counts).await.unwrap();
    let started = ledger.started_tables().await.unwrap()["tracks"].clone();
    assert_eq!((started.rows_written, started.rows_rejected), (14, 2));
    let recorded = rejects_of(&ledger).await;
    assert_eq!(recorded.iter().map(|one| one.reject.row_number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((&recorded[1].reject, recorded[1].chunk), (&rejects[0], 1));
    assert_eq!((&*recorded[0].source_table, &*recorded[0].source_digest), ("Tracks", "digest"));
    let copied = ledger.finish_table(&mut session, "tracks", "Tracks", "digest").await.unwrap();
    assert_eq!((copied.rows_written, copied.rows_nulled, copied.rows_rejected), (14, 1, 2));
    assert_eq!(ledger.copied_tables().await.unwrap(), [copied]);
    ledger.forget_table(&mut session, "tracks").await.unwrap();
    assert!(ledger.copied_tables().await.unwrap().is_empty());
    assert!(rejects_of(&ledger).await.is_empty());
    ledger.plan_chunks("tracks", "another", &ranges).await.unwrap();
}

fn rejected(row_number: u64, column: Option<&str>, refused_by: RefusedBy) -> Reject {
    Reject {
        row_number,
        key: format!("rowid={row_number}"),
        column: column.map(str::to_owned),
        reason: "for a test".to_owned(),
        refused_by,
        // What jsonb would refuse, or bend.
        source_row: r#"{"a": "\u0000", "b": 1.0, "c": 9223372036854775807}"#.to_owned(),
    }
}

async fn rejects_of(ledger: &Ledger) -> Vec<RecordedReject> {
    let mut found = Vec::new();
    let each = |reject| {
        found.push(reject);
        Ok::<_, LedgerError>(())
    };
    ledger.for_each_reject(&["tracks".to_owned()], each).await.unwrap();
    found
}

#[tokio::test]
async fn ledger_of_before_the_rejects_is_read_and_brought_up_to_date() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    ledger.plan_chunks("tracks", "digest", &[ChunkRange::default()]).await.unwrap();
    // As the first version of the ledger had it.
    database
        .execute(
            "DROP TABLE mtm.reject; ALTER TABLE mtm.chunk DROP COLUMN rows_rejected; \
             ALTER TABLE mtm.copied DROP COLUMN rows_rejected; \
             DELETE FROM mtm.seaql_migrations WHERE version LIKE '%_rejects'; \
             UPDATE mtm.chunk SET rows_written = 7, rows_nulled = 0, finished_at = now(); \
             INSERT INTO mtm.copied SELECT 'public', 'tracks', 'Tracks', 'digest', 7, 0",
        )
        .await;
    let old = Ledger::find(&target).await.unwrap().unwrap();
    assert_eq!(old.copied_tables().await.unwrap()[0].rows_rejected, 0);
    assert_eq!(old.started_tables().await.unwrap()["tracks"].rows_written, 7);
    assert!(rejects_of(&old).await.is_empty());
    let new = Ledger::install(&target).await.unwrap();
    let rejects = [rejected(0, None, RefusedBy::Server)];
    let mut session = target.pool.acquire().await.unwrap();
    new.record_rejects(&mut session, "tracks", "Tracks", 0, &rejects).await.unwrap();
    assert_eq!(rejects_of(&new).await.len(), 1);
    assert_eq!(new.copied_tables().await.unwrap()[0].rows_written, 7);
}

#[tokio::test]
async fn run_ends_its_own_sessions_and_no_others() {
    let database = TestDatabase::new().await;
    let target = target_of(&database).await;
    let ledger = Ledger::install(&target).await.unwrap();
    let new = || NewRun { command: "apply".to_owned(), ..NewRun::default() };
    let (first, second) = (ledger.begin_run(&new()).await.unwrap(), ledger.begin_run(&new()).await.unwrap());
    let mut of_first = target.session().await.unwrap();
    let mut of_second = target.session().await.unwrap();
    ledger.register_backend(first, &mut of_first).await.unwrap();
    ledger.register_backend(second, &mut of_second).await.unwrap();
    assert_eq!(ledger.end_own_sessions().await.unwrap(), 0, "a ledger of no run has no sessions");
    assert_eq!(ledger.clone().of_run(first).end_own_sessions().await.unwrap(), 1);
    assert!(of_first.ping().await.is_err());
    of_second.ping().await.expect("the other run's session lives on");
}

#[tokio::test]
async fn sessions_of_a_dead_run_are_ended() {
    let database = TestDatabase::new().await;
    let (dead, target) = (target_of(&database).await, target_of(&database).await);
    let ledger = Ledger::install(&dead).await.unwrap();
    ledger.plan_chunks("tracks", "digest", &[ChunkRange::default()]).await.unwrap();
    let run = ledger.begin_run(&NewRun { command: "apply".to_owned(), ..NewRun::default() }).await.unwrap();
    let mut orphan = dead.session().await.unwrap();
    ledger.register_backend(run, &mut orphan).await.unwrap();
    let mut copying = orphan.begin().await.unwrap();
    assert!(ledger.claim_chunk(&mut copying, "tracks", "digest", 0).await.unwrap());
    let mut bystander = dead.session().await.unwrap();

    let ledger = Ledger::install(&target).await.unwrap();
    let lock = Lock::try_acquire(&target).await.unwrap();
    assert_eq!(ledger.end_leftover_sessions(&lock).await.unwrap(), 1);
    assert_eq!(ledger.end_leftover_sessions(&lock).await.unwrap(), 0);
    let mut transaction = target.pool.begin().await.unwrap();
    assert!(ledger.claim_chunk(&mut transaction, "tracks", "digest", 0).await.unwrap());
    bystander.ping().await.expect("a session that no run recorded lives on");
    assert_eq!(database.value("SELECT outcome FROM mtm.run").await.as_deref(), Some("abandoned"));

    // A run that has ended is left alone.
    let run = ledger.begin_run(&NewRun::default()).await.unwrap();
    ledger.register_backend(run, &mut bystander).await.unwrap();
    ledger.finish_run(run, Outcome::Done).await.unwrap();
    assert_eq!(ledger.end_leftover_sessions(&lock).await.unwrap(), 0);
    bystander.ping().await.unwrap();
}

/// Where the server listens: `127.0.0.1` and its port.
async fn tcp_address(database: &TestDatabase) -> (String, String) {
    let addresses = database.value("SELECT current_setting('listen_addresses')").await.unwrap_or_default();
    let listens = ["*", "localhost", "127.0.0.1"].iter().any(|address| addresses.contains(address));
    assert!(
        listens,
        "the test server must listen on 127.0.0.1, with scram-sha-256 there; it has {addresses:?}"
    );
    ("127.0.0.1".to_owned(), database.value("SELECT current_setting('port')").await.unwrap())
}

#[tokio::test]
async fn passwords() {
    let database = TestDatabase::new().await;
    let (host, port) = tcp_address(&database).await;
    let role = format!("{}_login", database.name);
    database.execute("SET password_encryption = 'scram-sha-256'").await;
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'p@s$w/ö?d'")).await;
    let url = |password: &str| format!("postgresql://{role}:{password}@{host}:{port}/{}", database.name);
    let target = connect(&options(&url("p%40s%24w%2F%C3%B6%3Fd"))).await.unwrap();
    assert_eq!(target.display, format!("{role}@{host}:{port}/{}", database.name));
    assert!(target.server.version_num >= 120_000);

    for wrong in ["p%40s%24w%2F", ""] {
        let error = connect(&options(&url(wrong))).await.unwrap_err();
        assert!(matches!(error, ConnectError::WrongPassword { .. }), "{error:?}");
        assert!(error.to_string().contains(&role) && !format!("{error:?}").contains("p@s"), "{error:?}");
    }
    database.execute(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_keeps_a_connection_from_coming_about() {
    let database = TestDatabase::new().await;
    let error = connect(&options(&url_of("mtm_no_such_database"))).await.unwrap_err();
    assert!(matches!(&error, ConnectError::NoDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("mtm_no_such_database"));

    let error = connect(&options(&as_role(&database.url, "mtm_no_such_role"))).await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::RoleRefused { user, .. } if user == "mtm_no_such_role"),
        "{error:?}"
    );

    let role = format!("{}_guest", database.name);
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; REVOKE CONNECT ON DATABASE {} FROM PUBLIC",
            database.name
        ))
        .await;
    let error = connect(&options(&as_role(&database.url, &role))).await.unwrap_err();
    database.execute(&format!("DROP ROLE {role}")).await;
    assert!(matches!(&error, ConnectError::DatabaseRefused { .. }), "{error:?}");

    // A port that was free a moment ago, a socket that is none, a name that is none.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = [
        format!("postgresql://me:hunter2@127.0.0.1:{port}/d"),
        "postgresql://me:hunter2@localhost/d?host=/nonexistent".to_owned(),
        "postgresql://me:hunter2@no-such-host.invalid/d".to_owned(),
    ];
    for url in nowhere {
        let error = connect(&options(&url)).await.unwrap_err();
        assert!(matches!(error, ConnectError::NoServer { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgresql://me@127.0.0.1:{port}/d?connect_timeout=1");
    let error = connect(&options(&url)).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
}

/// Reads a startup packet: its length in four bytes, then the rest.
fn read_startup(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut body).unwrap();
    body
}

/// Does what a transaction pooler does: hands out a session that began with other options.
fn pooler(client: &mut TcpStream, server: &mut UnixStream) {
    let body = read_startup(client);
    let (protocol, parameters) = body.split_at(4);
    let words: Vec<&[u8]> = parameters.split(|byte| *byte == 0).collect();
    let mut packet = protocol.to_vec();
    for pair in words.chunks_exact(2).filter(|pair| !pair[0].is_empty() && pair[0] != b"options") {
        for word in pair {
            packet.extend_from_slice(word);
            packet.push(0);
        }
    }
    packet.push(0);
    server.write_all(&(packet.len() as u32 + 4).to_be_bytes()).unwrap();
    server.write_all(&packet).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let forth = std::thread::spawn(move || {
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(std::net::Shutdown::Both).ok();
    });
    std::io::copy(server, client).ok();
    forth.join().ok();
}

#[tokio::test]
async fn a_pooler_that_shares_sessions_is_refused() {
    let database = TestDatabase::new().await;
    let setting = "SELECT split_part(current_setting('unix_socket_directories'), ',', 1)";
    let port = database.value("SELECT current_setting('port')").await.unwrap();
    // The setting is a list of names, each of which may stand in quotes.
    let directory = database.value(setting).await.unwrap();
    let socket = format!("{}/.s.PGSQL.{port}", directory.trim_matches('"'));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        pooler(&mut client, &mut UnixStream::connect(socket).unwrap());
    });
    let url = format!("postgresql://postgres@127.0.0.1:{port}/{}?sslmode=disable", database.name);
    let error = connect(&options(&url)).await.unwrap_err();
    assert!(matches!(error, ConnectError::TransactionPooler { .. }), "{error:?}");
    assert!(error.to_string().contains("DATABASE_UNPOOLED_URL"));
    shared.join().unwrap();
}

#[tokio::test]
async fn a_pooler_that_takes_no_options_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // PgBouncer's answer: ErrorResponse, as the manual's "Message Formats" has it.
    let bouncer = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        read_startup(&mut client);
        let fields = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
        client.write_all(b"E").unwrap();
        client.write_all(&(fields.len() as u32 + 4).to_be_bytes()).unwrap();
        client.write_all(fields).unwrap();
    });
    let url = format!("postgresql://me@127.0.0.1:{port}/d?sslmode=disable");
    let error = connect(&options(&url)).await.unwrap_err();
    assert!(matches!(error, ConnectError::TransactionPooler { .. }), "{error:?}");
    bouncer.join().unwrap();
}

#[tokio::test]
async fn sessions_have_the_settings_that_were_asked_for() {
    let database = TestDatabase::new().await;
    database
        .execute(&format!(
            "ALTER DATABASE {} SET search_path = pg_catalog; ALTER DATABASE {0} SET timezone = 'Asia/Tokyo'",
            database.name
        ))
        .await;
    let target = connect(&TargetOptions {
        lock_timeout: Some(Duration::from_millis(2500)),
        statement_timeout: Some(Duration::from_secs(60)),
        ..options(&database.url)
    })
    .await
    .unwrap();
    let settings = "SELECT concat_ws(' ', current_setting('search_path'), current_setting('timezone'), \
                    current_setting('lock_timeout'), current_setting('statement_timeout'), \
                    current_setting('application_name'), current_setting('client_min_messages'))";
    let (mut pooled, mut single) = (target.pool.acquire().await.unwrap(), target.session().await.unwrap());
    for session in [&mut *pooled, &mut single] {
        // What RESET goes back to is the same.
        session.execute("RESET ALL").await.unwrap();
        let found: String = sqlx::query_scalar(settings).fetch_one(&mut *session).await.unwrap();
        assert_eq!(found, "\"public\" UTC 2500ms 1min mtm warning");
    }
}
