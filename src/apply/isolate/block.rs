//! Encoded rows that are kept in memory, so that any part of them can be sent again.

use std::ops::Range;

use tokio::sync::mpsc;

use super::super::reader::RowsOut;

/// Bytes of encoded rows in a block; a longer row is a block of its own.
const BLOCK_BYTES: usize = 4 << 20;

/// Encoded rows, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    pub(super) rows: Vec<BlockRow>,
}

/// A row of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockRow {
    /// Where its bytes end.
    end: usize,
    /// Its position among the rows of the chunk.
    pub(super) number: u64,
    /// Values of it that became NULL.
    pub(super) nulled: u64,
}

impl Block {
    /// The bytes of rows that stand side by side.
    pub(super) fn bytes_of(&self, rows: &Range<usize>) -> &[u8] {
        let start = rows.start.checked_sub(1).map_or(0, |before| self.rows[before].end);
        let end = rows.end.checked_sub(1).map_or(0, |last| self.rows[last].end);
        &self.bytes[start..end]
    }
}

/// Gathers rows into blocks and sends these.
pub(super) struct Blocks<'a> {
    rows: Vec<BlockRow>,
    blocks: &'a mpsc::Sender<Block>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(blocks: &'a mpsc::Sender<Block>) -> Blocks<'a> {
        Blocks { rows: Vec::new(), blocks }
    }

    /// Sends what has gathered. Gives whether anybody listens.
    pub(super) fn send(&mut self, buffer: &mut Vec<u8>) -> bool {
        let block = Block { bytes: std::mem::take(buffer), rows: std::mem::take(&mut self.rows) };
        block.rows.is_empty() || self.blocks.blocking_send(block).is_ok()
    }
}

impl RowsOut for Blocks<'_> {
    fn row(&mut self, buffer: &mut Vec<u8>, number: u64, nulled: u64) -> bool {
        self.rows.push(BlockRow { end: buffer.len(), number, nulled });
        buffer.len() < BLOCK_BYTES || self.send(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_where_they_end() {
        let (sender, mut blocks) = mpsc::channel(4);
        let mut out = Blocks::new(&sender);
        let mut buffer = Vec::new();
        for (number, row) in [(0, "one"), (2, "three"), (3, "")] {
            buffer.extend_from_slice(row.as_bytes());
            assert!(out.row(&mut buffer, number, 0));
        }
        buffer.resize(buffer.len() + BLOCK_BYTES, b'x');
        assert!(out.row(&mut buffer, 4, 1));
        assert!(buffer.is_empty(), "a full block goes");
        assert!(out.send(&mut buffer), "and nothing is left");
        drop(sender);
        let block = blocks.blocking_recv().expect("a block");
        assert!(blocks.blocking_recv().is_none());
        assert_eq!(block.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [0, 2, 3, 4]);
        assert_eq!(block.bytes_of(&(0..2)), b"onethree");
        assert_eq!(block.bytes_of(&(1..3)), b"three");
        assert_eq!(block.bytes_of(&(2..3)), b"");
        assert_eq!(block.bytes_of(&(3..4)).len(), BLOCK_BYTES);
        assert_eq!(block.bytes_of(&(0..4)).len(), BLOCK_BYTES + 8);
    }
}
