//! Changes drawn at random: a table, a row, a column, and one of the ways in which a value of its type can go wrong.
//!
//! Several are made at once, each in a row of its own, and fewer than a certificate names; what is named must be these
//! and no other. A draw that changes nothing, or that the target refuses, is drawn again.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::world::{World, named};

/// Changes of one look: a swap counts as two, and 20 differences of a table are named.
const A_LOOK: usize = 16;

/// A column, and how its text is read so that equal values read alike.
struct Column {
    table: &'static str,
    name: &'static str,
    changes: &'static [&'static str],
    text: &'static str,
}

const TEXT: &[&str] = &[
    "{c} || ' '",
    "' ' || {c}",
    "{c} || chr(8203)",
    "overlay({c} PLACING chr({n} + 96) FROM {n} FOR 1)",
    "overlay({c} PLACING '' FROM {n} FOR 1)",
    "upper({c})",
    "lower({c})",
    "initcap({c})",
    "normalize({c}, NFD)",
    "normalize({c}, NFC)",
    "reverse({c})",
    "left({c}, -1)",
    "btrim({c})",
    "translate({c}, 'aeiou', 'eioua')",
    "replace({c}, chr(10), chr(13) || chr(10))",
    "convert_from(convert_to({c}, 'UTF8'), 'LATIN1')",
    "nullif({c}, {c})",
    "coalesce({c}, '')",
    "''",
];
const INTEGER: &[&str] =
    &["{c} + {n}", "{c} - 1", "-{c}", "{c} # 1", "{c} / 10", "0", "nullif({c}, {c})", "coalesce({c}, 0)"];
const NUMERIC: &[&str] = &[
    "{c} + 0.00000001",
    "{c} - 0.001",
    "{c} * 10",
    "-{c}",
    "round({c}, {n} % 3)",
    "trunc({c}, 1)",
    "'NaN'",
    "0",
    "NULL",
];
const DOUBLE: &[&str] = &[
    "-{c}",
    "'-0'::float8",
    "{c} * (1 + 2.3e-16::float8)",
    "{c} * (1 - 1.2e-16::float8)",
    "{c}::real",
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "{c} + 5e-324",
    "0",
    "NULL",
    "coalesce({c}, 0)",
    "round({c})",
];
const BYTES: &[&str] = &[
    "set_byte({c}, {n} % length({c}), get_byte({c}, {n} % length({c})) # {n})",
    r"{c} || '\x00'",
    r"'\x00' || {c}",
    "substring({c} FROM 2)",
    r"decode(encode({c}, 'escape'), 'escape') || '\x0a'",
    r"coalesce({c}, '\x')",
    "NULL",
    r"'\x'",
];
const JSON: &[&str] = &[
    "to_jsonb({c}::text)",
    "jsonb_build_array({c})",
    r#"{c} || '{"more": null}'"#,
    "{c} - 'id'",
    "{c} - 0",
    "jsonb_set({c}, '{deep,a,{n}}', '{n}')",
    "jsonb_set({c}, '{deep,b}', 'false')",
    "jsonb_set({c}, '{id}', to_jsonb({n}))",
    "jsonb_strip_nulls({c})",
    "replace({c}::text, '.10', '.1')::jsonb",
    "replace({c}::text, '.10', '.11')::jsonb",
    r#"replace({c}::text, '"z"', '"Z"')::jsonb"#,
    "replace({c}::text, 'é', 'e')::jsonb",
    "replace({c}::text, 'true', '1')::jsonb",
    "regexp_replace({c}::text, '[0-9]', '{n}')::jsonb",
    "'null'",
    "'{}'",
    "NULL",
    "coalesce({c}, 'null')",
];
const DATE: &[&str] =
    &["{c} + {n}", "{c} - 1", "'infinity'", "'-infinity'", "({c} + interval '1 month')::date", "NULL"];
const TIME: &[&str] = &[
    "{c} + interval '1 microsecond'",
    "{c} + interval '12 hours'",
    "date_trunc('second', {c})::time",
    "'24:00'",
    "NULL",
];
const TIMESTAMP: &[&str] = &[
    "{c} + interval '1 microsecond'",
    "{c} - interval '{n} hours'",
    "date_trunc('second', {c})",
    "date_trunc('day', {c})",
    "'infinity'",
    "NULL",
];
const TIMESTAMPTZ: &[&str] = &[
    "({c} AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin'",
    "({c} AT TIME ZONE 'Asia/Kolkata') AT TIME ZONE 'UTC'",
    "{c} - interval '1 microsecond'",
    "{c} + interval '{n} hours'",
    "'-infinity'",
    "coalesce({c}, 'epoch')",
    "NULL",
];
const UUID: &[&str] = &[
    "overlay({c}::text PLACING '{n}' FROM {n} FOR 1)::uuid",
    "reverse(translate({c}::text, '-', ''))::uuid",
    "'00000000-0000-0000-0000-000000000000'",
    "NULL",
];
const BOOLEAN: &[&str] = &["NOT {c}", "NULL", "coalesce({c}, false)"];

