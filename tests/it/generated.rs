//! Generated columns beside rows: what the expression refuses, who writes beside them, and the way back from a change.

use crate::{
    cases::ALL_HAZARDS,
    command::{Outcome, Way},
};

const SOURCE: &str = "CREATE TABLE song (id INTEGER PRIMARY KEY, title TEXT, year TEXT);
    WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 400)
    INSERT INTO song SELECT i, 'song ' || i, CASE WHEN i % 100 = 7 THEN 'year ' || i ELSE 1600 + i END FROM k;";

/// A run with a mapping.
fn run(way: &Way, verb: &str, mapping: &str, more: &[&str]) -> Outcome {
    let file = way.place.write("types.yaml", format!("version: 1\n{mapping}"));
    way.run(verb, &[&["--mapping", file.to_str().unwrap()], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_for_which_the_expression_fails_are_rejected_one_by_one() {
    let way = Way::from_sql(SOURCE).await;
    let columns = "add_columns: {century: {type: integer, generated: \"year::integer / 100\"}}\n    \
                   indexes: [{name: song_century, columns: [century], include: [title]}]";
    let failing = format!("tables:\n  song:\n    {columns}\n");
    run(&way, "apply", &failing, &["--yes"]).ends_with(1).complains_of(&[
        "song",
        "id=7",
        "invalid input syntax",
    ]);
    let rejecting = format!("tables:\n  song:\n    on_invalid: reject\n    {columns}\n");
    run(&way, "apply", &rejecting, &["--yes"]).ends_with(5);
    way.holds(&[
        ("SELECT count(*) FROM song", "396"),
        ("SELECT count(*) FROM song WHERE century IS DISTINCT FROM year::integer / 100", "0"),
        ("SELECT string_agg(key, ' ' ORDER BY key) FROM mtm.reject", "id=107 id=207 id=307 id=7"),
    ])
    .await;
    run(&way, "verify", &rejecting, &["--writers", "3"]).succeeds().says(&["Proven"]);
    run(&way, "plan", &rejecting, &["--exit-code"]).ends_with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_goes_back_to_what_was_said_before() {
    let way = Way::from_sql(SOURCE).await;
    let mapping = |columns: &str| format!("versions_dir: versions\ntables:\n  song:\n    {columns}\n");
    let before = mapping(
        "columns: {year: varchar(20)}\n    comment: \"All;\\n-- step\\nof it\"\n    \
         add_columns: {shown: {type: text, generated: \"title || '\\\\' || year\", comment: \"it's\"}}\n    \
         indexes: [{name: song_shown, columns: [shown]}]",
    );
    let after = mapping(
        "columns: {year: varchar(30)}\n    comment: Songs\n    \
         add_columns: {shown: {type: varchar(90), generated: \"year || title\", not_null: true}}\n    \
         indexes: [{name: song_shown, columns: [{column: shown, nulls: first}]}]",
    );
    let state = "SELECT concat_ws('; ', format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attgenerated,
            col_description(attrelid, attnum), obj_description(attrelid, 'pg_class'), pg_get_indexdef('song_shown'::regclass),
            (SELECT shown FROM song WHERE id = 1))
        FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = 'song'::regclass AND attname = 'shown'";
    run(&way, "apply", &before, &["--yes"]).ends_with(0);
    let made = way.target.value(state).await.unwrap();
    assert!(
        made.contains("it's; All;\n-- step\nof it; CREATE INDEX") && made.ends_with("song 1\\1601"),
        "{made}"
    );
    run(&way, "apply", &after, &["--yes"]).ends_with(3);
    run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    let altered = way.target.value(state).await.unwrap();
    assert!(
        altered.starts_with("character varying(90); t; ") && altered.ends_with("1601song 1"),
        "{altered}"
    );

    let migrate = |verb: &str, more: &[&str]| {
        let arguments = ["migrate", verb, "--mapping", "types.yaml", "--target", &way.target.url];
        way.place.mtm(&[&arguments[..], more].concat())
    };
    migrate("down", &[]).ends_with(3).complains_of(&["--allow"]);
    migrate(
        "down",
        &["--allow", "lossy-conversion,rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"],
    )
    .ends_with(0);
    assert_eq!(way.target.value(state).await.unwrap(), made);
    run(&way, "plan", &before, &["--exit-code"]).complains_of(&[]).says(&["song"]);
    migrate("up", &["--allow", ALL_HAZARDS]).ends_with(0);
    assert_eq!(way.target.value(state).await.unwrap(), altered);
    run(&way, "plan", &after, &["--exit-code"]).ends_with(0);
    run(&way, "verify", &after, &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_made_of_it_stands_in_the_way() {
    let way = Way::from_sql(SOURCE).await;
    let mapping = |columns: &str, year: &str, shown: &str| {
        format!(
            "{columns}tables:\n  song:\n    columns: {{year: {year}}}\n    add_columns: {{shown: {{type: text, generated: {shown}}}}}\n"
        )
    };
    run(&way, "apply", &mapping("", "text", "title"), &["--yes"]).ends_with(0);
    way.target
        .execute(
            "ALTER TABLE song ADD COLUMN by_hand text GENERATED ALWAYS AS (upper(year)) STORED; \
             COMMENT ON COLUMN song.shown IS 'by hand'; CREATE INDEX by_hand ON song (shown)",
        )
        .await;
    let after = mapping("", "varchar(20)", "lower(title)");
    run(&way, "plan", &after, &[]).says(&[
        "song.by_hand: it is generated from year, which cannot get another type meanwhile",
        "index by_hand on song: a column of it is made anew, and would take it along",
    ]);
    run(&way, "apply", &after, &["--yes", "--allow", ALL_HAZARDS]).ends_with(3);
    way.target.execute("DROP INDEX by_hand").await;
    // What is said of a column outlives its being made anew.
    run(&way, "apply", &mapping("", "text", "lower(title)"), &["--yes", "--allow", ALL_HAZARDS]).ends_with(0);
    let said = "SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'song'::regclass AND attname = 'shown'";
    way.holds(&[(said, "by hand"), ("SELECT shown FROM song WHERE id = 1", "song 1")]).await;
    let pruned = mapping("prune: true\n", "varchar(20)", "lower(title)");
    run(
        &way,
        "apply",
        &pruned,
        &["--yes", "--allow", "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"],
    )
    .ends_with(0);
    way.holds(&[(said, "NULL")]).await;
    run(&way, "plan", &pruned, &["--exit-code"]).ends_with(0);
}

/// From PostgreSQL 18 on there are virtual ones, which nobody but their owner makes.
#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_column_is_stored_where_the_mapping_says_so() {
    let way = Way::from_sql(SOURCE).await;
    if way.target.value("SELECT current_setting('server_version_num')::integer < 180000").await.as_deref()
        == Some("true")
    {
        return;
    }
    let plain = "tables:\n  song: {add_columns: {shown: text}}\n";
    let generated = "tables:\n  song: {add_columns: {shown: {type: text, generated: title}}}\n";
    run(&way, "apply", plain, &["--yes"]).ends_with(0);
    let by_hand =
        "ALTER TABLE song DROP COLUMN shown, ADD COLUMN shown text GENERATED ALWAYS AS (title) VIRTUAL";
    way.target.execute(by_hand).await;
    run(&way, "plan", plain, &[]).says(&["song.shown: its generation is virtual, so that no value is there"]);
    run(&way, "plan", generated, &[]).says(&["- column song.shown text GENERATED ALWAYS AS (title) VIRTUAL"]);
    run(
        &way,
        "apply",
        generated,
        &["--yes", "--allow", "rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows"],
    )
    .ends_with(0);
    way.holds(&[(
        "SELECT attgenerated FROM pg_attribute WHERE attrelid = 'song'::regclass AND attname = 'shown'",
        "s",
    )])
    .await;
}
