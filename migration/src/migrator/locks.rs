//! The locks that a transaction takes before its first step.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};

use super::hazards::tables_of_schema;
use crate::{Step, quote_identifier, sql_text};

/// How long one table is waited for while others are locked.
const WHILE_OTHERS_WAIT: Duration = Duration::from_secs(1);

/// A step that locks every table which these steps alter and may have to wait for: as those of them that have a lock timeout
/// say, with the shortest of these. `None`: there is nothing to wait for.
pub(super) async fn of<C: ConnectionTrait>(connection: &C, steps: &[Step]) -> Result<Option<Step>, DbErr> {
    let waiting: Vec<&Step> = steps.iter().filter(|step| step.lock_timeout.is_some()).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let there = tables_of_schema(connection).await?;
    let mut tables: Vec<String> = waiting.iter().filter_map(|step| altered(&step.sql)).collect();
    tables.retain(|table| there.contains(table));
    tables.sort_unstable();
    tables.dedup();
    if tables.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = tables.iter().map(|table| quote_identifier(table)).collect();
    let lock_timeout = waiting.iter().filter_map(|step| step.lock_timeout).min();
    // While it waits for one of them, it keeps everybody from those before it.
    let lock_timeout =
        if tables.len() > 1 { lock_timeout.min(Some(WHILE_OTHERS_WAIT)) } else { lock_timeout };
    let sql = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "));
    Ok(Some(Step { lock_timeout, ..Step::new(&sql) }))
}

/// The table that a statement alters, drops or gives a partition.
fn altered(sql: &str) -> Option<String> {
    let names = sql_text::names(sql);
    let mut words = names.iter();
    let (first, second) = (words.next()?, words.next()?);
    if first == "create" && names.get(3..5).is_some_and(|words| words == ["partition", "of"]) {
        return names.get(5).cloned();
    }
    let is_about_a_table = matches!(first.as_str(), "alter" | "drop") && second == "table";
    is_about_a_table
        .then(|| words.find(|word| !matches!(word.as_str(), "if" | "exists" | "only")).cloned())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_known() {
        let cases = [
            ("ALTER TABLE \"a b\" ADD COLUMN c text", Some("a b")),
            ("alter table if exists only Tracks drop column c", Some("tracks")),
            ("DROP TABLE t", Some("t")),
            ("DROP INDEX t", None),
            ("CREATE TABLE t (a text)", None),
            ("CREATE TABLE p PARTITION OF t DEFAULT", Some("t")),
            ("ALTER TABLE", None),
        ];
        for (sql, table) in cases {
            assert_eq!(altered(sql).as_deref(), table, "{sql}");
        }
    }
}