const fn column(table: &'static str, name: &'static str, changes: &'static [&'static str]) -> Column {
    Column { table, name, changes, text: "{c}::text" }
}

const COLUMNS: &[Column] = &[
    column("albums", "title", TEXT),
    column("kinds", "flag", BOOLEAN),
    column("kinds", "small", INTEGER),
    column("kinds", "medium", INTEGER),
    column("kinds", "large", INTEGER),
    // 1.0 is 1.00.
    Column { text: "trim_scale({c})::text", ..column("kinds", "exact", NUMERIC) },
    Column { text: "trim_scale({c})::text", ..column("kinds", "money", NUMERIC) },
    column("kinds", "approximate", DOUBLE),
    column("kinds", "words", TEXT),
    column("kinds", "code", TEXT),
    column("kinds", "bytes", BYTES),
    column("kinds", "payload", JSON),
    column("kinds", "day", DATE),
    column("kinds", "clock", TIME),
    column("kinds", "local_time", TIMESTAMP),
    column("kinds", "moment", TIMESTAMPTZ),
    column("kinds", "uuid", UUID),
    column("kinds", "album_id", INTEGER),
    column("charts", "rank", INTEGER),
    column("charts", "note", TEXT),
];

/// SplitMix64: the same draw for the same seed, on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A row with a key: how it is found, and how it is named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    table: &'static str,
    condition: String,
    name: String,
}

/// Changes that are to be found in one look.
struct Look {
    connection: PgConnection,
    rows: Vec<Row>,
    used: BTreeSet<Row>,
    expected: Vec<String>,
    changes: Vec<String>,
}

impl Look {
    async fn new(world: &World) -> Look {
        let mut connection = PgConnection::connect(&world.way.target.url).await.unwrap();
        connection.execute("SET session_replication_role = replica; BEGIN").await.unwrap();
        let mut rows = Vec::new();
        for (table, condition, name) in [
            ("albums", "format('id = %s', id)", "format('albums id=%s', id)"),
            ("kinds", "format('id = %s', id)", "format('kinds id=%s', id)"),
            (
                "charts",
                "format('(track, day, span) = (%L, %L, %L)', track, day, span)",
                "format('charts track=%s, day=%s, span=%s', track, day, span)",
            ),
        ] {
            let sql = format!("SELECT {condition}, {name} FROM {table} ORDER BY 2");
            let found: Vec<(String, String)> =
                sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            rows.extend(found.into_iter().map(|(condition, name)| Row { table, condition, name }));
        }
        Look { connection, rows, used: BTreeSet::new(), expected: Vec::new(), changes: Vec::new() }
    }

    /// A row of a table that has not been changed yet.
    fn row(&self, table: &str, random: &mut Random) -> Row {
        loop {
            let row = random.of(&self.rows);
            if row.table == table && !self.used.contains(row) {
                return row.clone();
            }
        }
    }

    async fn text(&mut self, column: &Column, row: &Row) -> Option<String> {
        let text = column.text.replace("{c}", column.name);
        let sql = format!("SELECT {text} FROM {} WHERE {}", row.table, row.condition);
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await.unwrap()
    }

    /// Makes a change, unless the target refuses it or one of the cells stays as it is; says whether it was made.
    async fn make(
        &mut self,
        sql: String,
        cells: &[(&Column, &Row)],
        rows: &[&Row],
        expected: &[String],
    ) -> bool {
        self.connection.execute("SAVEPOINT change").await.unwrap();
        let mut before = Vec::new();
        for (column, row) in cells {
            before.push(self.text(column, row).await);
        }
        let mut made = match self.connection.execute(AssertSqlSafe(sql.clone())).await {
            Ok(done) => done.rows_affected() > 0,
            Err(error) => {
                let code =
                    error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
                // A value that cannot be (22), a constraint (23); anything else is a fault of this test.
                let code = code.unwrap_or_default();
                assert!(code.starts_with("22") || code.starts_with("23"), "{sql}: {error}");
                false
            }
        };
        if made {
            for ((column, row), before) in cells.iter().zip(before) {
                made &= self.text(column, row).await != before;
            }
        }
        if made {
            self.used.extend(rows.iter().map(|row| (*row).clone()));
            self.expected.extend_from_slice(expected);
            self.changes.push(sql);
        } else {
            self.connection.execute("ROLLBACK TO change").await.unwrap();
        }
        made
    }

    /// A cell, another value.
    async fn cell(&mut self, random: &mut Random) -> bool {
        let column = random.of(COLUMNS);
        let row = self.row(column.table, random);
        let value = random.of(column.changes).replace("{c}", column.name);
        let value = value.replace("{n}", &(1 + random.below(6)).to_string());
        let sql = format!("UPDATE {} SET {} = {value} WHERE {}", row.table, column.name, row.condition);
        let expected = format!("{}: {}", row.name, column.name);
        self.make(sql, &[(column, &row)], &[&row], &[expected]).await
    }

