//! Keys and foreign keys: what SQLite declares, kept where the rows allow it, else left out and said.

use super::{Draft, indexes, names, names::Namespace, same, types};
use crate::{
    audit::{Affinity, ColumnAudit, ForeignKeyAudit, IndexAudit, IndexPartAudit, TableAudit},
    mapping::{ForeignKeyEntry, IdentifierPolicy, Mistake},
    schema::{Finding, ForeignKey, Key, PgType, Severity},
};

/// The longest entry of a btree index: a third of a page, less its head (PostgreSQL's manual, 67.4.1; `BTMaxItemSize`).
const BTREE_ENTRY_BYTES: u64 = 2704;

/// The most columns of an index (PostgreSQL's manual, appendix K; `INDEX_MAX_KEYS`).
const INDEX_COLUMNS: usize = 32;

/// A table's constraints of uniqueness.
pub(super) struct Keys {
    pub(super) keys: Vec<Key>,
    /// Target columns that tell one row from another on both sides; empty: none does.
    pub(super) row_key: Vec<String>,
}

/// Whether a column takes part in a key, so that no two of its values may become one.
pub(super) fn is_in_key(table: &TableAudit, column: &str) -> bool {
    table.primary_key.iter().any(|name| same(name, column))
        || table.indexes.iter().filter(|index| index.unique).any(|index| {
            index.parts.iter().any(|part| part.column.as_deref().is_some_and(|c| same(c, column)))
        })
        || table.foreign_keys.iter().any(|key| key.columns.iter().any(|c| same(c, column)))
}

/// The primary key and the UNIQUE constraints.
pub(super) fn keys(draft: &Draft<'_>, relations: &mut Namespace, findings: &mut Vec<Finding>) -> Keys {
    let table = draft.audit;
    let mut keys: Vec<Key> = Vec::new();
    let mut row_key = Vec::new();
    let primary = (!table.primary_key.is_empty()).then(|| (true, table.primary_key.clone()));
    let unique = table.indexes.iter().filter(|index| index.origin == "u").filter_map(|index| {
        let columns: Option<Vec<String>> = index.parts.iter().map(|part| part.column.clone()).collect();
        columns.map(|columns| (false, columns))
    });
    for (is_primary, sources) in primary.into_iter().chain(unique) {
        let Some(named) = sources.iter().map(|source| draft.position(source)).collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        // SQLite takes UNIQUE (a, a), which says no more than UNIQUE (a).
        let mut positions: Vec<usize> = Vec::with_capacity(named.len());
        named.into_iter().for_each(|at| {
            if !positions.contains(&at) {
                positions.push(at)
            }
        });
        let what = format!(
            "{} of {} ({})",
            if is_primary { "the primary key" } else { "the UNIQUE constraint" },
            table.name,
            sources.join(", ")
        );
        if let Some(why) = cannot_be_key(draft, &positions) {
            findings.push(warning("key-left-out", format!("{what} is left out: {why}")));
            continue;
        }
        let nulls = positions.iter().any(|&at| table.columns[at].storage.null > 0);
        let primary_holds = is_primary && !nulls;
        if is_primary && nulls {
            let (rows, first) = table
                .primary_key_nulls
                .as_ref()
                .map_or((0, String::new()), |v| (v.rows, format!(", first at {}", v.first_key)));
            findings.push(warning(
                "null-in-primary-key",
                format!("{what} holds NULL in {}{first}: it becomes a UNIQUE constraint", types::rows(rows)),
            ));
        }
        let columns: Vec<String> = positions.iter().map(|&at| draft.column_names[at].clone()).collect();
        if !nulls && (row_key.is_empty() || primary_holds) {
            row_key = columns.clone();
        }
        if keys.iter().any(|key| key.columns == columns) {
            continue;
        }
        let pattern = if primary_holds {
            names::with_suffix(&draft.target, "_pkey")
        } else {
            names::with_suffix(&format!("{}_{}", draft.target, columns.join("_")), "_key")
        };
        let name = relations.claim(IdentifierPolicy::Preserve, &pattern);
        keys.push(Key { name, primary: primary_holds, columns });
    }
    Keys { keys, row_key }
}

