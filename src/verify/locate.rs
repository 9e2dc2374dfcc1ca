//! From buckets that differ to rows and columns with names.
//!
//! In: a tally of each side. Out: differences. The rows of the first buckets that differ are read again, on both
//! sides, and kept: the digests of their cells, and their key as text. How many buckets are taken is bounded by
//! memory; of the others only the least number of rows that must differ is known.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use super::{
    Difference, DifferenceKind, Progress,
    digest::{Bucket, Buckets, Digester, bucket_of},
    key_text,
    pass::{Pass, Report, lock},
    rejected::{self, RefusedRow},
    row::{Exceptions, NormalRow, Place, RowSink},
    shape::TableShape,
};

/// Memory for the rows of one side that are kept, in bytes.
const KEPT_BYTES: u64 = 8 << 20;
/// What a kept row takes beside its cells' digests, in bytes: its own digests, its key's text, its place in a map.
const KEPT_ROW_BYTES: u64 = 512;
/// The most places that are kept of rows that are all the same.
const KEPT_COPIES: usize = 8;

/// Which buckets of a table are looked into.
#[derive(Debug)]
pub(super) struct Selection {
    table: usize,
    buckets: HashSet<usize>,
    bucket_count: usize,
    /// How many rows differ at least in the buckets that are not looked into.
    pub(super) unseen: u64,
}

impl Selection {
    /// The buckets that differ, as many as memory allows; `None`: the table is the same on both sides.
    pub(super) fn new(
        table: usize,
        shape: &TableShape,
        source: &Buckets,
        target: &Buckets,
    ) -> Option<Selection> {
        let a_row = KEPT_ROW_BYTES + 8 * shape.columns.len() as u64;
        let mut selection =
            Selection { table, buckets: HashSet::new(), bucket_count: shape.buckets, unseen: 0 };
        let mut bytes = 0;
        for (at, source, target) in source.differing(target) {
            let size = a_row * source.rows.max(target.rows);
            if selection.buckets.is_empty() || bytes + size <= KEPT_BYTES {
                bytes += size;
                selection.buckets.insert(at);
            } else {
                selection.unseen += least(source, target);
            }
        }
        (!selection.buckets.is_empty()).then_some(selection)
    }

    /// Whether rows of this key's digest are looked at one by one.
    pub(super) fn looks_into(&self, key_digest: u128) -> bool {
        self.buckets.contains(&bucket_of(key_digest, self.bucket_count))
    }
}

/// The fewest rows that can make two buckets differ.
fn least(source: Bucket, target: Bucket) -> u64 {
    source.rows.abs_diff(target.rows).max(1)
}

/// One side's rows of the selected buckets.
pub(super) struct Gather {
    shapes: Arc<Vec<TableShape>>,
    digester: Arc<Digester>,
    selection: Arc<Selection>,
    kept: Mutex<Kept>,
    report: Report,
}

/// Rows, as far as they are kept.
#[derive(Debug, Default)]
struct Kept {
    /// With a key: by its digest. A target without the key's constraint may have it twice.
    keyed: HashMap<u128, Vec<KeptRow>>,
    /// Without: equal rows are counted.
    copies: HashMap<u128, Copies>,
}

#[derive(Debug)]
struct KeptRow {
    digest: u128,
    cells: Box<[u64]>,
    key: String,
}

#[derive(Debug, Default)]
struct Copies {
    count: u64,
    places: Vec<Place>,
}

impl Kept {
    /// Takes a row away. Gives whether it was there.
    fn remove(&mut self, key: u128, digest: u128, is_multiset: bool) -> bool {
        if is_multiset {
            let Some(copies) = self.copies.get_mut(&digest).filter(|copies| copies.count > 0) else {
                return false;
            };
            copies.count -= 1;
            return true;
        }
        let rows = self.keyed.get_mut(&key);
        let at = rows.as_ref().and_then(|rows| rows.iter().position(|row| row.digest == digest));
        match (rows, at) {
            (Some(rows), Some(at)) => {
                rows.swap_remove(at);
                true
            }
            _ => false,
        }
    }

    fn merge(&mut self, other: Kept) {
        for (key, rows) in other.keyed {
            self.keyed.entry(key).or_default().extend(rows);
        }
        for (digest, copies) in other.copies {
            let sum = self.copies.entry(digest).or_default();
            sum.count += copies.count;
            sum.places.extend(copies.places);
            sum.places.sort_unstable();
            sum.places.truncate(KEPT_COPIES);
        }
    }
}

impl Gather {
    pub(super) fn new(
        shapes: &Arc<Vec<TableShape>>,
        digester: &Arc<Digester>,
        selection: &Arc<Selection>,
        report: &Report,
    ) -> Gather {
        Gather {
            shapes: shapes.clone(),
            digester: digester.clone(),
            selection: selection.clone(),
            kept: Mutex::new(Kept::default()),
            report: report.clone(),
        }
    }
}

impl Pass for Gather {
    type Sink = GatherSink;

    fn shapes(&self) -> &[TableShape] {
        &self.shapes
    }

    fn wants_places(&self) -> bool {
        self.shapes[self.selection.table].key.is_empty()
    }

