//! The way back from a change.
//!
//! A version may have stopped half-way: what comes before the rows is one transaction, and what comes after them is done
//! statement by statement. So what a statement after the rows makes goes only where it is there, and what one takes away comes
//! back only where it is gone.

use super::{
    Place, add_constraint, alter_column, comment_on, quoted, relaid, staged, statement, statements,
    steps::{continue_from_highest, replacement_of, temporary_check},
};
use crate::schema::{Change, Column, Conversion, Hazard};
use crate::value::Reading;

/// How a change is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// By these statements.
    By {
        /// In order.
        statements: Vec<String>,
        /// Why that may hurt.
        hazards: Vec<Hazard>,
    },
    /// Taking back another change does it too.
    WithAnother,
    /// Nothing brings back what the change takes away.
    Never,
}

/// The way back from a change.
#[must_use]
pub fn undo(change: &Change) -> Undo {
    let by_all = |statements: Vec<String>| Undo::By { statements, hazards: Vec::new() };
    let by = |sql: String| by_all(vec![sql]);
    let deleting = |sql: String| Undo::By { statements: vec![sql], hazards: vec![Hazard::DeletesData] };
    let drop_constraint = |table: &str, name: &str| {
        format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", quoted(table), quoted(name))
    };
    let drop_index = |name: &str| format!("DROP INDEX IF EXISTS {}", quoted(name));
    match change {
        Change::CreateType(of) => by(statement(&Change::DropType(*of))),
        Change::DropType(of) => by(statement(&Change::CreateType(*of))),
        // By the same dance: what the columns go back to has its own name again before they do, so that defaults and checks
        // may name it.
        Change::ReplaceType { of, .. } => by(statement(&Change::DropReplaced(*of))),
        Change::DropReplaced(of) => {
            let replaced = Change::ReplaceType { of: *of, wanted: *of };
            let statements =
                statements(&replaced, Place::default()).into_iter().map(|statement| statement.sql);
            Undo::By { statements: statements.collect(), hazards: Vec::new() }
        }
        // PostgreSQL takes no label away (its manual, "ALTER TYPE").
        Change::AddLabel { .. } => Undo::Never,
        Change::CreateTable(table) => deleting(format!("DROP TABLE {}", quoted(&table.name))),
        Change::AddColumn { table, column } if column.generated.is_some() => {
            by(format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quoted(&column.name)))
        }
        Change::AddColumn { table, column } => {
            deleting(format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quoted(&column.name)))
        }
        Change::AddCheck { table, check } => by(drop_constraint(table, &check.name)),
        // Without the constraint, what is there is the index that it was to be made of.
        Change::AddKey { table, key } => {
            by_all(vec![drop_constraint(table, &key.name), drop_index(&key.name)])
        }
        Change::CreateIndex { index, .. } => by(drop_index(&index.name)),
        Change::AddForeignKey { table, foreign_key, .. } => by(drop_constraint(table, &foreign_key.name)),
        Change::ValidateForeignKey { .. } | Change::FillColumn { .. } => Undo::WithAnother,
        Change::DropConstraint { table, name, definition } => by(add_constraint(table, name, definition)),
        Change::DropIndex { definition, .. } => by(where_missing(definition)),
        // Under the name is the new one or, still, the old one.
        Change::ReplaceIndex { index, definition, .. } => by_all(vec![
            drop_index(&replacement_of(&index.name)),
            drop_index(&index.name),
            where_missing(definition),
        ]),
        Change::DropColumn { table, column, definition, generated: true, comment } => Undo::By {
            statements: [
                Some(format!("ALTER TABLE {} ADD COLUMN {} {definition}", quoted(table), quoted(column))),
                comment.as_deref().map(|comment| comment_on(table, Some(column), Some(comment))),
            ]
            .into_iter()
            .flatten()
            .collect(),
            hazards: vec![
                Hazard::RewritesTable,
                Hazard::BlocksReads,
                Hazard::BlocksWrites,
                Hazard::MayFailOnRows,
            ],
        },
        // The column could come back, but not what it held; as a generated one, not what was written to it since.
        Change::DropColumn { .. } | Change::DropExpression { .. } => Undo::Never,
        Change::AlterType { table, column, from, from_collation, staged, .. } => {
            let Some(conversion) = Conversion::between(column.pg_type, *from, &Reading::Plain) else {
                // Until the columns are exchanged there is one.
                return staged
                    .as_ref()
                    .map_or(Undo::Never, |staged| by(staged::way_back(table, column, staged, None)));
            };
            let back = Column { pg_type: *from, collation: from_collation.clone(), ..column.clone() };
            let back = Change::AlterType {
                table: table.clone(),
                column: back,
                from: column.pg_type,
                from_collation: column.collation.clone(),
                conversion,
                staged: None,
            };
            let sql = statement(&back);
            let sql = match staged {
                None => sql,
                Some(staged) => staged::way_back(table, column, staged, Some(&sql)),
            };
            Undo::By { statements: vec![sql], hazards: crate::schema::hazards(&back) }
        }
        Change::SetDefault { table, column, from, .. } => by(match from {
            Some(default) => alter_column(table, column, &format!("SET DEFAULT {default}")),
            None => alter_column(table, column, "DROP DEFAULT"),
        }),
        Change::SetIdentity { table, column, identity: true } => {
            by(alter_column(table, column, "DROP IDENTITY IF EXISTS"))
        }
        Change::SetIdentity { table, column, identity: false } => {
            let back = Change::SetIdentity { table: table.clone(), column: column.clone(), identity: true };
            by_all(vec![statement(&back), continue_from_highest(table, column)])
        }
        Change::SetNotNull { table, column } => by_all(vec![
            alter_column(table, column, "DROP NOT NULL"),
            drop_constraint(table, &temporary_check(table, column)),
        ]),
        Change::DropNotNull { table, column } => by(alter_column(table, column, "SET NOT NULL")),
        // Rows that have come into it go with it.
        Change::AddPartition { partition, .. } => deleting(format!("DROP TABLE {}", quoted(&partition.name))),
        Change::Repartition { from, to, .. } => {
            let mut back = change.clone();
            if let Change::Repartition { from: then, to: now, .. } = &mut back {
                (*then, *now) = (to.clone(), from.clone());
            }
            Undo::By { statements: relaid(&back), hazards: crate::schema::hazards(&back) }
        }
        Change::SetComment { table, column, from, .. } => {
            by(comment_on(table, column.as_deref(), from.as_deref()))
        }
        Change::MoveTable { table, from, to } => {
            by(statement(&Change::MoveTable { table: table.clone(), from: to.clone(), to: from.clone() }))
        }
        Change::RenameTable { table, from } => {
            by(statement(&Change::RenameTable { table: from.clone(), from: table.clone() }))
        }
        Change::RenameColumn { table, column, from } => by(statement(&Change::RenameColumn {
            table: table.clone(),
            column: from.clone(),
            from: column.clone(),
        })),
        Change::RenameConstraint { table, name, from } => by(statement(&Change::RenameConstraint {
            table: table.clone(),
            name: from.clone(),
            from: name.clone(),
        })),
        Change::RenameIndex { table, name, from } => by(statement(&Change::RenameIndex {
            table: table.clone(),
            name: from.clone(),
            from: name.clone(),
        })),
    }
}

/// The statement that makes an index, where it is not there.
pub(super) fn where_missing(definition: &str) -> String {
    definition.replacen("INDEX ", "INDEX IF NOT EXISTS ", 1)
}
