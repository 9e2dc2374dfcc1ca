//! Declared renames beyond a single plan: the source renamed as well, the way back, versions that somebody else runs, runs that
//! end in between, mistakes.

use rusqlite::Connection;

use crate::{
    cases::{ALL_HAZARDS, same_schema_as_from_nothing},
    command::{Outcome, Way},
};

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT UNIQUE, ms INTEGER);
    CREATE TABLE plays (id INTEGER PRIMARY KEY, track_id INTEGER REFERENCES tracks (id));
    INSERT INTO tracks VALUES (1, 'one', 10), (2, 'two', 20); INSERT INTO plays VALUES (1, 1), (2, 2);";

const BEFORE: &str = "version: 1\nversions_dir: versions\n";

const AFTER: &str = "version: 1\nversions_dir: versions\ntables:\n  songs:\n    renamed_from: tracks\n    columns:\n      \
                     title: {renamed_from: name}\n";

/// The names of all relations and constraints, and of the tables in the ledger.
const NAMES: &str = "SELECT string_agg(name, ' ' ORDER BY name) FROM (
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND relname NOT LIKE 'seaql%'
    UNION ALL SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'f'
    UNION ALL SELECT 'ledger:' || table_name FROM mtm.copied UNION ALL SELECT 'chunk:' || table_name FROM mtm.chunk) AS names (name)";

const NAMES_BEFORE: &str = "chunk:plays chunk:tracks ledger:plays ledger:tracks plays plays_pkey plays_track_id_fkey tracks \
                            tracks_name_key tracks_pkey";

