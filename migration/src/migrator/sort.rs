//! How a b-tree's build sorts while as many others are built beside it as there are sessions.
//!
//! By itself a build sorts in `maintenance_work_mem` (64 MB and more), by several processes. Where the processors have
//! other builds to do, those processes take each other's time; and a sort that outgrows the processor's cache pays for
//! each comparison with a look into memory, more than merging pieces that fit costs. Measured with PostgreSQL 15, keys
//! of three columns and text first: at 1 million rows 16 MB in one process take three quarters of the processor's time
//! that 64 MB take, at 4 million nine tenths, at 10 million as much. GIN and others gain from all the memory that they
//! are given, and keep it (PostgreSQL's manual, 20.4.1, `maintenance_work_mem`; 70.5, "GIN Tips and Tricks").

use crate::{
    Step,
    sql_text::{self, Kind},
};

/// One process, in memory that a processor's cache holds.
const SIDE_BY_SIDE: &str =
    "SET LOCAL max_parallel_maintenance_workers = 0; SET LOCAL maintenance_work_mem = '16MB'";

/// What a step is run with, among the steps that run at the same time; `None`: as the server's settings have it.
pub(super) fn setting(step: &Step, group: &[Step], sessions: usize) -> Option<&'static str> {
    let builds = group.iter().filter(|step| access_method(&step.sql).is_some()).count();
    let sorts = access_method(&step.sql).is_some_and(|method| method.eq_ignore_ascii_case("btree"));
    (sorts && sessions > 1 && builds >= sessions).then_some(SIDE_BY_SIDE)
}

/// The access method of the index that a statement makes; `None`: it makes none.
fn access_method(sql: &str) -> Option<&str> {
    let mut words = sql_text::tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment);
    let is = |token: &sql_text::Token<'_>, word: &str| {
        token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
    };
    words.next().filter(|token| is(token, "create"))?;
    words.next().filter(|token| is(token, "index") || is(token, "unique"))?;
    match words.find(|token| is(token, "using") || token.text == "(") {
        Some(token) if is(&token, "using") => words.next().map(|method| method.text),
        _ => Some("btree"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_methods() {
        for (sql, method) in [
            ("CREATE INDEX \"i\" ON \"t\" (\"a\")", Some("btree")),
            ("create unique index i on t (using)", Some("btree")),
            ("CREATE INDEX i /* x */ ON t USING gin (a jsonb_path_ops)", Some("gin")),
            ("CREATE INDEX \"using\" ON t USING BTREE (a)", Some("BTREE")),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", None),
            ("CREATE TABLE t (a int)", None),
        ] {
            assert_eq!(access_method(sql), method, "{sql}");
        }
    }

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
