//! A look at SQL text: its words, literals and comments, as PostgreSQL's lexer cuts them.
//!
//! Enough to tell one statement from two, to compare statements without their comments, and to see which names one
//! mentions. It follows the manual, "Lexical Structure". Nothing here understands grammar.

/// One piece of SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Whether it is this key word; a name in quotes is none.
    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key word, a bare name or a number.
    Word,
    /// A name in double quotes.
    QuotedName,
    /// A string: `'…'` (with its `E`, `B`, `X`, `N` or `U&` as a word before it) or `$tag$…$tag$`.
    Literal,
    /// `-- …` or `/* … */`.
    Comment,
    /// One other character.
    Sign,
}

/// A name in double quotes, with those inside it doubled.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The pieces of the text without the space between them. An unfinished literal or comment reaches to the end.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = sql;
    let mut previous = "";
    while let Some(letter) = rest.chars().next() {
        if letter.is_whitespace() {
            rest = &rest[letter.len_utf8()..];
            previous = "";
            continue;
        }
        let (kind, length) = first(rest, letter, previous);
        let text = &rest[..length];
        found.push(Token { kind, text });
        previous = text;
        rest = &rest[length..];
    }
    found
}

/// The first piece's kind and its length in bytes.
fn first(rest: &str, letter: char, previous: &str) -> (Kind, usize) {
    let end_of = |found: Option<usize>, length: usize| found.map_or(rest.len(), |start| start + length);
    match letter {
        '\'' => (Kind::Literal, quoted(rest, '\'', previous.eq_ignore_ascii_case("e"))),
        '"' => (Kind::QuotedName, quoted(rest, '"', false)),
        '-' if rest.starts_with("--") => (Kind::Comment, end_of(rest.find('\n'), 0)),
        '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
        '$' => match dollar_tag(rest) {
            Some(tag) => (Kind::Literal, end_of(rest[tag.len()..].find(tag), 2 * tag.len())),
            None => (Kind::Sign, 1),
        },
        _ if is_word(letter) => (Kind::Word, end_of(rest.find(|next| !is_word(next) && next != '$'), 0)),
        _ => (Kind::Sign, letter.len_utf8()),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii()
}

/// The length of a quoted piece. A doubled quote does not end it, nor, in an escape string, one after a backslash.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// The length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `$tag$` at the beginning of the text.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = 1 + text[1..].find('$')?;
    let tag = &text[1..end];
    let legal = tag.chars().all(is_word) && !tag.starts_with(|letter: char| letter.is_ascii_digit());
    legal.then(|| &text[..=end])
}

/// The text without comments and with single spaces between its pieces: equal for statements that mean the same.
pub(crate) fn without_comments(sql: &str) -> String {
    let kept: Vec<&str> =
        tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment).map(|token| token.text).collect();
    kept.join(" ")
}

/// The statements' texts, cut at semicolons outside of literals, each without comments before and behind it.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut span: Option<(usize, usize)> = None;
    for token in tokens(sql) {
        let start = token.text.as_ptr().addr() - sql.as_ptr().addr();
        let end = start + token.text.len();
        match (token.kind, token.text) {
            (Kind::Comment, _) => {}
            (Kind::Sign, ";") => found.extend(span.take().map(|(start, end)| &sql[start..end])),
            _ => span = Some((span.map_or(start, |(first, _)| first), end)),
        }
    }
    found.extend(span.map(|(start, end)| &sql[start..end]));
    found
}

/// The names that the text mentions, key words among them: bare ones in lower case, as PostgreSQL folds them.
pub fn names(sql: &str) -> Vec<String> {
    tokens(sql).into_iter().filter_map(|token| name_of(&token)).collect()
}

/// The same, with those in texts between dollars: the bodies of `DO` and of functions.
pub(crate) fn names_within(sql: &str) -> Vec<String> {
    let body = |token: Token<'_>| {
        let tag = dollar_tag(token.text).filter(|_| token.kind == Kind::Literal)?;
        Some(names_within(token.text.strip_prefix(tag)?.strip_suffix(tag)?))
    };
    names(sql).into_iter().chain(tokens(sql).into_iter().filter_map(body).flatten()).collect()
}

