//! What only a declaration's text tells: a column's affinity, `CHECK` expressions, `AUTOINCREMENT`.

use super::Affinity;

/// The affinity of a declared type (SQLite, "Datatypes", 3.1): the first rule whose word is in it.
pub(super) fn affinity(declared_type: &str, strict: bool) -> Affinity {
    const RULES: &[(&str, Affinity)] = &[
        ("INT", Affinity::Integer),
        ("CHAR", Affinity::Text),
        ("CLOB", Affinity::Text),
        ("TEXT", Affinity::Text),
        ("BLOB", Affinity::Blob),
        ("REAL", Affinity::Real),
        ("FLOA", Affinity::Real),
        ("DOUB", Affinity::Real),
    ];
    let declared = declared_type.to_ascii_uppercase();
    // "STRICT Tables", 2: the type ANY keeps what it is given.
    if declared.is_empty() || (strict && declared == "ANY") {
        return Affinity::Blob;
    }
    RULES
        .iter()
        .find(|(word, _)| declared.contains(word))
        .map_or(Affinity::Numeric, |(_, affinity)| *affinity)
}

/// A piece of SQL, as much of one as is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// A bare word: keyword or name.
    Word,
    Open,
    Close,
    /// A quoted name or text, a comment, white space, a number, an operator.
    Other,
}

/// Goes through SQL token by token (SQLite's `tokenize.c`): each with its place in the text.
struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = (Token, std::ops::Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.sql.get(self.at..)?;
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '\'' | '"' | '`' => (Token::Other, quoted_length(rest, first)),
            '[' => (Token::Other, rest.find(']').map_or(rest.len(), |end| end + 1)),
            '-' if rest.starts_with("--") => {
                (Token::Other, rest.find('\n').map_or(rest.len(), |end| end + 1))
            }
            '/' if rest.starts_with("/*") => {
                (Token::Other, rest.get(2..).and_then(|r| r.find("*/")).map_or(rest.len(), |end| end + 4))
            }
            c if is_word(c) => (Token::Word, rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())),
            c => (Token::Other, c.len_utf8()),
        };
        let start = self.at;
        self.at += length;
        Some((token, start..self.at))
    }
}

/// The length of a quoted piece; a doubled quote does not end it.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    rest.len()
}

fn tokens(sql: &str) -> Tokens<'_> {
    Tokens { sql, at: 0 }
}

/// Whether a keyword stands in a `CREATE TABLE` statement outside quotes and comments.
pub(super) fn has_keyword(sql: &str, keyword: &str) -> bool {
    tokens(sql).any(|(token, place)| token == Token::Word && is(sql, place, keyword))
}

fn is(sql: &str, place: std::ops::Range<usize>, keyword: &str) -> bool {
    sql.get(place).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
}

/// The expressions of a `CREATE TABLE` statement's `CHECK` constraints, as written, without the brackets around.
pub(super) fn checks(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_check = false;
    // The depth and the place at which the expression that is being read began.
    let mut expression: Option<(usize, usize)> = None;
    let mut depth = 0_usize;
    for (token, place) in tokens(sql) {
        match token {
            Token::Open => {
                depth += 1;
                if after_check && expression.is_none() {
                    expression = Some((depth, place.end));
                }
                after_check = false;
            }
            Token::Close => {
                if let Some((began_at, start)) = expression
                    && began_at == depth
                {
                    found.extend(sql.get(start..place.start).map(|text| text.trim().to_owned()));
                    expression = None;
                }
                depth = depth.saturating_sub(1);
                after_check = false;
            }
            Token::Word => after_check = is(sql, place, "CHECK"),
            Token::Other => {
                // Only white space and comments may stand between CHECK and its bracket.
                let text = sql.get(place).unwrap_or_default();
                after_check &= text.trim().is_empty() || text.starts_with("--") || text.starts_with("/*");
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinity_by_the_five_rules() {
        for (declared, expected) in [
            ("INTEGER", Affinity::Integer),
            ("unsigned big int", Affinity::Integer),
            ("VARCHAR(255)", Affinity::Text),
            ("CHARINT", Affinity::Integer),
            ("clob", Affinity::Text),
            ("", Affinity::Blob),
            ("BLOB", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("FLOATING POINT", Affinity::Integer),
            ("DECIMAL(10,5)", Affinity::Numeric),
            ("DATETIME", Affinity::Numeric),
            ("STRING", Affinity::Numeric),
            ("ANY", Affinity::Numeric),
        ] {
            assert_eq!(affinity(declared, false), expected, "{declared}");
        }
        assert_eq!(affinity("ANY", true), Affinity::Blob);
    }

    #[test]
    fn checks_are_found_through_quotes_comments_and_brackets() {
        let sql = r#"CREATE TABLE "check (" (
            a TEXT CHECK (a <> ')' AND length(a) < (3 + 4)), -- CHECK (not this)
            [b check(] INT DEFAULT 'CHECK (no)' check/* here */( b > 0 ),
            "it""s" INT, c TEXT DEFAULT 'x''CHECK(1)',
            CONSTRAINT named CHECK (c IN ('x', "y")), checks TEXT, /* CHECK (nor this) */
            CHECK (`check` IS NULL))"#;
        assert_eq!(
            checks(sql),
            ["a <> ')' AND length(a) < (3 + 4)", "b > 0", "c IN ('x', \"y\")", "`check` IS NULL"]
        );
        assert!(checks("CREATE TABLE t (a CHECK (a").is_empty());
        assert!(checks("CREATE TABLE t (a 'unclosed").is_empty());
    }

    #[test]
    fn keywords_outside_quotes() {
        assert!(has_keyword("CREATE TABLE t (id INTEGER PRIMARY KEY autoincrement)", "AUTOINCREMENT"));
        assert!(!has_keyword("CREATE TABLE t (\"AUTOINCREMENT\" INT) -- AUTOINCREMENT", "AUTOINCREMENT"));
    }
}
