//! Resolving: the mapping and the audit become the desired target. Pure; every decision carries its reason.
//!
//! Order of work: names first (everything else speaks them), then types, then what hangs on the columns.

mod checks;
mod columns;
mod defaults;
mod enums;
mod expression;
mod fates;
mod glob;
mod indexes;
mod keys;
mod meet;
mod names;
mod order;
mod partitions;
mod renames;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use names::Namespace;
use types::Settled;

use crate::{
    audit::{Audit, ColumnAudit, TableAudit},
    mapping::{
        AddColumn, ColumnEntry, IdentifierPolicy, Mapping, MappingError, Mistake, OnInvalid, TableEntry,
    },
    schema::{ColumnCopy, Desired, Fill, Finding, Outcome, Schema, Sequence, Severity, Table, TableCopy},
};

/// Which part of the source goes where.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The target schema's name.
    pub schema: String,
    /// Globs over source tables; empty: all.
    pub include: Vec<String>,
    /// Globs over source tables that stay behind, stronger than `include`.
    pub exclude: Vec<String>,
}

impl Scope {
    fn takes(&self, table: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|pattern| glob::matches(pattern, table)))
            && !self.exclude.iter().any(|pattern| glob::matches(pattern, table))
    }
}

/// A source table on its way: its audit, its mapping entry, its settled names and types.
struct Draft<'a> {
    audit: &'a TableAudit,
    entry: Option<&'a TableEntry>,
    /// The columns' entries, in the order of the audit's columns; whether the source has the column under a former name.
    entries: Vec<Option<(&'a ColumnEntry, bool)>>,
    target: String,
    /// Target column names, in the order of the audit's columns.
    column_names: Vec<String>,
    settled: Vec<Settled>,
    /// Whether the file's texts are UTF-8.
    utf8: bool,
}

impl Draft<'_> {
    /// The position of a source column, any case, as SQLite has it.
    fn position(&self, source: &str) -> Option<usize> {
        self.audit.columns.iter().position(|column| column.name.eq_ignore_ascii_case(source))
    }

    /// The position of a column that the mapping names: as the source does, or as it was renamed to.
    fn named(&self, name: &str) -> Option<usize> {
        let is_renamed = |entry: &Option<(&ColumnEntry, bool)>| {
            renames::declared(*entry).is_some_and(|entry| same(&entry.name.value, name))
        };
        self.position(name).or_else(|| self.entries.iter().position(is_renamed))
    }

    /// Whether the mapping means this table: by the source's name, or by the one that it was renamed to.
    fn is_named(&self, name: &str) -> bool {
        same(&self.audit.name, name) || self.entry.is_some_and(|entry| same(&entry.name.value, name))
    }

    /// What happens to a row that the server refuses.
    fn on_invalid(&self) -> OnInvalid {
        let asked = self.entry.and_then(|entry| entry.on_invalid.as_ref());
        asked.map_or(OnInvalid::Fail, |placed| placed.value)
    }

    /// A column some of whose values send their rows to the rejects, as the audit found.
    fn rejecting_column(&self) -> Option<&str> {
        let columns = self.audit.columns.iter().zip(&self.settled);
        let mut rejecting = columns.filter(|(column, settled)| {
            let by_type = settled.on_invalid == OnInvalid::Reject
                && column.fits_reading(&settled.pg_type, &settled.reading, true).is_err();
            let wants_value = entry_of(self, column).is_some_and(|entry| entry.not_null == Some(true));
            by_type || self.on_invalid() == OnInvalid::Reject && wants_value && column.storage.null > 0
        });
        rejecting.next().map(|(column, _)| column.name.as_str())
    }

    /// A source column's, or an added column's, name in the target.
    fn target_column(&self, source: &str) -> Option<String> {
        self.named(source).map(|at| self.column_names[at].clone()).or_else(|| {
            let added = self.entry?.add_columns.iter().find(|added| added.name.value == source)?;
            Some(added.name.value.clone())
        })
    }

    /// Columns that the mapping may name here, for suggestions.
    fn known_columns(&self) -> impl Iterator<Item = &str> + Clone {
        let added = self.entry.into_iter().flat_map(|entry| &entry.add_columns);
        self.audit
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .chain(added.map(|a| a.name.value.as_str()))
    }
}