/// A name in SQL text, and what stands around it.
#[derive(Debug, Clone, Copy)]
pub struct Mention<'a> {
    /// The name, without quotes.
    pub name: &'a str,
    /// The two pieces before it; empty where there is none.
    pub before: [&'a str; 2],
    /// What stands directly behind it, without a space.
    pub touches: Option<char>,
}

/// The text with other names in places of some. A key word is a name too, as it is written.
pub fn replace_names(sql: &str, mut replace: impl FnMut(Mention<'_>) -> Option<String>) -> String {
    let mut replaced = String::with_capacity(sql.len());
    let mut copied = 0;
    let mut before = ["", ""];
    for token in tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment) {
        let start = token.text.as_ptr().addr() - sql.as_ptr().addr();
        let end = start + token.text.len();
        let name = match token.kind {
            Kind::Word => Some(token.text.to_owned()),
            _ => name_of(&token),
        };
        let touches = sql[end..].chars().next().filter(|next| !next.is_whitespace());
        if let Some(name) = name.and_then(|name| replace(Mention { name: &name, before, touches })) {
            replaced.push_str(&sql[copied..start]);
            replaced.push_str(&quote_identifier(&name));
            copied = end;
        }
        before = [before[1], token.text];
    }
    replaced.push_str(&sql[copied..]);
    replaced
}

/// The table that a statement gives another name: its old name and its new one.
pub(crate) fn renamed_table(sql: &str) -> Option<[String; 2]> {
    let tokens: Vec<_> = tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word))
    };
    if !(is(0, "alter") && is(1, "table")) {
        return None;
    }
    let at = if is(2, "if") && is(3, "exists") { 4 } else { 2 };
    let at = if is(at, "only") { at + 1 } else { at };
    let renames = is(at + 1, "rename") && is(at + 2, "to") && tokens.len() == at + 4;
    renames.then(|| Some([name_of(&tokens[at])?, name_of(&tokens[at + 3])?])).flatten()
}

/// The names of what the text makes: tables, indexes, constraints, types, and what is given another name (but no column).
pub fn created_names(sql: &str) -> Vec<String> {
    let tokens: Vec<Token<'_>> =
        tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    (0..tokens.len()).filter_map(|at| created_at(&tokens[..at], &tokens[at..])).collect()
}

/// The name of what is made by the words that begin here.
fn created_at(before: &[Token<'_>], from: &[Token<'_>]) -> Option<String> {
    let (first, rest) = from.split_first()?;
    let rest = if first.is_word("create") {
        let is_kind = |token: &Token<'_>| {
            ["unique", "temp", "temporary", "unlogged"].iter().any(|word| token.is_word(word))
        };
        let rest = past(rest, is_kind);
        let (kind, rest) = rest.split_first()?;
        if !["table", "index", "type"].iter().any(|word| kind.is_word(word)) {
            return None;
        }
        let rest = past(rest, |token| token.is_word("concurrently"));
        match rest {
            [one, two, three, rest @ ..]
                if one.is_word("if") && two.is_word("not") && three.is_word("exists") =>
            {
                rest
            }
            // An index that names itself.
            [on, ..] if on.is_word("on") => return None,
            rest => rest,
        }
    } else if first.is_word("constraint") {
        // What is only spoken of.
        let spoken = ["validate", "drop", "alter", "rename", "on"];
        if before.last().is_some_and(|token| spoken.iter().any(|word| token.is_word(word))) {
            return None;
        }
        rest
    } else if first.is_word("rename") {
        match rest {
            [to, rest @ ..] if to.is_word("to") => rest,
            [constraint, _, to, rest @ ..] if constraint.is_word("constraint") && to.is_word("to") => rest,
            _ => return None,
        }
    } else {
        return None;
    };
    let qualified = matches!(rest, [_, point, ..] if point.kind == Kind::Sign && point.text == ".");
    name_of(rest.get(if qualified { 2 } else { 0 })?)
}

