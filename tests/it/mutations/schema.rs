//! What a schema can lose, one by one.

use super::world::World;

/// What is changed, how, and what has to be named of it.
const MUTATIONS: &[(&str, &str, &[&str])] = &[
    ("an index dropped", "DROP INDEX charts_day", &["charts", "charts_day"]),
    (
        "an index invalid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'kinds_payload'::regclass",
        &["kinds", "kinds_payload", "invalid"],
    ),
    (
        "an index not ready",
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'kinds_payload'::regclass",
        &["kinds", "kinds_payload", "invalid"],
    ),
    (
        "an index over something else",
        "DROP INDEX charts_day; CREATE INDEX charts_day ON charts (day, rank)",
        &["charts", "charts_day", "rank"],
    ),
    (
        "another operator class",
        "DROP INDEX kinds_payload; CREATE INDEX kinds_payload ON kinds USING gin (payload)",
        &["kinds", "kinds_payload", "jsonb_path_ops"],
    ),
    (
        "another predicate",
        "DROP INDEX charts_top; CREATE INDEX charts_top ON charts (rank) WHERE rank < 10",
        &["charts", "charts_top"],
    ),
    (
        "a unique index that is none",
        "DROP INDEX kinds_code; CREATE INDEX kinds_code ON kinds (code)",
        &["kinds", "kinds_code", "UNIQUE"],
    ),
    (
        "a primary key dropped",
        "ALTER TABLE charts DROP CONSTRAINT charts_pkey",
        &["charts", "charts_pkey"],
    ),
    (
        "a primary key's index invalid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'charts_pkey'::regclass",
        &["charts", "charts_pkey", "invalid"],
    ),
    (
        "a unique constraint dropped",
        "ALTER TABLE albums DROP CONSTRAINT albums_title_key",
        &["albums", "albums_title_key"],
    ),
    (
        "a check dropped",
        "ALTER TABLE charts DROP CONSTRAINT charts_rank_check",
        &["charts", "charts_rank_check"],
    ),
    (
        "a check that binds new rows only",
        "ALTER TABLE charts DROP CONSTRAINT charts_rank_check;
         ALTER TABLE charts ADD CONSTRAINT charts_rank_check CHECK (rank > 0) NOT VALID",
        &["charts", "charts_rank_check", "NOT VALID"],
    ),
    (
        "a weaker check",
        "ALTER TABLE charts DROP CONSTRAINT charts_rank_check; ALTER TABLE charts ADD CONSTRAINT charts_rank_check CHECK (rank >= 0)",
        &["charts", "charts_rank_check", "rank >= 0"],
    ),
    (
        "a foreign key dropped",
        "ALTER TABLE kinds DROP CONSTRAINT kinds_album_id_fkey",
        &["kinds", "kinds_album_id_fkey"],
    ),
    (
        "a foreign key that binds new rows only",
        "ALTER TABLE kinds DROP CONSTRAINT kinds_album_id_fkey;
         ALTER TABLE kinds ADD CONSTRAINT kinds_album_id_fkey FOREIGN KEY (album_id) REFERENCES albums (id) NOT VALID",
        &["kinds", "kinds_album_id_fkey", "NOT VALID"],
    ),
    (
        "another action of a foreign key",
        "ALTER TABLE kinds DROP CONSTRAINT kinds_album_id_fkey;
         ALTER TABLE kinds ADD CONSTRAINT kinds_album_id_fkey FOREIGN KEY (album_id) REFERENCES albums (id) ON DELETE CASCADE",
        &["kinds", "kinds_album_id_fkey", "CASCADE"],
    ),
    (
        "a foreign key that nothing enforces",
        "ALTER TABLE kinds DISABLE TRIGGER ALL",
        &["kinds", "kinds_album_id_fkey", "disabled"],
    ),
    ("NOT NULL dropped", "ALTER TABLE kinds ALTER code DROP NOT NULL", &["kinds.code", "NOT NULL"]),
    ("NOT NULL added", "ALTER TABLE kinds ALTER medium SET NOT NULL", &["kinds.medium", "NOT NULL"]),
    ("a default dropped", "ALTER TABLE kinds ALTER code DROP DEFAULT", &["kinds.code", "default"]),
    (
        "another default",
        "ALTER TABLE charts ALTER note SET DEFAULT 'nothing'",
        &["charts.note", "DEFAULT", "nothing"],
    ),
    ("a shorter column", "ALTER TABLE charts ALTER span TYPE varchar(5)", &["charts.span", "varying(5)"]),
    (
        "another collation",
        r#"ALTER TABLE albums ALTER title TYPE text COLLATE "default""#,
        &["albums.title", "COLLATE"],
    ),
    (
        "an added column dropped",
        "ALTER TABLE kinds DROP COLUMN created_at",
        &["kinds.created_at", "missing"],
    ),
    (
        "a column that nothing fills",
        "ALTER TABLE charts ADD COLUMN more integer NOT NULL DEFAULT 1; ALTER TABLE charts ALTER more DROP DEFAULT",
        &["charts.more", "NOT NULL"],
    ),
    (
        "a sequence behind",
        "SELECT setval(pg_get_serial_sequence('albums', 'id'), 39)",
        &["albums.id", "sequence", "39"],
    ),
    (
        "a sequence behind what was once used",
        "SELECT setval(pg_get_serial_sequence('albums', 'id'), 89)",
        &["albums.id", "sequence", "90"],
    ),
    (
        "a sequence that goes backwards",
        "ALTER TABLE albums ALTER id SET INCREMENT BY -1",
        &["albums.id", "sequence"],
    ),
    (
        "an index that the planner may not use",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_bitmapscan = off', current_database()); END $$",
        &["kinds_payload", "does not use it", "payload @> $1", "Seq Scan"],
    ),
    (
        "a sequence that is at its end",
        "ALTER SEQUENCE albums_id_seq MAXVALUE 90",
        &["albums.id", "sequence ends at 90"],
    ),
    (
        "a table that became a view",
        "ALTER TABLE plays RENAME TO played; CREATE VIEW plays AS SELECT * FROM played",
        &["plays: there is no such table"],
    ),
    ("identity dropped", "ALTER TABLE albums ALTER id DROP IDENTITY", &["albums.id", "IDENTITY"]),
];

/// Each in a twin of its own.
async fn all_are_found(mutations: &[(&str, &str, &[&str])]) {
    let world = World::new().await;
    let (mut missed, mut lost) = (Vec::new(), 0);
    for (what, sql, expected) in mutations {
        let before = missed.len();
        let twin = world.twin().await;
        twin.execute(sql).await;
        // With the source, and without it.
        for outcome in [world.verify(&twin), world.recheck(&twin)] {
            let differences = outcome.json()["schema_differences"].to_string();
            let lower = differences.to_lowercase();
            if outcome.code != Some(2) || !expected.iter().all(|word| lower.contains(&word.to_lowercase())) {
                missed.push(format!(
                    "{what}: exit code {:?}, named {differences}, expected {expected:?}",
                    outcome.code
                ));
            }
        }
        lost += usize::from(missed.len() > before);
    }
    let made = mutations.len();
    println!("mutations: made {made}, found {}, missed {lost}", made - lost);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Two at a time.
const HALF: usize = MUTATIONS.len() / 2;

#[tokio::test(flavor = "multi_thread")]
async fn every_loss_of_the_schema_is_found_and_named_the_first_half() {
    all_are_found(&MUTATIONS[..HALF]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loss_of_the_schema_is_found_and_named_the_second_half() {
    all_are_found(&MUTATIONS[HALF..]).await;
}
