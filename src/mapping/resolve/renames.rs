//! `renamed_from`: which part of the source an entry is about, under which name that goes over, and what the target may
//! still call it.
//!
//! A name that the source still has under `renamed_from` goes over under the entry's own, as it is written there. Where the
//! source was renamed too, the entry's name is the source's, and follows the policy like any other.

use std::collections::BTreeSet;

use super::{Draft, names::Namespace, same};
use crate::{
    audit::TableAudit,
    mapping::{ColumnEntry, IdentifierPolicy, Mistake, Placed, TableEntry},
    schema::FormerNames,
};

/// What an entry is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The position in the source.
    pub(super) at: usize,
    /// Whether the source has it under a former name, so that the entry's is the target's.
    pub(super) is_former: bool,
}

/// Finds what an entry is about among the source's names; `None`: the source has no such thing.
pub(super) fn part(name: &Placed<String>, former: &[Placed<String>], source: &[&str]) -> Option<Part> {
    let position = |wanted: &str| source.iter().position(|known| same(known, wanted));
    let of_former = former.iter().find_map(|former| position(&former.value));
    of_former
        .map(|at| Part { at, is_former: true })
        .or_else(|| position(&name.value).map(|at| Part { at, is_former: false }))
}

/// An entry that says what its part of the source is called in the target.
pub(super) fn declared<E>(entry: Option<(&E, bool)>) -> Option<&E> {
    entry.filter(|(_, is_former)| *is_former).map(|(entry, _)| entry)
}

/// What is wrong with an entry whose names the source has more than one of: they cannot be one thing.
pub(super) fn both_there(
    what: &str,
    name: &Placed<String>,
    former: &[Placed<String>],
    source: &[&str],
) -> Option<Mistake> {
    let mut there: Vec<(&Placed<String>, &str)> = Vec::new();
    for one in std::iter::once(name).chain(former) {
        let known = source.iter().find(|known| same(known, &one.value));
        there.extend(
            known.filter(|known| there.iter().all(|(_, other)| other != *known)).map(|known| (one, *known)),
        );
    }
    let [(_, first), .., (last, other)] = there.as_slice() else { return None };
    let message = format!(
        "the source has both {what} `{first}` and `{other}`, and both go over, so that the one was not the other"
    );
    Some(Mistake::at(&last.place, &message, Some("take it out of `renamed_from`")))
}

/// The entry of each column of a source table, in its order.
pub(super) fn entries_of_columns<'a>(
    audit: &TableAudit,
    entry: Option<&'a TableEntry>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Option<(&'a ColumnEntry, bool)>> {
    let source: Vec<&str> = audit.columns.iter().map(|column| column.name.as_str()).collect();
    let mut entries = vec![None; source.len()];
    for column in entry.into_iter().flat_map(|entry| &entry.columns) {
        mistakes.extend(both_there("columns", &column.name, &column.renamed_from, &source));
        match part(&column.name, &column.renamed_from, &source) {
            Some(Part { at, is_former }) => entries[at] = entries[at].or(Some((column, is_former))),
            None => mistakes.push(Mistake::unknown(
                &column.name.place,
                &format!("column of table {}", audit.name),
                &column.name.value,
                source.iter().copied(),
            )),
        }
    }
    entries
}

/// Gives names: first those that the mapping says, as they are written there, then the source's by the policy.
pub(super) fn claim<'a>(
    namespace: &mut Namespace,
    policy: IdentifierPolicy,
    source: impl Iterator<Item = (&'a str, Option<&'a Placed<String>>)> + Clone,
    mistakes: &mut Vec<Mistake>,
) -> Vec<String> {
    let declared: Vec<Option<String>> = source
        .clone()
        .map(|(_, declared)| {
            let declared = declared?;
            let claimed = namespace.claim(IdentifierPolicy::Preserve, &declared.value);
            if claimed != declared.value {
                let message =
                    format!("the name `{}` is taken, too long, or PostgreSQL's own", declared.value);
                mistakes.push(Mistake::at(&declared.place, &message, Some("names have at most 63 bytes")));
            }
            Some(claimed)
        })
        .collect();
    let names = source.zip(declared);
    names.map(|((name, _), declared)| declared.unwrap_or_else(|| namespace.claim(policy, name))).collect()
}

/// What the target may still call the tables and their columns.
pub(super) fn former_names(
    drafts: &[Draft<'_>],
    policy: IdentifierPolicy,
    mistakes: &mut Vec<Mistake>,
) -> Vec<FormerNames> {
    let tables: BTreeSet<&str> = drafts.iter().map(|draft| draft.target.as_str()).collect();
    let mut all = Vec::new();
    for draft in drafts {
        let Some(entry) = draft.entry else { continue };
        let mut columns: BTreeSet<&str> = draft.column_names.iter().map(String::as_str).collect();
        columns.extend(entry.add_columns.iter().map(|added| added.name.value.as_str()));
        for (added, former) in entry
            .add_columns
            .iter()
            .flat_map(|added| added.renamed_from.iter().map(move |former| (added, former)))
        {
            if columns.contains(former.value.as_str()) {
                let message = format!(
                    "the source's table {} has a column `{}`, which goes over, so that `{}` was not called so",
                    draft.audit.name, former.value, added.name.value
                );
                mistakes.push(Mistake::at(&former.place, &message, Some("take it out of `renamed_from`")));
            }
        }
        let of_column =
            |former: &[Placed<String>]| candidates(former, policy, Namespace::of_columns, &columns);
        let of_source = draft.entries.iter().zip(&draft.column_names).filter_map(|(entry, name)| {
            let (entry, _) = entry.as_ref()?;
            Some((name.clone(), of_column(&entry.renamed_from)))
        });
        let added = entry.add_columns.iter();
        let of_added = added.map(|added| (added.name.value.clone(), of_column(&added.renamed_from)));
        let of_columns: Vec<_> = of_source.chain(of_added).filter(|(_, former)| !former.is_empty()).collect();
        let of_table = candidates(&entry.renamed_from, policy, Namespace::of_relations, &tables);
        if !of_table.is_empty() || !of_columns.is_empty() {
            all.push(FormerNames { table: draft.target.clone(), of_table, of_columns });
        }
    }
    all
}

/// A former name as the policy wrote it when it was the source's, and as it stands; none that something else has by now.
fn candidates(
    former: &[Placed<String>],
    policy: IdentifierPolicy,
    namespace: fn() -> Namespace,
    taken: &BTreeSet<&str>,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for former in former {
        for name in [namespace().claim(policy, &former.value), former.value.clone()] {
            if !taken.contains(name.as_str()) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}
