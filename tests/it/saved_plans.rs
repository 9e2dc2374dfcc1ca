//! `mtm plan --out FILE` and `mtm apply FILE`: what was looked at is what is done, or nothing is.

use std::{fs, path::Path};

use serde_json::Value;

use crate::command::{Outcome, Way, contains_all};

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE INDEX tracks_name ON tracks (name);
    INSERT INTO tracks VALUES (1, 'one'), (2, 'two');";

const MAPPING: &str =
    "version: 1\ntables:\n  tracks:\n    columns:\n      name: {type: text, check: \"name <> ''\"}\n";

/// As [`MAPPING`], with an index more.
const EDITED: &str = "version: 1\ntables:\n  tracks:\n    columns:\n      name: {type: text, check: \"name <> ''\"}\n    \
                      indexes:\n      - {name: tracks_by_id_and_name, columns: [id, name]}\n";

async fn way() -> Way {
    let way = Way::from_sql(SOURCE).await;
    way.place.write("types.yaml", MAPPING);
    way
}

/// Saves the plan, with the paths relative to the working directory.
fn save(way: &Way, more: &[&str]) -> Outcome {
    let head = ["plan", "--source", "source.db", "--mapping", "types.yaml", "--out", "plan.json"];
    let arguments = [&head[..], &["--target", &way.target.url], more].concat();
    way.place.mtm(&arguments)
}

