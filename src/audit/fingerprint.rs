//! What identifies the content: equal for equal schemas and rows, whatever the order of rows and the layout of pages.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{Fingerprint, catalogue::Catalogue};
use rusqlite::types::ValueRef;

/// A text or blob this long is hashed by itself, so that the row's bytes need not be brought together.
const LONG_BYTES: usize = 256;

/// The digest of one table's rows: a sum, so that their order does not matter.
#[derive(Debug, Default)]
pub(super) struct RowDigest {
    row: Vec<u8>,
    sum: u128,
}

impl RowDigest {
    /// Adds a cell to the row: its storage class, its length where it has one, its bytes.
    pub(super) fn cell(&mut self, cell: ValueRef<'_>) {
        let (class, bytes) = match cell {
            ValueRef::Null => return self.row.push(0),
            ValueRef::Integer(integer) => (1, &integer.to_le_bytes()),
            ValueRef::Real(real) => (2, &real.to_bits().to_le_bytes()),
            ValueRef::Text(bytes) => return self.bytes(3, bytes),
            ValueRef::Blob(bytes) => return self.bytes(5, bytes),
        };
        self.row.push(class);
        self.row.extend_from_slice(bytes);
    }

    fn bytes(&mut self, class: u8, bytes: &[u8]) {
        if bytes.len() < LONG_BYTES {
            self.row.push(class);
            self.row.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            self.row.extend_from_slice(bytes);
        } else {
            self.row.push(class + 1);
            self.row.extend_from_slice(&xxh3_128(bytes).to_le_bytes());
        }
    }

    /// Ends a row.
    pub(super) fn row(&mut self) {
        self.sum = self.sum.wrapping_add(xxh3_128(&self.row));
        self.row.clear();
    }

    /// The sum over all rows.
    pub(super) fn sum(&self) -> u128 {
        self.sum
    }
}

/// The fingerprint in the making.
pub(super) struct Content {
    digest: Xxh3,
    rows: u64,
}

impl Content {
    /// Begins with the schema: every object's kind, name and SQL but those of `sqlite_…` tables, which ANALYZE makes.
    pub(super) fn of(catalogue: &Catalogue) -> Content {
        let mut content = Content { digest: Xxh3::new(), rows: 0 };
        let mut objects: Vec<_> = catalogue.objects.iter().filter(|o| !o.is_internal()).collect();
        objects.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
        for object in objects {
            content.text(&object.kind);
            content.text(&object.name);
            content.text(object.sql.as_deref().unwrap_or_default());
        }
        content
    }

    fn text(&mut self, text: &str) {
        self.digest.update(&(text.len() as u64).to_le_bytes());
        self.digest.update(text.as_bytes());
    }

    /// Adds a table's rows.
    pub(super) fn add_table(&mut self, name: &str, rows: u64, digest: u128, sequence: Option<i64>) {
        self.text(name);
        self.digest.update(&rows.to_le_bytes());
        self.digest.update(&digest.to_le_bytes());
        self.digest.update(&sequence.unwrap_or(0).to_le_bytes());
        self.rows += rows;
    }

    /// The finished fingerprint.
    pub(super) fn finish(self) -> Fingerprint {
        Fingerprint { content_digest: format!("{:032x}", self.digest.digest128()), rows: self.rows }
    }
}
