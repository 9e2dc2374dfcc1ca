//! Parents before children: a topological order over the foreign keys, cycles broken where they close.

use crate::audit::{Audit, TableAudit};

/// The audit's tables, each after the tables that it refers to, otherwise in their own order.
///
/// Foreign keys come after the rows, so a cycle does no harm; the order is for people, and for `ON DELETE` thinking.
pub(super) fn parents_first(audit: &Audit) -> Vec<&TableAudit> {
    let mut placed = vec![false; audit.tables.len()];
    let mut ordered = Vec::with_capacity(audit.tables.len());
    for start in 0..audit.tables.len() {
        // Depth first, with a stack of our own: a chain of ten thousand tables must not exhaust the thread's.
        let mut path = vec![(start, 0usize)];
        let mut on_path = vec![start];
        while let Some((at, next)) = path.pop() {
            if placed[at] {
                continue;
            }
            let table = &audit.tables[at];
            let parent = table.foreign_keys.get(next).map(|foreign_key| {
                audit.tables.iter().position(|t| t.name.eq_ignore_ascii_case(&foreign_key.parent_table))
            });
            match parent {
                None => {
                    placed[at] = true;
                    ordered.push(table);
                }
                Some(parent) => {
                    path.push((at, next + 1));
                    if let Some(parent) = parent.filter(|p| !placed[*p] && !on_path.contains(p)) {
                        on_path.push(parent);
                        path.push((parent, 0));
                    }
                }
            }
        }
    }
    ordered
}
