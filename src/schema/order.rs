//! When a change is made: before the rows or after them, and which goes first.

use serde::Serialize;

use super::Change;

/// When a change is made, in pg_dump's sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Before the rows: relations and their columns.
    PreData,
    /// After the rows: keys, indexes, foreign keys, which are cheaper to build at once.
    PostData,
}

impl Change {
    /// When it is made.
    #[must_use]
    pub fn section(&self) -> Section {
        match self {
            Change::CreateType(_)
            | Change::AddLabel { .. }
            | Change::ReplaceType { .. }
            | Change::DropReplaced(_)
            | Change::DropType(_)
            | Change::CreateTable(_)
            | Change::AddColumn { .. }
            | Change::AddCheck { .. }
            | Change::DropConstraint { .. }
            | Change::DropIndex { in_the_way: true, .. }
            | Change::DropColumn { .. }
            | Change::DropExpression { .. }
            | Change::AlterType { .. }
            | Change::SetDefault { .. }
            | Change::SetIdentity { .. }
            | Change::DropNotNull { .. }
            | Change::AddPartition { .. }
            | Change::Repartition { .. }
            | Change::SetComment { .. }
            | Change::MoveTable { .. }
            | Change::RenameTable { .. }
            | Change::RenameColumn { .. }
            | Change::RenameConstraint { .. }
            | Change::RenameIndex { .. } => Section::PreData,
            Change::FillColumn { .. }
            | Change::AddKey { .. }
            | Change::CreateIndex { .. }
            | Change::ReplaceIndex { .. }
            | Change::DropIndex { in_the_way: false, .. }
            | Change::AddForeignKey { .. }
            | Change::ValidateForeignKey { .. }
            | Change::SetNotNull { .. } => Section::PostData,
        }
    }

    /// When a change can be made, relative to others: what stands in the way goes first; then tables, columns, checks,
    /// keys, indexes, foreign keys, validations.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            // `diff` finds them first, and sorting keeps them there.
            Change::MoveTable { .. }
            | Change::RenameTable { .. }
            | Change::RenameColumn { .. }
            | Change::RenameConstraint { .. }
            | Change::RenameIndex { .. } => 0,
            // Columns want their type; labels are added first, since those are no part of the transaction.
            Change::AddLabel { .. } | Change::ReplaceType { .. } | Change::CreateType(_) => 0,
            // A foreign key holds the key that it refers to.
            Change::DropConstraint { definition, .. } if definition.starts_with("FOREIGN KEY") => 0,
            Change::DropIndex { .. } => 1,
            Change::DropConstraint { .. } => 2,
            Change::DropNotNull { .. } => 3,
            // The column that partitions go by gets no other type meanwhile; and none goes by a column that has not its type
            // yet.
            Change::Repartition { from, .. } => {
                if from.key.is_some() {
                    3
                } else {
                    9
                }
            }
            // A generated column holds those that it is generated from.
            Change::DropColumn { generated: true, .. } | Change::DropExpression { .. } => 3,
            Change::DropColumn { .. } => 4,
            // A default need not be one of the new type.
            Change::SetDefault { default: None, .. } | Change::SetIdentity { identity: false, .. } => 5,
            Change::AlterType { .. } => 6,
            Change::SetDefault { .. } | Change::SetIdentity { .. } => 7,
            Change::CreateTable(_) | Change::AddPartition { .. } => 8,
            Change::AddColumn { column, .. } if column.generated.is_none() => 8,
            Change::AddColumn { .. } => 9,
            // Its columns are of another one by then.
            Change::DropType(_) | Change::DropReplaced(_) => 9,
            Change::AddCheck { .. } | Change::FillColumn { .. } => 10,
            Change::SetNotNull { .. } => 11,
            Change::AddKey { .. } => 12,
            Change::CreateIndex { .. } | Change::ReplaceIndex { .. } => 13,
            Change::AddForeignKey { .. } => 14,
            Change::ValidateForeignKey { .. } => 15,
            Change::SetComment { .. } => 16,
        }
    }
}
