//! Where expressions stand in the statements that SQLite keeps: a table's checks, an index's parts and predicate.

use super::tokens::{Token, tokens};

/// A `CHECK` constraint as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mapping::resolve) struct DeclaredCheck {
    /// The name behind `CONSTRAINT`.
    pub(in crate::mapping::resolve) name: Option<String>,
    /// What stands in the brackets.
    pub(in crate::mapping::resolve) expression: String,
}

/// The checks of a `CREATE TABLE` statement, of columns and of the table, in their order.
pub(in crate::mapping::resolve) fn checks(sql: &str) -> Vec<DeclaredCheck> {
    let tokens = tokens(sql);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let opens = tokens.get(at + 1).is_some_and(|(token, _)| token.is_symbol("("));
        let Some(end) = closing(&tokens, at + 1).filter(|_| opens && tokens[at].0.is("CHECK")) else {
            at += 1;
            continue;
        };
        let name = match at.checked_sub(2).and_then(|start| tokens.get(start..at)) {
            Some([(word, _), (name, _)]) if word.is("CONSTRAINT") => name.name().map(str::to_owned),
            _ => None,
        };
        let text = sql.get(tokens[at + 1].1.end..tokens[end].1.start).unwrap_or_default();
        found.push(DeclaredCheck { name, expression: text.trim().to_owned() });
        at = end + 1;
    }
    found
}

/// The place of the bracket that closes the one at `open`.
fn closing(tokens: &[(Token, std::ops::Range<usize>)], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, (token, _)) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Whether a `CREATE TABLE` statement names a collation other than BINARY.
pub(super) fn has_other_collation(sql: &str) -> bool {
    tokens(sql).windows(2).any(|pair| {
        pair[0].0.is("COLLATE")
            && pair[1].0.name().is_some_and(|collation| !collation.eq_ignore_ascii_case("BINARY"))
    })
}

/// A `CREATE INDEX` statement's expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mapping::resolve) struct DeclaredIndex {
    /// The key parts, without `COLLATE`, `ASC` and `DESC` behind them.
    pub(in crate::mapping::resolve) parts: Vec<String>,
    /// What stands behind `WHERE`.
    pub(in crate::mapping::resolve) predicate: Option<String>,
}

/// Takes a `CREATE INDEX` statement apart; `None`: it is none.
pub(in crate::mapping::resolve) fn index(sql: &str) -> Option<DeclaredIndex> {
    let tokens = tokens(sql);
    let open = tokens.iter().position(|(token, _)| token.is_symbol("("))?;
    let close = closing(&tokens, open)?;
    let text = |from: usize, to: usize| {
        let (first, last) = (tokens.get(from)?, tokens.get(to.checked_sub(1)?)?);
        (from < to).then(|| sql.get(first.1.start..last.1.end).map(str::to_owned)).flatten()
    };
    let mut parts = Vec::new();
    let (mut start, mut depth) = (open + 1, 0_usize);
    for at in open + 1..=close {
        let token = &tokens[at].0;
        if depth == 0 && (at == close || token.is_symbol(",")) {
            let mut end = at;
            if end > start && (tokens[end - 1].0.is("ASC") || tokens[end - 1].0.is("DESC")) {
                end -= 1;
            }
            if end > start + 2 && tokens[end - 2].0.is("COLLATE") {
                end -= 2;
            }
            parts.push(text(start, end)?);
            start = at + 1;
        } else if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        }
    }
    let predicate = match tokens.get(close + 1) {
        None => None,
        Some((token, _)) if token.is("WHERE") => Some(text(close + 2, tokens.len())?),
        Some(_) => return None,
    };
    Some(DeclaredIndex { parts, predicate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_with_their_names() {
        let sql = r#"CREATE TABLE "check (" (a TEXT CHECK (a <> ')' AND length(a) < (3 + 4)), -- CHECK (not this)
            [b check(] INT DEFAULT 'CHECK (no)' constraint [b positive] check/* here */( b > 0 ),
            CONSTRAINT "na""med" CHECK (c IN ('x', "y")), checks TEXT, /* CHECK (nor this) */
            CONSTRAINT pk PRIMARY KEY (a), CHECK (`check` IS NULL))"#;
        let found: Vec<(Option<String>, String)> =
            checks(sql).into_iter().map(|check| (check.name, check.expression)).collect();
        let expected = [
            (None, "a <> ')' AND length(a) < (3 + 4)"),
            (Some("b positive"), "b > 0"),
            (Some("na\"med"), "c IN ('x', \"y\")"),
            (None, "`check` IS NULL"),
        ];
        assert_eq!(found, expected.map(|(name, text)| (name.map(str::to_owned), text.to_owned())));
        assert!(checks("CREATE TABLE t (a CHECK (a").is_empty());
    }

    #[test]
    fn collations() {
        for (sql, expected) in [
            ("CREATE TABLE t (a TEXT COLLATE NOCASE)", true),
            ("CREATE TABLE t (a TEXT collate \"rtrim\")", true),
            ("CREATE TABLE t (a TEXT COLLATE BINARY, b DEFAULT 'COLLATE NOCASE') -- COLLATE NOCASE", false),
        ] {
            assert_eq!(has_other_collation(sql), expected, "{sql}");
        }
    }

    #[test]
    fn indexes_taken_apart() {
        for (sql, parts, predicate) in [
            ("CREATE INDEX i ON t (a)", vec!["a"], None),
            (
                "CREATE UNIQUE INDEX \"i (\" ON `t` (a DESC, coalesce(b, ',)') COLLATE NOCASE asc, (a + 1)) /* x */ WHERE a != ')' -- y",
                vec!["a", "coalesce(b, ',)')", "(a + 1)"],
                Some("a != ')'"),
            ),
            ("CREATE INDEX i ON t (collate)where(a)", vec!["collate"], Some("(a)")),
        ] {
            let found = index(sql).expect(sql);
            assert_eq!(
                (found.parts, found.predicate.as_deref()),
                (parts.iter().map(|p| (*p).to_owned()).collect(), predicate),
                "{sql}"
            );
        }
        for sql in ["", "CREATE INDEX i ON t (a", "CREATE INDEX i ON t (a,)", "CREATE INDEX i ON t (a) WHERE"]
        {
            assert_eq!(index(sql), None, "{sql}");
        }
    }
}
