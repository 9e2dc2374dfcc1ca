//! `schema: {name, moved_from}`: the tables go to another schema, with all that is known of them.

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way},
};

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);
    CREATE TABLE plays (id INTEGER PRIMARY KEY, track_id INTEGER REFERENCES tracks (id));
    INSERT INTO tracks VALUES (1, 'one'), (2, 'two'); INSERT INTO plays VALUES (1, 1), (2, 2);";

const BEFORE: &str = "version: 1\nversions_dir: versions\n";

const AFTER: &str = "version: 1\nversions_dir: versions\nschema: {name: music, moved_from: public}\n";

/// What is where: relations, foreign keys, the ledger's rows, the migrations.
const PLACES: &str = "SELECT string_agg(line, ' ' ORDER BY line) FROM (
    SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname IN ('public', 'music') AND relkind IN ('r', 'S')
    UNION ALL SELECT connamespace::regnamespace || '.' || conname FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text !~ 'mtm'
    UNION ALL SELECT 'copied:' || target_schema || '.' || table_name || ':' || rows_written FROM mtm.copied
    UNION ALL SELECT 'chunk:' || target_schema || '.' || table_name FROM mtm.chunk
    UNION ALL SELECT 'versions:' || target_schema || ':' || count(*) FROM mtm.version GROUP BY target_schema
    UNION ALL SELECT 'steps:' || target_schema FROM mtm.step GROUP BY target_schema) AS lines (line)";

/// The same for all tables in one schema.
fn all_in(schema: &str, more: &[&str]) -> String {
    let lines = [
        "chunk:S.plays",
        "chunk:S.tracks",
        "copied:S.plays:2",
        "copied:S.tracks:2",
        "S.plays",
        "S.plays_id_seq",
        "S.plays_track_id_fkey",
        "S.seaql_migrations",
        "S.tracks",
        "S.tracks_id_seq",
        "steps:S",
        "versions:S:1",
    ];
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| line.replace("S.", &format!("{schema}.")).replace(":S", &format!(":{schema}")))
        .collect();
    lines.extend(more.iter().map(|line| (*line).to_owned()));
    lines.sort();
    lines.join(" ")
}

/// The places, in the order of their bytes.
async fn places(way: &Way) -> String {
    let found = way.target.value(PLACES).await.unwrap_or_default();
    let mut lines: Vec<&str> = found.split(' ').collect();
    lines.sort_unstable();
    lines.join(" ")
}

fn run(way: &Way, verb: &str, yaml: &str, more: &[&str]) -> Outcome {
    way.place.write("types.yaml", yaml);
    way.run(verb, &[&["--mapping", "types.yaml"], more].concat())
}

fn migrate(way: &Way, arguments: &[&str]) -> Outcome {
    let ends = ["--mapping", "types.yaml", "--target", &way.target.url];
    way.place.mtm(&[&["migrate"], arguments, &ends].concat())
}