/// What stands behind the pieces of a kind.
fn past<'a, 'b>(tokens: &'b [Token<'a>], is_kind: impl Fn(&Token<'a>) -> bool) -> &'b [Token<'a>] {
    let end = tokens.iter().position(|token| !is_kind(token)).unwrap_or(tokens.len());
    &tokens[end..]
}

/// The tables of a statement that puts all rows of one into another: where they are and where they go. What it takes of a row
/// is all of it (`SELECT *`), or the very columns that it names.
pub(crate) fn moved_rows(sql: &str) -> Option<[String; 2]> {
    let tokens: Vec<_> = tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    let is = |token: &Token<'_>, word: &str| {
        !matches!(token.kind, Kind::QuotedName | Kind::Literal) && token.text.eq_ignore_ascii_case(word)
    };
    let (head, rest) = tokens.split_at_checked(3)?;
    let [insert, into, to] = head else { return None };
    let select = rest.iter().position(|token| is(token, "select"))?;
    let (target, taken) = rest.split_at(select);
    let overriding = ["overriding", "system", "value"];
    let named = match target.len().checked_sub(overriding.len()).map(|at| target.split_at(at)) {
        Some((named, end)) if end.iter().zip(overriding).all(|(token, word)| is(token, word)) => named,
        _ => target,
    };
    let [_, columns @ .., from, table] = taken else { return None };
    let is_all = match named {
        [] => matches!(columns, [all] if is(all, "*")),
        [open, named @ .., close] => {
            let texts =
                |tokens: &[Token<'_>]| tokens.iter().map(|token| token.text.to_owned()).collect::<Vec<_>>();
            let are_names = columns.iter().all(|token| token.kind == Kind::QuotedName || is(token, ","));
            is(open, "(") && is(close, ")") && are_names && texts(named) == texts(columns)
        }
        [_] => false,
    };
    let is_it = is(insert, "insert") && is(into, "into") && is(from, "from") && is_all;
    is_it.then(|| Some([name_of(table)?, name_of(to)?])).flatten()
}

/// The name that a piece is.
pub(crate) fn name_of(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_lowercase()),
        Kind::QuotedName => {
            let inner = token.text.strip_prefix('"')?;
            Some(inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut_at_semicolons_outside_of_literals() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("-- nothing\n", &[]),
            ("SELECT 1", &["SELECT 1"]),
            ("SELECT 1; -- end", &["SELECT 1"]),
            ("-- a\nSELECT ';' ; SELECT 2", &["SELECT ';'", "SELECT 2"]),
            ("SELECT ''';' ; SELECT 2", &["SELECT ''';'", "SELECT 2"]),
            (r"SELECT E'\';' ; SELECT 2", &[r"SELECT E'\';'", "SELECT 2"]),
            ("SELECT \"a;\"\"b\"", &["SELECT \"a;\"\"b\""]),
            ("DO $x$ BEGIN; END $y$ ; $x$ ; SELECT 2", &["DO $x$ BEGIN; END $y$ ; $x$", "SELECT 2"]),
            ("SELECT $1 ; SELECT $$;$$", &["SELECT $1", "SELECT $$;$$"]),
            ("SELECT /* ; /* ; */ ; */ 1", &["SELECT /* ; /* ; */ ; */ 1"]),
            ("SELECT 'ü;' ; SELECT 2", &["SELECT 'ü;'", "SELECT 2"]),
            ("SELECT 'open ; ", &["SELECT 'open ; "]),
        ];
        for (sql, expected) in cases {
            assert_eq!(statements(sql), *expected, "{sql}");
        }
    }

    #[test]
    fn comments_and_spaces_do_not_count() {
        let plain = without_comments("CREATE TABLE t (a text DEFAULT '-- x')");
        assert_eq!(plain, without_comments("CREATE  TABLE t -- why\n (a /* b */ text\tDEFAULT '-- x')"));
        assert_ne!(plain, without_comments("CREATE TABLE t (a text DEFAULT '--  x')"));
    }

    #[test]
    fn names_are_replaced_outside_of_literals() {
        let sql = r#"CHECK (("a" <> 'a') AND (b.a(a) > 1)) /* a */"#;
        let replaced = replace_names(sql, |mention| {
            (mention.name == "a" && mention.touches != Some('(') && mention.before[1] != ".")
                .then(|| "x\"y".to_owned())
        });
        assert_eq!(replaced, r#"CHECK (("x""y" <> 'a') AND (b.a("x""y") > 1)) /* a */"#);
    }

    #[test]
    fn moved_rows_are_seen() {
        let moved = Some(["t__old".to_owned(), "t".to_owned()]);
        for (sql, expected) in [
            ("INSERT INTO \"t\" OVERRIDING SYSTEM VALUE SELECT * FROM \"t__old\"", &moved),
            ("insert into t select * from t__old", &moved),
            ("INSERT INTO t (\"a\", \"b\") OVERRIDING SYSTEM VALUE SELECT \"a\", \"b\" FROM t__old", &moved),
            ("INSERT INTO t (\"a\", \"b\") SELECT \"a\", \"a\" FROM t__old", &None),
            ("INSERT INTO t SELECT DISTINCT * FROM t__old", &None),
            ("INSERT INTO t SELECT * FROM t__old WHERE false", &None),
            ("INSERT INTO t SELECT * FROM u, t__old", &None),
            ("INSERT INTO t (n) SELECT count(*) FROM t__old", &None),
            ("INSERT INTO t (count) SELECT count(*) FROM t__old", &None),
            ("SELECT * FROM t", &None),
        ] {
            assert_eq!(moved_rows(sql), *expected, "{sql}");
        }
    }

    #[test]
    fn a_renamed_table_is_seen() {
        let names = |old: &str, new: &str| Some([old.to_owned(), new.to_owned()]);
        let cases = [
            ("ALTER TABLE Tracks RENAME TO \"My Songs\"", names("tracks", "My Songs")),
            ("alter table if exists only t rename to u", names("t", "u")),
            ("ALTER TABLE \"rename\" RENAME TO \"to\"", names("rename", "to")),
            ("ALTER TABLE t RENAME COLUMN a TO b", None),
            ("ALTER TABLE t RENAME a TO b", None),
            ("ALTER TABLE s.t RENAME TO u", None),
            ("ALTER INDEX t RENAME TO u", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(renamed_table(sql), expected, "{sql}");
        }
    }

    #[test]
    fn names_are_folded_as_postgresql_does() {
        assert_eq!(names(r#"DROP TABLE Tracks, "My ""T""""#), ["drop", "table", "tracks", "My \"T\""]);
    }

    #[test]
    fn names_in_bodies() {
        let sql = "DO $a$ BEGIN EXECUTE $$DROP T$$; SELECT 'x'; END $a$";
        assert_eq!(names_within(sql), ["do", "begin", "execute", "select", "end", "drop", "t"]);
    }

    #[test]
    fn names_of_what_is_made_and_of_nothing_else() {
        let cases: &[(&str, &[&str])] = &[
            ("CREATE TABLE t (email text, CONSTRAINT c CHECK (email > ''))", &["t", "c"]),
            ("CREATE TABLE IF NOT EXISTS public.\"My T\" (index text, \"constraint\" int)", &["My T"]),
            ("CREATE INDEX i ON t (a, b)", &["i"]),
            ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I\" ON t (a)", &["I"]),
            ("CREATE INDEX ON t (a)", &[]),
            ("ALTER TABLE t ADD CONSTRAINT \"c\" CHECK (a > 'CONSTRAINT x') NOT VALID", &["c"]),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", &[]),
            ("ALTER TABLE t DROP CONSTRAINT IF EXISTS c, ADD CONSTRAINT d UNIQUE USING INDEX d", &["d"]),
            ("ALTER INDEX i__new RENAME TO i", &["i"]),
            ("ALTER TABLE t RENAME CONSTRAINT a TO b", &["b"]),
            ("ALTER TABLE t RENAME COLUMN a TO b", &[]),
            ("ALTER TABLE t RENAME a TO b", &[]),
            ("CREATE TYPE mood AS ENUM ('CREATE TABLE x')", &["mood"]),
            ("-- CREATE TABLE a ()\nCREATE /* INDEX */ TABLE b () /* CONSTRAINT c */", &["b"]),
            ("DO $$ BEGIN CREATE TABLE a (); END $$", &[]),
            ("INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT c DO NOTHING; DROP INDEX i", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(created_names(sql), *expected, "{sql}");
        }
    }
}
