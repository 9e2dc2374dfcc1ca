//! What a `CREATE INDEX` is for, read off its words.

use crate::sql_text::{self, Kind, Token};

/// A statement that makes an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CreateIndex {
    /// The table, as the catalogue has its name; `None`: in a schema that the statement names.
    pub(super) table: Option<String>,
    /// The access method, in lower case.
    pub(super) method: String,
}

impl CreateIndex {
    /// Reads a statement; `None`: it makes no index.
    pub(super) fn of(sql: &str) -> Option<CreateIndex> {
        let tokens = sql_text::tokens(sql);
        let mut tokens = tokens.iter().filter(|token| token.kind != Kind::Comment).peekable();
        tokens.next_if(|token| is(token, "create"))?;
        tokens.next_if(|token| is(token, "unique"));
        tokens.next_if(|token| is(token, "index"))?;
        tokens.find(|token| is(token, "on"))?;
        tokens.next_if(|token| is(token, "only"));
        let table = sql_text::name_of(tokens.next()?)?;
        let qualified = tokens.next_if(|token| token.text == ".").is_some();
        let using = tokens.find(|token| is(token, "using") || token.text == "(")?;
        let method = if is(using, "using") { tokens.next()?.text.to_lowercase() } else { "btree".to_owned() };
        Some(CreateIndex { table: (!qualified).then_some(table), method })
    }
}

fn is(token: &Token<'_>, word: &str) -> bool {
    token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_methods() {
        for (sql, expected) in [
            ("CREATE INDEX \"i\" ON \"T\" (\"a\")", Some((Some("T"), "btree"))),
            ("create unique index i on only t (using)", Some((Some("t"), "btree"))),
            ("CREATE INDEX i /* x */ ON t USING gin (a jsonb_path_ops)", Some((Some("t"), "gin"))),
            ("CREATE INDEX \"on\" ON \"using\" USING BTREE (a)", Some((Some("using"), "btree"))),
            ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a)", Some((None, "btree"))),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", None),
            ("CREATE TABLE t (a int)", None),
        ] {
            let found = CreateIndex::of(sql);
            let found = found.as_ref().map(|made| (made.table.as_deref(), made.method.as_str()));
            assert_eq!(found, expected, "{sql}");
        }
    }
}
