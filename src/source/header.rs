//! The file's first bytes, looked at before SQLite is asked, since SQLite takes an empty file for a new database and says
//! "file is not a database" of everything else (SQLite, "Database File Format", 1.3).

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use super::SourceError;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Bytes in which randomness is looked for: enough to tell it from text, few enough to be in the first page.
const SAMPLE_BYTES: u64 = 4096;

/// Bits a byte above which a sample of at least 512 bytes is taken for random. 512 random bytes come to about 7.6, text
/// stays under 6, machine code under 7.
const RANDOM_ENTROPY: f64 = 7.3;

/// What the header tells.
#[derive(Debug)]
pub(super) struct Header {
    /// The path without symbolic links: SQLite looks for the WAL beside the file itself.
    pub(super) path: PathBuf,
    /// The file's length.
    pub(super) file_bytes: u64,
    /// Whether SQLite would read the file together with a WAL: its header says so, or a WAL lies beside it.
    pub(super) wal: bool,
}

/// The file that SQLite keeps beside another: `-wal`, `-shm`, `-journal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file's length, 0 where there is none.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Looks at a file's kind, length and header.
pub(super) fn examine(path: &Path) -> Result<Header, SourceError> {
    let io = |error| SourceError::of_io(path, error);
    let named = || path.to_owned();
    let real = fs::canonicalize(path).map_err(io)?;
    let metadata = fs::metadata(&real).map_err(io)?;
    if metadata.is_dir() {
        return Err(SourceError::Directory { path: named() });
    }
    if !metadata.is_file() {
        return Err(SourceError::NotAFile { path: named() });
    }
    let file = File::open(&real).map_err(io)?;
    let file_bytes = metadata.len();
    let mut sample = Vec::new();
    file.take(SAMPLE_BYTES).read_to_end(&mut sample).map_err(io)?;
    if sample.is_empty() {
        return Err(SourceError::Empty { path: named() });
    }
    if !sample.starts_with(MAGIC) {
        return Err(not_sqlite(path, &sample, file_bytes));
    }
    let Some(header) = sample.first_chunk::<100>() else {
        return Err(SourceError::Truncated { path: named(), expected_bytes: 512, actual_bytes: file_bytes });
    };
    let fields = Fields(header);
    if fields.read_version() > 2 || fields.schema_format() > 4 {
        return Err(SourceError::NewerFormat { path: named(), sqlite: rusqlite::version() });
    }
    let wal_bytes = length(&beside(&real, "-wal"));
    let journal_bytes = length(&beside(&real, "-journal"));
    let expected_bytes = fields.counted_bytes();
    // With a WAL or a hot journal the file may be behind or ahead of its header; SQLite sorts that out.
    if wal_bytes == 0 && journal_bytes == 0 && expected_bytes > file_bytes {
        return Err(SourceError::Truncated { path: named(), expected_bytes, actual_bytes: file_bytes });
    }
    let wal = fields.read_version() == 2 || beside(&real, "-wal").exists();
    Ok(Header { path: real, file_bytes, wal })
}

/// The header's fields, big-endian, by their offsets in the manual's table.
struct Fields<'a>(&'a [u8; 100]);

impl Fields<'_> {
    fn number(&self, offset: usize, bytes: usize) -> u64 {
        self.0.iter().skip(offset).take(bytes).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn read_version(&self) -> u64 {
        self.number(19, 1)
    }

    fn schema_format(&self) -> u64 {
        self.number(44, 4)
    }

    /// Pages times page size; 0 where the count is not to be trusted (written by SQLite before 3.7.0).
    fn counted_bytes(&self) -> u64 {
        let page_bytes = match self.number(16, 2) {
            1 => 65_536,
            bytes => bytes,
        };
        let counted = self.number(24, 4) == self.number(92, 4);
        if counted { self.number(28, 4) * page_bytes } else { 0 }
    }
}

/// Beginnings of files that are taken for databases, or hold them.
const KNOWN: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "; it is gzip-compressed: unpack it with gunzip"),
    (b"PK\x03\x04", "; it is a zip archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "; it is zstd-compressed: unpack it with unzstd"),
    (b"\xfd7zXZ\0", "; it is xz-compressed: unpack it with unxz"),
    (b"BZh", "; it is bzip2-compressed: unpack it with bunzip2"),
    (b"** This file contains an SQLite 2", "; it is a SQLite 2 database: dump it with the sqlite 2 shell"),
    (b"DUCK", "; it looks like a DuckDB file"),
    (b"PGDMP", "; it is a pg_dump archive"),
    (b"\x7fELF", ""),
    (b"\x89PNG", ""),
    (b"\xff\xd8\xff", ""),
    (b"%PDF", ""),
];

fn not_sqlite(path: &Path, sample: &[u8], file_bytes: u64) -> SourceError {
    let path = path.to_owned();
    if let Some((_, hint)) = KNOWN.iter().find(|(magic, _)| sample.starts_with(magic)) {
        return SourceError::NotSqlite { path, hint };
    }
    // The other place of a magic number worth knowing: DuckDB keeps its own behind a checksum.
    if sample.get(8..12) == Some(b"DUCK") {
        return SourceError::NotSqlite { path, hint: "; it looks like a DuckDB file" };
    }
    if file_bytes >= 512 && file_bytes.is_multiple_of(512) && entropy(sample) > RANDOM_ENTROPY {
        return SourceError::LooksEncrypted { path };
    }
    let text = sample.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..));
    let hint =
        if text { "; it looks like text: a dump is read in with sqlite3 NEW.db < DUMP.sql" } else { "" };
    SourceError::NotSqlite { path, hint }
}

/// Shannon's entropy of the bytes, in bits a byte.
fn entropy(sample: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in sample {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(sample.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}
