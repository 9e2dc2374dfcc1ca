//! What a change is about, in a line for people.

use super::{Index, IndexPart};

/// A text in one line, cut where it is long.
pub(super) fn in_a_line(text: &str) -> String {
    const ROOM: usize = 60;
    let is_space = |character: char| character.is_whitespace() || character.is_control();
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(ROOM) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// An index with its table: `index tracks_payload on tracks using gin (raw_json)`.
pub(super) fn index_summary(table: &str, index: &Index) -> String {
    let Index { name, unique, nulls_not_distinct, method, parts, include, predicate } = index;
    let kind = if *unique { "unique index" } else { "index" };
    let part =
        |part: &IndexPart| format!("{} {}", part.key.text(), part.words_behind()).trim_end().to_owned();
    let parts: Vec<String> = parts.iter().map(part).collect();
    let beside = match include.as_slice() {
        [] => String::new(),
        columns => format!(" include ({})", columns.join(", ")),
    };
    let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
    let only = predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
    format!("{kind} {name} on {table} using {method} ({}){beside}{nulls}{only}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_stays_in_its_line() {
        assert_eq!(in_a_line("one\n  two\u{1b}[31m\tthree "), "one two [31m three");
        assert_eq!(in_a_line(&"ü".repeat(60)), "ü".repeat(60));
        assert_eq!(in_a_line(&"ü".repeat(61)), format!("{}…", "ü".repeat(60)));
    }
}
