//! Checks, partial indexes and expression indexes of the source: what is carried over means the same on both sides.

use mtm::schema::render::quoted;

use crate::{
    command::{Way, contains_all},
    support::TestDatabase,
};

/// A table of every class of column, with edges of each.
fn table() -> String {
    let mut sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, m INTEGER, r REAL, d DECIMAL(14,4), s TEXT, p TEXT, w DATETIME,
            code INTEGER_OR_TEXT, flag BOOLEAN, day DATE, hash BLOB, \"odd \"\"name\" INTEGER);"
        .to_owned();
    // Each list is as long as no other's divisor, so that values meet in many ways.
    let n = ["NULL", "0", "1", "-1", "2", "5", "42", "9007199254740993", "-9007199254740993"];
    let m = ["1", "NULL", "0", "-7", "5"];
    let r = [
        "0.0",
        "NULL",
        "0.1",
        "-0.1",
        "1.0",
        "1.5",
        "1e300",
        "-1e-300",
        "9e999",
        "42.0",
        "0.30000000000000004",
    ];
    let d = ["NULL", "0", "0.05", "-2.5", "7", "0.1", "1234567.25"];
    let s =
        ["'a'", "NULL", "''", "'A'", "'b'", "'ab'", "'é'", "'it''s'", "'10'", "'9'", "'🎧x'", "'a '", "'~'"];
    let w = ["'soon'", "NULL", "''", "'2020-01-31 10:00'", "'z'"];
    let code = ["1", "'x1'", "NULL", "4326", "-5", "'IAU'", "''"];
    let flag = ["0", "1", "NULL"];
    let day = ["'2020-01-31'", "NULL", "'1999-12-31'", "'2020-02-01'"];
    let hash = ["x'00'", "x''", "NULL", "x'ff00ff'"];
    for row in 0..90 {
        let pick = |list: &[&'static str]| list[row % list.len()];
        let other = s[(row * 5 + row / 13) % s.len()];
        let cells = [
            pick(&n),
            pick(&m),
            pick(&r),
            pick(&d),
            pick(&s),
            other,
            pick(&w),
            pick(&code),
            pick(&flag),
            pick(&day),
            pick(&hash),
            pick(&m),
        ];
        sql.push_str(&format!("INSERT INTO t VALUES ({row}, {});", cells.join(", ")));
    }
    sql
}

/// Conditions that are carried over.
const CONDITIONS: &[&str] = &[
    "n > 0",
    "n >= 9007199254740993",
    "n <> -1",
    "n == 5 OR m == 5",
    "n < 1.5",
    "n",
    "NOT n",
    "NOT (n > 0 AND m > 0)",
    "n IS NULL",
    "n NOTNULL AND m ISNULL",
    "n IS 5",
    "n IS NOT 5",
    "n IS m",
    "n IS NOT m",
    "n IS NOT DISTINCT FROM m",
    "n IN (1, 2, 42)",
    "n NOT IN (1, NULL)",
    "n IN (1, 1.5, NULL)",
    "n BETWEEN -1 AND 5",
    "n NOT BETWEEN m AND 5",
    "n = m",
    "n < m",
    "n + m > 5",
    "n - m * 2 < 0",
    "n - (m - 1) < 0",
    "-n > m",
    "- - n > 0",
    "abs(n) > 2",
    "abs(n - m) > 2",
    "-(n + m) < -3",
    "m * m * m > 5",
    "r",
    "r > 0.1",
    "r = 0.1",
    "r >= 1",
    "r < -0.05",
    "-r > 0",
    "abs(r) > 0.1",
    "r IN (0, 1.5, 42)",
    "r BETWEEN 0 AND 1.0",
    "r = 9007199254740992",
    "d > 0.05",
    "d = 0.05",
    "d IN (7, 0.1)",
    "d < n",
    "-d < 0",
    "abs(d) >= 2.5",
    "d IS TRUE",
    "s = 'a'",
    "s <> ''",
    "s < 'b'",
    "s >= 'a'",
    "s > 'A' AND s <= 'é'",
    "s = \"a\"",
    "s IN ('a', 'b', '')",
    "s NOT IN ('a')",
    "s BETWEEN 'A' AND 'a'",
    "s = p",
    "s < p",
    "s IS p",
    "s IS NOT 'a'",
    "p > '10'",
    "w = 'soon'",
    "w <> ''",
    "w > 'a'",
    "length(s) > 1",
    "length(s) = length(p)",
    "length(n) > 2",
    "length(code) >= 1",
    "length(hash) = 3",
    "length(s) + length(p) = 3",
    "flag",
    "NOT flag",
    "flag = 1",
    "flag = FALSE",
    "flag <> 0",
    "flag > 0",
    "flag IN (0, 1)",
    "flag IN (1)",
    "flag IS 1",
    "flag IS TRUE",
    "flag IS NOT TRUE",
    "n IS FALSE",
    "n IS NOT FALSE",
    "(n > 0) IS TRUE",
    "flag = (n > 0)",
    "flag AND n > 0 OR s = 'a'",
    "(n IS NULL) + (m IS NULL) + flag = 1",
    "(n IS NULL) = (m IS NULL)",
    "(n > 0) <> flag",
    "n > 0 = 1",
    "day = '2020-01-31'",
    "day > '1999-12-31'",
    "day BETWEEN '2000-01-01' AND '2020-01-31'",
    "day IN ('2020-01-31')",
    "day IS NOT '2020-01-31'",
    "coalesce(n, m, 0) > 0",
    "coalesce(n, 0) = 0",
    "ifnull(s, 'a') = 'a'",
    "coalesce(s, p) < 'b'",
    "coalesce(w, 'x') > 'a'",
    "coalesce(r, 0) = 0",
    "ifnull(r, 0.1) = 0.1",
    "coalesce(d, 0) > 0.05",
    "ifnull(flag, 1)",
    "coalesce(flag, n > 0)",
    "nullif(n, 1) IS NULL",
    "nullif(s, '') IS NOT NULL",
    "nullif(m, n) > 0",
    "nullif(flag, 0)",
    "nullif(r, 0) > 0",
    "coalesce(nullif(s, ''), p) = 'b'",
    "coalesce(day, '2020-01-31') = '2020-01-31'",
    "\"odd \"\"name\" > 0",
    "[odd \"name] IS NULL",
    "`id` < 40",
    "1",
    "0 OR n",
    "n = NULL",
    "NOT NULL",
    "NULL IS NULL",
    "n > 0 OR NULL",
    "1.5 < r",
    "'b' > s",
    "2 > 1",
    "s COLLATE BINARY < 'b'",
    "+n > 0",
    "n /* of */ > -- the\n 0",
    "(n > 0 AND m > 0 OR r > 0) AND NOT flag",
    "hash IS NULL",
    "code IS NOT NULL",
    "n = 1 = flag",
    // Texts that are hard to write, and constants.
    "s <> 'a?$1 { ( } \\\\ %'",
    "s <> 'a;\n-- \"b, ( c''d'",
    "'a' < 'b' OR n",
    "'a' IN ('a', \"b\") AND n",
    "coalesce('x', s) = 'x' AND n",
    "- 1.5 < r",
    "abs(-5) > n",
    "abs(-1.5) < n",
    "-flag < n",
    "coalesce(flag, TRUE) = 1",
    "(flag = 1) IS NULL",
    "flag BETWEEN 0 AND 1",
    "flag IN (0, NULL)",
    "n BETWEEN NULL AND 5",
    "1 = 1.0 AND n",
    "- 5 - -3 < n - -2",
    "coalesce(n > 0, flag, 0)",
    "NOT flag = 1",
    "NOT n BETWEEN 0 AND 5 OR NOT s IS NULL AND NOT (flag OR m)",
    "n IS NULL IS NULL",
    "n + m IS NULL",
    "n < 5 > 0",
];

/// Expressions that are carried over as key parts.
const PARTS: &[&str] = &[
    "length(s)",
    "coalesce(s, p)",
    "n + m",
    "abs(r)",
    "coalesce(n, 0)",
    "n IS NULL",
    "s = 'a'",
    "ifnull(day, '2020-01-31')",
    "-n",
    "n > 0 AND flag",
    "nullif(s, '')",
    "(length(code))",
    "-r",
];

#[tokio::test(flavor = "multi_thread")]
async fn same_truth_on_both_sides() {
    let mut sql = table();
    for (number, condition) in CONDITIONS.iter().enumerate() {
        sql.push_str(&format!("CREATE INDEX c{number} ON t (id) WHERE {condition}\n;"));
    }
    for (number, part) in PARTS.iter().enumerate() {
        sql.push_str(&format!("CREATE INDEX p{number} ON t (id DESC, {part});"));
    }
    let way = Way::from_sql(&sql).await;
    way.goes_through();
    let source = rusqlite::Connection::open(&way.source).unwrap();
    for (number, condition) in CONDITIONS.iter().enumerate() {
        let predicate = translated(
            &way.target,
            "coalesce(pg_get_expr(indpred, indrelid), 'true')",
            &format!("c{number}"),
            condition,
        )
        .await;
        let theirs = way.target.value(&format!("SELECT string_agg(id || ':' || coalesce((({predicate})::int)::text, '-'), ' ' ORDER BY id) FROM t")).await;
        let ours: String = source
            .query_row(
                // The comment at a condition's end needs the line's.
                &format!(
                    "SELECT group_concat(id || ':' || CASE WHEN ({condition}\n) IS NULL THEN '-' ELSE ({condition}\n) IS TRUE END, ' ') \
                     FROM (SELECT * FROM t NOT INDEXED ORDER BY id)"
                ),
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(theirs.as_deref(), Some(ours.as_str()), "{condition}\n{predicate}");
    }
    for (number, part) in PARTS.iter().enumerate() {
        let expression =
            translated(&way.target, "pg_get_indexdef(indexrelid, 2, true)", &format!("p{number}"), part)
                .await;
        // Numbers are compared by order, since each side writes them its own way.
        let order = format!("SELECT id FROM t ORDER BY {part} IS NULL, {part}, id");
        let ours: String = source
            .query_row(&format!("SELECT group_concat(id, ' ') FROM ({order})"), [], |row| row.get(0))
            .unwrap();
        let collation = if ["coalesce(s", "nullif(s"].iter().any(|begin| part.starts_with(begin)) {
            "COLLATE \"C\""
        } else {
            ""
        };
        let theirs = way
            .target
            .value(&format!("SELECT string_agg(id::text, ' ' ORDER BY ({expression}) IS NULL, ({expression}) {collation}, id) FROM t"))
            .await;
        assert_eq!(theirs.as_deref(), Some(ours.as_str()), "{part}\n{expression}");
    }
}

/// What PostgreSQL has made of an index's expression.
async fn translated(target: &TestDatabase, what: &str, index: &str, sql: &str) -> String {
    let query = format!("SELECT {what} FROM pg_index WHERE indexrelid = to_regclass('{index}')");
    let found = target.value(&query).await;
    found.unwrap_or_else(|| panic!("{} is not carried over: {sql}", quoted(index)))
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_go_over_and_bind_new_rows() {
    let way = Way::from_sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0) CONSTRAINT small CHECK (n < 100), s TEXT CHECK (length(s) >= 1),
            flag BOOLEAN NOT NULL CHECK (flag IN (0, 1)), kind TEXT CHECK (kind IN ('a', 'b')), CONSTRAINT t_pkey CHECK (n <> 13),
            CONSTRAINT like_it CHECK (s LIKE '%'), CHECK ((n IS NULL) <> (kind IS NULL)), CHECK (s <> 'a;\n-- \"b, ( c''d?$1'));
        INSERT INTO t VALUES (1, 5, 'x', 1, NULL), (2, NULL, NULL, 0, 'b');
        CREATE UNIQUE INDEX one_kind ON t (kind) WHERE kind <> '';
        CREATE UNIQUE INDEX one_length ON t (coalesce(n, -1) DESC, kind) WHERE flag;
        CREATE TABLE empty (a INTEGER CHECK (a > 0), b TEXT COLLATE NOCASE CHECK (b = 'x'));",
    )
    .await;
    let plan = way.goes_through();
    contains_all(
        &plan,
        &["s LIKE '%': LIKE is not translated", "b = 'x': a column of the table has a collation of SQLite's"],
    );
    way.holds(&[
        (
            "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass",
            "small t_check t_check1 t_check2 t_check3 t_check4 t_check5 t_check6",
        ),
        ("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'empty'::regclass", "1"),
        ("SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'one_kind'::regclass", "(kind <> ''::text)"),
        ("SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'one_length'::regclass AND indisunique", "flag"),
    ])
    .await;
    for row in [
        "10, 0, 'x', true, NULL",
        "10, 100, 'x', true, NULL",
        "10, 13, 'x', true, NULL",
        "10, 1, '', true, NULL",
        "10, 1, 'x', true, 'a'",
        "10, NULL, 'x', true, 'c'",
    ] {
        let insert = format!(
            "DO $$ BEGIN INSERT INTO t VALUES ({row}); RAISE 'the row went in'; EXCEPTION WHEN check_violation THEN END $$"
        );
        way.target.execute(&insert).await;
    }
    way.target.execute("INSERT INTO t VALUES (10, 1, 'x', true, NULL)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_rows_break_are_left_out_and_said() {
    let way = Way::from_sql(
        "CREATE TABLE bad (n INTEGER CHECK (n > 0) CHECK (n < 9), s TEXT CHECK (json_valid(s) -- why
            ), m INTEGER NOT NULL);
        CREATE TABLE good (n INTEGER CHECK (n > 0));
        INSERT INTO good VALUES (1), (NULL);
        PRAGMA ignore_check_constraints = ON; INSERT INTO bad VALUES (-1, 'no', 1), (0, '{}', 1), (NULL, NULL, 2);",
    )
    .await;
    let plan = way.goes_through();
    contains_all(
        &plan,
        &["check-left-out", "CHECK (n > 0) of bad is left out: 2 rows break it", "n > 0: 2 rows break it"],
    );
    assert!(!plan.contains("damage"), "{plan}");
    way.holds(&[("SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace", "bad_check good_check")])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_key_refers_to_no_partial_index() {
    let way = Way::from_sql(
        "CREATE TABLE parent (code TEXT); CREATE UNIQUE INDEX some ON parent (code) WHERE code <> '';
        CREATE TABLE child (code TEXT REFERENCES parent (code)); INSERT INTO parent VALUES ('a');",
    )
    .await;
    contains_all(&way.goes_through(), &["foreign-key-left-out"]);
}
