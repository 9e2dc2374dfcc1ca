//! Indexes: the source's, with their expressions where those mean the same, and the mapping's.

use super::{Draft, expression, fates::fate, keys, names::Namespace, same};
use crate::{
    audit::IndexAudit,
    mapping::{IdentifierPolicy, IndexEntry, Mistake, Place},
    schema::{Fate, Finding, Index, IndexKey, IndexPart, Outcome, PgType},
};

/// The indexes: the source's own, then those of the mapping, which replace a source's of the same name.
pub(super) fn indexes(
    draft: &Draft<'_>,
    policy: IdentifierPolicy,
    relations: &mut Namespace,
    findings: &mut Vec<Finding>,
    mistakes: &mut Vec<Mistake>,
) -> (Vec<Index>, Vec<Fate>) {
    let mut indexes = Vec::new();
    let mut fates = Vec::new();
    let entries = draft.entry.map_or(&[][..], |entry| &entry.indexes);
    for source in draft.audit.indexes.iter().filter(|index| index.origin == "c") {
        if entries.iter().any(|entry| same(&entry.name.value, &source.name)) {
            fates.push(fate("index", &source.name, Outcome::Migrated(source.name.clone())));
            continue;
        }
        match carried_over(draft, source) {
            Ok(mut index) => {
                index.name = relations.claim(policy, &source.name);
                let collations = other_collations(draft, source);
                if !collations.is_empty() {
                    findings.push(keys::warning(
                        "collation-left-out",
                        format!(
                            "index {}: {collations} is SQLite's own; the index orders as the column does",
                            source.name
                        ),
                    ));
                }
                fates.push(fate("index", &source.name, Outcome::Migrated(index.name.clone())));
                indexes.push(index);
            }
            Err(why) => {
                if source.unique {
                    findings.push(keys::warning(
                        "key-left-out",
                        format!("unique index {} of {} is left out: {why}", source.name, draft.audit.name),
                    ));
                }
                fates.push(fate("index", &source.name, Outcome::LeftOut(why)));
            }
        }
    }
    for entry in entries {
        if let Some(index) = demanded(draft, entry, relations, mistakes) {
            indexes.push(index);
        }
    }
    (indexes, fates)
}

fn other_collations(draft: &Draft<'_>, index: &IndexAudit) -> String {
    let mut collations: Vec<&str> = index
        .parts
        .iter()
        .filter(|part| {
            part.column.as_ref().and_then(|c| draft.position(c)).is_some_and(|at| {
                matches!(draft.settled[at].pg_type, PgType::Text | PgType::Varchar(_) | PgType::Enum(_))
            })
        })
        .map(|part| part.collation.as_str())
        .filter(|collation| !collation.eq_ignore_ascii_case("BINARY"))
        .collect();
    collations.dedup();
    collations.join(", ")
}

/// The columns of each unique index of the source that a foreign key may refer to: over all rows, and of columns only.
pub(super) fn unique_columns<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Vec<String>> + use<'a> {
    draft.audit.indexes.iter().filter(|index| index.unique && index.origin == "c").filter_map(|index| {
        let index = carried_over(draft, index).ok().filter(|index| index.predicate.is_none())?;
        let columns = index.parts.into_iter().map(|part| match part.key {
            IndexKey::Column(column) => Some(column),
            IndexKey::Expression(_) => None,
        });
        columns.collect()
    })
}

/// An index of the source as PostgreSQL can have it, its name not yet given.
fn carried_over(draft: &Draft<'_>, source: &IndexAudit) -> Result<Index, String> {
    const WAY_OUT: &str = "name it under `indexes` in the mapping";
    let facts = expression::Facts::of(draft);
    let declared = source
        .sql
        .as_deref()
        .and_then(expression::declared_index)
        .filter(|declared| declared.parts.len() == source.parts.len());
    let predicate = if source.partial {
        let predicate = declared.as_ref().and_then(|declared| declared.predicate.as_ref());
        let sql = predicate.ok_or_else(|| format!("its WHERE cannot be read; {WAY_OUT}"))?;
        let translated = expression::condition(sql, &facts);
        Some(translated.map_err(|why| format!("its WHERE stays SQLite's: {why}; {WAY_OUT}"))?)
    } else {
        None
    };
    let mut positions = Vec::new();
    let mut parts = Vec::new();
    for (number, part) in source.parts.iter().enumerate() {
        let key = if let Some(at) = part.column.as_ref().and_then(|column| draft.position(column)) {
            positions.push(at);
            IndexKey::Column(draft.column_names[at].clone())
        } else {
            let sql = declared.as_ref().map(|declared| declared.parts[number].as_str()).unwrap_or_default();
            let translated = if part.collation.eq_ignore_ascii_case("BINARY") {
                expression::part(sql, &facts)
            } else {
                Err(format!("PostgreSQL has no collation {} like SQLite's", part.collation))
            };
            let translated =
                translated.map_err(|why| format!("its expression stays SQLite's: {why}; {WAY_OUT}"))?;
            positions.extend(translated.columns);
            IndexKey::Expression(translated.sql)
        };
        parts.push(IndexPart { descending: part.descending, ..IndexPart::plain(key) });
    }
    if let Some(why) = keys::too_long(draft, &positions) {
        return Err(why);
    }
    if source.unique
        && let Some(why) = keys::cannot_be_key(draft, &positions)
    {
        return Err(why);
    }
    let name = String::new();
    Ok(Index {
        name,
        unique: source.unique,
        nulls_not_distinct: false,
        method: "btree".to_owned(),
        parts,
        include: Vec::new(),
        predicate,
    })
}

/// An index that the mapping asks for.
fn demanded(
    draft: &Draft<'_>,
    entry: &IndexEntry,
    relations: &mut Namespace,
    mistakes: &mut Vec<Mistake>,
) -> Option<Index> {
    let mut column_named = |place: &Place, source: &str| {
        let target = draft.target_column(source);
        if target.is_none() {
            let what = format!("column of table {}", draft.audit.name);
            mistakes.push(Mistake::unknown(place, &what, source, draft.known_columns()));
        }
        target
    };
    let mut parts = Vec::new();
    for placed in &entry.parts {
        let key = match &placed.value.key {
            IndexKey::Expression(expression) => Some(IndexKey::Expression(expression.clone())),
            IndexKey::Column(source) => column_named(&placed.place, source).map(IndexKey::Column),
        };
        parts.extend(key.map(|key| IndexPart { key, ..placed.value.clone() }));
    }
    let include =
        entry.include.iter().filter_map(|column| column_named(&column.place, &column.value)).collect();
    let name = relations.claim(IdentifierPolicy::Preserve, &entry.name.value);
    if name != entry.name.value {
        mistakes.push(Mistake::at(
            &entry.name.place,
            &format!("the name `{}` is taken by another table or index, or too long", entry.name.value),
            Some("tables and indexes of a schema share their names, of at most 63 bytes"),
        ));
        return None;
    }
    Some(Index {
        name,
        unique: entry.unique,
        nulls_not_distinct: entry.nulls_not_distinct,
        method: entry.method.clone(),
        parts,
        include,
        predicate: entry.predicate.clone(),
    })
}
