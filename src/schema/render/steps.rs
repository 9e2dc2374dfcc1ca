//! A change as the statements of a version: the shortest way on a table without rows, the careful way on one that is in
//! use.
//!
//! On a table with rows an index is built `CONCURRENTLY`; a constraint is added `NOT VALID` and then validated, which
//! locks nobody out; NOT NULL is set where a validated check says that it holds, so that PostgreSQL does not read the
//! table under its lock (its manual, "ALTER TABLE", `SET NOT NULL` and Notes).

use xxhash_rust::xxh3::xxh3_64;

use super::{add_constraint, create_index, partitions, quoted, quoted_list, relaid, staged, statement};
use crate::schema::{Change, Check, Index, Key};

/// A statement on its way into a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// When, among the statements of its section.
    pub phase: Phase,
    /// The SQL, without a semicolon.
    pub sql: String,
    /// Whether it is sent outside of any transaction.
    pub concurrent: bool,
    /// Whether it is an UPDATE that is made in many small transactions, a range of the table each.
    pub in_chunks: bool,
    /// Whether it is in one transaction with the statement before it.
    pub together: bool,
    /// The strongest lock that it takes on its table.
    pub lock: Lock,
}

/// What others of a table have to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// `SHARE UPDATE EXCLUSIVE`: nobody but who changes the schema.
    None,
    /// `SHARE`, `SHARE ROW EXCLUSIVE`: who writes.
    Writes,
    /// `ACCESS EXCLUSIVE`: everybody.
    All,
}

/// The order of statements in a version: what may run at the same time stands together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the rows, in the changes' own order.
    Define,
    /// Rows of a column that is to take another one's place.
    Convert,
    /// Nothing of them is left out.
    Confirm,
    /// Indexes that are to take other ones' places along with it.
    Prepare,
    /// It takes that place.
    Exchange,
    /// Rows of new columns.
    Fill,
    /// Index builds; they hold up no other reader or builder of the same table.
    Build,
    /// Indexes go, and others take their places.
    Swap,
    /// Checks that bind new rows only.
    Assert,
    /// Rows that are there, against those.
    Prove,
    /// What follows from a proven check.
    Require,
    /// Constraints over indexes that are built.
    Constrain,
    /// Foreign keys, not yet checked.
    Refer,
    /// Foreign keys checked.
    Validate,
}

impl Phase {
    /// Whether statements of this phase may run at the same time.
    #[must_use]
    pub fn is_parallel(self) -> bool {
        matches!(self, Phase::Confirm | Phase::Build | Phase::Prove | Phase::Validate)
    }

    /// Whether it comes before the rows.
    #[must_use]
    pub fn is_before_rows(self) -> bool {
        self == Phase::Define
    }
}

impl Statement {
    pub(super) fn new(phase: Phase, lock: Lock, sql: String) -> Statement {
        Statement { phase, sql, concurrent: false, in_chunks: false, together: false, lock }
    }
}

/// Where a change is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// Whether the table holds rows, which others read and write meanwhile.
    pub in_use: bool,
    /// The names of its partitions; `None`: it is an ordinary table.
    pub partitions: Option<&'a [String]>,
}