/// Why columns cannot be a key in PostgreSQL; `None`: they can.
pub(super) fn cannot_be_key(draft: &Draft<'_>, positions: &[usize]) -> Option<String> {
    if let Some(&at) =
        positions.iter().find(|&&at| values_may_meet(&draft.audit.columns[at], draft.settled[at].pg_type))
    {
        return Some(format!(
            "{} holds values of several storage classes, which may be equal as {}",
            draft.audit.columns[at].name, draft.settled[at].pg_type
        ));
    }
    too_long(draft, positions)
}

/// Whether two values that SQLite holds apart could be one in this type: 1 and '1', a text and a blob.
fn values_may_meet(column: &ColumnAudit, pg_type: PgType) -> bool {
    let storage = column.storage;
    let numbers = storage.integer + storage.real > 0;
    // The texts 'Infinity' and '-Infinity' are no numbers to SQLite, in any column.
    let infinite = column.real_range.is_some_and(|(low, high)| low.is_infinite() || high.is_infinite());
    match pg_type {
        // An affinity other than BLOB has already turned '1' into 1, or 1 into '1'.
        PgType::Text | PgType::Varchar(_) | PgType::Enum(_) => {
            storage.text > 0 && (infinite || numbers && column.affinity == Affinity::Blob)
        }
        PgType::Bytea => {
            storage.blob > 0 && (storage.text > 0 || numbers)
                || storage.text > 0 && (infinite || numbers && column.affinity == Affinity::Blob)
        }
        // From 2^53 on, a real's shortest decimal form may be another integer's.
        PgType::Numeric(_) => {
            let beyond = |(low, high): (f64, f64)| low.abs().max(high.abs()) > 9_007_199_254_740_992.0;
            storage.integer > 0 && column.real_range.is_some_and(beyond)
        }
        _ => false,
    }
}

/// Why the longest values do not fit a btree's entry; `None`: they do.
pub(super) fn too_long(draft: &Draft<'_>, positions: &[usize]) -> Option<String> {
    if positions.len() > INDEX_COLUMNS {
        return Some(format!("it has {} columns, and an index holds {INDEX_COLUMNS}", positions.len()));
    }
    let bytes: u64 = positions
        .iter()
        .map(|&at| draft.audit.columns[at].longest_bytes.unwrap_or(8).saturating_add(8))
        .fold(0, u64::saturating_add);
    (bytes > BTREE_ENTRY_BYTES)
        .then(|| format!("its longest entry may take {bytes} bytes, and a btree holds {BTREE_ENTRY_BYTES}"))
}

