//! Which rows to try next: the order of the halving, without the server.

use std::ops::Range;

/// Parts of a block that are still to be tried, the first rows first.
pub(super) struct Halves {
    /// The next one last.
    waiting: Vec<Range<usize>>,
}

impl Halves {
    /// All rows of a block.
    pub(super) fn of(rows: usize) -> Halves {
        Halves { waiting: std::iter::once(0..rows).collect() }
    }

    /// The next part to try.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        self.waiting.pop()
    }

    /// A part was refused: its halves come next. A part of one row has none: that row is given.
    pub(super) fn refused(&mut self, part: Range<usize>) -> Option<usize> {
        if part.len() < 2 {
            return part.clone().next();
        }
        let middle = part.start + part.len() / 2;
        self.waiting.push(middle..part.end);
        self.waiting.push(part.start..middle);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What halving finds in a block in which these rows are bad: the good ones in the order in which they are taken, the
    /// bad ones, and how many tries it took.
    fn halve(rows: usize, bad: &[usize]) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut taken, mut found, mut tries) = (Vec::new(), Vec::new(), 0);
        let mut halves = Halves::of(rows);
        while let Some(part) = halves.next() {
            tries += 1;
            if part.clone().any(|row| bad.contains(&row)) {
                found.extend(halves.refused(part));
            } else {
                taken.extend(part);
            }
        }
        (taken, found, tries)
    }

    #[test]
    fn every_row_is_taken_once_or_found() {
        for (rows, bad) in [
            (1, &[][..]),
            (1, &[0]),
            (2, &[1]),
            (7, &[0, 6]),
            (8, &[0, 1, 2, 3, 4, 5, 6, 7]),
            (1000, &[0, 499, 500, 501, 999]),
            (1024, &[17]),
            (100_000, &[1, 2, 3, 70_000, 99_999]),
        ] {
            let (taken, found, tries) = halve(rows, bad);
            assert_eq!(found, bad, "{rows}");
            let good: Vec<usize> = (0..rows).filter(|row| !bad.contains(row)).collect();
            assert_eq!(taken, good, "in the order in which they are read");
            let log = rows.next_power_of_two().ilog2() as usize;
            assert!(tries <= 1 + 2 * bad.len() * log, "{rows} {bad:?}: {tries} tries");
        }
    }
}