    /// Two rows, one's value in the other.
    async fn swap(&mut self, random: &mut Random) -> bool {
        let column = random.of(COLUMNS);
        let (one, other) = (self.row(column.table, random), self.row(column.table, random));
        if one == other {
            return false;
        }
        let (table, name) = (column.table, column.name);
        let value = |row: &Row| format!("(SELECT {name} FROM {table} WHERE {})", row.condition);
        let sql = format!(
            "UPDATE {table} SET {name} = CASE WHEN {} THEN {} ELSE {} END WHERE {} OR {}",
            one.condition,
            value(&other),
            value(&one),
            one.condition,
            other.condition
        );
        let expected = [&one, &other].map(|row| format!("{}: {name}", row.name));
        self.make(sql, &[(column, &one), (column, &other)], &[&one, &other], &expected).await
    }

    /// A row lost, a row too many, or a row under another key.
    async fn whole_row(&mut self, random: &mut Random) -> bool {
        let row = self.row("charts", random);
        let moved = row.name.replace(", day=", "+, day=");
        let (missing, extra) = (format!("{}: missing", row.name), format!("{moved}: extra"));
        let condition = &row.condition;
        let (sql, expected) = match random.below(3) {
            0 => (format!("DELETE FROM charts WHERE {condition}"), vec![missing]),
            1 => (
                format!(
                    "INSERT INTO charts SELECT track || '+', day, span, rank, note FROM charts WHERE {condition}"
                ),
                vec![extra],
            ),
            _ => (format!("UPDATE charts SET track = track || '+' WHERE {condition}"), vec![missing, extra]),
        };
        self.make(sql, &[], &[&row], &expected).await
    }

    /// A row of the table without a key: at most one a look, since equal rows cannot be told apart.
    async fn without_key(&mut self, random: &mut Random) -> bool {
        if self.expected.iter().any(|expected| expected.starts_with("plays")) {
            return false;
        }
        let one =
            format!("ctid = (SELECT ctid FROM plays ORDER BY ctid OFFSET {} LIMIT 1)", random.below(200));
        let (missing, extra) = ("plays: missing".to_owned(), "plays: extra".to_owned());
        let (sql, expected) = match random.below(4) {
            0 => (format!("DELETE FROM plays WHERE {one}"), vec![missing]),
            1 => (format!("INSERT INTO plays SELECT * FROM plays WHERE {one}"), vec![extra]),
            2 => (format!("UPDATE plays SET rating = -rating WHERE {one}"), vec![missing, extra]),
            _ => (format!("UPDATE plays SET at = at + 1000 WHERE {one}"), vec![missing, extra]),
        };
        self.make(sql, &[], &[], &expected).await
    }

    async fn change(&mut self, random: &mut Random) {
        loop {
            let made = match random.below(20) {
                0..14 => self.cell(random).await,
                14..16 => self.swap(random).await,
                16..19 => self.whole_row(random).await,
                _ => self.without_key(random).await,
            };
            if made {
                return;
            }
        }
    }
}

/// Makes so many changes and requires that each is named, and nothing else.
async fn all_are_found(wanted: usize, seed: u64) {
    println!("MUTATION_SEED={seed}");
    let world = World::new().await;
    let mut random = Random(seed);
    let (mut made, mut lost, mut missed) = (0, 0, Vec::new());
    while made < wanted {
        let mut look = Look::new(&world).await;
        for _ in 0..A_LOOK.min(wanted - made) {
            look.change(&mut random).await;
        }
        look.connection.execute("COMMIT").await.unwrap();
        made += look.changes.len();
        let outcome = world.verify(&world.way.target);
        let found = named(&outcome.json()).into_iter().map(|line| match line.strip_prefix("plays ") {
            Some(place) => format!("plays: {}", place.rsplit(' ').next().unwrap()),
            None => line,
        });
        let (found, expected): (BTreeSet<String>, BTreeSet<String>) =
            (found.collect(), look.expected.iter().cloned().collect());
        let missing: Vec<&String> = expected.difference(&found).collect();
        let unexpected: Vec<&String> = found.difference(&expected).collect();
        lost += missing.len();
        if outcome.code != Some(2) || !missing.is_empty() || !unexpected.is_empty() {
            missed.push(format!(
                "exit code {:?}\nnot named: {missing:#?}\nnamed without reason: {unexpected:#?}\nthe changes: {:#?}",
                outcome.code, look.changes
            ));
        }
        world.restore().await;
    }
    println!("mutations: made {made}, found {}, missed {lost}", made - lost.min(made));
    assert!(missed.is_empty(), "MUTATION_SEED={seed}\n{}", missed.join("\n"));
    assert_eq!(world.verify(&world.way.target).code, Some(0), "all is put back");
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn random_changes_are_found_and_named() {
    all_are_found(200, from_environment("MUTATION_SEED").unwrap_or(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes; script/test --faults runs it"]
async fn faults_many_random_changes_are_found_and_named() {
    let clock = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let wanted = from_environment("MUTATIONS").unwrap_or(5000);
    let seed = from_environment("MUTATION_SEED").unwrap_or_else(clock);
    all_are_found(usize::try_from(wanted).unwrap(), seed).await;
}