impl Mapping {
    /// Makes the desired target out of what the source holds and what the user asks for.
    ///
    /// What the source's data forbids is a finding in the result; what the mapping gets wrong about the source is an
    /// error.
    ///
    /// # Errors
    /// [`MappingError`] lists every table and column that the mapping names and the source lacks, with file, line and
    /// column, and the nearest right word.
    pub fn resolve(&self, audit: &Audit, scope: &Scope) -> Result<Desired, MappingError> {
        let mut mistakes = Vec::new();
        let mut findings = general_findings(audit);
        let source: Vec<&str> = audit.tables.iter().map(|table| table.name.as_str()).collect();
        for entry in &self.tables {
            if renames::part(&entry.name, &entry.renamed_from, &source).is_none() {
                mistakes.push(Mistake::unknown(
                    &entry.name.place,
                    "table",
                    &entry.name.value,
                    source.iter().copied(),
                ));
            }
        }

        let mut relations = Namespace::of_relations();
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        let mut tables = order::parents_first(audit);
        tables.retain(|table| scope.takes(&table.name));
        let taken: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let mut entries: Vec<Option<(&TableEntry, bool)>> = vec![None; taken.len()];
        for entry in &self.tables {
            mistakes.extend(renames::both_there("tables", &entry.name, &entry.renamed_from, &taken));
            if let Some(part) = renames::part(&entry.name, &entry.renamed_from, &taken) {
                entries[part.at] = entries[part.at].or(Some((entry, part.is_former)));
            }
        }
        let declared = entries.iter().map(|entry| renames::declared(*entry).map(|entry| &entry.name));
        let named = taken.iter().copied().zip(declared);
        let targets = renames::claim(&mut relations, self.identifiers, named, &mut mistakes);
        for ((table, entry), target) in tables.into_iter().zip(&entries).zip(targets) {
            let is_renamed = renames::declared(*entry).is_some();
            let entry = entry.map(|(entry, _)| entry);
            let entries = renames::entries_of_columns(table, entry, &mut mistakes);
            let declared = entries.iter().map(|entry| renames::declared(*entry).map(|entry| &entry.name));
            let named = table.columns.iter().map(|column| column.name.as_str()).zip(declared);
            let mut columns = Namespace::of_columns();
            let column_names = renames::claim(&mut columns, self.identifiers, named.clone(), &mut mistakes);
            for ((column, _), name) in
                named.zip(&column_names).filter(|((_, declared), _)| declared.is_none())
            {
                findings.extend(renamed(self.identifiers, &format!("column {}.", table.name), column, name));
            }
            if !is_renamed {
                findings.extend(renamed(self.identifiers, "table ", &table.name, &target));
            }
            drafts.push(Draft {
                audit: table,
                entry,
                entries,
                target,
                column_names,
                settled: Vec::new(),
                utf8: audit.encoding == "UTF-8",
            });
        }
        mistakes.extend(enums::names_taken(self, &drafts));
        for draft in &mut drafts {
            draft.settled = self.settle_columns(draft, &mut findings, &mut mistakes);
        }
        meet::meet(&mut drafts);

        let mut schema = Schema { name: scope.schema.clone(), enums: Vec::new(), tables: Vec::new() };
        let mut copies = Vec::new();
        let mut fates = fates::of_others(audit);
        let keyed: Vec<_> =
            drafts.iter().map(|draft| keys::keys(draft, &mut relations, &mut findings)).collect();
        for (at, draft) in drafts.iter().enumerate() {
            let keys = &keyed[at];
            let (indexes, index_fates) =
                indexes::indexes(draft, self.identifiers, &mut relations, &mut findings, &mut mistakes);
            let foreign_keys = keys::foreign_keys(draft, &drafts, &keyed, &mut findings, &mut mistakes);
            let key_names = keys.keys.iter().map(|key| key.name.clone());
            let taken = key_names.chain(foreign_keys.iter().map(|key| key.name.clone())).collect();
            let checks = checks::checks(draft, self.identifiers, taken, &mut findings);
            fates.push(fates::of_table(draft, &checks.left_out));
            fates.extend(index_fates);
            let table = Table {
                name: draft.target.clone(),
                columns: columns::columns(draft, &keys.keys, &mut findings, &mut mistakes),
                keys: keys.keys.clone(),
                checks: checks.checks,
                foreign_keys,
                indexes,
                partitioning: partitions::partitioning(draft, &mut findings, &mut mistakes),
                comment: draft.entry.and_then(|entry| entry.comment.clone()),
            };
            copies.push(copy(draft, &table, keys.row_key.clone()));
            schema.tables.push(table);
        }
        schema.enums = enums::used(self, &schema.tables, &mut findings);
        fates.extend(audit.tables.iter().filter(|table| !scope.takes(&table.name)).map(|table| {
            fates::fate(
                "table",
                &table.name,
                Outcome::LeftOut("--include and --exclude leave it out".to_owned()),
            )
        }));
        let former = renames::former_names(&drafts, self.identifiers, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(MappingError::from_mistakes(&self.text, mistakes));
        }
        partitions::check(&mut schema, &mut findings);
        findings.sort_by_key(|finding| finding.severity);
        Ok(Desired {
            schema,
            tables: copies,
            former,
            findings,
            fates,
            prune: self.prune,
            versions_dir: self.versions_dir.clone(),
            mapping_digest: self.digest.clone(),
        })
    }

