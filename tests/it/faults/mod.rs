//! What goes wrong outside of the program: it is killed, the server is, the network fails, the disk is full, others are in
//! the way. After each, the same command goes on, and `verify` finds nothing missing and nothing twice.
//!
//! The short draws are part of every run of the tests; those whose names begin with `faults_` are long ones, for
//! `script/test --faults`. What is drawn at random comes from a seed that is printed, and taken from `MTM_FAULT_SEED` where
//! that is set.

mod disk;
mod kills;
mod network;
mod obstacles;
mod proxy;
mod server;
mod writers;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::command::Way;

/// Numbers that look random, the same for the same seed (splitmix64).
pub struct Random(u64);

impl Random {
    /// From `MTM_FAULT_SEED`, or from the clock; says which.
    #[allow(clippy::print_stderr, reason = "what a test has drawn must be known when it fails")]
    pub fn drawn(test: &str) -> Random {
        let named = std::env::var("MTM_FAULT_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = named.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            now.as_nanos() as u64 % 1_000_000_007
        });
        eprintln!("{test}: MTM_FAULT_SEED={seed}");
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, not including, this.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A part of a length of time.
    pub fn part_of(&mut self, whole: Duration) -> Duration {
        whole.mul_f64(self.below(10_000) as f64 / 10_000.0)
    }
}

/// Says what a draw came to; shown where the test fails, and with `--no-capture`.
#[allow(clippy::print_stderr, reason = "a draw's tally is what a long run is for")]
pub fn tell(line: &str) {
    eprintln!("{line}");
}

/// A bit of everything: a table of three chunks, keys and foreign keys, an index, an identity column, JSON, a table
/// without rowids, one without a key.
pub const SOURCE: &str = "
    CREATE TABLE artists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
    CREATE TABLE tracks (
        id TEXT PRIMARY KEY, artist INTEGER NOT NULL REFERENCES artists (id), length REAL, payload TEXT NOT NULL
    );
    CREATE INDEX tracks_by_artist ON tracks (artist, length);
    CREATE TABLE plays (at TEXT, track TEXT REFERENCES tracks (id), PRIMARY KEY (at, track)) WITHOUT ROWID;
    CREATE TABLE covers (id INTEGER PRIMARY KEY, picture BLOB);
    CREATE TABLE notes (note TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO artists SELECT i, 'artist ' || i FROM n;
    DELETE FROM artists WHERE id = 500;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
        INSERT INTO tracks SELECT 'track ' || i, i % 499 + 1, i / 7.0, json_object('n', i, 'name', 'track ' || i) FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
        INSERT INTO plays SELECT date('2024-01-01', i || ' days'), 'track ' || i FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 36)
        INSERT INTO covers SELECT i, zeroblob(1000000) FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO notes SELECT 'note ' || i FROM n;";

/// The payload as jsonb, whatever the rules think of it.
pub const MAPPING: &str = "version: 1\ntables:\n  tracks:\n    columns:\n      payload: {type: jsonb}\n";

/// A way for [`SOURCE`], with its mapping where `mtm` looks for it.
pub async fn way() -> Way {
    let way = Way::from_sql(SOURCE).await;
    way.place.write("mappings/types.yaml", MAPPING);
    way
}

/// The same with two chunks in place of three.
pub async fn smaller_way() -> Way {
    let way = Way::from_sql(&SOURCE.replace("i < 36", "i < 20")).await;
    way.place.write("mappings/types.yaml", MAPPING);
    way
}

/// The rows are proven, and nothing is left to do.
#[track_caller]
pub fn is_proven(way: &Way) {
    way.run("verify", &[]).ends_with(0).says(&["Proven"]);
    way.run("plan", &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
}

/// Every object that is not PostgreSQL's own, with what it is, in an order of its own: equal for equal schemas.
pub const CATALOGUE: &str = "SELECT string_agg(object, E'\\n' ORDER BY object) FROM (
    SELECT concat_ws(' ', 'relation', n.nspname, c.relname, c.relkind, c.relpersistence, i.indisvalid, i.indisunique,
                     pg_get_indexdef(i.indexrelid))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
     WHERE n.nspname !~ '^(pg_|information_schema)'
    UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                               attidentity, pg_get_expr(adbin, adrelid))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind = 'r' AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(o.oid))
      FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
     WHERE n.nspname !~ '^(pg_|information_schema)'
    UNION ALL SELECT concat_ws(' ', 'sequence', schemaname, sequencename, last_value) FROM pg_sequences
     WHERE schemaname = 'public'
    UNION ALL SELECT concat_ws(' ', 'migration', row_number() OVER (ORDER BY version), version ~ '__post$')
      FROM seaql_migrations
    UNION ALL SELECT concat_ws(' ', 'function', p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname !~ '^(pg_|information_schema)'
    UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', 'schema', nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
) AS objects (object)";

/// Whether no session of ours is left, and no run that never said how it ended.
pub const AT_REST: &str = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mtm') \
     AND NOT EXISTS (SELECT FROM mtm.run WHERE finished_at IS NULL)";

/// Waits until a condition holds.
pub async fn wait_for(way: &Way, condition: &str) {
    for _ in 0..1500 {
        if way.target.value(condition).await.as_deref() == Some("true") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came about: {condition}");
}