/// The statements that make a change.
///
/// A key is built as an index first, since an index build shares its table with others, and `ADD PRIMARY KEY` does not
/// (PostgreSQL's manual, "ALTER TABLE", `USING INDEX`).
#[must_use]
pub fn statements(change: &Change, place: Place<'_>) -> Vec<Statement> {
    let Place { in_use, partitions } = place;
    let one = |phase, lock| vec![Statement::new(phase, lock, statement(change))];
    match change {
        Change::Repartition { table, .. } => {
            let made = relaid(change).into_iter().map(|sql| Statement::new(Phase::Define, Lock::All, sql));
            // Statistics do not come along.
            let analyze = Statement::new(Phase::Validate, Lock::None, format!("ANALYZE {}", quoted(table)));
            made.chain([analyze]).collect()
        }
        Change::FillColumn { .. } => {
            vec![Statement {
                in_chunks: true,
                ..Statement::new(Phase::Fill, Lock::Writes, statement(change))
            }]
        }
        Change::ReplaceType { wanted, .. } => vec![
            Statement::new(Phase::Define, Lock::None, statement(change)),
            Statement::new(Phase::Define, Lock::None, statement(&Change::CreateType(*wanted))),
        ],
        Change::CreateType(_)
        | Change::AddLabel { .. }
        | Change::DropReplaced(_)
        | Change::DropType(_)
        | Change::CreateTable(_)
        | Change::SetComment { .. } => one(Phase::Define, Lock::None),
        Change::AddCheck { table, check } if in_use => asserted(table, check),
        Change::SetNotNull { table, column } if in_use => required(table, column),
        Change::SetNotNull { .. } => one(Phase::Require, Lock::All),
        Change::SetIdentity { table, column, identity: true } => vec![
            Statement::new(Phase::Constrain, Lock::All, statement(change)),
            Statement::new(Phase::Constrain, Lock::None, continue_from_highest(table, column)),
        ],
        Change::DropIndex { name, in_the_way: false, .. } => {
            vec![dropped(name, in_use && partitions.is_none())]
        }
        Change::AlterType { table, column, conversion, staged: Some(staged), .. } => match in_use {
            true => staged::beside_others(table, (column, conversion), staged),
            false => staged::at_once(table, (column, conversion), staged),
        },
        Change::AddColumn { .. }
        | Change::AddCheck { .. }
        | Change::DropConstraint { .. }
        | Change::DropIndex { .. }
        | Change::DropColumn { .. }
        | Change::DropExpression { .. }
        | Change::AlterType { .. }
        | Change::SetDefault { .. }
        | Change::SetIdentity { .. }
        | Change::DropNotNull { .. }
        | Change::AddPartition { .. }
        | Change::MoveTable { .. }
        | Change::RenameTable { .. }
        | Change::RenameColumn { .. }
        | Change::RenameConstraint { .. }
        | Change::RenameIndex { .. } => one(Phase::Define, Lock::All),
        Change::CreateIndex { index, table } => built(table, index, place),
        Change::ReplaceIndex { table, index, .. } => replaced(table, index, place),
        Change::AddForeignKey { .. } => one(Phase::Refer, Lock::Writes),
        Change::ValidateForeignKey { .. } => one(Phase::Validate, Lock::None),
        Change::AddKey { table, key } if let Some(partitions) = partitions => {
            partitions::key(table, key, in_use, partitions)
        }
        Change::AddKey { table, key } => {
            let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
            let constraint =
                add_constraint(table, &key.name, &format!("{kind} USING INDEX {}", quoted(&key.name)));
            vec![index_of(table, key, in_use), Statement::new(Phase::Constrain, Lock::All, constraint)]
        }
    }
}

pub(super) fn built(table: &str, index: &Index, Place { in_use, partitions }: Place<'_>) -> Vec<Statement> {
    match partitions {
        Some(partitions) if in_use => partitions::index(table, index, partitions),
        _ => vec![concurrent_if(in_use, create_index(table, index))],
    }
}

/// The index under a key.
fn index_of(table: &str, key: &Key, in_use: bool) -> Statement {
    let columns = quoted_list(&key.columns);
    let sql = format!("CREATE UNIQUE INDEX {} ON {} ({columns})", quoted(&key.name), quoted(table));
    concurrent_if(in_use, sql)
}

/// An index build that locks nobody out, where somebody may be there.
fn concurrent_if(in_use: bool, sql: String) -> Statement {
    match in_use {
        false => Statement::new(Phase::Build, Lock::Writes, sql),
        true => Statement {
            concurrent: true,
            ..Statement::new(Phase::Build, Lock::None, sql.replacen("INDEX ", "INDEX CONCURRENTLY ", 1))
        },
    }
}

/// A new identity column's sequence goes on behind the values that are there; it begins at 1 where none is above 0. `setval`'s
/// third argument says whether its value has been used (PostgreSQL's manual, 9.17), so that there is room for the highest.
pub(super) fn continue_from_highest(table: &str, column: &str) -> String {
    let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
    let highest = format!("coalesce(max({}), 0)", quoted(column));
    format!(
        "SELECT setval(pg_get_serial_sequence({}, {}), greatest({highest}, 1), {highest} > 0) FROM {}",
        text(&quoted(table)),
        text(column),
        quoted(table)
    )
}

