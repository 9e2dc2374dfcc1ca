//! The crate's own command line against a real PostgreSQL (`MTM_TEST_SERVER`, as `script/test` sets it).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    path::Path,
    process::{Command, Output},
};

use migration::{Step, TargetOptions, Version, connect, version::save};
use sqlx::{AssertSqlSafe, Executor};

/// A schema of its own in the server's first database.
const SCHEMA: &str = "migration_cli_test";
const NAME: &str = "m20260101_000000_tracks";

fn run(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration"));
    command.args(arguments).env_clear().env("MTM_VERSIONS_DIR", folder).envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    (
        status.code(),
        String::from_utf8_lossy(&stdout).into_owned(),
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

#[tokio::test]
async fn status_up_and_down() {
    let url =
        std::env::var("MTM_TEST_SERVER").expect("MTM_TEST_SERVER is not set: run the tests with script/test");
    let options =
        TargetOptions { url: Some(url.clone()), schema: SCHEMA.to_owned(), ..TargetOptions::default() };
    let target = connect(&options).await.expect("connect");
    let execute =
        async |sql: &str| target.pool.execute(AssertSqlSafe(sql.to_owned())).await.expect("execute");
    execute(&format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")).await;
    let folder = tempfile::tempdir().unwrap();
    let version = Version {
        name: NAME.to_owned(),
        pre_data: vec![Step::new("CREATE TABLE tracks (id text)")],
        post_data: vec![Step::new("ALTER TABLE tracks ADD PRIMARY KEY (id)")],
        down: vec![Step::new("DROP TABLE tracks")],
    };
    save(folder.path(), &version).unwrap();
    let call = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut all = vec![("DATABASE_URL", url.as_str()), ("DATABASE_SCHEMA", SCHEMA)];
        all.extend(variables);
        run(arguments, folder.path(), &all)
    };

    let (code, _, stderr) = call(&["up"], &[]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("there is no schema"), "{stderr}");
    target.create_schema().await.unwrap();
    assert_eq!(call(&["status"], &[]).1, format!("{NAME}  pending\n"));
    let (code, stdout, stderr) = call(&["up"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(stdout, format!("applied {NAME}\napplied {NAME}__post\n"));
    assert_eq!(call(&[], &[]).1, "nothing is pending\n");
    assert_eq!(call(&["status"], &[]).1, format!("{NAME}  applied\n"));

    execute("INSERT INTO tracks VALUES ('1')").await;
    let (code, _, stderr) = call(&["down"], &[]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("MTM_ALLOW=deletes-data"), "{stderr}");
    let (code, _, stderr) = call(&["redo"], &[]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("MTM_ALLOW=deletes-data"), "{stderr}");
    let (code, stdout, _) = call(&["redo"], &[("MTM_ALLOW", "deletes-data")]);
    let redone = format!("took back {NAME}\napplied {NAME}\napplied {NAME}__post\n");
    assert_eq!((code, stdout), (Some(0), redone));

    let early = Version {
        name: "m20250101_000000_early".to_owned(),
        pre_data: vec![Step::new("CREATE TABLE early (id text)")],
        down: vec![Step::new("DROP TABLE early")],
        ..Version::default()
    };
    save(folder.path(), &early).unwrap();
    let (code, stdout, stderr) = call(&["up"], &[]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 2), "{stderr}");
    assert_eq!(stderr, format!("note: {} is pending, though {NAME} is applied\n", early.name));

    let (code, stdout, _) = call(&["down"], &[("MTM_ALLOW", "deletes-data")]);
    assert_eq!((code, stdout), (Some(0), format!("took back {NAME}\n")));
    for command in ["fresh", "refresh", "reset"] {
        let (code, _, stderr) = call(&[command], &[]);
        assert_eq!(code, Some(3), "{stderr}");
        assert!(stderr.contains("use down or redo"), "{stderr}");
    }
    let (_, stdout, _) = call(&["down"], &[]);
    assert_eq!(
        (stdout, call(&["redo"], &[]).1),
        (format!("took back {}\n", early.name), "nothing is applied\n".to_owned())
    );
    execute(&format!("DROP SCHEMA {SCHEMA} CASCADE")).await;
}

#[test]
fn what_is_wrong_with_the_call() {
    let folder = tempfile::tempdir().unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);
    let cases: &[Case<'_>] = &[
        (&["sideways"], &[], 64, "sideways"),
        (&["status"], &[], 64, "no target is given"),
        (&["status"], &[("DATABASE_URL", "mysql://me:hunter2@h/d")], 64, "DATABASE_URL"),
        (&["status", "-u", "postgresql://me:hunter2@127.0.0.1:1/d"], &[], 1, "no PostgreSQL server"),
        (&["up"], &[("MTM_WAIT", "long")], 64, "MTM_WAIT"),
        (&["--help"], &[], 0, ""),
    ];
    for (arguments, variables, expected, text) in cases {
        let (code, _, stderr) = run(arguments, folder.path(), variables);
        assert_eq!(code, Some(*expected), "{arguments:?}: {stderr}");
        assert!(stderr.contains(text) && !stderr.contains("hunter2"), "{arguments:?}: {stderr}");
    }
}