/// Carries the file out: it says all but the target.
fn apply(way: &Way, more: &[&str]) -> Outcome {
    let head = ["apply", "plan.json", "--target", &way.target.url, "--yes"];
    way.place.mtm(&[&head[..], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_plan_is_carried_out() {
    let way = way().await;
    save(&way, &["--exit-code"])
        .ends_with(2)
        .complains_of(&["saved the plan to plan.json", "mtm apply plan.json"]);
    assert_eq!(way.relations().await, "0", "the target is not touched");
    let text = fs::read_to_string(way.place.path().join("plan.json")).unwrap();
    let target = way.target.url.split_once('?').unwrap().0;
    assert!(!text.contains(&way.target.name) && !text.contains(target), "the target is not in the file");
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["format_version"], 1);
    assert_eq!((&saved["source"], &saved["mapping"]), (&"source.db".into(), &"types.yaml".into()));
    assert_eq!(saved["tables"][0]["copy"], "copy");
    assert!(saved["changes"][0]["sql"].as_str().unwrap().starts_with("CREATE TABLE"));

    apply(&way, &[]).succeeds();
    way.run("verify", &["--mapping", "types.yaml"]).succeeds();
    // Once more there is nothing to do, as without a file.
    apply(&way, &[]).succeeds();
    way.place.write("same.yaml", MAPPING);
    apply(&way, &["--mapping", "same.yaml"]).succeeds();

    let files = fs::read_dir(way.place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        files.into_iter().all(|name| !name.to_string_lossy().starts_with(".mtm-plan")),
        "nothing is left over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_plan_says_what_changed() {
    let way = way().await;
    way.run("apply", &["--mapping", "types.yaml", "--yes"]).succeeds();
    way.place.write("types.yaml", EDITED);
    save(&way, &[]).ends_with(0);
    let stale = |said: &[&str]| {
        apply(&way, &[])
            .fails(4, &["plan.json is stale"])
            .complains_of(said)
            .complains_of(&["mtm plan --out"])
    };

    way.target.execute("ALTER TABLE tracks ADD COLUMN mood text DEFAULT 'calm'").await;
    stale(&["column tracks.mood was added: text DEFAULT 'calm'::text"]);
    way.target.execute("ALTER TABLE tracks DROP COLUMN mood").await;
    way.target.execute("CREATE INDEX by_hand ON tracks (name, id)").await;
    stale(&["index by_hand on tracks was added: CREATE INDEX by_hand ON tracks USING btree (name, id)"]);
    way.target.execute("DROP INDEX by_hand; DROP INDEX tracks_name").await;
    let said = stale(&[
        "index tracks_name on tracks is gone",
        "index tracks_name on tracks using btree (name) is to be",
    ]);
    assert!(!said.stderr.contains("by_hand"), "{}", said.stderr);
    way.target.execute("CREATE INDEX tracks_name ON tracks (name)").await;
    way.target.execute("ALTER TABLE tracks ADD CONSTRAINT brief CHECK (length(name) < 9) NOT VALID").await;
    stale(&["constraint brief on tracks was added: CHECK", "NOT VALID"]);
    way.target.execute("ALTER TABLE tracks DROP CONSTRAINT brief").await;

    way.place.write("types.yaml", MAPPING);
    stale(&["the mapping types.yaml says something else", "tracks_by_id_and_name on tracks", "is no longer"]);
    way.place.write("types.yaml", EDITED);
    way.place.write("other.yaml", MAPPING);
    apply(&way, &["--mapping", "other.yaml"]).fails(4, &["the mapping other.yaml says something else"]);
    apply(&way, &["--exclude", "nothing"]).fails(4, &["--exclude was none, and is nothing"]);

    // With everything as it was the plan holds again.
    let kept = fs::read(&way.source).unwrap();
    way.place.sqlite("source.db", "INSERT INTO tracks VALUES (3, 'three')");
    stale(&["the source source.db holds something else: 2 rows then, 3 rows now"]);
    fs::write(&way.source, kept).unwrap();
    apply(&way, &[]).ends_with(3).complains_of(&["--allow builds-index"]);
    apply(&way, &["--allow", "builds-index"]).succeeds();
    way.holds(&[("SELECT count(*) FROM pg_class WHERE relname = 'tracks_by_id_and_name'", "1")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_count_too() {
    let way = way().await;
    way.place.write("types.yaml", format!("{MAPPING}versions_dir: versions\n"));
    save(&way, &["--save", "first"]).ends_with(0);
    let version = |name: &str| way.place.path().join("versions").join(name);
    let saved = crate::saved_versions::versions(&way)[0].clone();
    // Saved as a version by the same command: no change of the plan.
    let text = fs::read_to_string(version(&saved).join("post-data.sql")).unwrap();
    let edited = text.replace("tracks_name", "tracks_title");
    assert_ne!(text, edited);
    way.place.write(&format!("versions/{saved}/post-data.sql"), edited);
    apply(&way, &[]).fails(4, &["_first is pending now, and was not then"]);
    way.place.write(&format!("versions/{saved}/post-data.sql"), text);
    way.place
        .write("versions/m20260101_000000_other/pre-data.sql", "-- step\nCREATE TABLE other (a text);\n");
    apply(&way, &[]).fails(4, &["version m20260101_000000_other is pending now, and was not then"]);
    save(&way, &[]).ends_with(0);
    fs::remove_dir_all(version("m20260101_000000_other")).unwrap();
    apply(&way, &[]).fails(4, &["version m20260101_000000_other was pending, and is gone"]);
    save(&way, &[]).ends_with(0);
    apply(&way, &[]).succeeds();
    way.run("verify", &["--mapping", "types.yaml"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn run_of_a_saved_plan_that_was_cut_off_goes_on() {
    let way = way().await;
    save(&way, &[]).ends_with(0);
    // Indexes are refused for a while, but not in scratch.
    way.target
        .execute(
            "CREATE FUNCTION not_yet() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF current_setting('search_path') !~ 'pg_temp' THEN RAISE EXCEPTION 'not yet'; END IF; END $$;
             CREATE EVENT TRIGGER not_yet ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION not_yet()",
        )
        .await;
    apply(&way, &[]).ends_with(1).complains_of(&["not yet"]);
    way.holds(&[("SELECT count(*) FROM tracks", "2")]).await;
    way.target.execute("DROP EVENT TRIGGER not_yet").await;
    apply(&way, &[]).succeeds();
    way.run("verify", &["--mapping", "types.yaml"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_saved_plans() {
    let way = way().await;
    let read = |text: &str, said: &[&str]| {
        way.place.write("plan.json", text);
        apply(&way, &[])
            .fails(1, &["the plan plan.json cannot be used", "mtm plan --out"])
            .complains_of(said);
    };
    let report = way.run("plan", &["--mapping", "types.yaml", "--format", "json"]).succeeds().stdout;
    save(&way, &[]).ends_with(0);
    let saved = fs::read_to_string(way.place.path().join("plan.json")).unwrap();
    read("PRAGMA", &["it is no JSON"]);
    read("[1]", &["no saved plan"]);
    read(&report, &["no saved plan"]);
    read(&saved.replace("\"format_version\": 1", "\"format_version\": 7"), &["version 7", "knows 1 alone"]);
    read(
        &saved.replace("\"new_version\"", "\"old_version\"").replace("\"tables\": [\n", "\"tabs\": [\n"),
        &["a part of it"],
    );
    let text = "\"catalogue_digest\": \"";
    read(&saved.replace(text, &format!("{text}0")), &["changed after it was written"]);
    fs::remove_file(way.place.path().join("plan.json")).unwrap();
    apply(&way, &[]).fails(1, &["plan.json cannot be read"]);
    apply(&way, &["--restart"]).fails(64, &["--restart"]);

    let no_file = |outcome: Outcome| {
        assert!(!Path::new(&way.place.path().join("plan.json")).exists());
        outcome
    };
    way.place.write("types.yaml", "version: 1\ntables: {tracks: {columns: {name: integer}}}\n");
    no_file(save(&way, &[]).ends_with(3).complains_of(&["Nothing was saved"]));
    way.place.write("types.yaml", MAPPING);
    let nowhere = way.run("plan", &["--out", "not/there/plan.json"]);
    contains_all(&nowhere.ends_with(1).stderr, &["could not be written to not/there/plan.json"]);
    way.run("plan", &["--out", "."]).fails(64, &["names no file"]);
    assert_eq!(way.relations().await, "0");
}