/// The foreign keys: the source's, then those of the mapping, which replace a source's over the same columns.
pub(super) fn foreign_keys(
    draft: &Draft<'_>,
    drafts: &[Draft<'_>],
    keyed: &[Keys],
    findings: &mut Vec<Finding>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<ForeignKey> {
    let entries = draft.entry.map_or(&[][..], |entry| &entry.foreign_keys);
    let mut made: Vec<ForeignKey> = Vec::new();
    for source in &draft.audit.foreign_keys {
        if entries.iter().any(|entry| is_over(draft, entry, &source.columns)) {
            continue;
        }
        let what = format!(
            "the foreign key of {} ({}) to {}",
            draft.audit.name,
            source.columns.join(", "),
            source.parent_table
        );
        let joined = if source.parent_exists {
            join(draft, drafts, keyed, &source.columns, &source.parent_table, &source.parent_columns)
        } else {
            Err("the source has no such table".to_owned())
        };
        match joined {
            Ok((columns, parent_table, parent_columns)) => {
                if let Some(orphans) = &source.orphans {
                    findings.push(warning(
                        "orphan-rows",
                        format!(
                            "{what}: {} without a parent, first at {}; the constraint stays NOT VALID, so that it binds \
                             new rows only",
                            types::rows(orphans.rows),
                            orphans.first_key
                        ),
                    ));
                }
                let doubt = source
                    .unchecked
                    .clone()
                    .or_else(|| compared_otherwise(draft, drafts, source))
                    .or_else(|| parents_rejected(drafts, &source.parent_table));
                if let Some(why) = &doubt {
                    let message = format!("{what} could not be checked ({why}); it stays NOT VALID");
                    findings.push(warning("foreign-key-not-checked", message));
                }
                let name = free_name(&made, &draft.target, &columns);
                made.push(ForeignKey {
                    name,
                    columns,
                    parent_table,
                    parent_columns,
                    on_update: source.on_update,
                    on_delete: source.on_delete,
                    // What could not be checked must not fail after the rows have been copied.
                    valid: source.orphans.is_none() && doubt.is_none(),
                });
            }
            Err(why) => findings.push(warning("foreign-key-left-out", format!("{what} is left out: {why}"))),
        }
    }
    for entry in entries {
        if let Some(mut foreign_key) = demanded_foreign_key(draft, drafts, keyed, entry, &made, mistakes) {
            let parent = drafts.iter().find(|draft| draft.is_named(&entry.parent_table.value));
            if let Some(why) = parent.and_then(|parent| parents_rejected(drafts, &parent.audit.name)) {
                let message = format!("{}: {why}; it stays NOT VALID", foreign_key.name);
                findings.push(warning("foreign-key-not-checked", message));
                foreign_key.valid = false;
            }
            let orphans = draft.audit.foreign_keys.iter().find_map(|source| {
                source.orphans.as_ref().filter(|_| is_over(draft, entry, &source.columns))
            });
            if let Some(orphans) = orphans {
                findings.push(Finding {
                    severity: Severity::Blocker,
                    code: "orphan-rows",
                    message: format!(
                        "{}: {} without a parent, first at {}. Correct them, or take the foreign key out of the mapping",
                        foreign_key.name,
                        types::rows(orphans.rows),
                        orphans.first_key
                    ),
                });
            }
            made.push(foreign_key);
        }
    }
    made
}

/// Whether an entry is over these columns of the source.
fn is_over(draft: &Draft<'_>, entry: &ForeignKeyEntry, columns: &[String]) -> bool {
    entry.columns.len() == columns.len()
        && entry
            .columns
            .iter()
            .zip(columns)
            .all(|(one, other)| draft.named(&one.value) == draft.position(other))
}

/// Why rows that SQLite joins may not be joined in PostgreSQL; `None`: both compare alike.
///
/// SQLite compares by the parent's collation, and gives the child's value the parent's affinity first ("SQLite Foreign Key
/// Support", 3); PostgreSQL compares the values as they are.
fn compared_otherwise(draft: &Draft<'_>, drafts: &[Draft<'_>], source: &ForeignKeyAudit) -> Option<String> {
    let parent = drafts.iter().find(|parent| same(&parent.audit.name, &source.parent_table))?;
    let is_of_key = |index: &&IndexAudit| {
        let of_key = |part: &IndexPartAudit| {
            part.column.as_ref().is_some_and(|name| source.parent_columns.iter().any(|key| same(key, name)))
        };
        index.unique && index.parts.len() == source.parent_columns.len() && index.parts.iter().all(of_key)
    };
    let mut parts = parent.audit.indexes.iter().filter(is_of_key).flat_map(|index| &index.parts);
    if let Some(part) = parts.find(|part| !part.collation.eq_ignore_ascii_case("BINARY")) {
        return Some(format!("SQLite compares by the collation {}", part.collation));
    }
    source.columns.iter().zip(&source.parent_columns).find_map(|(child, its_parent)| {
        let child = &draft.audit.columns[draft.position(child)?];
        let at = parent.position(its_parent)?;
        let makes_numbers = matches!(
            parent.audit.columns[at].affinity,
            Affinity::Integer | Affinity::Real | Affinity::Numeric
        );
        (makes_numbers && child.storage.text > 0 && parent.settled[at].pg_type != PgType::BigInt)
            .then(|| format!("SQLite compares the texts of {} as numbers, where they are", child.name))
    })
}

/// Why rows may have lost their parent on the way; `None`: as far as the audit can tell, none has.
fn parents_rejected(drafts: &[Draft<'_>], parent: &str) -> Option<String> {
    let parent = drafts.iter().find(|draft| same(&draft.audit.name, parent))?;
    let column = parent.rejecting_column()?;
    Some(format!(
        "rows of {} are rejected for their {column}, and other rows may refer to them",
        parent.audit.name
    ))
}

fn free_name(made: &[ForeignKey], table: &str, columns: &[String]) -> String {
    let base = names::with_suffix(&format!("{table}_{}", columns.join("_")), "_fkey");
    (1u32..)
        .map(|number| if number == 1 { base.clone() } else { names::with_suffix(&base, &number.to_string()) })
        .find(|name| made.iter().all(|other| other.name != *name))
        .unwrap_or(base)
}

/// Target columns, parent table and parent columns of a foreign key, or why it cannot be.
fn join(
    draft: &Draft<'_>,
    drafts: &[Draft<'_>],
    keyed: &[Keys],
    columns: &[String],
    parent_table: &str,
    parent_columns: &[String],
) -> Result<(Vec<String>, String, Vec<String>), String> {
    let parent_at = drafts
        .iter()
        .position(|parent| same(&parent.audit.name, parent_table))
        .ok_or_else(|| format!("table {parent_table} is not carried over"))?;
    let parent = &drafts[parent_at];
    let of = |draft: &Draft<'_>, names: &[String]| -> Result<Vec<usize>, String> {
        let missing = |name: &String| format!("{} has no column {name}", draft.audit.name);
        names.iter().map(|name| draft.position(name).ok_or_else(|| missing(name))).collect()
    };
    let (child_positions, parent_positions) = (of(draft, columns)?, of(parent, parent_columns)?);
    if child_positions.is_empty() || child_positions.len() != parent_positions.len() {
        return Err(format!("{parent_table} has no key of {} columns that it could mean", columns.len()));
    }
    for (&child, &its_parent) in child_positions.iter().zip(&parent_positions) {
        let (one, other) = (draft.settled[child].pg_type, parent.settled[its_parent].pg_type);
        if !types::joinable(one, other) {
            return Err(format!(
                "{} is {one}, {}.{} is {other}",
                draft.column_names[child], parent.target, parent.column_names[its_parent]
            ));
        }
    }
    let names = |draft: &Draft<'_>, positions: &[usize]| -> Vec<String> {
        positions.iter().map(|&at| draft.column_names[at].clone()).collect()
    };
    let parent_names = names(parent, &parent_positions);
    let mut wanted = parent_names.clone();
    wanted.sort();
    let is_wanted = |columns: &[String]| {
        let mut columns = columns.to_vec();
        columns.sort();
        columns == wanted
    };
    let by_constraint = keyed[parent_at].keys.iter().any(|key| is_wanted(&key.columns));
    let by_index = indexes::unique_columns(parent).any(|columns| is_wanted(&columns));
    if !by_constraint && !by_index {
        return Err(format!("{parent_table} ({}) is not unique in the target", parent_columns.join(", ")));
    }
    Ok((names(draft, &child_positions), parent.target.clone(), parent_names))
}

fn demanded_foreign_key(
    draft: &Draft<'_>,
    drafts: &[Draft<'_>],
    keyed: &[Keys],
    entry: &ForeignKeyEntry,
    made: &[ForeignKey],
    mistakes: &mut Vec<Mistake>,
) -> Option<ForeignKey> {
    let before = mistakes.len();
    let Some(parent) = drafts.iter().find(|d| d.is_named(&entry.parent_table.value)) else {
        let known = drafts.iter().map(|d| d.audit.name.as_str());
        mistakes.push(Mistake::unknown(&entry.parent_table.place, "table", &entry.parent_table.value, known));
        return None;
    };
    for (owner, columns) in [(draft, &entry.columns), (parent, &entry.parent_columns)] {
        for column in columns.iter().filter(|column| owner.named(&column.value).is_none()) {
            let what = format!("column of table {}", owner.audit.name);
            mistakes.push(Mistake::unknown(&column.place, &what, &column.value, owner.known_columns()));
        }
    }
    if mistakes.len() > before {
        return None;
    }
    // By the source's own names from here on.
    let plain = |owner: &Draft<'_>, placed: &[crate::mapping::Placed<String>]| -> Vec<String> {
        let positions = placed.iter().filter_map(|column| owner.named(&column.value));
        positions.map(|at| owner.audit.columns[at].name.clone()).collect()
    };
    let parent_columns = if entry.parent_columns.is_empty() {
        parent.audit.primary_key.clone()
    } else {
        plain(parent, &entry.parent_columns)
    };
    match join(draft, drafts, keyed, &plain(draft, &entry.columns), &parent.audit.name, &parent_columns) {
        Ok((columns, parent_table, parent_columns)) => Some(ForeignKey {
            name: entry.name.clone().unwrap_or_else(|| free_name(made, &draft.target, &columns)),
            columns,
            parent_table,
            parent_columns,
            on_update: entry.on_update,
            on_delete: entry.on_delete,
            valid: true,
        }),
        Err(why) => {
            mistakes.push(Mistake::at(
                &entry.parent_table.place,
                &format!("this foreign key cannot be: {why}"),
                None,
            ));
            None
        }
    }
}

pub(super) fn warning(code: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Warning, code, message }
}
