//! Changes drawn at random: a table, a row, a column, and one of the ways in which a value of its type can go wrong.
//!
//! Several are made at once, each in a row of its own, and fewer than a certificate names; what is named must be these
//! and no other. A draw that changes nothing, or that the target refuses, is drawn again.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{
    columns::{COLUMNS, Column},
    world::{World, changed_tables, named},
};

/// Changes of one look: a swap counts as two, and 20 differences of a table are named.
const A_LOOK: usize = 16;

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
        // Without the source, by the certificate: the tables, if not the rows.
        let recheck = world.recheck(&world.way.target).ends_with(2).json();
        let changed: BTreeSet<&str> = changed_tables(&recheck).into_iter().collect();
        let expected: BTreeSet<&str> =
            look.expected.iter().map(|line| line.split([' ', ':']).next().unwrap()).collect();
        assert_eq!(changed, expected, "MUTATION_SEED={seed}: {:#?}", look.changes);
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
    let wanted = from_environment("MUTATIONS").unwrap_or(3000);
    let seed = from_environment("MUTATION_SEED").unwrap_or_else(clock);
    all_are_found(usize::try_from(wanted).unwrap(), seed).await;
}