async fn loaded() -> Way {
    let way = Way::from_sql(SOURCE).await;
    run(&way, "apply", BEFORE, &["--yes"]).ends_with(0);
    assert_eq!(places(&way).await, all_in("public", &[]));
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_moved() {
    let way = loaded().await;
    way.target.execute("CREATE TABLE somebodys (a text)").await;
    let status = migrate(&way, &["status"]).succeeds().stdout;
    run(&way, "plan", AFTER, &["--exit-code"]).ends_with(2).says(&[
        "+ schema music",
        "~ table tracks: moves from schema public",
        "~ table plays: moves from schema public",
    ]);
    let sql = run(&way, "plan", AFTER, &["--format", "sql"]).succeeds().stdout;
    assert!(
        sql.contains(
            "BEGIN;\nCREATE SCHEMA \"music\";\nALTER TABLE \"public\".\"tracks\" SET SCHEMA \"music\";\n"
        ),
        "{sql}"
    );
    // Versions would make the tables anew.
    migrate(&way, &["up"]).fails(3, &["the tables are still in schema public", "`mtm apply` moves them"]);
    run(&way, "verify", AFTER, &[]).ends_with(3).complains_of(&["the tables are still in schema public"]);
    let before = migrate(&way, &["status"]).ends_with(0);
    assert_eq!(before.stdout, status);

    run(&way, "apply", AFTER, &["--yes"]).ends_with(0).complains_of(&["from schema public to music"]);
    assert_eq!(places(&way).await, all_in("music", &["public.somebodys"]));
    run(&way, "plan", AFTER, &["--exit-code"]).succeeds().says(&["Nothing to do"]);
    run(&way, "plan", AFTER, &["--drift", "--exit-code"]).ends_with(0);
    assert_eq!(migrate(&way, &["status"]).succeeds().stdout, status);
    migrate(&way, &["up"]).succeeds().says(&["Nothing to do"]);
    run(&way, "verify", AFTER, &[]).succeeds().says(&["Proven"]);
    // The short form says as much from then on, and the identity goes on where it was.
    run(&way, "plan", "version: 1\nversions_dir: versions\nschema: music\n", &["--exit-code"]).ends_with(0);
    way.target.execute("INSERT INTO music.tracks (name) VALUES ('three')").await;
    way.holds(&[("SELECT max(id) FROM music.tracks", "3")]).await;

    // And back again.
    let back = "version: 1\nversions_dir: versions\nschema: {name: public, moved_from: music}\n";
    run(&way, "apply", back, &["--yes"]).ends_with(0);
    run(&way, "plan", back, &["--exit-code"]).ends_with(0);
    migrate(&way, &["down", "--allow", "deletes-data"]).succeeds();
}

/// With another change in the same plan, and a saved plan.
#[tokio::test(flavor = "multi_thread")]
async fn moved_and_changed() {
    let way = loaded().await;
    let after = format!(
        "{AFTER}tables:\n  songs:\n    renamed_from: tracks\n    columns: {{name: {{type: varchar(40)}}}}\n    indexes: [{{name: by_name, \
         columns: [name]}}]\n"
    );
    run(&way, "apply", &after, &["--yes"]).ends_with(3);
    assert_eq!(places(&way).await, all_in("public", &[]), "refused, and yet moved");
    run(&way, "plan", &after, &["--out", "plan.json"]).ends_with(0).says(&[
        "table tracks: moves from schema public",
        "table songs: renamed from tracks",
        "index by_name on songs",
    ]);
    let arguments = ["apply", "plan.json", "--yes", "--allow", ALL_HAZARDS, "--target", &way.target.url];
    way.place.mtm(&arguments).ends_with(0);
    run(&way, "plan", &after, &["--exit-code"]).ends_with(0);
    run(&way, "verify", &after, &[]).succeeds();
    way.holds(&[
        ("SELECT count(*) FROM music.songs", "2"),
        ("SELECT count(*) FROM mtm.version WHERE target_schema = 'music'", "2"),
        ("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace", "0"),
    ])
    .await;
}

/// What is there already, what contradicts, what stays.
#[tokio::test(flavor = "multi_thread")]
async fn refused_and_left_alone() {
    let way = loaded().await;
    way.target.execute("CREATE SCHEMA music; CREATE VIEW music.tracks AS SELECT 1; CREATE TABLE music.plays_pkey (a text)").await;
    run(&way, "apply", AFTER, &["--yes"]).ends_with(3).complains_of(&[
        "schema music has a tracks already, where tables of schema public are to move",
        "schema music has a plays_pkey already",
    ]);
    assert!(places(&way).await.contains("public.tracks"));
    way.target.execute("DROP SCHEMA music CASCADE").await;
    run(&way, "plan", AFTER, &["--schema", "public"]).fails(64, &["--schema public contradicts the mapping"]);
    // A third schema is none of the mapping's.
    run(&way, "plan", AFTER, &["--schema", "preview"])
        .ends_with(0)
        .says(&["+ schema preview", "+ table tracks"]);

    // A table that the mapping does not want stays, with what is known of it.
    run(&way, "apply", AFTER, &["--yes", "--exclude", "plays"])
        .ends_with(0)
        .says(&["table plays stays in schema public"]);
    let found = places(&way).await;
    for line in
        ["music.tracks", "public.plays", "copied:music.tracks:2", "copied:public.plays:2", "versions:music:1"]
    {
        assert!(found.split(' ').any(|known| known == line), "no {line} in {found}");
    }
    run(&way, "plan", AFTER, &["--exit-code", "--exclude", "plays"]).ends_with(0);
    // The rest may follow.
    run(&way, "apply", AFTER, &["--yes"]).ends_with(0);
    run(&way, "verify", AFTER, &[]).succeeds();
}

/// A role that may not create schemas has its ledger beside the tables: it goes along.
#[tokio::test(flavor = "multi_thread")]
async fn ledger_beside_the_tables() {
    let way = Way::from_sql(SOURCE).await;
    let role = way.target.value("SELECT 'mover_' || substr(md5(current_database()), 1, 12)").await.unwrap();
    way.target
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; CREATE SCHEMA home AUTHORIZATION {role}; CREATE SCHEMA music AUTHORIZATION {role}; \
             REVOKE CREATE ON SCHEMA public FROM {role}"
        ))
        .await;
    let url = way.target.url.replace("postgres@", &format!("{role}@"));
    let run = |verb: &str, yaml: &str, more: &[&str]| {
        way.place.write("types.yaml", yaml);
        let ends =
            [verb, "--source", way.source.to_str().unwrap(), "--target", &url, "--mapping", "types.yaml"];
        way.place.mtm(&[&ends, more].concat())
    };
    run("apply", "version: 1\nschema: home\n", &["--yes"]).ends_with(0);
    let after = "version: 1\nschema: {name: music, moved_from: home}\n";
    run("apply", after, &["--yes"]).ends_with(0);
    run("plan", after, &["--exit-code"]).succeeds();
    run("verify", after, &[]).succeeds();
    way.holds(&[
        ("SELECT count(*) FROM pg_class WHERE relnamespace = 'home'::regnamespace", "0"),
        ("SELECT count(*) FROM music.mtm_copied WHERE target_schema = 'music'", "2"),
    ])
    .await;
    way.target.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// The types of their columns go with them.
