//! The certificate: its two files, a target checked again by it, the planner's answers, writers beside one another.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use xxhash_rust::xxh3::xxh3_128;

use crate::command::{Outcome, Way, contains_all};

const SOURCE: &str = "
    CREATE TABLE artists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    INSERT INTO artists VALUES (1, 'Жук | *one*'), (2, 'two'), (3, 'three');
    CREATE TABLE songs (
        id TEXT PRIMARY KEY, artist_id INTEGER REFERENCES artists (id), payload TEXT, at TEXT, rank INTEGER CHECK (rank > 0)
    );
    INSERT INTO songs VALUES ('a', 1, '{\"x\": 1.10}', '2024-01-01T10:00:00', 1), ('b', 2, NULL, NULL, 2), ('c', 2, '{}', NULL, 3);
    CREATE INDEX songs_by_artist ON songs (artist_id, rank DESC);
    CREATE TABLE plays (song TEXT, seconds REAL);
    INSERT INTO plays VALUES ('a', 1.5), ('a', 1.5), ('b', NULL);
";

const MAPPING: &str = "
version: 1
assume_tz: Europe/Berlin
tables:
  songs:
    columns: {id: varchar(64), payload: jsonb, at: timestamptz}
    indexes:
      - {name: songs_payload, method: gin, columns: [{column: payload, opclass: jsonb_path_ops}]}
      - {name: songs_top, columns: [rank], where: \"rank < 3\"}
";

/// Both sides, the same.
async fn migrated() -> Way {
    let way = Way::from_sql(SOURCE).await;
    way.place.write("mappings/types.yaml", MAPPING);
    way.run("apply", &["--yes"]).ends_with(0);
    way
}

/// The same, with a certificate in `proof.json`, and the source gone.
async fn certified() -> Way {
    let way = migrated().await;
    way.run("verify", &["--certificate", "proof"]).ends_with(0);
    fs::remove_file(&way.source).unwrap();
    fs::remove_file(way.place.path().join("mappings/types.yaml")).unwrap();
    way
}

/// Checks a target against a certificate.
fn recheck(way: &Way, certificate: &str, more: &[&str]) -> Outcome {
    let flags = ["verify", "--against", certificate, "--target", &way.target.url];
    way.place.mtm(&[&flags, more].concat())
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Changes a certificate, and makes its checksum fit again.
fn forge(way: &Way, change: impl FnOnce(&mut Value)) {
    let path = way.place.path().join("proof.json");
    let mut document = json_of(&path);
    change(&mut document);
    document.as_object_mut().unwrap().remove("checksum");
    document["checksum"] = format!("{:032x}", xxh3_128(document.to_string().as_bytes())).into();
    way.place.write("forged.json", document.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_written_for_programs_and_for_people() {
    let way = migrated().await;
    way.run("verify", &["--certificate", "proof.json"])
        .ends_with(0)
        .says(&["Proven: 9 rows in 3 tables"])
        .complains_of(&["The certificate: ", "proof.json", "proof.md"]);
    let names = |way: &Way| {
        let entries = fs::read_dir(way.place.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "mappings" && !name.starts_with("source.db"));
        names.sort();
        names
    };
    assert_eq!(names(&way), ["proof.json", "proof.md"], "and nothing beside them");
    let (json, page) = (way.place.path().join("proof.json"), way.place.path().join("proof.md"));
    for path in [&json, &page] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600, "{}", path.display());
    }
    let certificate = json_of(&json);
    assert_eq!(certificate["format_version"], 1);
    assert_eq!(certificate["equal"], true);
    assert_eq!(certificate["seed"].as_str().unwrap().len(), 32);
    let columns = &certificate["tables"][1]["columns"];
    assert_eq!(columns[3], json!({"name": "at", "type": "timestamp with time zone"}));
    assert_eq!(certificate["sequences"][0]["stands_at"], 3);
    assert!(certificate["writers"].is_null());
    for moment in ["started_at", "finished_at"] {
        let moment = certificate[moment].as_str().unwrap();
        assert!(moment.parse::<jiff::Timestamp>().is_ok() && moment.ends_with('Z'), "{moment}");
    }
    let page_text = fs::read_to_string(&page).unwrap();
    contains_all(
        &page_text,
        &[
            "# Certificate",
            "**Proven: 9 rows in 3 tables, every cell equal.**",
            certificate["fingerprint"]["content_digest"].as_str().unwrap(),
            certificate["mapping_digest"].as_str().unwrap(),
            certificate["seed"].as_str().unwrap(),
            certificate["tables"][2]["digest"].as_str().unwrap(),
            "| songs | songs | 3 | 3 |",
            "| songs | foreign key | songs_artist_id_fkey | FOREIGN KEY (artist_id) REFERENCES artists(id) | as wanted |",
            "| artists.id | 3 | 3 | past every value in use |",
            "| songs | songs_payload | payload @> $1 | usable | Bitmap Index Scan |",
            "| songs | songs_top | rank = $1 AND (rank \\< 3) | usable |",
        ],
    );
    // The same document on stdout.
    let printed = way.run("verify", &["--format", "json"]).succeeds().json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&printed), keys(&certificate));
    // Another run, another seed: the same rows have other digests.
    assert_ne!(printed["seed"], certificate["seed"]);
    assert_ne!(printed["tables"][0]["digest"], certificate["tables"][0]["digest"]);

    // Differences are in both files too, and an earlier certificate gives way.
    way.target
        .execute("UPDATE artists SET name = 'x' WHERE id = 1; ALTER TABLE songs DROP CONSTRAINT songs_artist_id_fkey")
        .await;
    way.run("verify", &["--certificate", "proof.md"]).ends_with(2);
    assert_eq!(names(&way), ["proof.json", "proof.md"]);
    assert_eq!(json_of(&json)["equal"], false);
    contains_all(
        &fs::read_to_string(&page).unwrap(),
        &[
            "# Certificate, with differences",
            "**Source and target differ.**",
            "- artists id=1: name",
            "- foreign key songs_artist_id_fkey on songs: it is missing",
            "| 1 difference |",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_source_is_no_difference_and_gets_no_certificate() {
    let way = migrated().await;
    rusqlite::Connection::open(&way.source)
        .unwrap()
        .execute_batch("UPDATE artists SET name = 'four' WHERE id = 3")
        .unwrap();
    // The target is wrong besides: that cannot be told from here.
    way.target.execute("DELETE FROM plays").await;
    let changed = way.run("verify", &["--certificate", "proof"]).ends_with(4);
    assert_eq!(changed.stdout, "");
    assert!(!way.place.path().join("proof.json").exists());
    rusqlite::Connection::open(&way.source)
        .unwrap()
        .execute_batch("UPDATE artists SET name = 'three' WHERE id = 3")
        .unwrap();
    way.run("verify", &["--certificate", "proof"])
        .ends_with(2)
        .says(&["plays rowid=3: missing in the target"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_takes_no_file_is_found_before_anything_is_read() {
    let way = Way::from_sql("").await;
    way.place.write("file", "");
    fs::create_dir(way.place.path().join("taken.json")).unwrap();
    for (place, code, said) in [
        ("no/such/folder/proof", 1, "the certificate cannot be written to the folder no/such/folder"),
        ("file/proof", 1, "the certificate cannot be written to the folder file"),
        ("taken", 64, "taken.json, which is a folder"),
        ("folder/", 64, "names no file"),
    ] {
        // Neither the source nor the target is there to be read.
        let flags = [
            "verify",
            "--source",
            "none.db",
            "--target",
            "postgresql://127.0.0.1:1/x",
            "--certificate",
            place,
        ];
        way.place.mtm(&flags).fails(code, &[said]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_checked_again_without_its_source() {
    let way = certified().await;
    let again = recheck(&way, "proof.json", &["--certificate", "again"]).ends_with(0);
    let said = again.says(&[
        "songs source 3 rows target 3 rows equal",
        "Unchanged: 9 rows in 3 tables, as the certificate of",
    ]);
    assert!(!said.stdout.contains("Proven"), "the source was not read");
    // The page's name is good too, and so is what a check against a certificate wrote.
    recheck(&way, "proof.md", &[]).succeeds();
    recheck(&way, "again.json", &[]).succeeds();
    let (first, second) = (way.place.path().join("proof.json"), way.place.path().join("again.json"));
    assert_eq!(json_of(&second)["against"]["checksum"], json_of(&first)["checksum"]);
    contains_all(
        &fs::read_to_string(way.place.path().join("again.md")).unwrap(),
        &["Held against", "The source itself was not looked at."],
    );
    for (sql, back, said) in [
        (
            "UPDATE songs SET payload = '{\"x\": 1.1}' WHERE id = 'a'",
            "UPDATE songs SET payload = '{\"x\": 1.10}' WHERE id = 'a'",
            "songs: its rows are not those of the certificate (3 there, 3 here); which ones, `mtm verify --source FILE` says",
        ),
        (
            "DELETE FROM plays WHERE ctid = (SELECT min(ctid) FROM plays WHERE song = 'a')",
            "INSERT INTO plays VALUES ('a', 1.5)",
            "plays: its rows are not those of the certificate (3 there, 2 here)",
        ),
        (
            "UPDATE plays SET seconds = '-0' WHERE seconds IS NULL",
            "UPDATE plays SET seconds = NULL WHERE seconds = 0",
            "plays: its rows are not those of the certificate",
        ),
        (
            "DROP INDEX songs_by_artist",
            "CREATE INDEX songs_by_artist ON songs (artist_id, rank DESC)",
            "index songs_by_artist on songs: it is missing",
        ),
        (
            "ALTER TABLE songs RENAME COLUMN at TO since",
            "ALTER TABLE songs RENAME COLUMN since TO at",
            "songs.at: the target has no such column",
        ),
        (
            "ALTER TABLE plays ALTER song TYPE jsonb USING to_jsonb(song)",
            "ALTER TABLE plays ALTER song TYPE text USING song #>> '{}'",
            "plays.song: it is jsonb, and should be text",
        ),
        (
            "ALTER TABLE plays RENAME TO played",
            "ALTER TABLE played RENAME TO plays",
            "plays: the target has no such table",
        ),
        (
            "SELECT setval(pg_get_serial_sequence('artists', 'id'), 2)",
            "SELECT setval(pg_get_serial_sequence('artists', 'id'), 3)",
            "artists.id: its sequence stands at 2, and 3 is taken",
        ),
    ] {
        way.target.execute(sql).await;
        recheck(&way, "proof.json", &[])
            .ends_with(2)
            .says(&[said, "The target is not what the certificate of"]);
        way.target.execute(back).await;
        recheck(&way, "proof.json", &[]).succeeds();
    }
    // A copy in another schema is held against the same certificate.
    recheck(&way, "proof.json", &["--schema", "later"])
        .ends_with(2)
        .says(&["plays: the target has no such table"]);
    way.target.execute("ALTER SCHEMA public RENAME TO later; CREATE SCHEMA public").await;
    recheck(&way, "proof.json", &["--schema", "later"]).succeeds();
    recheck(&way, "proof.json", &[]).ends_with(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_was_mended_is_what_an_earlier_certificate_wants() {
    let way = migrated().await;
    way.target.execute("UPDATE songs SET rank = 9 WHERE id = 'a'").await;
    way.run("verify", &["--certificate", "proof"]).ends_with(2);
    recheck(&way, "proof.json", &[]).ends_with(2);
    way.target.execute("UPDATE songs SET rank = 1 WHERE id = 'a'").await;
    recheck(&way, "proof.json", &[]).succeeds();
    // A column that could not be compared is nothing to rely on.
    way.target.execute("ALTER TABLE songs DROP COLUMN rank CASCADE").await;
    way.run("verify", &["--certificate", "proof"]).ends_with(2);
    recheck(&way, "proof.json", &[]).fails(1, &["column `rank` of table `songs` could not be compared"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_certificate_is_said_so() {
    let way = certified().await;
    let text = fs::read_to_string(way.place.path().join("proof.json")).unwrap();
    way.place.write("edited.json", text.replace("\"source_rows\": 3", "\"source_rows\": 4"));
    way.place.write("cut.json", &text[..text.len() / 2]);
    way.place.write("plan.json", "{\"format_version\": 1, \"tables\": []}");
    way.place.write("list.json", "[1]");
    way.place.write("newer.json", text.replace("\"format_version\": 1", "\"format_version\": 2"));
    way.place.write("older.json", text.replace("\"format_version\": 1", "\"format_version\": 0"));
    for (file, said) in [
        ("none.json", "the certificate none.json cannot be read"),
        ("edited.json", "its checksum does not fit"),
        ("cut.json", "it is no JSON"),
        ("plan.json", "it is JSON, but no certificate"),
        ("list.json", "it is JSON, but no certificate"),
        ("newer.json", "its form has version 2, and this mtm knows no later one than 1"),
        ("older.json", "its form has version 0, which this mtm reads no more"),
    ] {
        recheck(&way, file, &[]).fails(1, &[said]);
    }
    // Laid out otherwise it is still the same.
    let compact = serde_json::from_str::<Value>(&text).unwrap().to_string();
    way.place.write("compact.json", compact);
    recheck(&way, "compact.json", &[]).succeeds();
    // Whoever edits on purpose can make the checksum fit; the digests still have to.
    forge(&way, |document| document["tables"][0]["digest"] = "0".repeat(32).into());
    recheck(&way, "forged.json", &[]).ends_with(2).says(&["artists: its rows are not those"]);
    forge(&way, |document| document["tables"][0]["columns"][0]["type"] = "nonsense".into());
    recheck(&way, "forged.json", &[]).fails(1, &["unknown type `nonsense`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_stands_for_source_and_mapping() {
    let way = certified().await;
    for flag in [["--source", "other.db"], ["--mapping", "none"]] {
        recheck(&way, "proof.json", &flag).fails(64, &["exclude one another"]);
    }
    recheck(&way, "proof.json", &["--include", "songs"]).fails(64, &["--include"]);
    // What the environment says to every command is not meant for this one.
    let flags = ["verify", "--against", "proof.json", "--target", &way.target.url];
    let mut command = way.place.command(&flags);
    command.env("MTM_SOURCE", "gone.db").env("MTM_MAPPING", "gone.yaml");
    Outcome::of("verify with an environment", command.output().unwrap()).succeeds();
    way.place.mtm(&["verify", "--target", &way.target.url]).fails(64, &["--source"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_do_not_wait_for_one_another_and_leave_nothing() {
    let way = migrated().await;
    // Row versions, sequences, and whatever else an application could see.
    let state = "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM (
        SELECT xmin::text, ctid::text, a.* FROM artists a) AS t";
    let sequence = "SELECT last_value || ' ' || is_called FROM artists_id_seq";
    let before = (way.target.value(state).await, way.target.value(sequence).await);
    way.run("verify", &["--writers", "8"]).succeeds().says(&["writers: 8 open at once, 0 waited, longest"]);
    let certificate = way.run("verify", &["--writers", "5", "--format", "json"]).succeeds().json();
    let writers = &certificate["writers"];
    assert_eq!((&writers["open_at_once"], &writers["waited"]), (&json!(5), &json!(0)));
    // No more than there are rows.
    way.run("verify", &["--writers", "20"])
        .succeeds()
        .says(&["9 open at once, 0 waited", "20 were asked for"]);
    assert_eq!((way.target.value(state).await, way.target.value(sequence).await), before);
    way.run("verify", &["--writers", "0"]).fails(64, &["--writers"]);

    // What a trigger does could not be taken back.
    way.target
        .execute(
            "CREATE SEQUENCE drawn;
             CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('drawn'); RETURN NEW; END $$;
             CREATE TRIGGER draw BEFORE UPDATE ON songs FOR EACH ROW EXECUTE FUNCTION draw()",
        )
        .await;
    way.run("verify", &["--writers", "20"])
        .succeeds()
        .says(&["6 open at once", "left out, since their triggers or rules would act: songs"]);
    assert_eq!(way.target.value("SELECT is_called FROM drawn").await.as_deref(), Some("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_have_to_wait_are_told() {
    let way = migrated().await;
    way.run("verify", &["--certificate", "proof"]).ends_with(0);
    let mut other = PgConnection::connect(&way.target.url).await.unwrap();
    // A row that somebody holds is passed over.
    other.execute("BEGIN; UPDATE artists SET name = name WHERE id = 1").await.unwrap();
    let flags = ["--writers", "9", "--lock-timeout", "100ms"];
    way.run("verify", &flags).succeeds().says(&["writers: 8 open at once, 0 waited"]);
    // A lock that keeps every writer out is not.
    other.execute("ROLLBACK; BEGIN; LOCK TABLE artists, songs, plays IN SHARE MODE").await.unwrap();
    let said = "Every cell is equal, but writers had to wait for a lock that another session held.";
    way.run("verify", &flags).ends_with(2).says(&["writers: 0 open at once, 9 waited", said]);
    recheck(&way, "proof.json", &flags).ends_with(2).says(&[said]);
    other.execute("ROLLBACK").await.unwrap();
    way.run("verify", &flags).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_read_only_can_be_checked_but_not_be_written_to() {
    let way = certified().await;
    let read_only =
        "ALTER DATABASE {} SET default_transaction_read_only = on".replace("{}", &way.target.name);
    way.target.execute(&read_only).await;
    recheck(&way, "proof.json", &[]).succeeds();
    recheck(&way, "proof.json", &["--writers", "2"])
        .fails(1, &["table `artists` could not be written to, as --writers asks"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_has_its_index_and_each_index_its_question() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, j TEXT, d TEXT, n INTEGER); INSERT INTO t WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 2000) SELECT i, 'x' || i, '{}', 'y' || (i % 100), i FROM i;").await;
    way.place.write(
        "mappings/types.yaml",
        r#"
version: 1
tables:
  t:
    columns: {a: {type: text, collate: C}, j: jsonb, d: varchar(9)}
    indexes:
      - {name: t_hash, method: hash, columns: [a]}
      - {name: t_brin, method: brin, columns: [n]}
      - {name: t_other, expression: "lower(d) COLLATE \"C\""}
      - {name: t_names, method: gin, columns: [j]}
      - {name: t_words, method: gin, expression: "to_tsvector('simple', d)"}
      - {name: t_lower, expression: "lower(a)"}
      - {name: t_pattern, columns: [{column: d, opclass: varchar_pattern_ops}, id]}
      - {name: t_part, columns: [d], where: "a > 'm'"}
"#,
    );
    way.run("apply", &["--yes"]).ends_with(0);
    let certificate = way.run("verify", &["--format", "json"]).succeeds().json();
    let found: Vec<String> = certificate["indexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| {
            format!("{}: {} {}", index["index"], index["question"], index["verdict"]).replace(['"', '\\'], "")
        })
        .collect();
    contains_all(
        &found.join("\n"),
        &[
            "t_pkey: id = $1 usable",
            "t_hash: a = $1 usable",
            "t_brin: n = $1 usable",
            "t_other: lower(d::text) COLLATE pg_catalog.C = $1 usable",
            "t_names: j @> $1 usable",
            "t_names: j ? $1 usable",
            "t_words: to_tsvector('simple'::regconfig, d::text) @@ $1 usable",
            "t_lower: lower(a) = $1 usable",
            "t_part: d = $1 AND (a > 'm'::text) ",
        ],
    );
    assert!(found.iter().all(|line| !line.ends_with("not_usable")), "{found:#?}");
}
