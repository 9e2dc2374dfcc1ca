//! Exit codes and streams: a contract, since scripts depend on it.

use std::{
    io::Read,
    process::{Command, Stdio},
};

use crate::command::{Outcome, Way, Workplace, contains_all};

const SMALL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');";

#[test]
fn usage() {
    let place = Workplace::new();
    place.sqlite("source.db", SMALL);
    for (arguments, said) in [
        (
            &["plan", "--source", "source.db"][..],
            &["no target is given", "--target", "MTM_TARGET", "DATABASE_URL"][..],
        ),
        (&["apply", "--source", "source.db", "--yes"], &["no target is given"]),
        (&["verify", "--source", "source.db"], &["no target is given"]),
        (&["plan"], &["--source"]),
        (&["plan", "--source", "source.db", "--targt", "x"], &["--targt", "--target"]),
        (&["pln"], &["pln", "plan"]),
        (&["plan", "--source", "source.db", "--format", "xml"], &["xml", "json"]),
        (&["plan", "--source", "source.db", "--lock-timeout", "soon"], &["--lock-timeout"]),
        (&["init"], &["init"]),
        (&["apply", "--source", "source.db", "--jobs", "0"], &["--jobs"]),
        (&[], &["Usage"]),
    ] {
        place.mtm(arguments).fails(64, said);
    }
    for arguments in [&["--help"][..], &["plan", "--help"], &["--version"], &["migrate", "up", "--help"]] {
        place.mtm(arguments).succeeds().says(&["mtm"]);
    }
    // What is not built is not in the help.
    let help = place.mtm(&["--help"]).succeeds().stdout;
    for absent in ["init", "completions"] {
        assert!(!help.contains(&format!("  {absent}")), "{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_ask() {
    let way = Way::from_sql(SMALL).await;
    way.run("apply", &[]).ends_with(64).complains_of(&["no terminal", "--yes"]);
    assert_eq!(way.relations().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn target_from_the_environment() {
    let way = Way::from_sql(SMALL).await;
    let run = |verb: &str, variables: &[(&str, &str)], more: &[&str]| {
        let mut command = way.place.command(&[verb]);
        command.args(more).envs(variables.iter().copied());
        Outcome::of(&format!("{verb} with {variables:?}"), command.output().unwrap())
    };
    let url = way.target.url.as_str();
    let source = ("MTM_SOURCE", way.source.to_str().unwrap());
    let nowhere = "postgresql://nobody@127.0.0.1:1/none";
    run("plan", &[source, ("DATABASE_URL", url)], &["--exit-code"]).ends_with(2);
    run("plan", &[source, ("MTM_TARGET", url), ("DATABASE_URL", nowhere)], &["--exit-code"]).ends_with(2);
    run("plan", &[source, ("MTM_TARGET", nowhere)], &["--target", url, "--exit-code"]).ends_with(2);
    // Only `apply` and `migrate` need a real session at any price.
    run("plan", &[source, ("DATABASE_UNPOOLED_URL", nowhere), ("DATABASE_URL", url)], &["--exit-code"])
        .ends_with(2);
    run("apply", &[source, ("DATABASE_UNPOOLED_URL", url), ("DATABASE_URL", nowhere)], &["--yes"])
        .ends_with(0);
    run("verify", &[source, ("DATABASE_URL", url)], &[]).succeeds();
    run("plan", &[source, ("PGUSER", "me")], &[]).fails(64, &["no target is given"]);
    run("plan", &[source, ("MTM_TARGET", "")], &[]).fails(64, &["no target is given"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_pipe_ends_quietly() {
    let columns: Vec<String> = (0..300).map(|at| format!("column_with_a_long_name_{at} TEXT")).collect();
    let tables: String = (0..20).map(|at| format!("CREATE TABLE t{at} ({});", columns.join(", "))).collect();
    let place = Workplace::new();
    place.sqlite("source.db", &tables);
    for arguments in
        [["audit", "--format", "json"], ["audit", "--format", "text"], ["schema", "--format", "sql"]]
    {
        let mut child = place.command(&arguments).args(["--source", "source.db"]).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        Outcome::of(arguments[0], output).ends_with(0).complains_of(&[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocker_beats_differences() {
    let way = Way::from_sql(SMALL).await;
    way.place.write("mapping.yaml", "version: 1\ntables: {t: {columns: {v: integer}}}\n");
    let refused = way.run("plan", &["--mapping", "mapping.yaml", "--exit-code"]).ends_with(3);
    contains_all(&refused.stdout, &["t.v cannot be integer in 1 row: id=1", "on_invalid"]);
    let json = way.run("plan", &["--mapping", "mapping.yaml", "--format", "json"]).ends_with(3).json();
    assert_eq!(json["findings"][0]["severity"], "blocker");
    way.run("apply", &["--mapping", "mapping.yaml", "--yes"])
        .ends_with(3)
        .complains_of(&["t.v cannot be integer"]);
    assert_eq!(way.relations().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_the_same_each_time() {
    let way = Way::from_sql(
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a); CREATE TABLE a (id INTEGER PRIMARY KEY, v);
        CREATE TABLE c (x TEXT); CREATE INDEX i ON c (x); INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 1);",
    )
    .await;
    for more in [&["--format", "json"][..], &["--format", "text"], &["--format", "sql"]] {
        let first = way.run("plan", more).succeeds().stdout;
        assert_eq!(first, way.run("plan", more).succeeds().stdout);
        assert!(!first.contains('\u{1b}'), "colours off a terminal");
    }
    let coloured = way.run("plan", &["--color", "always"]).succeeds().stdout;
    assert!(coloured.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_of_what_was_never_applied() {
    let way = Way::from_sql(SMALL).await;
    way.run("verify", &[]).ends_with(2).says(&["t: the target has no such table"]);
    assert_eq!(way.relations().await, "0");
}

/// Under a terminal, which util-linux's `script` makes, apply asks.
#[tokio::test(flavor = "multi_thread")]
async fn asks_on_a_terminal() {
    let way = Way::from_sql(SMALL).await;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let line = format!(
        "{} apply --source {} --target {}",
        quoted(crate::command::MTM),
        quoted(way.source.to_str().unwrap()),
        quoted(&way.target.url)
    );
    let run = |answer: &str| {
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .current_dir(way.place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{answer}\n").as_bytes()).unwrap();
        Outcome::of(answer, child.wait_with_output().unwrap())
    };
    let no = run("n").ends_with(0);
    contains_all(&no.stdout, &["Carry out this plan? [y/N]", "Nothing was done"]);
    assert_eq!(way.relations().await, "0");
    run("y").ends_with(0);
    way.run("verify", &[]).succeeds();
}
