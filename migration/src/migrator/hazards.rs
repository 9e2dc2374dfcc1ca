//! Whether a step may run: a hazard is one only where rows are.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{Step, quote_identifier, sql_text};

/// The hazard of statements that take rows away.
const DELETES_DATA: &str = "deletes-data";

/// The hazard of statements that write a table anew.
const REWRITES_TABLE: &str = "rewrites-table";

/// What takes rows away, whatever the step's author wrote beside it.
const DELETING: &[&[&str]] = &[&["drop", "table"], &["drop", "column"], &["truncate"], &["delete", "from"]];

/// A hazard that is not allowed, and the tables whose rows it is about.
pub(super) struct Refusal {
    pub(super) hazard: String,
    pub(super) tables: Vec<String>,
}

/// Looks for a hazard of the step that is not allowed, on a table that the step names and that holds rows. It is asked before
/// the version's first step, so that tables still have the names that they had before the `earlier` ones. `next` is the step
/// behind it.
pub(super) async fn refusal<C: ConnectionTrait>(
    connection: &C,
    (step, next): (&Step, Option<&Step>),
    earlier: &[Step],
    allow: &[String],
) -> Result<Option<Refusal>, DbErr> {
    let Some(hazard) = hazards(step, earlier).into_iter().find(|hazard| !allow.contains(hazard)) else {
        return Ok(None);
    };
    let is_said = step.hazards.contains(&hazard);
    let is_deletion = hazard == DELETES_DATA && !is_said;
    if is_deletion
        && (is_replaced(step, next, earlier) || drops_generated_column(connection, step, earlier).await?)
    {
        return Ok(None);
    }
    let mentioned: Vec<String> =
        sql_text::names_within(&step.sql).into_iter().map(|name| name_before(name, earlier)).collect();
    let mut tables = Vec::new();
    for table in tables_of_schema(connection).await? {
        if mentioned.contains(&table) && holds_rows(connection, &table).await? {
            tables.push(table);
        }
    }
    Ok((!tables.is_empty()).then_some(Refusal { hazard, tables }))
}

/// What a table of that name was called before these steps.
fn name_before(name: String, earlier: &[Step]) -> String {
    let renames = earlier.iter().rev().filter_map(|step| sql_text::renamed_table(&step.sql));
    renames.fold(name, |name, [before, now]| if name == now { before } else { name })
}

fn hazards(step: &Step, earlier: &[Step]) -> Vec<String> {
    let mut hazards = step.hazards.clone();
    let words: Vec<String> = sql_text::names(&step.sql);
    let deletes = DELETING.iter().any(|phrase| words.windows(phrase.len()).any(|window| window == *phrase));
    if deletes && !drops_emptied_table(step, earlier) && !hazards.iter().any(|hazard| hazard == DELETES_DATA)
    {
        hazards.push(DELETES_DATA.to_owned());
    }
    hazards
}

/// Whether all that a statement does is to drop the old table of one that is written anew: steps before it have given it that
/// name, and put all its rows into the new one.
fn drops_emptied_table(step: &Step, earlier: &[Step]) -> bool {
    let words = sql_text::names(&step.sql);
    let [drop, table, old] = &words[..] else { return false };
    let is_renamed = |step: &Step| sql_text::renamed_table(&step.sql).is_some_and(|[_, now]| now == *old);
    let is_moved = |step: &Step| sql_text::moved_rows(&step.sql).is_some_and(|[from, _]| from == *old);
    let is_said = step.hazards.iter().any(|hazard| hazard == REWRITES_TABLE);
    let is_emptied = earlier.iter().skip_while(|step| !is_renamed(step)).any(is_moved);
    drop == "drop" && table == "table" && is_said && is_emptied
}

/// Whether all that a step does is to drop a column whose name, in the same transaction, another one gets, which steps before it
/// have filled wherever this one holds something, and proven it.
fn is_replaced(step: &Step, next: Option<&Step>, earlier: &[Step]) -> bool {
    let Some(next) = next.filter(|next| next.together) else { return false };
    let (dropped, renamed) = (sql_text::names(&step.sql), sql_text::names(&next.sql));
    let ([a, b, table, d, e, column], [f, g, of, r, h, new, to, name]) = (&dropped[..], &renamed[..]) else {
        return false;
    };
    let is_exchange = [a, b, d, e, f, g, r, h, to].map(String::as_str)
        == ["alter", "table", "drop", "column", "alter", "table", "rename", "column", "to"]
        && (table, column) == (of, name);
    let fills = |step: &Step| {
        let words = sql_text::names(&step.sql);
        let head = ["update", table, "set", new];
        let condition = ["where", new, "is", "null", "and", column, "is", "not", "null"];
        step.in_chunks
            && words.starts_with(&head.map(str::to_owned))
            && words.windows(9).any(|words| words == condition)
    };
    let proves = |step: &Step| {
        let words = sql_text::names(&step.sql);
        words.starts_with(&["alter", "table", table, "validate"].map(str::to_owned))
    };
    is_exchange && earlier.iter().skip_while(|step| !fills(step)).any(proves)
}

/// Whether all that a statement does is to drop a generated column, which holds nothing that could not be computed again.
async fn drops_generated_column<C: ConnectionTrait>(
    connection: &C,
    step: &Step,
    earlier: &[Step],
) -> Result<bool, DbErr> {
    let words = sql_text::names(&step.sql);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["alter", "table", table, "drop", "column", column] = words[..] else { return Ok(false) };
    let question = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND attgenerated <> '')",
        [
            quote_identifier(&name_before(table.to_owned(), earlier)).into(),
            column_before(column, earlier).into(),
        ],
    );
    let row = connection.query_one_raw(question).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

