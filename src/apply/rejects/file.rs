//! The file of rejects: the ledger's rows for people and programs, a JSON object a line.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Seek, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::super::ApplyError;
use crate::{
    plan::Plan,
    target::{Ledger, RecordedReject, RefusedBy, Target},
};

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    table: &'a str,
    target: &'a str,
    key: &'a str,
    column: Option<&'a str>,
    reason: &'a str,
    refused_by: &'static str,
    row: &'a serde_json::value::RawValue,
}

/// Of a line that is there, what tells whether it is one of ours.
#[derive(Deserialize)]
struct Known {
    id: String,
}

/// What a line is known by: the copy, the chunk and the row's place in it, for one row of one copy, whenever it is written.
fn id_of(target: &Target, reject: &RecordedReject) -> String {
    let copy = format!("{}\n{}\n{}", target.schema, reject.table, reject.source_digest);
    let copy = xxhash_rust::xxh3::xxh3_64(copy.as_bytes());
    format!("{copy:016x}-{}-{}", reject.chunk, reject.reject.row_number)
}

/// The rows that the target does not have, and where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejects {
    /// How many.
    pub rows: u64,
    /// Of which tables.
    pub tables: Vec<TableRejects>,
    /// The file that has them, a line each.
    pub file: PathBuf,
    /// The ledger's table that has them, qualified.
    pub ledger: String,
}

/// The rejected rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableRejects {
    /// The target table.
    pub target: String,
    /// How many.
    pub rows: u64,
}

/// Brings the file of rejects up to what the ledger holds of the plan's tables: lines that it lacks are added at its end,
/// one JSON object each, and those that are there stay as they are, corrected by hand or not. No rejected row: the file is
/// not touched, nor made. Returns what the ledger holds; `None`: no row.
///
/// # Errors
/// [`ApplyError::RejectsFile`], [`ApplyError::Ledger`].
pub async fn write_rejects(plan: &Plan, target: &Target, path: &Path) -> Result<Option<Rejects>, ApplyError> {
    let Some(ledger) = Ledger::find(target).await? else { return Ok(None) };
    let names: Vec<String> = plan.tables.iter().map(|table| table.target.clone()).collect();
    let mut tables: Vec<TableRejects> = Vec::new();
    let mut file: Option<RejectsFile> = None;
    let each = |reject: RecordedReject| -> Result<(), ApplyError> {
        let file = match &mut file {
            Some(file) => file,
            None => file.insert(RejectsFile::open(path)?),
        };
        match tables.last_mut().filter(|table| table.target == reject.table) {
            Some(table) => table.rows += 1,
            None => tables.push(TableRejects { target: reject.table.clone(), rows: 1 }),
        }
        file.add(id_of(target, &reject), &reject)
    };
    ledger.for_each_reject(&names, each).await?;
    let Some(file) = file else { return Ok(None) };
    file.close()?;
    Ok(Some(Rejects {
        rows: tables.iter().map(|table| table.rows).sum(),
        tables,
        file: path.to_owned(),
        ledger: ledger.place().table("reject").replace('"', ""),
    }))
}

struct RejectsFile {
    path: PathBuf,
    known: HashSet<String>,
    out: BufWriter<File>,
}

impl RejectsFile {
    /// Opens the file, and reads which rows it has. A last line that is torn, by a run that was cut off, goes.
    fn open(path: &Path) -> Result<RejectsFile, ApplyError> {
        let failed = |source| ApplyError::RejectsFile { path: path.to_owned(), source };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut known = HashSet::new();
        let mut reader = BufReader::new(file);
        let (mut line, mut end) = (Vec::new(), 0);
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line).map_err(failed)?;
            if bytes == 0 {
                break;
            }
            match serde_json::from_slice::<Known>(&line) {
                Ok(Known { id }) => {
                    known.insert(id);
                }
                Err(_) if known.is_empty() && !line.trim_ascii().is_empty() && !is_torn(&line) => {
                    return Err(failed(io::Error::other("it is there, and is no file of rejected rows")));
                }
                Err(_) if line.last() != Some(&b'\n') => break,
                // Somebody's own line.
                Err(_) => {}
            }
            end += bytes as u64;
        }
        let mut file = reader.into_inner();
        file.set_len(end).map_err(failed)?;
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        let mut out = BufWriter::new(file);
        if end > 0 && line_is_open(path, end).map_err(failed)? {
            out.write_all(b"\n").map_err(failed)?;
        }
        Ok(RejectsFile { path: path.to_owned(), known, out })
    }

    fn add(&mut self, id: String, recorded: &RecordedReject) -> Result<(), ApplyError> {
        if self.known.contains(&id) {
            return Ok(());
        }
        let RecordedReject { table, source_table, reject, .. } = recorded;
        let failed = |source| ApplyError::RejectsFile { path: self.path.clone(), source };
        let row: &serde_json::value::RawValue =
            serde_json::from_str(&reject.source_row).map_err(|error| failed(error.into()))?;
        let line = Line {
            id,
            table: source_table,
            target: table,
            key: &reject.key,
            column: reject.column.as_deref(),
            reason: &reject.reason,
            refused_by: match reject.refused_by {
                RefusedBy::Type => "type",
                RefusedBy::Server => "server",
            },
            row,
        };
        serde_json::to_writer(&mut self.out, &line).map_err(|error| failed(error.into()))?;
        self.out.write_all(b"\n").map_err(failed)
    }

    fn close(self) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::RejectsFile { path: self.path.clone(), source };
        let file = self.out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }
}