/// The new index is built under another name, so that the old one serves until then.
fn replaced(table: &str, index: &Index, place: Place<'_>) -> Vec<Statement> {
    let Place { in_use, partitions } = place;
    let name = replacement_of(&index.name);
    let rename = format!("ALTER INDEX {} RENAME TO {}", quoted(&name), quoted(&index.name));
    let mut statements = built(table, &Index { name: name.clone(), ..index.clone() }, place);
    statements.push(dropped(&index.name, in_use && partitions.is_none()));
    statements.push(Statement::new(Phase::Swap, Lock::All, rename));
    // Without CONCURRENTLY the partitions' parts were named by the server.
    let renamed = partitions.filter(|_| in_use).unwrap_or_default();
    statements.extend(partitions::rename_parts(&name, &index.name, renamed));
    statements
}

/// What an index is called until it takes another one's place.
pub(super) fn replacement_of(index: &str) -> String {
    beside(index, "new")
}

fn dropped(index: &str, in_use: bool) -> Statement {
    let (concurrently, lock) = if in_use { ("CONCURRENTLY ", Lock::None) } else { ("", Lock::All) };
    let sql = format!("DROP INDEX {concurrently}{}", quoted(index));
    Statement { concurrent: in_use, ..Statement::new(Phase::Swap, lock, sql) }
}

fn asserted(table: &str, check: &Check) -> Vec<Statement> {
    let sql = add_constraint(table, &check.name, &format!("CHECK ({}) NOT VALID", check.expression));
    vec![
        Statement::new(Phase::Assert, Lock::All, sql),
        Statement::new(Phase::Prove, Lock::None, validate(table, &check.name)),
    ]
}

fn required(table: &str, column: &str) -> Vec<Statement> {
    let expression = format!("{} IS NOT NULL", quoted(column));
    let check = Check { name: temporary_check(table, column), expression };
    let mut statements = asserted(table, &check);
    let set = statement(&Change::SetNotNull { table: table.to_owned(), column: column.to_owned() });
    let drop = format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(table), quoted(&check.name));
    statements.extend([set, drop].map(|sql| Statement::new(Phase::Require, Lock::All, sql)));
    statements
}

/// What the check is called by which a column is known to hold no NULL.
pub(super) fn temporary_check(table: &str, column: &str) -> String {
    beside(&format!("{table}_{column}"), "not_null")
}

pub(super) fn validate(table: &str, constraint: &str) -> String {
    format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", quoted(table), quoted(constraint))
}

/// A name for a while, within the 63 bytes that PostgreSQL keeps of one. A name that is cut says by its digest which it was.
pub(super) fn beside(name: &str, suffix: &str) -> String {
    let room = 63 - suffix.len() - 2;
    if name.len() <= room {
        return format!("{name}__{suffix}");
    }
    let digest = format!("{:016x}", xxh3_64(name.as_bytes()));
    let end = (0..=room - 1 - digest.len()).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    format!("{}_{digest}__{suffix}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_long_ones_differ_and_have_room() {
        assert_eq!(replacement_of("tracks_by_name"), "tracks_by_name__new");
        let long = "ä".repeat(30);
        let names = [replacement_of(&format!("{long}_a")), replacement_of(&format!("{long}_b"))];
        assert_ne!(names[0], names[1]);
        for name in names {
            assert!(name.len() <= 63 && name.starts_with("ää") && name.ends_with("__new"), "{name}");
        }
    }

    #[test]
    fn an_identity_begins_behind_the_highest_value() {
        assert_eq!(
            continue_from_highest("t'", "i\"d"),
            r#"SELECT setval(pg_get_serial_sequence('"t''"', 'i"d'), greatest(coalesce(max("i""d"), 0), 1), coalesce(max("i""d"), 0) > 0) FROM "t'""#
        );
    }
}