    fn open(&self, _: usize) -> GatherSink {
        GatherSink {
            shapes: self.shapes.clone(),
            digester: self.digester.clone(),
            selection: self.selection.clone(),
            kept: Kept::default(),
            scratch: Vec::new(),
        }
    }

    fn close(&self, _: usize, sink: GatherSink) {
        lock(&self.kept).merge(sink.kept);
    }

    fn report(&self, progress: Progress) {
        (self.report)(progress);
    }
}

/// One reader's part of a gathering.
pub(super) struct GatherSink {
    shapes: Arc<Vec<TableShape>>,
    digester: Arc<Digester>,
    selection: Arc<Selection>,
    kept: Kept,
    scratch: Vec<u8>,
}

impl RowSink for GatherSink {
    fn row(&mut self, row: NormalRow<'_>, place: Option<Place>) {
        let shape = &self.shapes[self.selection.table];
        let (key, digest) = shape.key_cells.digests(row, &self.digester, &mut self.scratch);
        if !self.selection.looks_into(key) {
            return;
        }
        if shape.key.is_empty() {
            let copies = self.kept.copies.entry(digest).or_default();
            copies.count += 1;
            if copies.places.len() < KEPT_COPIES {
                copies.places.extend(place);
            }
            return;
        }
        let cells = (0..row.ends.len()).map(|index| self.digester.digest(row.cell(index)) as u64).collect();
        let key_text = key_text::key_text(shape, row);
        self.kept.keyed.entry(key).or_default().push(KeptRow { digest, cells, key: key_text });
    }

    fn exceptions(&mut self, _: Exceptions) {}
}

impl Gather {
    /// Takes rows out again that the source has and the target is not to have. Gives those that the source has not.
    pub(super) fn take_out(&self, rows: &[RefusedRow]) -> Vec<Difference> {
        let shape = &self.shapes[self.selection.table];
        let mut scratch = Vec::new();
        let mut kept = lock(&self.kept);
        let mut missing = Vec::new();
        for row in rows.iter().map(RefusedRow::normal) {
            let (key, digest) = shape.key_cells.digests(row, &self.digester, &mut scratch);
            if !self.selection.looks_into(key) {
                continue;
            }
            if !kept.remove(key, digest, shape.key.is_empty()) {
                missing.push(rejected::not_in_source(shape, row));
            }
        }
        missing
    }
}

/// Compares what both sides kept. Sorted by key.
pub(super) fn differences(source: &Gather, target: &Gather) -> Vec<Difference> {
    let shape = &source.shapes[source.selection.table];
    let (mut source, mut target) = (lock(&source.kept), lock(&target.kept));
    let mut found = Vec::new();
    let mut push = |key: String, kind| found.push(Difference { table: shape.target.clone(), key, kind });
    let keys: HashSet<u128> = source.keyed.keys().chain(target.keyed.keys()).copied().collect();
    for key in keys {
        let mut left = source.keyed.remove(&key).unwrap_or_default();
        let mut right = target.keyed.remove(&key).unwrap_or_default();
        left.retain(|row| match right.iter().position(|other| other.digest == row.digest) {
            Some(same) => {
                right.swap_remove(same);
                false
            }
            None => true,
        });
        let pairs = left.len().min(right.len());
        for (left, right) in left.drain(..pairs).zip(right.drain(..pairs)) {
            let differs = |&column: &usize| left.cells[column] != right.cells[column];
            let columns = shape.target_names((0..left.cells.len()).filter(differs));
            push(left.key, DifferenceKind::CellsDiffer { columns });
        }
        left.into_iter().for_each(|row| push(row.key, DifferenceKind::MissingInTarget));
        right.into_iter().for_each(|row| push(row.key, DifferenceKind::ExtraInTarget));
    }
    let digests: HashSet<u128> = source.copies.keys().chain(target.copies.keys()).copied().collect();
    for digest in digests {
        let left = source.copies.remove(&digest).unwrap_or_default();
        let right = target.copies.remove(&digest).unwrap_or_default();
        let (more, kind) = if left.count > right.count {
            (&left, DifferenceKind::MissingInTarget)
        } else {
            (&right, DifferenceKind::ExtraInTarget)
        };
        for copy in 0..left.count.abs_diff(right.count) {
            push(copies_text(more, copy, left.count, right.count), kind.clone());
        }
    }
    found.sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.kind.cmp(&b.kind)));
    found
}

/// How a row without a key is named: where it stands, and, where the other side has some of its like, how many.
fn copies_text(copies: &Copies, copy: u64, in_source: u64, in_target: u64) -> String {
    // The last ones, as the first are likelier to have their like on the other side.
    let place = usize::try_from(copy).ok().and_then(|copy| copies.places.iter().rev().nth(copy));
    let place = match place {
        Some(Place::Rowid(rowid)) => format!("rowid={rowid}"),
        Some(Place::Ctid(block, line)) => format!("ctid=({block},{line})"),
        None => "a row without a key".to_owned(),
    };
    match (in_source, in_target) {
        (1, 0) | (0, 1) => place,
        _ => format!("{place}, a row that the source has {in_source} times and the target {in_target} times"),
    }
}
