//! The Music Time Machine, the whole way with the mapping that lies in this repository.

use std::{fs, path::Path};

use mtm::demo::{SampleOptions, write_sample};
use serde_json::Value;

use crate::{
    command::{Way, Workplace, contains_all},
    support::TestDatabase,
};

/// The repository's mapping and its versions, in a folder of the test's: nothing is written into the repository.
fn with_mapping(place: &Workplace) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mapping = fs::read_to_string(repository.join("mappings/types.yaml")).unwrap();
    place.write("mappings/types.yaml", mapping);
    copy_folder(&repository.join("migration/versions"), &place.path().join("migration/versions"));
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &copy);
        } else {
            fs::copy(entry.path(), copy).unwrap();
        }
    }
}

/// A small sample, and an empty database.
async fn sample() -> Way {
    let place = Workplace::new();
    with_mapping(&place);
    let source = place.path().join("music.db");
    write_sample(&source, SampleOptions { tracks: 150, months: 3, seed: 1 }).unwrap();
    Way { place, target: TestDatabase::new().await, source }
}

/// Two tables as the application makes them, with rows of the test's.
async fn with_rows(rows: &str) -> Way {
    let place = Workplace::new();
    with_mapping(&place);
    let source = place.sqlite("music.db", &format!("{}{rows}", include_str!("../../src/demo/sample.sql")));
    Way { place, target: TestDatabase::new().await, source }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_tells_what_the_file_holds() {
    let way = sample().await;
    let source = way.source.to_str().unwrap();
    way.place.mtm(&["audit", "--source", source]).succeeds().says(&[
        "quick_check: ok",
        "tracks: 150 rows, primary key (track_id)",
        "primary key (track_id, snapshot_date, time_range)",
        "sample of raw_json: {",
        "index idx_snapshots_date (snapshot_date, time_range)",
        "foreign key (track_id) to tracks (track_id): no orphans",
        "TEXT NOT NULL",
    ]);
    let audit = way.place.mtm(&["audit", "--source", source, "--format", "json"]).succeeds().json();
    let tracks = &audit["tables"][0];
    assert_eq!(tracks["name"], "tracks");
    assert_eq!(tracks["rows"], 150);
    let column = |name: &str| {
        tracks["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()
    };
    assert_eq!(column("duration_ms")["affinity"], "INTEGER");
    assert!(column("raw_json")["json_sample"].as_str().unwrap().starts_with('{'));
    let storage = &column("raw_json")["storage"];
    assert_eq!(storage["text"].as_u64().unwrap() + storage["null"].as_u64().unwrap(), 150);
    assert!(audit["format_version"].is_u64(), "JSON carries a format_version");
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_shows_the_difference_and_writes_nothing() {
    let way = sample().await;
    way.run("plan", &[]).succeeds().says(&[
        "+ table tracks",
        "track_id character varying(64) NOT NULL",
        "raw_json jsonb",
        "+ table snapshots",
        "check snapshots_rank_check: rank > 0",
        "+ foreign key",
        "idx_tracks_search",
        "tracks source 150 rows target not there yet copy",
        "INSERT INTO",
    ]);
    let plan = way.run("plan", &["--format", "json"]).succeeds().json();
    assert_eq!(plan["format_version"], 1);
    let tables = plan["tables"].as_array().unwrap();
    let names: Vec<&Value> = tables.iter().map(|table| &table["source"]).collect();
    assert_eq!(names, ["tracks", "snapshots"]);
    for table in tables {
        assert_eq!(table["target"], table["source"]);
        assert_eq!(table["target_schema"], "public");
    }
    let types: Vec<String> = tables[0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            format!("{}>{}:{}", column["source"], column["target"], column["type"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        types,
        [
            "track_id>track_id:character varying(64)",
            "name>name:text",
            "artist_name>artist_name:text",
            "album_name>album_name:text",
            "duration_ms>duration_ms:integer",
            "spotify_url>spotify_url:text",
            "raw_json>raw_json:jsonb",
        ]
    );
    way.run("plan", &["--format", "sql"]).succeeds().says(&["CREATE TABLE", "CREATE INDEX", "-- data"]);
    way.run("plan", &["--exit-code"]).ends_with(2);
    assert_eq!(way.relations().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_way() {
    let way = sample().await;
    way.run("apply", &["--yes"]).ends_with(0).says(&["+ table tracks", "tracks 150 rows", "mtm verify"]);
    way.run("plan", &["--exit-code"]).succeeds().says(&["Nothing to do"]);
    assert!(way.run("plan", &["--format", "sql"]).succeeds().stdout.contains("Nothing to do"));
    way.run("apply", &["--yes"]).succeeds().says(&["Nothing to do"]);
    // Where nothing is to do, nobody has to be asked.
    way.run("apply", &[]).succeeds().says(&["Nothing to do"]);
    way.run("verify", &[]).succeeds().says(&["Proven", "tracks source 150 rows target 150 rows equal"]);
    let certificate = way.run("verify", &["--format", "json"]).succeeds().json();
    assert_eq!(certificate["equal"], true);
    let indexes = certificate["indexes"].as_array().unwrap().iter();
    let questions: Vec<String> = indexes
        .map(|index| format!("{} {}", index["question"], index["verdict"]).replace(['"', '\\'], ""))
        .collect();
    contains_all(
        &questions.join("\n"),
        &[
            "left(raw_json #>> '{album,release_date}'::text[], 4) = $1 usable",
            "(raw_json -> 'external_ids'::text) ? $1 usable",
            "raw_json @> $1 usable",
            "to_tsvector('english'::regconfig,",
        ],
    );
    assert!(questions.iter().all(|line| line.ends_with(" usable")), "{questions:#?}");
    assert!(certificate["format_version"].is_u64(), "JSON carries a format_version");
    way.place.mtm(&["migrate", "status", "--target", &way.target.url]).succeeds().says(&["applied"]);
    way.place.mtm(&["migrate", "up", "--target", &way.target.url]).succeeds().says(&["Nothing to do"]);
    assert!(!way.run("plan", &["--quiet"]).succeeds().stdout.is_empty());
    assert_eq!(way.run("verify", &["--quiet"]).succeeds().stdout, "");
    assert_eq!(way.run("apply", &["--quiet", "--yes"]).succeeds().stdout, "");
    way.holds(&[
        ("SELECT count(*) FROM tracks WHERE jsonb_typeof(raw_json) <> 'object'", "0"),
        ("SELECT count(*) > 0 FROM tracks WHERE raw_json IS NULL", "true"),
        ("SELECT count(*) > 0 FROM tracks WHERE raw_json = '{}'", "true"),
        ("SELECT count(*) > 0 FROM tracks WHERE left(raw_json #>> '{album,release_date}', 4) ~ '^[0-9]{4}$'", "true"),
        ("SELECT count(*) FROM tracks WHERE created_at IS NULL OR updated_at IS NULL", "0"),
        ("SELECT count(*) FROM seaql_migrations WHERE version LIKE 'm%'", "2"),
        ("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'snapshots'::regclass AND attname = 'snapshot_date'", "date"),
        ("SELECT reltuples::bigint FROM pg_class WHERE oid = 'tracks'::regclass", "150"),
        ("SELECT count(*) FROM pg_indexes WHERE indexname = 'idx_tracks_payload' AND indexdef LIKE '%jsonb_path_ops%'", "1"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payload_is_json_of_its_own_type() {
    let way = with_rows(
        r#"INSERT INTO tracks VALUES
        ('object', 'a', 'b', NULL, 1, NULL, '{"b": 1.50, "a": [1e2, null, true], "name": "\u591c\u306b \ud83c\udfa7 \"q\""}'),
        ('nothing', 'a', 'b', NULL, NULL, NULL, NULL),
        ('empty', 'a', 'b', NULL, NULL, NULL, '{}'),
        ('null', 'a', 'b', NULL, NULL, NULL, 'null'),
        ('text', 'a', 'b', NULL, NULL, NULL, '"{}"'),
        ('list', 'a', 'b', NULL, NULL, NULL, ' [ ] '),
        ('large', 'a', 'b', NULL, NULL, NULL, '{"id": 12345678901234567890123, "x": 1e-7}');"#,
    )
    .await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.holds(&[
        ("SELECT string_agg(track_id || ' ' || coalesce(jsonb_typeof(raw_json), '-'), ', ' ORDER BY track_id) FROM tracks",
         "empty object, large object, list array, nothing -, null null, object object, text string"),
        ("SELECT raw_json ->> 'name' FROM tracks WHERE track_id = 'object'", "夜に 🎧 \"q\""),
        ("SELECT raw_json -> 'b' FROM tracks WHERE track_id = 'object'", "1.50"),
        ("SELECT raw_json ->> 'id' FROM tracks WHERE track_id = 'large'", "12345678901234567890123"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_was_changed() {
    let way = sample().await;
    way.run("apply", &["--yes"]).ends_with(0);
    let track = "(SELECT min(track_id) FROM tracks WHERE raw_json ? 'album')";
    let key = way.target.value(track).await.unwrap();
    way.target
        .execute("CREATE TABLE kept_tracks AS TABLE tracks; CREATE TABLE kept_snapshots AS TABLE snapshots")
        .await;
    let restore =
        |table: &str| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};");
    let set = |assignment: &str| format!("UPDATE tracks SET {assignment} WHERE track_id = '{key}'");
    let lost = "DELETE FROM snapshots WHERE ctid = (SELECT min(ctid) FROM snapshots)".to_owned();
    let of_track = format!("tracks track_id={key}:");
    for (what, sql, said) in [
        ("a space", set("name = name || ' '"), vec![of_track.as_str(), "name"]),
        ("a NULL", set("album_name = NULL"), vec![of_track.as_str(), "album_name"]),
        ("a number", set("duration_ms = duration_ms + 1"), vec![of_track.as_str(), "duration_ms"]),
        (
            "a JSON text in quotes",
            set("raw_json = to_jsonb(raw_json::text)"),
            vec![of_track.as_str(), "raw_json"],
        ),
        (
            "a deep change",
            set("raw_json = jsonb_set(raw_json, '{album,release_date}', '\"1900\"')"),
            vec![of_track.as_str(), "raw_json"],
        ),
        ("an empty payload", set("raw_json = '{}'"), vec![of_track.as_str(), "raw_json"]),
        ("a lost row", lost, vec!["snapshots track_id=", "missing in the target"]),
        (
            "a row too many",
            "INSERT INTO snapshots SELECT track_id, '1999-01-01', 'short_term', 1 FROM tracks LIMIT 1"
                .to_owned(),
            vec!["snapshots track_id=", "1999-01-01", "not in the source"],
        ),
        (
            "another key",
            "UPDATE snapshots SET rank = rank + 1 WHERE ctid = (SELECT min(ctid) FROM snapshots)".to_owned(),
            vec!["snapshots track_id=", "snapshot_date=", "time_range=", "rank"],
        ),
    ] {
        way.target.execute(&sql).await;
        let found = way.run("verify", &[]).ends_with(2).says(&said).says(&["Source and target differ"]);
        assert_eq!(found.stderr, "", "{what}");
        assert!(found.stdout.contains("1 difference"), "{what}: one difference in\n{}", found.stdout);
        let json = way.run("verify", &["--format", "json"]).ends_with(2).json();
        assert_eq!(json["equal"], false, "{what}");
        let snapshots_too = if sql.contains("snapshots") { restore("snapshots") } else { String::new() };
        let tracks_too = if sql.contains("tracks SET") {
            format!(
                "UPDATE tracks t SET name = k.name, album_name = k.album_name, duration_ms = k.duration_ms, raw_json = k.raw_json \
                     FROM kept_tracks k WHERE k.track_id = t.track_id AND t.track_id = '{key}';"
            )
        } else {
            String::new()
        };
        way.target.execute(&format!("{snapshots_too}{tracks_too}")).await;
    }
    way.run("verify", &[]).succeeds();
}

/// What mending the schema under rows takes.
const ALLOWING: [&str; 3] = ["--yes", "--allow", "builds-index,may-fail-on-rows"];

#[tokio::test(flavor = "multi_thread")]
async fn verify_and_plan_find_what_the_schema_lost() {
    let way = sample().await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.target.execute("DROP INDEX idx_tracks_payload").await;
    way.run("verify", &[]).ends_with(2).says(&["idx_tracks_payload"]);
    way.run("plan", &["--exit-code"]).ends_with(2).says(&["+ index idx_tracks_payload"]);
    way.run("apply", &ALLOWING).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.target.execute("ALTER TABLE snapshots DROP CONSTRAINT snapshots_track_id_fkey").await;
    way.run("verify", &[]).ends_with(2).says(&["snapshots_track_id_fkey"]);
    way.run("plan", &["--exit-code"]).ends_with(2).says(&["+ foreign key snapshots_track_id_fkey"]);
    way.run("apply", &ALLOWING).ends_with(0);
    way.target.execute("ALTER TABLE snapshots DROP CONSTRAINT snapshots_rank_check").await;
    way.run("verify", &[]).ends_with(2).says(&["snapshots_rank_check"]);
    way.run("apply", &ALLOWING).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
    // A column that another type took.
    way.target.execute("ALTER TABLE tracks ALTER COLUMN album_name TYPE varchar(2000)").await;
    let plan = way.run("plan", &["--exit-code"]).ends_with(2);
    plan.says(&["~ column tracks.album_name: character varying(2000) becomes text"]);
    way.run("verify", &[]).ends_with(2).says(&["album_name"]);
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    // Columns of the target's own are its own business.
    way.target.execute("ALTER TABLE tracks ADD COLUMN note text DEFAULT 'x'").await;
    way.run("plan", &["--exit-code"]).succeeds();
    way.run("verify", &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_makes_again_what_was_dropped_or_emptied() {
    let way = sample().await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.target.execute("TRUNCATE snapshots").await;
    way.run("verify", &[]).ends_with(2).says(&["snapshots"]);
    way.run("plan", &["--exit-code"]).ends_with(2);
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.target.execute("DROP TABLE snapshots").await;
    way.run("verify", &[]).ends_with(2).says(&["snapshots"]);
    way.run("apply", &["--yes"]).ends_with(0).says(&["+ table snapshots"]);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_file_makes_a_target_that_lacks_the_rows_alone() {
    let way = sample().await;
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds();
    way.target.execute(&schema.stdout).await;
    let plan = way.run("plan", &[]).succeeds().stdout;
    assert!(!plan.contains("+ "), "{plan}");
    contains_all(&plan, &["tracks source 150 rows target 0 rows copy"]);
    way.run("plan", &["--exit-code"]).ends_with(2);
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
    way.run("plan", &["--exit-code"]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_schemas_of_one_database() {
    let way = sample().await;
    for schema in ["one", "Weird \"name\""] {
        way.run("plan", &["--schema", schema]).succeeds().says(&["+ schema"]);
        way.run("apply", &["--yes", "--schema", schema]).ends_with(0);
        way.run("verify", &["--schema", schema]).succeeds();
        way.run("plan", &["--schema", schema, "--exit-code"]).succeeds();
    }
    way.holds(&[
        ("SELECT count(*) FROM one.tracks", "150"),
        ("SELECT count(*) FROM \"Weird \"\"name\"\"\".tracks", "150"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_payloads_are_named_before_anything_is_written() {
    let way = with_rows(
        r#"INSERT INTO tracks VALUES
        ('good', 'a', 'b', NULL, 1, NULL, '{}'),
        ('cut', 'a', 'b', NULL, 1, NULL, '{"secret": '),
        ('empty', 'a', 'b', NULL, 1, NULL, ''),
        ('nan', 'a', 'b', NULL, 1, NULL, '{"secret": NaN}'),
        ('nul', 'a', 'b', NULL, 1, NULL, '"\u0000"'),
        ('half', 'a', 'b', NULL, 1, NULL, '"\ud83c"');"#,
    )
    .await;
    for (verb, more) in [("plan", &[][..]), ("apply", &["--yes"][..])] {
        let refused = way.run(verb, more).ends_with(3).says(&[
            "tracks.raw_json cannot be jsonb in 5 rows",
            "track_id=cut",
            "track_id=empty",
            "track_id=nan",
            "track_id=nul",
            "track_id=half",
            "on_invalid",
        ]);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(!said.contains("secret"), "a cell's value is told:\n{said}");
        assert!(!said.contains("track_id=good"), "{said}");
    }
    assert_eq!(way.relations().await, "0");
    // The ways out that it names are ways out.
    let mapping = fs::read_to_string(way.place.path().join("mappings/types.yaml")).unwrap();
    way.place.write("mappings/types.yaml", mapping.replace("on_invalid: fail}", "on_invalid: set_null}"));
    way.run("apply", &["--yes"]).ends_with(0).says(&["5 values set to NULL"]);
    way.run("verify", &[]).succeeds().says(&["5 values are NULL"]);
    way.holds(&[("SELECT string_agg(track_id, ',') FROM tracks WHERE raw_json IS NOT NULL", "good")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_break_the_mapping_are_named() {
    for (rows, said) in [
        (
            "INSERT INTO tracks VALUES (hex(zeroblob(40)), 'a', 'b', NULL, 1, NULL, NULL)",
            &["tracks.track_id cannot be character varying(64) in at least 1 row", "track_id=0000"][..],
        ),
        (
            "INSERT INTO tracks VALUES ('big', 'a', 'b', NULL, 3000000000, NULL, NULL)",
            &["tracks.duration_ms cannot be integer in at least 1 row", "track_id=big"],
        ),
        (
            "INSERT INTO tracks VALUES ('t', 'a', 'b', NULL, 1, NULL, NULL); INSERT INTO snapshots VALUES ('t', '2024-02-30', 'short_term', 1)",
            &["snapshots.snapshot_date cannot be date in 1 row", "snapshot_date=2024-02-30"],
        ),
        (
            "INSERT INTO snapshots VALUES ('nobody', '2024-02-01', 'short_term', 1)",
            &["1 row", "snapshots", "track_id=nobody"],
        ),
    ] {
        let way = with_rows(&format!("{rows};")).await;
        let refused = way.run("apply", &["--yes"]);
        assert_eq!(refused.code, Some(3), "{rows}\n{}{}", refused.stdout, refused.stderr);
        refused.complains_of(said);
        assert_eq!(way.relations().await, "0", "{rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_that_breaks_a_check_stops_the_run() {
    let way = with_rows(
        "INSERT INTO tracks VALUES ('t', 'a', 'b', NULL, 1, NULL, NULL);
        INSERT INTO snapshots VALUES ('t', '2024-02-01', 'short_term', 1), ('t', '2024-02-08', 'short_term', 0);",
    )
    .await;
    let said = "snapshots_rank_check of snapshots (rank > 0) is broken by 1 row, first at track_id=t, snapshot_date=2024-02-08";
    way.run("apply", &["--yes"]).ends_with(3).complains_of(&[said]);
    // Nothing was written.
    assert_eq!(way.relations().await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rows_in_the_target_are_refused() {
    let way = sample().await;
    let schema = way.place.mtm(&["schema", "--source", way.source.to_str().unwrap()]).succeeds().stdout;
    way.target.execute(&schema).await;
    way.target.execute("INSERT INTO tracks (track_id, name, artist_name) VALUES ('other', 'a', 'b')").await;
    way.run("plan", &["--exit-code"]).ends_with(3).says(&["tracks holds rows (1)", "--schema"]);
    way.run("apply", &["--yes"]).ends_with(3).complains_of(&["tracks holds rows (1)", "Empty it"]);
    way.holds(&[("SELECT string_agg(track_id, ',') FROM tracks", "other")]).await;
    way.run("verify", &[]).ends_with(2).says(&["tracks"]);
    // What it says helps.
    way.target.execute("DELETE FROM tracks").await;
    way.run("apply", &["--yes"]).ends_with(0);
    way.run("verify", &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_source_is_noticed() {
    let way = sample().await;
    way.run("apply", &["--yes"]).ends_with(0);
    let connection = rusqlite::Connection::open(&way.source).unwrap();
    // The same content in other pages is the same source.
    connection.execute_batch("VACUUM; PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    way.run("verify", &[]).succeeds();
    connection.execute_batch("UPDATE tracks SET duration_ms = 1 WHERE rowid = 1").unwrap();
    let said = ["the source has changed since its rows were copied"];
    way.run("apply", &["--yes"]).ends_with(4).complains_of(&said);
    way.run("verify", &[]).fails(4, &said);
    way.run("plan", &[]).ends_with(4).complains_of(&said);
    // Elsewhere it is welcome.
    way.run("apply", &["--yes", "--schema", "later"]).ends_with(0);
    way.run("verify", &["--schema", "later"]).succeeds();
}
