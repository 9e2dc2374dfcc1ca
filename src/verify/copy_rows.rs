//! PostgreSQL's binary COPY format, taken apart into rows in normal form.
//!
//! In: the messages of `COPY … TO STDOUT (FORMAT binary)`. Out: rows. PostgreSQL's manual, `COPY`, "Binary Format": a
//! signature, flags, an extension, then for each row the number of its fields and each field's length and bytes. The
//! server sends a row a message, so rows are read in place; where a message ends within one, the rest is waited for.

use super::{
    decimal,
    row::{NormalRow, Place, RowSink},
};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// What the fields of a row are.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// Whether each compared column is `numeric`, which has to be rewritten.
    pub(super) numeric: Vec<bool>,
    /// Whether the row's `ctid` follows the columns.
    pub(super) ctid: bool,
}

/// Reads one COPY's messages.
#[derive(Debug)]
pub(super) struct CopyReader {
    fields: Fields,
    rewrites: bool,
    started: bool,
    ended: bool,
    /// The beginning of a row whose end has not come yet.
    pending: Vec<u8>,
    ends: Vec<usize>,
    rewritten: Vec<u8>,
}

/// A step through the bytes at hand.
enum Step {
    /// This many bytes were a row, or the header.
    Took(usize),
    /// The end marker.
    End,
    /// More bytes are needed.
    Short,
}

impl CopyReader {
    pub(super) fn new(fields: Fields) -> CopyReader {
        let rewrites = fields.numeric.contains(&true);
        CopyReader {
            fields,
            rewrites,
            started: false,
            ended: false,
            pending: Vec::new(),
            ends: Vec::new(),
            rewritten: Vec::new(),
        }
    }

    /// Takes a message and hands its rows on. Returns how many there were.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub(super) fn message(&mut self, message: &[u8], sink: &mut impl RowSink) -> Result<u64, &'static str> {
        if self.pending.is_empty() {
            let (taken, rows) = self.rows(message, sink)?;
            self.pending.extend_from_slice(&message[taken..]);
            return Ok(rows);
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(message);
        let (taken, rows) = self.rows(&pending, sink)?;
        pending.drain(..taken);
        self.pending = pending;
        Ok(rows)
    }

    /// Checks that the stream ended where it should.
    ///
    /// # Errors
    /// It did not.
    pub(super) fn finish(self) -> Result<(), &'static str> {
        if self.ended && self.pending.is_empty() { Ok(()) } else { Err("the rows end in the middle") }
    }

    fn rows(&mut self, bytes: &[u8], sink: &mut impl RowSink) -> Result<(usize, u64), &'static str> {
        let (mut taken, mut rows) = (0, 0);
        while taken < bytes.len() {
            if self.ended {
                return Err("bytes follow the end marker");
            }
            let step = if self.started { self.row(&bytes[taken..], sink)? } else { header(&bytes[taken..])? };
            match step {
                Step::Took(length) => {
                    taken += length;
                    rows += u64::from(self.started);
                    self.started = true;
                }
                Step::End => {
                    taken += 2;
                    self.ended = true;
                }
                Step::Short => break,
            }
        }
        Ok((taken, rows))
    }

    fn row(&mut self, bytes: &[u8], sink: &mut impl RowSink) -> Result<Step, &'static str> {
        let Some(&[high, low]) = bytes.get(..2) else { return Ok(Step::Short) };
        let count = i16::from_be_bytes([high, low]);
        if count == -1 {
            return Ok(Step::End);
        }
        let columns = self.fields.numeric.len();
        if usize::try_from(count) != Ok(columns + usize::from(self.fields.ctid)) {
            return Err("a row has another number of fields");
        }
        let cells = &bytes[2..];
        self.ends.clear();
        let mut at = 0;
        for _ in 0..count {
            let Some(end) = field_end(cells, at)? else { return Ok(Step::Short) };
            at = end;
            self.ends.push(end);
        }
        let mut place = None;
        if self.fields.ctid {
            self.ends.pop();
            let start = self.ends.last().copied().unwrap_or(0) + 4;
            place = match cells.get(start..at) {
                Some(&[a, b, c, d, e, f]) => {
                    Some(Place::Ctid(u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f])))
                }
                _ => None,
            };
        }
        let bytes = if self.rewrites {
            self.rewrite(cells)?;
            &self.rewritten[..]
        } else {
            &cells[..self.ends.last().copied().unwrap_or(0)]
        };
        sink.row(NormalRow { bytes, ends: &self.ends }, place);
        Ok(Step::Took(2 + at))
    }

    /// Copies the row with each `numeric` in its one decimal form.
    fn rewrite(&mut self, cells: &[u8]) -> Result<(), &'static str> {
        self.rewritten.clear();
        let mut start = 0;
        for (end, &numeric) in self.ends.iter_mut().zip(&self.fields.numeric) {
            let cell = &cells[start..*end];
            start = *end;
            if numeric && cell.len() > 4 {
                let length_at = self.rewritten.len();
                self.rewritten.extend_from_slice(&[0; 4]);
                decimal::write_binary(&cell[4..], &mut self.rewritten).ok_or("a numeric value is not one")?;
                let length = (self.rewritten.len() - length_at - 4) as u32;
                self.rewritten[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
            } else {
                self.rewritten.extend_from_slice(cell);
            }
            *end = self.rewritten.len();
        }
        Ok(())
    }
}