const NAMES_AFTER: &str = "chunk:plays chunk:songs ledger:plays ledger:songs plays plays_pkey plays_track_id_fkey songs \
                           songs_pkey songs_title_key";

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
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_and_comes_back_with_its_version() {
    let way = loaded().await;
    way.holds(&[(NAMES, NAMES_BEFORE)]).await;
    run(&way, "apply", AFTER, &["--yes"]).ends_with(0);
    way.holds(&[(NAMES, NAMES_AFTER), ("SELECT sum(ms) FROM songs WHERE title IN ('one', 'two')", "30")])
        .await;
    run(&way, "plan", AFTER, &["--exit-code"]).ends_with(0);
    run(&way, "plan", AFTER, &["--drift", "--exit-code"]).ends_with(0);
    migrate(&way, &["down"]).succeeds();
    way.holds(&[(NAMES, NAMES_BEFORE)]).await;
    migrate(&way, &["redo"]).ends_with(3);
    migrate(&way, &["up"]).succeeds();
    way.holds(&[(NAMES, NAMES_AFTER)]).await;
    run(&way, "verify", AFTER, &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_version_is_run_by_somebody_else() {
    let way = loaded().await;
    run(&way, "plan", AFTER, &["--save", "rename"]).ends_with(0);
    migrate(&way, &["up"]).succeeds();
    way.holds(&[(NAMES, NAMES_AFTER)]).await;
    run(&way, "plan", AFTER, &["--exit-code"]).ends_with(0);
    run(&way, "verify", AFTER, &[]).succeeds();
    // And on a target made from nothing by both versions.
    same_schema_as_from_nothing(&way, AFTER, "both versions").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_plan_goes_stale_by_object() {
    let way = loaded().await;
    run(&way, "plan", AFTER, &["--out", "plan.json"]).ends_with(0);
    let apply = || way.place.mtm(&["apply", "plan.json", "--yes", "--target", &way.target.url]);
    way.target.execute("ALTER TABLE tracks ADD COLUMN extra text").await;
    apply().ends_with(4).complains_of(&["column tracks.extra was added"]);
    way.target.execute("ALTER TABLE tracks DROP COLUMN extra").await;
    apply().ends_with(0);
    way.holds(&[(NAMES, NAMES_AFTER)]).await;
}

/// The source is another one then, whose rows are copied anew; the table and its column are renamed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn source_was_renamed_too() {
    let way = loaded().await;
    let source = Connection::open(&way.source).unwrap();
    source
        .execute_batch("ALTER TABLE tracks RENAME TO songs; ALTER TABLE songs RENAME name TO title")
        .unwrap();
    drop(source);
    run(&way, "plan", AFTER, &["--exit-code"]).ends_with(4).says(&[
        "table songs: renamed from tracks",
        "column songs.title: renamed from name",
        "constraint songs_title_key on songs: renamed from tracks_name_key",
    ]);
    run(&way, "apply", AFTER, &["--yes"]).ends_with(4);
    way.holds(&[(NAMES, NAMES_BEFORE)]).await;
    run(&way, "apply", AFTER, &["--yes", "--restart", "--allow", ALL_HAZARDS]).ends_with(0);
    way.holds(&[(NAMES, NAMES_AFTER)]).await;
    run(&way, "verify", AFTER, &[]).succeeds();
    // The entry may go.
    run(&way, "plan", BEFORE, &["--exit-code"]).ends_with(0);
}

/// A run that ends between the statement and its version has done neither.
#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing() {
    let way = loaded().await;
    way.target
        .execute(
            "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not now''; END';
             CREATE TRIGGER stop BEFORE INSERT ON mtm.version FOR EACH ROW EXECUTE FUNCTION stop()",
        )
        .await;
    let retyped = AFTER.replace("{renamed_from: name}", "{renamed_from: name, type: varchar(90)}");
    let allow = ["--yes", "--allow", ALL_HAZARDS];
    run(&way, "apply", &retyped, &allow).ends_with(1);
    way.holds(&[(NAMES, NAMES_BEFORE)]).await;
    run(&way, "plan", BEFORE, &["--exit-code"]).ends_with(0);
    way.target.execute("DROP TRIGGER stop ON mtm.version; DROP FUNCTION stop").await;
    run(&way, "apply", &retyped, &allow).ends_with(0);
    way.holds(&[(NAMES, NAMES_AFTER)]).await;
    run(&way, "verify", &retyped, &[]).succeeds();
}

/// Rows are asked under the names that they still have.
#[tokio::test(flavor = "multi_thread")]
async fn rows_in_the_way_are_found_before() {
    let way = loaded().await;
    way.target.execute("INSERT INTO tracks VALUES (3, NULL, 10), (4, 'four', 10)").await;
    let after = format!(
        "{AFTER}      length_ms: {{type: smallint, not_null: true, renamed_from: ms, check: \"length_ms > 10\"}}\n    \
         indexes:\n      - {{name: songs_length, unique: true, columns: [length_ms]}}\n"
    )
    .replace("title: {renamed_from: name}", "title: {renamed_from: name, not_null: true}");
    run(&way, "plan", &after, &[]).ends_with(3).says(&[
        "songs.title: NOT NULL: refused by 1 row (NULL), the first at id=3",
        "songs_length on songs using btree (length_ms): refused by 3 rows (duplicates), the first at id=1",
    ]);
    way.holds(&[(NAMES, NAMES_BEFORE)]).await;
}

/// Former names of long ago; somebody else's tables; names that are two things.
#[tokio::test(flavor = "multi_thread")]
async fn chains_and_mistakes() {
    let way = loaded().await;
    run(&way, "apply", AFTER, &["--yes"]).ends_with(0);
    let again = "version: 1\nversions_dir: versions\ntables:\n  hits:\n    renamed_from: [songs, tracks]\n    columns:\n      \
                 caption: {renamed_from: [title, name]}\n";
    run(&way, "apply", again, &["--yes"]).ends_with(0).says(&["table hits: renamed from songs"]);
    run(&way, "verify", again, &[]).succeeds();
    run(&way, "plan", again, &["--exit-code"]).ends_with(0);

    for (yaml, said) in [
        (
            "tables:\n  plays:\n    renamed_from: tracks\n",
            "4:19: the source has both tables `plays` and `tracks`",
        ),
        (
            "tables:\n  tracks:\n    columns: {name: {renamed_from: ms}}\n",
            "4:36: the source has both columns `name` and `ms`",
        ),
        (
            "tables:\n  tracks:\n    columns: {xmin: {renamed_from: ms}}\n",
            "4:15: the name `xmin` is taken, too long, or PostgreSQL's own",
        ),
        (
            "tables:\n  tracks:\n    add_columns: {note: {type: text, renamed_from: ms}}\n",
            "4:52: the source's table tracks has a column `ms`, which goes over",
        ),
        ("tables:\n  songs: {renamed_from: trakcs}\n", "unknown table `songs`"),
    ] {
        run(&way, "plan", &format!("version: 1\n{yaml}"), &[]).ends_with(1).complains_of(&[said]);
    }

    // What mtm neither made nor filled is not renamed.
    let others = Way::from_sql("CREATE TABLE things (id INTEGER PRIMARY KEY)").await;
    others
        .target
        .execute("CREATE TABLE stuff (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)")
        .await;
    run(&others, "plan", "version: 1\ntables: {things: {renamed_from: stuff}}\n", &[])
        .ends_with(3)
        .complains_of(&[])
        .says(&["table things: renamed from stuff: things was not made here"]);
}
