//! SQLite's SQL, cut into tokens as SQLite cuts it (`tokenize.c`): never fails, so that what is odd is refused where it is read.

use std::ops::Range;

/// One token; white space and comments are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word: keyword or name.
    Word(String),
    /// A name in `[…]` or `` `…` ``.
    Name(String),
    /// A word in double quotes: a name, or a string where there is no such name ("Quirks", 8).
    DoubleQuoted(String),
    /// A string in single quotes.
    String(String),
    /// What begins like a number, as it is written.
    Number(String),
    /// `x'…'`
    Blob,
    /// An operator or a bracket.
    Symbol(String),
}

impl Token {
    /// Whether it is this keyword, bare and in any case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether it is this operator or bracket.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(own) if own == symbol)
    }

    /// The name that it may be.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Name(name) | Token::DoubleQuoted(name) | Token::String(name) => {
                Some(name)
            }
            Token::Number(_) | Token::Blob | Token::Symbol(_) => None,
        }
    }
}

/// Operators of more than one character, longest first.
const LONG_SYMBOLS: [&str; 11] = ["->>", "->", "==", "<>", "!=", "<=", ">=", "<<", ">>", "||", "::"];

/// The tokens of a text, each with its place.
pub(super) fn tokens(sql: &str) -> Vec<(Token, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (token, length) = first(rest);
        if let Some(token) = token {
            found.push((token, at..at + length));
        }
        at += length;
    }
    found
}

/// The token at the beginning of a text that is not empty, and its length; white space and comments are no token.
fn first(rest: &str) -> (Option<Token>, usize) {
    let mut characters = rest.chars();
    let (Some(character), next) = (characters.next(), characters.next()) else { return (None, 1) };
    let after = |at: usize| rest.get(at..).unwrap_or_default();
    match character {
        '\'' | '"' | '`' => {
            let (text, length) = quoted(rest, character);
            let token = match character {
                '\'' => Token::String(text),
                '"' => Token::DoubleQuoted(text),
                _ => Token::Name(text),
            };
            (Some(token), length)
        }
        '[' => {
            let inside = after(1);
            let end = inside.find(']').unwrap_or(inside.len());
            (Some(Token::Name(inside.get(..end).unwrap_or_default().to_owned())), rest.len().min(end + 2))
        }
        '-' if next == Some('-') => (None, rest.find('\n').map_or(rest.len(), |end| end + 1)),
        '/' if next == Some('*') => (None, after(2).find("*/").map_or(rest.len(), |end| end + 4)),
        'x' | 'X' if next == Some('\'') => {
            let (_, length) = quoted(after(1), '\'');
            (Some(Token::Blob), 1 + length)
        }
        _ if character.is_ascii_digit()
            || character == '.' && next.is_some_and(|digit| digit.is_ascii_digit()) =>
        {
            let length = rest.find(|c| !is_of_word(c) && c != '.').unwrap_or(rest.len());
            (rest.get(..length).map(|number| Token::Number(number.to_owned())), length)
        }
        _ if is_of_word(character) => {
            let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            (rest.get(..length).map(|word| Token::Word(word.to_owned())), length)
        }
        _ if character.is_ascii_whitespace() || character == '\u{b}' => (None, 1),
        _ => {
            let symbol = LONG_SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.map_or_else(|| character.to_string(), |symbol| (*symbol).to_owned());
            let length = symbol.len();
            (Some(Token::Symbol(symbol)), length)
        }
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

/// What stands in quotes at the beginning of a text, and how long it is with them; a doubled quote is one.
fn quoted(rest: &str, quote: char) -> (String, usize) {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return (text, at + 1);
        }
        text.push(character);
    }
    (text, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind() {
        let sql = "a$1 \"b\"\"c\" [d e] `f` 'g''h' x'00' 1.5e3 .5 <> || -- no\n/* no */ é(";
        let symbol = |symbol: &str| Token::Symbol(symbol.to_owned());
        let word = |word: &str| Token::Word(word.to_owned());
        let found: Vec<Token> = tokens(sql).into_iter().map(|(token, _)| token).collect();
        assert_eq!(
            found,
            [
                word("a$1"),
                Token::DoubleQuoted("b\"c".to_owned()),
                Token::Name("d e".to_owned()),
                Token::Name("f".to_owned()),
                Token::String("g'h".to_owned()),
                Token::Blob,
                Token::Number("1.5e3".to_owned()),
                Token::Number(".5".to_owned()),
                symbol("<>"),
                symbol("||"),
                word("é"),
                symbol("("),
            ]
        );
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for sql in ["'a", "\"a''", "[a", "`", "/* a", "-- a", "x'", "/*"] {
            assert!(tokens(sql).iter().all(|(_, place)| place.end <= sql.len()), "{sql}");
        }
    }
}
