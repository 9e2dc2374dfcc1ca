//! The changes of rows that a migration makes by accident, one by one.

use super::world::{World, changed_tables, named};

/// What is changed, how, and what has to be named of it.
const MUTATIONS: &[(&str, &str, &[&str])] = &[
    (
        "one changed character",
        "UPDATE kinds SET words = overlay(words PLACING 'q' FROM 3 FOR 1) WHERE id = 8",
        &["kinds id=8: words"],
    ),
    ("a case change", "UPDATE kinds SET words = lower(words) WHERE id = 17", &["kinds id=17: words"]),
    ("a trailing space", "UPDATE kinds SET code = code || ' ' WHERE id = 3", &["kinds id=3: code"]),
    ("a trimmed text", "UPDATE kinds SET words = btrim(words) WHERE id = 4", &["kinds id=4: words"]),
    (
        "composed to decomposed",
        "UPDATE kinds SET words = normalize(words, NFD) WHERE id = 2",
        &["kinds id=2: words"],
    ),
    (
        "decomposed to composed",
        "UPDATE kinds SET words = normalize(words, NFC) WHERE id = 3",
        &["kinds id=3: words"],
    ),
    (
        "a line's end",
        r"UPDATE kinds SET words = replace(words, E'\n', E'\r\n') WHERE id = 6",
        &["kinds id=6: words"],
    ),
    (
        "an emoji that became a question mark",
        "UPDATE kinds SET words = replace(words, '🎵', '?') WHERE id = 5",
        &["kinds id=5: words"],
    ),
    ("an empty string that became NULL", "UPDATE kinds SET words = NULL WHERE id = 9", &["kinds id=9: words"]),
    ("a NULL that became an empty string", "UPDATE kinds SET words = '' WHERE id = 1", &["kinds id=1: words"]),
    ("a NULL that became a zero", "UPDATE kinds SET album_id = 0 WHERE id = 0", &["kinds id=0: album_id"]),
    ("a truth", "UPDATE kinds SET flag = NOT flag WHERE id = 1", &["kinds id=1: flag"]),
    ("a smallint", "UPDATE kinds SET small = small + 1 WHERE id = 50", &["kinds id=50: small"]),
    ("an integer's sign", "UPDATE kinds SET medium = -medium WHERE id = 50", &["kinds id=50: medium"]),
    ("a bigint's last digit", "UPDATE kinds SET large = large # 1 WHERE id = 50", &["kinds id=50: large"]),
    (
        "a numeric's last digit",
        "UPDATE kinds SET exact = exact + 0.00000001 WHERE id = 50",
        &["kinds id=50: exact"],
    ),
    (
        "a numeric that went through a double",
        "UPDATE kinds SET exact = 123456789012345678.1 WHERE id = 51",
        &["kinds id=51: exact"],
    ),
    ("a rounded price", "UPDATE kinds SET money = round(money, 2) WHERE id = 51", &["kinds id=51: money"]),
    ("a numeric NaN", "UPDATE kinds SET money = 'NaN' WHERE id = 51", &["kinds id=51: money"]),
    ("-0.0 for 0.0", "UPDATE kinds SET approximate = '-0' WHERE id = 10", &["kinds id=10: approximate"]),
    ("0.0 for -0.0", "UPDATE kinds SET approximate = 0 WHERE id = 11", &["kinds id=11: approximate"]),
    ("NaN for NULL", "UPDATE kinds SET approximate = 'NaN' WHERE id = 16", &["kinds id=16: approximate"]),
    (
        "the largest double for infinity",
        "UPDATE kinds SET approximate = 1.7976931348623157e308 WHERE id = 14",
        &["kinds id=14: approximate"],
    ),
    (
        "a denormal that became zero",
        "UPDATE kinds SET approximate = 0 WHERE id = 12",
        &["kinds id=12: approximate"],
    ),
    (
        "a double that went through a real",
        "UPDATE kinds SET approximate = approximate::real WHERE id = 17",
        &["kinds id=17: approximate"],
    ),
    (
        "the last bit of a double",
        "UPDATE kinds SET approximate = approximate * (1 + 2.3e-16::float8) WHERE id = 17",
        &["kinds id=17: approximate"],
    ),
    (
        "a byte",
        "UPDATE kinds SET bytes = set_byte(bytes, 1, get_byte(bytes, 1) # 1) WHERE id = 12",
        &["kinds id=12: bytes"],
    ),
    ("a byte too many", r"UPDATE kinds SET bytes = bytes || '\x00' WHERE id = 10", &["kinds id=10: bytes"]),
    ("empty bytes that became NULL", "UPDATE kinds SET bytes = NULL WHERE id = 15", &["kinds id=15: bytes"]),
    (
        "a JSON number's last digit",
        "UPDATE kinds SET payload = jsonb_set(payload, '{n}', '13.11') WHERE id = 13",
        &["kinds id=13: payload"],
    ),
    (
        "a JSON number's trailing zero",
        "UPDATE kinds SET payload = jsonb_set(payload, '{n}', '13.1') WHERE id = 13",
        &["kinds id=13: payload"],
    ),
    (
        "a JSON number that became a string",
        r#"UPDATE kinds SET payload = jsonb_set(payload, '{deep,a,2}', '"13"') WHERE id = 13"#,
        &["kinds id=13: payload"],
    ),
    (
        "JSON text instead of an object",
        "UPDATE kinds SET payload = to_jsonb(payload::text) WHERE id = 13",
        &["kinds id=13: payload"],
    ),
    (
        "an empty object that became a string",
        r#"UPDATE kinds SET payload = '"{}"' WHERE id = 1"#,
        &["kinds id=1: payload"],
    ),
    (
        "a JSON null that became NULL",
        "UPDATE kinds SET payload = NULL WHERE id = 10",
        &["kinds id=10: payload"],
    ),
    (
        "a NULL that became a JSON null",
        "UPDATE kinds SET payload = 'null' WHERE id = 8",
        &["kinds id=8: payload"],
    ),
    (
        "a JSON member that is null",
        "UPDATE kinds SET payload = jsonb_strip_nulls(payload) WHERE id = 13",
        &["kinds id=13: payload"],
    ),
    (
        "the order of a JSON array",
        "UPDATE kinds SET payload = jsonb_set(payload, '{deep,a}', '[2, 1, 13]') WHERE id = 13",
        &["kinds id=13: payload"],
    ),
    (
        "the case of a JSON name",
        r#"UPDATE kinds SET payload = replace(payload::text, '"id"', '"Id"')::jsonb WHERE id = 13"#,
        &["kinds id=13: payload"],
    ),
    ("a day", "UPDATE kinds SET day = day + 1 WHERE id = 60", &["kinds id=60: day"]),
    ("an infinite day", "UPDATE kinds SET day = 'infinity' WHERE id = 60", &["kinds id=60: day"]),
    (
        "a time's microsecond",
        "UPDATE kinds SET clock = clock + interval '1 microsecond' WHERE id = 60",
        &["kinds id=60: clock"],
    ),
    ("midnight at the other end", "UPDATE kinds SET clock = '24:00' WHERE id = 0", &["kinds id=0: clock"]),
    (
        "a timestamp's fraction",
        "UPDATE kinds SET local_time = date_trunc('second', local_time) WHERE id = 60",
        &["kinds id=60: local_time"],
    ),
    (
        "a changed time zone",
        "UPDATE kinds SET moment = (moment AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin' WHERE id = 60",
        &["kinds id=60: moment"],
    ),
    (
        "a lost offset",
        "UPDATE kinds SET moment = moment + interval '2 hours' WHERE id = 61",
        &["kinds id=61: moment"],
    ),
    (
        "a digit of a UUID",
        "UPDATE kinds SET uuid = '003d003d-0000-4000-8000-0000005d11cc' WHERE id = 61",
        &["kinds id=61: uuid"],
    ),
    (
        "two values swapped between rows",
        "UPDATE kinds AS x SET words = y.words FROM kinds AS y WHERE (x.id, y.id) IN ((70, 71), (71, 70))",
        &["kinds id=70: words", "kinds id=71: words"],
    ),
    (
        "two values swapped between columns",
        "UPDATE kinds SET words = code, code = words WHERE id = 17",
        &["kinds id=17: words+code"],
    ),
    (
        "whole rows swapped but for their keys",
        "UPDATE charts AS x SET rank = y.rank, note = y.note FROM charts AS y WHERE x.track = 'track3' AND y.track = 'track3'
            AND x.span = 'long' AND y.span = 'long' AND (x.day, y.day) IN (('2024-01-01', '2024-02-05'), ('2024-02-05', '2024-01-01'))",
        &[
            "charts track=track3, day=2024-01-01, span=long: rank+note",
            "charts track=track3, day=2024-02-05, span=long: rank+note",
        ],
    ),
    (
        "one lost row",
        "DELETE FROM charts WHERE track = 'track7' AND rank = 50",
        &["charts track=track7, day=2024-01-29, span=long: missing"],
    ),
    (
        "one extra row",
        "INSERT INTO charts VALUES ('track7', '2099-01-01', 'long', 1, NULL)",
        &["charts track=track7, day=2099-01-01, span=long: extra"],
    ),
    (
        "one row lost, one extra",
        "UPDATE charts SET day = '2099-01-01' WHERE track = 'track7' AND rank = 50",
        &[
            "charts track=track7, day=2024-01-29, span=long: missing",
            "charts track=track7, day=2099-01-01, span=long: extra",
        ],
    ),
    (
        "the case of a key",
        "UPDATE charts SET track = 'Track7' WHERE track = 'track7' AND rank = 50",
        &[
            "charts track=Track7, day=2024-01-29, span=long: extra",
            "charts track=track7, day=2024-01-29, span=long: missing",
        ],
    ),
    (
        "a default where there was NULL",
        "UPDATE charts SET note = 'none' WHERE track = 'track0' AND rank = 1",
        &["charts track=track0, day=2024-01-01, span=short: note"],
    ),
    (
        "a row of a parent",
        "UPDATE albums SET title = 'Album 07' WHERE id = 7",
        &["albums id=7: title"],
    ),
    (
        "one of two equal rows, without a key",
        "DELETE FROM plays WHERE ctid = (SELECT min(ctid) FROM plays WHERE track = 'track9')",
        &["plays rowid=110, a row that the source has 2 times and the target 1 times: missing"],
    ),
    (
        "an equal row more, without a key",
        "INSERT INTO plays SELECT * FROM plays WHERE track = 'track9' LIMIT 1",
        &["plays ctid=(block,line), a row that the source has 2 times and the target 3 times: extra"],
    ),
    (
        "both of two equal rows, without a key",
        "DELETE FROM plays WHERE track = 'track9'",
        &[
            "plays rowid=10, a row that the source has 2 times and the target 0 times: missing",
            "plays rowid=110, a row that the source has 2 times and the target 0 times: missing",
        ],
    ),
    (
        "a cell of a row without a key",
        "UPDATE plays SET rating = '-0' WHERE ctid = (SELECT min(ctid) FROM plays WHERE track = 'track0')",
        &[
            "plays ctid=(block,line): extra",
            "plays rowid=101, a row that the source has 2 times and the target 1 times: missing",
        ],
    ),
    (
        "one row more and another one less, without a key",
        "UPDATE plays SET track = 'track8', at = 8000, rating = 1 WHERE ctid = (SELECT min(ctid) FROM plays WHERE track = 'track9')",
        &[
            "plays ctid=(block,line), a row that the source has 2 times and the target 3 times: extra",
            "plays rowid=110, a row that the source has 2 times and the target 1 times: missing",
        ],
    ),
];