/// Where the field that begins at `at` ends; `None`: not all of it is here.
fn field_end(cells: &[u8], at: usize) -> Result<Option<usize>, &'static str> {
    let Some(&[a, b, c, d]) = cells.get(at..at + 4) else { return Ok(None) };
    let length = match i32::from_be_bytes([a, b, c, d]) {
        -1 => 0,
        length => usize::try_from(length).map_err(|_| "a field has a negative length")?,
    };
    let end = at + 4 + length;
    Ok((end <= cells.len()).then_some(end))
}

fn header(bytes: &[u8]) -> Result<Step, &'static str> {
    const FIXED: usize = SIGNATURE.len() + 8;
    if !bytes.iter().zip(SIGNATURE).all(|(byte, expected)| byte == expected) {
        return Err("the signature is missing");
    }
    let Some(&[a, b, c, d]) = bytes.get(FIXED - 4..FIXED) else { return Ok(Step::Short) };
    let length = FIXED + u32::from_be_bytes([a, b, c, d]) as usize;
    Ok(if length <= bytes.len() { Step::Took(length) } else { Step::Short })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::row::Exceptions;

    #[derive(Default)]
    struct Rows(Vec<(Vec<u8>, Vec<usize>, Option<Place>)>);

    impl RowSink for Rows {
        fn row(&mut self, row: NormalRow<'_>, place: Option<Place>) {
            self.0.push((row.bytes.to_vec(), row.ends.to_vec(), place));
        }
        fn exceptions(&mut self, _: Exceptions) {}
    }

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        for _ in 0..2 {
            bytes.extend([0, 3, 0, 0, 0, 2, b'h', b'i', 0xff, 0xff, 0xff, 0xff]);
            // 1.10: two digits (1, 1000), weight 0, positive, scale 2.
            bytes.extend([0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 2, 0, 1, 0x03, 0xe8]);
        }
        bytes.extend([0xff, 0xff]);
        bytes
    }

    #[test]
    fn rows_come_out_wherever_the_messages_are_cut() {
        let fields = Fields { numeric: vec![false, false, true], ctid: false };
        let expected = b"\0\0\0\x02hi\xff\xff\xff\xff\0\0\0\x031.1".to_vec();
        for size in 1..60 {
            let (mut reader, mut rows) = (CopyReader::new(fields.clone()), Rows::default());
            let mut count = 0;
            for message in stream().chunks(size) {
                count += reader.message(message, &mut rows).expect("rows");
            }
            assert_eq!(count, 2);
            reader.finish().expect("the end");
            assert_eq!(
                rows.0,
                vec![(expected.clone(), vec![6, 10, 17], None); 2],
                "messages of {size} bytes"
            );
        }
    }

    #[test]
    fn what_is_no_copy_stream_is_refused() {
        let fields = Fields { numeric: vec![false, false, true], ctid: false };
        let mut other_fields = stream();
        other_fields[20] = 4;
        let mut negative = stream();
        negative[21] = 0x80;
        for (bytes, ends) in [(b"id,name\n1,a\n".to_vec(), false), (other_fields, false), (negative, false)] {
            assert_eq!(CopyReader::new(fields.clone()).message(&bytes, &mut Rows::default()).is_ok(), ends);
        }
        let mut reader = CopyReader::new(fields);
        reader.message(&stream()[..40], &mut Rows::default()).expect("a part");
        assert!(reader.finish().is_err());
    }
}
