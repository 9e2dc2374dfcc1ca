//! What a partitioned table is made by, and what is made otherwise on one: indexes, keys, the table itself on other
//! partitions.
//!
//! `CREATE INDEX CONCURRENTLY` is refused on a partitioned table, and so is `USING INDEX` for a key. On one that is in use the
//! index is built on each partition concurrently, then made on the table alone (`ON ONLY`), and becomes valid when the last
//! partition's is attached (PostgreSQL's manual, 5.11.2.2 "Partition Maintenance").

use super::{
    add_constraint, comment_on, create_index, quoted, quoted_list,
    steps::{Lock, Phase, Statement},
};
use crate::schema::{Index, Key, Layout, Partition, fitting};

/// The statement that makes a partition.
pub(super) fn add_partition(table: &str, Partition { name, bounds }: &Partition) -> String {
    format!("CREATE TABLE {} PARTITION OF {} {bounds}", quoted(name), quoted(table))
}

/// The name of a partition's part of an index.
fn part(partition: &str, index: &str) -> String {
    fitting(&format!("{partition}_{index}"), "")
}

fn attach(index: &str, part: &str) -> Statement {
    let sql = format!("ALTER INDEX {} ATTACH PARTITION {}", quoted(index), quoted(part));
    Statement::new(Phase::Swap, Lock::All, sql)
}

/// An index of a partitioned table in use.
pub(super) fn index(table: &str, index: &Index, partitions: &[String]) -> Vec<Statement> {
    let build = |partition: &String| {
        let name = part(partition, &index.name);
        concurrently(&create_index(partition, &Index { name, ..index.clone() }))
    };
    let name = quoted(&index.name);
    let on_all = create_index(table, index);
    let on_only = on_all.replacen(&format!("{name} ON "), &format!("{name} ON ONLY "), 1);
    let mut statements: Vec<Statement> = partitions.iter().map(build).collect();
    statements.push(Statement::new(Phase::Swap, Lock::Writes, on_only));
    statements.extend(partitions.iter().map(|partition| attach(&index.name, &part(partition, &index.name))));
    statements
}

/// The parts of an index that was built under another name get its own, as it does.
pub(super) fn rename_parts(from: &str, to: &str, partitions: &[String]) -> Vec<Statement> {
    let rename = |partition: &String| {
        let (from, to) = (part(partition, from), part(partition, to));
        let sql = format!("ALTER INDEX {} RENAME TO {}", quoted(&from), quoted(&to));
        Statement::new(Phase::Swap, Lock::All, sql)
    };
    partitions.iter().map(rename).collect()
}

/// A key of a partitioned table; in use each partition gets its own first.
pub(super) fn key(table: &str, key: &Key, in_use: bool, partitions: &[String]) -> Vec<Statement> {
    let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
    let columns = quoted_list(&key.columns);
    let constraint = add_constraint(table, &key.name, &format!("{kind} ({columns})"));
    if !in_use {
        return vec![Statement::new(Phase::Build, Lock::All, constraint)];
    }
    let named = |partition: &String| part(partition, &key.name);
    let build = |partition: &String| {
        let (name, partition) = (quoted(&named(partition)), quoted(partition));
        concurrently(&format!("CREATE UNIQUE INDEX {name} ON {partition} ({columns})"))
    };
    let constrain = |partition: &String| {
        let name = named(partition);
        let sql = add_constraint(partition, &name, &format!("{kind} USING INDEX {}", quoted(&name)));
        Statement::new(Phase::Constrain, Lock::All, sql)
    };
    let only = constraint.replacen("ALTER TABLE ", "ALTER TABLE ONLY ", 1);
    let attach =
        |partition: &String| Statement { phase: Phase::Constrain, ..attach(&key.name, &named(partition)) };
    let mut statements: Vec<Statement> = partitions.iter().map(build).collect();
    statements.extend(partitions.iter().map(constrain));
    statements.push(Statement::new(Phase::Constrain, Lock::All, only));
    statements.extend(partitions.iter().map(attach));
    statements
}

fn concurrently(sql: &str) -> Statement {
    let sql = sql.replacen("INDEX ", "INDEX CONCURRENTLY ", 1);
    Statement { concurrent: true, ..Statement::new(Phase::Build, Lock::None, sql) }
}

/// A table whose rows are to lie otherwise.
pub(super) struct Relaid<'a> {
    pub(super) table: &'a str,
    pub(super) columns: &'a [String],
    pub(super) comment: Option<&'a str>,
    pub(super) from: &'a Layout,
    pub(super) to: &'a Layout,
}

/// The table is made anew out of the old one, takes its rows and its place. Keys, indexes and foreign keys are changes of
/// their own.
pub(super) fn relay(relaid: &Relaid<'_>) -> Vec<String> {
    let Relaid { table, columns, comment, from, to } = relaid;
    let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let away = |name: &str| fitting(name, "__old");
    let rename = |name: &str| format!("ALTER TABLE {} RENAME TO {}", quoted(name), quoted(&away(name)));
    let (old, new) = (quoted(&away(table)), quoted(table));
    let mut statements = vec![rename(table)];
    let is_wanted = |name: &str| to.partitions.iter().any(|partition| partition.name == name);
    statements.extend(
        from.partitions.iter().map(|p| &p.name).filter(|name| is_wanted(name)).map(|name| rename(name)),
    );
    let by = to.key.as_ref().map(|key| format!(" PARTITION BY {key}")).unwrap_or_default();
    statements.push(format!("CREATE TABLE {new} (LIKE {old} INCLUDING ALL EXCLUDING INDEXES){by}"));
    statements.extend(to.partitions.iter().map(|partition| add_partition(table, partition)));
    // Its columns stand in the old one's order.
    statements.push(match columns {
        [] => format!("INSERT INTO {new} OVERRIDING SYSTEM VALUE SELECT * FROM {old}"),
        columns => {
            let list = quoted_list(columns);
            format!("INSERT INTO {new} ({list}) OVERRIDING SYSTEM VALUE SELECT {list} FROM {old}")
        }
    });
    // What the old sequences would give next, the new ones give next.
    let sequence = |table: &str| format!("pg_get_serial_sequence({}, attname)", text(table));
    statements.push(format!(
        "SELECT setval({}, nextval({}), false) FROM pg_attribute WHERE attrelid = {}::regclass AND attidentity <> ''",
        sequence(&new),
        sequence(&old),
        text(&new)
    ));
    // Whoever said it: by a statement that begins with COMMENT ON it would be ours from then on.
    let said = comment.map(|comment| comment_on(table, None, Some(comment)));
    statements.extend(said.map(|sql| sql.replacen("COMMENT ", "COMMENT /* as it was */ ", 1)));
    statements.push(format!("DROP TABLE {old}"));
    statements
}