/// What a column of that name was called before these steps.
fn column_before(column: &str, earlier: &[Step]) -> String {
    let mut name = column.to_owned();
    for step in earlier.iter().rev() {
        let words = sql_text::names(&step.sql);
        if let [alter, _, _, rename, of, before, _, now] = &words[..]
            && (alter.as_str(), rename.as_str(), of.as_str()) == ("alter", "rename", "column")
            && *now == name
        {
            name.clone_from(before);
        }
    }
    name
}

pub(super) async fn tables_of_schema<C: ConnectionTrait>(connection: &C) -> Result<Vec<String>, DbErr> {
    let sql = include_str!("tables.sql");
    let rows =
        connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn holds_rows<C: ConnectionTrait>(connection: &C, table: &str) -> Result<bool, DbErr> {
    let sql = format!("SELECT EXISTS (SELECT FROM {})", quote_identifier(table));
    let row =
        connection.query_one_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    row.map_or(Ok(false), |row| row.try_get_by_index(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_another_takes_the_place_of_is_no_loss() {
        let drop = Step::new("ALTER TABLE t DROP COLUMN a");
        let next = |sql: &str, together| Step { together, ..Step::new(sql) };
        let fill = Step {
            in_chunks: true,
            ..Step::new("UPDATE t SET b = a::jsonb WHERE b IS NULL AND a IS NOT NULL AND true")
        };
        let proof = Step::new("ALTER TABLE t VALIDATE CONSTRAINT t_a__new");
        let earlier = [fill.clone(), proof.clone()];
        for (sql, together, expected) in [
            ("ALTER TABLE t RENAME COLUMN b TO \"a\"", true, true),
            ("ALTER TABLE t RENAME COLUMN b TO a", false, false),
            ("ALTER TABLE u RENAME COLUMN b TO a", true, false),
            ("ALTER TABLE t RENAME COLUMN a TO b", true, false),
        ] {
            assert_eq!(is_replaced(&drop, Some(&next(sql, together)), &earlier), expected, "{sql}");
        }
        assert!(!is_replaced(&drop, None, &earlier));
        // What nobody has filled, or proven, or filled from another column, holds something else.
        let rename = next("ALTER TABLE t RENAME COLUMN b TO a", true);
        let of_another = Step { sql: fill.sql.replace("a IS NOT", "c IS NOT"), ..fill.clone() };
        for earlier in [vec![], vec![fill.clone()], vec![proof.clone(), fill], vec![of_another, proof]] {
            assert!(!is_replaced(&drop, Some(&rename), &earlier), "{earlier:?}");
        }
    }

    #[test]
    fn what_deletes_is_known_without_being_told() {
        let cases = [
            ("DROP TABLE tracks", true),
            ("DROP TABLE tracks__old", true),
            ("drop table if exists \"Tracks\"", true),
            ("ALTER TABLE t DROP COLUMN a", true),
            ("TRUNCATE t", true),
            ("DELETE FROM t", true),
            ("DROP INDEX i", false),
            ("CREATE TABLE t (a text DEFAULT 'drop table')", false),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u ON DELETE CASCADE", false),
        ];
        for (sql, expected) in cases {
            assert_eq!(hazards(&Step::new(sql), &[]).contains(&DELETES_DATA.to_owned()), expected, "{sql}");
        }
    }

    #[test]
    fn what_was_emptied_may_go() {
        let rewriting = |sql: &str| Step { hazards: vec![REWRITES_TABLE.to_owned()], ..Step::new(sql) };
        let rename = rewriting("ALTER TABLE t RENAME TO t__old");
        let create = rewriting("CREATE TABLE t (LIKE t__old)");
        let fill = rewriting("INSERT INTO t SELECT * FROM t__old");
        let drop = rewriting("DROP TABLE t__old");
        let deletes = |earlier: &[&Step], step: &Step| {
            let earlier: Vec<Step> = earlier.iter().map(|step| (*step).clone()).collect();
            hazards(step, &earlier).contains(&DELETES_DATA.to_owned())
        };
        assert!(!deletes(&[&rename, &create, &fill], &drop));
        // Each of these would take rows away.
        assert!(deletes(&[], &drop));
        assert!(deletes(&[&rename, &create], &drop));
        assert!(deletes(&[&create, &fill], &drop));
        assert!(deletes(&[&rename, &create, &fill], &Step::new("DROP TABLE t__old")));
        assert!(deletes(&[&rename, &create, &fill], &rewriting("DROP TABLE t__old, u")));
        assert!(deletes(&[&rename, &create, &fill], &rewriting("DROP TABLE t")));
    }

    #[test]
    fn a_table_is_known_by_the_name_that_it_had() {
        let steps =
            ["ALTER TABLE a RENAME TO b", "ALTER TABLE b RENAME TO c", "ALTER TABLE x RENAME COLUMN d TO e"];
        let steps: Vec<Step> = steps.into_iter().map(Step::new).collect();
        assert_eq!(name_before("c".to_owned(), &steps), "a");
        assert_eq!(name_before("d".to_owned(), &steps), "d");
        assert_eq!(column_before("e", &steps), "d");
    }
}