/// Whether a line looks like the beginning of one of ours.
fn is_torn(line: &[u8]) -> bool {
    let ours = b"{\"id\":\"";
    let length = line.len().min(ours.len());
    line.last() != Some(&b'\n') && line[..length] == ours[..length]
}

/// Whether the last line has no end.
fn line_is_open(path: &Path, end: u64) -> io::Result<bool> {
    use std::io::Read;

    let mut file = File::open(path)?;
    file.seek(io::SeekFrom::Start(end - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(row_number: u64) -> RecordedReject {
        RecordedReject {
            table: "t".to_owned(),
            source_table: "T".to_owned(),
            source_digest: "digest".to_owned(),
            chunk: 0,
            reject: crate::target::Reject {
                row_number,
                key: format!("id={row_number}"),
                column: None,
                reason: "for a test".to_owned(),
                refused_by: RefusedBy::Server,
                source_row: "{\"a\":1.0}".to_owned(),
            },
        }
    }

    /// What a file of `before` is after these rows.
    fn after(before: Option<&str>, rows: std::ops::Range<u64>) -> Result<String, ApplyError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("rejects.ndjson");
        if let Some(before) = before {
            std::fs::write(&path, before).expect("write");
        }
        let added = RejectsFile::open(&path).and_then(|mut file| {
            for row in rows {
                file.add(format!("copy-0-{row}"), &recorded(row))?;
            }
            file.close()
        });
        let text = std::fs::read_to_string(&path).expect("read");
        match added {
            Ok(()) => Ok(text),
            Err(error) => {
                assert_eq!(Some(text.as_str()), before, "it is left as it is");
                Err(error)
            }
        }
    }

    #[test]
    fn each_row_has_one_line_however_often_it_is_written() {
        let line = |row: u64| {
            format!(
                "{{\"id\":\"copy-0-{row}\",\"table\":\"T\",\"target\":\"t\",\"key\":\"id={row}\",\"column\":null,\
                 \"reason\":\"for a test\",\"refused_by\":\"server\",\"row\":{{\"a\":1.0}}}}\n"
            )
        };
        let all = format!("{}{}{}", line(0), line(1), line(2));
        for (before, what) in [
            (None, "no file"),
            (Some(String::new()), "an empty one"),
            (Some(line(0)), "one row"),
            (Some(all.clone()), "all"),
            (Some(all.trim_end().to_owned()), "no end of the last line"),
            (Some(format!("{}{}", line(0), &line(1)[..30])), "a torn line"),
            (Some(line(0)[..12].to_owned()), "a torn first line"),
        ] {
            assert_eq!(after(before.as_deref(), 0..3).expect(what), all, "{what}");
        }
        let corrected = all.replace("1.0", "2.0");
        assert_eq!(after(Some(&corrected), 0..3).expect("corrected"), corrected);
        let noted = format!("{}\n# mine\n{}", line(0), line(1));
        assert_eq!(after(Some(&noted), 0..3).expect("noted"), format!("{noted}{}", line(2)));
    }

    #[test]
    fn other_files_are_left_as_they_are() {
        for other in ["my notes\n", "my notes", "{\"key\": 1}\n", "SQLite format 3\0\0"] {
            assert!(after(Some(other), 0..1).is_err(), "{other}");
        }
    }
}
