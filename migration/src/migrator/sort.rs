//! How a b-tree's build sorts while as many others are built beside it as there are sessions.
//!
//! By itself a build sorts in `maintenance_work_mem` (64 MB and more), by several processes. Where the processors have
//! other builds to do, those processes take each other's time; and a sort that outgrows the processor's cache pays for
//! each comparison with a look into memory, more than merging pieces that fit costs. Measured with PostgreSQL 15, keys
//! of three columns and text first: at 1 million rows 16 MB in one process take three quarters of the processor's time
//! that 64 MB take, at 4 million nine tenths, at 10 million as much. GIN and others gain from all the memory that they
//! are given, and keep it (PostgreSQL's manual, 20.4.1, `maintenance_work_mem`; 70.5, "GIN Tips and Tricks").

use super::create_index::CreateIndex;
use crate::Step;

/// One process, in memory that a processor's cache holds.
const SIDE_BY_SIDE: &str =
    "SET LOCAL max_parallel_maintenance_workers = 0; SET LOCAL maintenance_work_mem = '16MB'";

/// What a step is run with, among the steps that run at the same time; `None`: as the server's settings have it.
pub(super) fn setting(step: &Step, group: &[Step], sessions: usize) -> Option<&'static str> {
    let builds = group.iter().filter(|step| CreateIndex::of(&step.sql).is_some()).count();
    if sessions > 1 && builds >= sessions { beside_others(step) } else { None }
}

/// What a step is run with while every session is at work.
pub(super) fn beside_others(step: &Step) -> Option<&'static str> {
    CreateIndex::of(&step.sql).filter(|made| made.method == "btree").map(|_| SIDE_BY_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_builds_as_sessions() {
        let btree = Step::new("CREATE INDEX i ON t (a)");
        let gin = Step::new("CREATE INDEX j ON t USING gin (b)");
        let group = [btree.clone(), gin.clone()];
        assert_eq!(setting(&btree, &group, 2), Some(SIDE_BY_SIDE));
        assert_eq!(setting(&gin, &group, 2), None);
        assert_eq!(setting(&btree, &group, 3), None);
        assert_eq!(setting(&btree, &group[..1], 1), None);
    }
}