/// Each by itself, and put back.
async fn all_are_found(mutations: &[(&str, &str, &[&str])]) {
    let world = World::new().await;
    let (mut missed, mut lost) = (Vec::new(), 0);
    for (what, sql, expected) in mutations {
        let before = missed.len();
        // As a replica: a row that another one refers to can be changed.
        world.way.target.execute(&format!("SET session_replication_role = replica; {sql}")).await;
        let outcome = world.verify(&world.way.target);
        let found = named(&outcome.json());
        if outcome.code != Some(2) || found != *expected {
            missed.push(format!(
                "{what}: exit code {:?}, named {found:?}, expected {expected:?}",
                outcome.code
            ));
        }
        // Without the source, by the certificate: the table, if not the row.
        let recheck = world.recheck(&world.way.target);
        let table = expected[0].split(' ').next().unwrap();
        if recheck.code != Some(2) || changed_tables(&recheck.json()) != [table] {
            missed.push(format!("{what}: against the certificate, exit code {:?}", recheck.code));
        }
        lost += usize::from(missed.len() > before);
        world.restore().await;
    }
    let made = mutations.len();
    println!("mutations: made {made}, found {}, missed {lost}", made - lost);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    world.verify(&world.way.target).ends_with(0);
    world.recheck(&world.way.target).ends_with(0);
}

/// Two at a time.
const HALF: usize = MUTATIONS.len() / 2;

#[tokio::test(flavor = "multi_thread")]
async fn every_known_accident_is_found_and_named_the_first_half() {
    all_are_found(&MUTATIONS[..HALF]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_known_accident_is_found_and_named_the_second_half() {
    all_are_found(&MUTATIONS[HALF..]).await;
}

/// A certificate that was kept: what was digested then must give the same digests now. Where this fails, rows are digested
/// otherwise than before: then `CERTIFICATE_FORMAT` has to grow, and this certificate to be made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_kept_still_holds() {
    let world = World::new().await;
    world.way.place.write("proof.json", include_str!("certificate.json"));
    let again = world.recheck(&world.way.target).json();
    assert_eq!(changed_tables(&again), [] as [&str; 0]);
    let rows: Vec<u64> =
        again["tables"].as_array().unwrap().iter().map(|t| t["target_rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [40, 120, 400, 200]);
    world.way.target.execute("UPDATE kinds SET flag = NOT flag WHERE id = 1").await;
    assert_eq!(changed_tables(&world.recheck(&world.way.target).json()), ["kinds"]);
}