    fn settle_columns(
        &self,
        draft: &Draft<'_>,
        findings: &mut Vec<Finding>,
        mistakes: &mut Vec<Mistake>,
    ) -> Vec<Settled> {
        let audit = draft.audit;
        audit
            .columns
            .iter()
            .map(|column| {
                let entry = entry_of(draft, column);
                let in_key = keys::is_in_key(audit, &column.name);
                types::settle(self, audit, column, (draft.entry, entry), in_key, findings, mistakes)
            })
            .collect()
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn entry_of<'a>(draft: &Draft<'a>, column: &ColumnAudit) -> Option<&'a ColumnEntry> {
    let at = draft.audit.columns.iter().position(|known| known.name == column.name)?;
    draft.entries[at].map(|(entry, _)| entry)
}

/// Says where a name is not the one that the policy gives.
fn renamed(policy: IdentifierPolicy, what: &str, source: &str, target: &str) -> Option<Finding> {
    (names::apply(policy, source) != target).then(|| Finding {
        severity: Severity::Warning,
        code: "renamed",
        message: format!("{what}{source} is named {target}: PostgreSQL has no room for its own name"),
    })
}

/// What concerns the file as a whole.
fn general_findings(audit: &Audit) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A row that breaks a constraint is told where the constraint is.
    if let Some(first) = audit.quick_check.iter().flatten().find(|line| !checks::is_broken_constraint(line)) {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "damaged-source",
            message: format!(
                "SQLite's quick_check finds damage in {}: {first}. What can be read is carried over; `sqlite3 {} \
                 .recover` may find more",
                audit.path, audit.path
            ),
        });
    }
    findings
}

/// How the rows get there.
fn copy(draft: &Draft<'_>, table: &Table, row_key: Vec<String>) -> TableCopy {
    let audit = draft.audit;
    let columns: Vec<ColumnCopy> = audit
        .columns
        .iter()
        .zip(&draft.column_names)
        .zip(&draft.settled)
        .map(|((source, target), settled)| ColumnCopy {
            source: source.name.clone(),
            target: target.clone(),
            pg_type: settled.pg_type,
            reading: settled.reading.clone(),
            on_invalid: settled.on_invalid,
            proven: source.fits_reading(&settled.pg_type, &settled.reading, true).is_ok(),
            texts_alone: source.storage.integer + source.storage.real + source.storage.blob == 0,
            reason: settled.grounds.to_string(),
            grounds: settled.grounds.clone(),
        })
        .collect();
    let positions: BTreeMap<&str, usize> =
        columns.iter().enumerate().map(|(at, column)| (column.target.as_str(), at)).collect();
    let sequence = table.columns.iter().find(|column| column.identity).map(|column| Sequence {
        column: column.name.clone(),
        last_value: audit.max_rowid.unwrap_or(0).max(audit.sequence.unwrap_or(0)).max(0),
    });
    TableCopy {
        source: audit.name.clone(),
        target: draft.target.clone(),
        on_invalid: draft.on_invalid(),
        key: row_key.iter().filter_map(|name| positions.get(name.as_str()).copied()).collect(),
        columns,
        rowid_name: audit.rowid_name.clone(),
        rows: audit.rows,
        chunk_starts: audit.chunk_starts.clone(),
        sequence,
        fills: draft.entry.iter().flat_map(|entry| &entry.add_columns).filter_map(fill).collect(),
    }
}

/// What an added column's rows are filled with.
fn fill(added: &AddColumn) -> Option<Fill> {
    let expression = added.fill.clone()?;
    Some(Fill { column: added.name.value.clone(), pg_type: added.pg_type.value, expression })
}
