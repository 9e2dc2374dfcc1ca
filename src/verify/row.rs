//! A row in normal form: what both sides' readers produce, and what is compared.
//!
//! The form is that of PostgreSQL's binary COPY behind the field count: each cell a length of four bytes, big-endian,
//! and then its bytes; NULL has the length -1 and no bytes. So the target's rows are digested as they arrive. Only
//! `numeric` differs: it has several binary forms for one value, so its decimal text stands in its place.

use super::digest::Digester;

/// The length of NULL.
pub(super) const NULL: i32 = -1;
/// The length of a source cell that its type cannot hold: equal to nothing that a target can send.
pub(super) const MISFIT: i32 = -2;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct NormalRow<'a> {
    /// All cells, one behind the other.
    pub(super) bytes: &'a [u8],
    /// Where each cell ends in `bytes`.
    pub(super) ends: &'a [usize],
}

/// Where a row stands, for naming rows that have no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The source's rowid.
    Rowid(i64),
    /// The target's block and line.
    Ctid(u32, u16),
}

/// What a pass does with the rows that a reader brings.
pub(super) trait RowSink: Send + 'static {
    /// Takes a row; `place` where the reader was asked for it.
    fn row(&mut self, row: NormalRow<'_>, place: Option<Place>);
    /// Notes what of the source is not in the target as it is, as the mapping says.
    fn exceptions(&mut self, count: Exceptions);
}

/// What of the source is not in the target as it is, as the mapping says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Exceptions {
    /// Values that were taken as NULL because their type cannot hold them.
    pub(super) nulled: u64,
    /// Rows that were not written.
    pub(super) rejected: u64,
}

impl std::ops::AddAssign for Exceptions {
    fn add_assign(&mut self, other: Exceptions) {
        self.nulled += other.nulled;
        self.rejected += other.rejected;
    }
}

impl<'a> NormalRow<'a> {
    /// A cell with its length.
    pub(super) fn cell(&self, index: usize) -> &'a [u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }
}

/// Which cells identify a row, prepared for the digest.
#[derive(Debug, Clone)]
pub(super) enum KeyCells {
    /// The whole row: the table has no key.
    All,
    /// Cells that stand side by side, first and last.
    Run(usize, usize),
    /// Any others.
    Scattered(Vec<usize>),
}

impl KeyCells {
    /// From positions of columns; empty: no key.
    pub(super) fn new(positions: &[usize]) -> KeyCells {
        match (positions.first(), positions.last()) {
            (Some(&first), Some(&last)) if positions.windows(2).all(|pair| pair[1] == pair[0] + 1) => {
                KeyCells::Run(first, last)
            }
            (Some(_), _) => KeyCells::Scattered(positions.to_vec()),
            _ => KeyCells::All,
        }
    }

    /// The digests of the key and of the whole row. `scratch` is a buffer to use again.
    pub(super) fn digests(
        &self,
        row: NormalRow<'_>,
        digester: &Digester,
        scratch: &mut Vec<u8>,
    ) -> (u128, u128) {
        let whole = digester.digest(row.bytes);
        let key = match self {
            KeyCells::All => whole,
            KeyCells::Run(first, last) => {
                let start = if *first == 0 { 0 } else { row.ends[first - 1] };
                digester.digest(&row.bytes[start..row.ends[*last]])
            }
            KeyCells::Scattered(cells) => {
                scratch.clear();
                cells.iter().for_each(|&cell| scratch.extend_from_slice(row.cell(cell)));
                digester.digest(scratch)
            }
        };
        (key, whole)
    }
}
