//! Columns that are missing, or not as they should be; columns that nothing would fill, or nobody wants.

use super::{
    Difference,
    generated::{self, Generation},
    objects::Pair,
    types::Types,
};
use crate::{
    inspect::LiveColumn,
    mapping::OnInvalid,
    schema::{Change, Column, ColumnCopy, Conversion, Desired, PgType},
    value::Reading,
};

pub(super) fn compare(
    pair: &Pair<'_>,
    desired: &Desired,
    (types, is_empty): (&Types, bool),
    difference: &mut Difference,
) {
    let Pair { table, normal, live } = pair;
    let own = difference.changes.len();
    for (column, wanted) in table.columns.iter().zip(&normal.columns) {
        match live.columns.iter().find(|found| found.name == wanted.name) {
            None => {
                let copy = desired.tables.iter().find(|copy| copy.target == table.name);
                let fill = copy.and_then(|copy| copy.fills.iter().find(|fill| fill.column == column.name));
                let table = table.name.clone();
                difference.changes.push(Change::AddColumn { table: table.clone(), column: column.clone() });
                if let (Some(fill), false) = (fill, is_empty) {
                    difference.changes.push(Change::FillColumn { table, fill: fill.clone() });
                }
            }
            Some(found) => {
                let way = Way { copied: copied(desired, &table.name, &column.name), is_empty, types };
                alterations(&table.name, column, (wanted, found), &way, difference);
            }
        }
    }
    let is_unknown = |found: &&LiveColumn| normal.columns.iter().all(|wanted| wanted.name != found.name);
    for found in live.columns.iter().filter(is_unknown) {
        let fills_itself = !found.not_null
            || found.default.is_some()
            || !found.identity.is_empty()
            || !found.generated.is_empty();
        if desired.prune {
            difference.changes.push(generated::dropped(&table.name, found));
        } else if fills_itself {
            difference.kept.push(format!("column {}.{}", table.name, found.name));
        } else {
            difference.beyond.push(format!(
                "{}.{}: the target has this column NOT NULL without a default, and the source has nothing for it; drop it \
                 (`prune: true` in the mapping does), or give it a default",
                table.name, found.name
            ));
        }
    }
    generated::follow_their_sources(pair, own, difference);
}

/// How values come from one type to another.
struct Way<'a> {
    /// How the mapping reads the source's cells; `None`: the source has no such column.
    copied: Option<&'a ColumnCopy>,
    /// Whether there is no row.
    is_empty: bool,
    /// The target's own types.
    types: &'a Types,
}

impl Way<'_> {
    fn between(&self, from: PgType, to: PgType) -> Option<Conversion> {
        if self.is_empty {
            let reading = self.copied.map(|copied| copied.reading.clone()).unwrap_or_default();
            return Some(
                Conversion::between(from, to, &reading).unwrap_or_else(|| Conversion::of_nothing(to)),
            );
        }
        let Some(copied) = self.copied else { return Conversion::between(from, to, &Reading::Plain) };
        let conversion = Conversion::between(from, to, &copied.reading)?;
        // What the type does not hold is told by the cells, not by what has become of them.
        match copied.on_invalid {
            _ if copied.holds_all() || from == to => Some(conversion),
            OnInvalid::SetNull if copied.texts_alone => conversion.nulling(from, to),
            OnInvalid::SetNull => None,
            OnInvalid::Reject if !copied.proven => None,
            OnInvalid::Reject | OnInvalid::Fail | OnInvalid::Text => Some(conversion),
        }
    }
}

/// How the mapping reads the cells of a column.
fn copied<'a>(desired: &'a Desired, table: &str, column: &str) -> Option<&'a ColumnCopy> {
    let copy = desired.tables.iter().find(|copy| copy.target == table)?;
    copy.columns.iter().find(|copied| copied.target == column)
}

/// What makes a column that is there what it should be.
fn alterations(
    table: &str,
    column: &Column,
    (wanted, found): (&LiveColumn, &LiveColumn),
    way: &Way<'_>,
    difference: &mut Difference,
) {
    let names = || (table.to_owned(), column.name.clone());
    let beyond = |aspect: &str, found: &str, wanted: &str, difference: &mut Difference| {
        let word = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
        difference.beyond.push(format!(
            "{table}.{}: its {aspect} is {}, and should be {}; alter it by hand, or let the mapping say what the target has",
            column.name,
            word(found),
            word(wanted)
        ));
    };
    let plain;
    let found = match generated::difference(wanted, found) {
        Generation::Same => found,
        Generation::Anew => {
            difference.changes.extend(generated::made_anew(table, column, found));
            return;
        }
        Generation::NoLonger if found.generated == "v" => {
            return beyond("generation", "virtual, so that no value is there", "none", difference);
        }
        Generation::NoLonger => {
            let (table, column) = names();
            if way.copied.is_some() {
                difference.recopied.entry(table.clone()).or_insert_with(|| {
                    format!("{table}.{column}: its values are generated, and not the source's")
                });
            }
            let expression = found.default.clone().unwrap_or_default();
            difference.changes.push(Change::DropExpression { table, column, expression });
            plain = LiveColumn { generated: String::new(), default: None, ..found.clone() };
            &plain
        }
    };
    if found.identity != wanted.identity && !found.identity.is_empty() && !wanted.identity.is_empty() {
        return beyond("identity", &found.identity, &wanted.identity, difference);
    }
    let retyped = found.type_name != wanted.type_name
        || found.collation != wanted.collation
        || way.types.is_replaced(&found.type_name);
    if retyped {
        let from = way.types.of(&found.type_name);
        let conversion = from.and_then(|from| way.between(from, column.pg_type));
        let (Some(from), Some(conversion)) = (from, conversion) else {
            let what = format!(
                "{table}.{}: its values as {} do not say what they would be as {}",
                column.name, found.type_name, wanted.type_name
            );
            if way.copied.is_some() {
                difference.recopied.entry(table.to_owned()).or_insert(what);
            } else {
                difference
                    .beyond
                    .push(format!("{what}; alter it by hand, or let the mapping say {}", found.type_name));
            }
            return;
        };
        let (table, _) = names();
        difference.changes.push(Change::AlterType {
            table,
            column: column.clone(),
            from,
            from_collation: found.collation.clone(),
            conversion,
            staged: None,
        });
    }
    // A default is of its column's type, so it goes while that changes.
    if found.default != wanted.default || (retyped && found.default.is_some()) {
        let mut set = |default: &Option<String>, from: &Option<String>| {
            if default != from {
                let (table, column) = names();
                let (default, from) = (default.clone(), from.clone());
                difference.changes.push(Change::SetDefault { table, column, default, from });
            }
        };
        if retyped {
            set(&None, &found.default);
            set(&column.default, &None);
        } else {
            set(&column.default, &found.default);
        }
    }
    if found.identity != wanted.identity {
        let (table, column) = names();
        let identity = !wanted.identity.is_empty();
        difference.changes.push(Change::SetIdentity { table, column, identity });
    }
    if found.not_null != wanted.not_null {
        let (table, column) = names();
        difference.changes.push(match wanted.not_null {
            true => Change::SetNotNull { table, column },
            false => Change::DropNotNull { table, column },
        });
    }
}
