//! The small means of text reports: colour, aligned columns, numbers that can be read.

use std::io::{self, Write};

/// Whether to write colours.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paint(pub bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For what is added, and what is well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// For what is wrong.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// For what needs attention.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// For headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// For what can be passed over.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// A number with its thousands apart: `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `1,200 rows`.
#[must_use]
pub fn rows(number: u64) -> String {
    counted(number, "row")
}

/// A number of things whose plural ends in s.
pub(super) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Rows of cells, written with their columns aligned and two spaces between.
#[derive(Debug, Default)]
pub(super) struct Grid {
    lines: Vec<Line>,
}

#[derive(Debug)]
enum Line {
    Cells(Vec<String>),
    /// Stands under the second column, however long it is.
    Note(String),
}

impl Grid {
    pub(super) fn push<const N: usize>(&mut self, cells: [String; N]) {
        self.lines.push(Line::Cells(cells.into()));
    }

    /// A remark on the line above.
    pub(super) fn note(&mut self, text: String) {
        self.lines.push(Line::Note(text));
    }

    pub(super) fn write(&self, indent: &str, out: &mut dyn Write) -> io::Result<()> {
        let cells = || {
            self.lines.iter().filter_map(|line| match line {
                Line::Cells(cells) => Some(cells),
                Line::Note(_) => None,
            })
        };
        let columns = cells().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let lengths = cells().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count());
            lengths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for line in &self.lines {
            let mut written = String::from(indent);
            match line {
                Line::Cells(cells) => {
                    for (cell, width) in cells.iter().zip(&widths) {
                        written.push_str(cell);
                        written.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
                    }
                }
                Line::Note(text) => {
                    written.extend(std::iter::repeat_n(' ', widths.first().map_or(0, |width| width + 2)));
                    written.push_str(text);
                }
            }
            writeln!(out, "{}", written.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(rows(1), "1 row");
    }
}