#[tokio::test(flavor = "multi_thread")]
async fn enumerated_types_move_along() {
    let way = Way::from_sql(SOURCE).await;
    let with = |head: &str| {
        format!("{head}enums: {{word: [one, two]}}\ntables: {{tracks: {{columns: {{name: word}}}}}}\n")
    };
    run(&way, "apply", &with("version: 1\n"), &["--yes"]).ends_with(0);
    let moved = with("version: 1\nschema: {name: music, moved_from: public}\n");
    run(&way, "apply", &moved, &["--yes"]).ends_with(0);
    run(&way, "plan", &moved, &["--exit-code"]).ends_with(0);
    run(&way, "verify", &moved, &[]).ends_with(0);
    way.holds(&[("SELECT typnamespace::regnamespace FROM pg_type WHERE typname = 'word'", "music")]).await;
}

/// What a version has made for a while would not come along.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_done_version_stays_where_it_is() {
    let way = loaded().await;
    way.target.execute("DELETE FROM seaql_migrations WHERE version LIKE '%\\_\\_post'").await;
    run(&way, "apply", AFTER, &["--yes"])
        .ends_with(3)
        .complains_of(&["has begun in schema public and is not through"]);
    run(&way, "apply", BEFORE, &["--yes"]).ends_with(0);
    run(&way, "apply", AFTER, &["--yes"]).ends_with(0);
}
