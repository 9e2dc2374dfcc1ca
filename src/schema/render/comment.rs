//! Comments, and texts as SQL has them.

use super::quoted;

/// The statement that says what a table or one of its columns is, or that nothing is said of it.
#[must_use]
pub fn comment_on(table: &str, column: Option<&str>, comment: Option<&str>) -> String {
    let object = match column {
        None => format!("TABLE {}", quoted(table)),
        Some(column) => format!("COLUMN {}.{}", quoted(table), quoted(column)),
    };
    format!("{COMMENT_ON} {object} IS {}", comment.map_or_else(|| "NULL".to_owned(), literal))
}

/// How the statement that says this text ends, whatever it is about.
#[must_use]
pub fn comment_is(text: &str) -> String {
    format!(" IS {}", literal(text))
}

/// How a statement about a comment begins.
pub const COMMENT_ON: &str = "COMMENT ON";

/// A text as a literal in one line, whatever `standard_conforming_strings` is (PostgreSQL's manual, 4.1.2.2). A version's
/// file is read line by line, so that a line of the text must be none of the file's.
pub(crate) fn literal(text: &str) -> String {
    let needs_escapes = |character: char| matches!(character, '\\' | '\n' | '\r');
    if !text.contains(needs_escapes) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut written = "E'".to_owned();
    for character in text.chars() {
        match character {
            '\'' => written.push_str("''"),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            other => written.push(other),
        }
    }
    written.push('\'');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_line() {
        for (text, sql) in [
            ("plain", "'plain'"),
            ("it's", "'it''s'"),
            (r"C:\new", r"E'C:\\new'"),
            ("it's\r\n-- step\n;", r"E'it''s\r\n-- step\n;'"),
            ("Größe „m“ \t$$", "'Größe „m“ \t$$'"),
        ] {
            assert_eq!(literal(text), sql);
        }
    }

    #[test]
    fn a_comment_names_its_object() {
        assert_eq!(comment_on("t\"x", None, Some("a")), r#"COMMENT ON TABLE "t""x" IS 'a'"#);
        assert_eq!(comment_on("t", Some("c.d"), None), r#"COMMENT ON COLUMN "t"."c.d" IS NULL"#);
    }
}
