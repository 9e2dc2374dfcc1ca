//! `mtm plan --drift`: changes made by hand, found without source, mapping and folder.

use crate::command::{Outcome, Way};

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE plays (id INTEGER PRIMARY KEY, track INTEGER REFERENCES tracks);
    CREATE INDEX tracks_name ON tracks (name);
    INSERT INTO tracks VALUES (1, 'one'); INSERT INTO plays VALUES (1, 1);";

fn drift(way: &Way, more: &[&str]) -> Outcome {
    let head = ["plan", "--drift", "--target", &way.target.url, "--exit-code"];
    way.place.mtm(&[&head[..], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_by_hand_are_named() {
    let way = Way::from_sql(SOURCE).await;
    drift(&way, &[]).succeeds().says(&["No version is applied"]);
    way.run("apply", &["--yes"]).succeeds();
    way.target.execute("CREATE TABLE of_somebody_else (a text)").await;
    drift(&way, &[]).succeeds().says(&["No drift: 2 tables as 1 version made them."]);

    way.target
        .execute(
            "ALTER TABLE tracks ADD COLUMN mood text; ALTER TABLE tracks ALTER name DROP NOT NULL;
             DROP INDEX tracks_name; CREATE INDEX by_hand ON plays (track);
             ALTER TABLE plays DROP CONSTRAINT plays_track_fkey; ALTER TABLE plays ADD CHECK (id > 0) NOT VALID",
        )
        .await;
    drift(&way, &[]).ends_with(2).says(&[
        "column tracks.mood was added by hand: text",
        "column tracks.name is text; the versions say text NOT NULL",
        "index tracks_name on tracks is missing",
        "index by_hand on plays was added by hand: CREATE INDEX by_hand",
        "constraint plays_track_fkey on plays is missing",
        "constraint plays_id_check on plays was added by hand: CHECK ((id > 0)) NOT VALID",
        "6 differences in 2 tables made by 1 version.",
    ]);
    let json = drift(&way, &["--format", "json"]).ends_with(2).json();
    assert_eq!(json["differences"].as_array().unwrap().len(), 6);
    assert_eq!(json["differences"][0]["kind"], "constraint");
    way.target.execute("DROP TABLE plays").await;
    drift(&way, &[]).ends_with(2).says(&["table plays is missing"]);
    way.place.mtm(&["plan", "--drift", "--target", &way.target.url]).succeeds();
    drift(&way, &["--format", "sql"]).fails(64, &["text and json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scratch_does_not_take_is_said() {
    let way = Way::from_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    way.place.write("types.yaml", "version: 1\nversions_dir: versions\n");
    way.place.write(
        "versions/m20260101_000000_tracks/pre-data.sql",
        "-- step\nCREATE TABLE tracks (id text);\n\n-- step\nCREATE TABLE plays (id text);\n\n\
         -- step\nALTER TABLE public.tracks ADD COLUMN name text;\n\n-- step\nCREATE INDEX i ON tracks (name);\n",
    );
    way.place.mtm(&["migrate", "up", "--mapping", "types.yaml", "--target", &way.target.url]).succeeds();
    way.target.execute("ALTER TABLE tracks ADD COLUMN by_hand text").await;
    let unknown = [
        "m20260101_000000_tracks: it names the schema",
        "m20260101_000000_tracks: it is about a table of another step",
        "Not compared: tracks",
    ];
    drift(&way, &[]).ends_with(1).says(&unknown).says(&["No drift: 1 table"]);
    way.target.execute("ALTER TABLE plays ADD COLUMN by_hand text").await;
    drift(&way, &[]).ends_with(2).says(&unknown).says(&["column plays.by_hand was added by hand"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_compared_too() {
    let way = Way::from_sql("CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT)").await;
    let mapping = "version: 1\ntables:\n  tracks:\n    comment: See public.tracks\n    columns: {name: {comment: Its name}}\n";
    let mapping = way.place.write("types.yaml", mapping);
    way.run("apply", &["--yes", "--mapping", mapping.to_str().unwrap()]).succeeds();
    drift(&way, &[]).succeeds().says(&["No drift: 1 table"]);
    way.target
        .execute("COMMENT ON TABLE tracks IS NULL; COMMENT ON COLUMN tracks.name IS 'Another'; COMMENT ON COLUMN tracks.id IS 'Key'")
        .await;
    drift(&way, &[]).ends_with(2).says(&[
        "comment on table tracks is missing",
        "comment on column tracks.name is Another; the versions say Its name",
        "comment on column tracks.id was added by hand: Key",
    ]);
}
