//! One reading of both sides: what the readers are given, and what is made of the rows that they bring.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    Progress,
    digest::{Buckets, Digester},
    rejected::RefusedRow,
    row::{Exceptions, NormalRow, Place, RowSink},
    shape::TableShape,
};

/// Who is told of progress.
pub(super) type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// A reading of one side.
pub(super) trait Pass: Send + Sync + 'static {
    /// Takes the rows of one piece.
    type Sink: RowSink;
    /// The tables, by position.
    fn shapes(&self) -> &[TableShape];
    /// Whether each row is to come with its place.
    fn wants_places(&self) -> bool;
    /// Begins a piece of a table.
    fn open(&self, table: usize) -> Self::Sink;
    /// Ends it.
    fn close(&self, table: usize, sink: Self::Sink);
    /// Tells of progress.
    fn report(&self, progress: Progress);
}

/// Pieces of work that several readers take from, in order.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    pieces: Vec<T>,
    next: AtomicUsize,
}

impl<T> Pieces<T> {
    pub(super) fn new(pieces: Vec<T>) -> Pieces<T> {
        Pieces { pieces, next: AtomicUsize::new(0) }
    }

    pub(super) fn next(&self) -> Option<&T> {
        self.pieces.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Locks; what a panicking thread left behind is whole, since it is only ever replaced or added to.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first reading: every row into its bucket.
pub(super) struct Tally {
    shapes: Arc<Vec<TableShape>>,
    digester: Arc<Digester>,
    sides: Vec<Mutex<Buckets>>,
    report: Report,
}

impl Tally {
    pub(super) fn new(shapes: &Arc<Vec<TableShape>>, digester: &Arc<Digester>, report: &Report) -> Tally {
        Tally {
            shapes: shapes.clone(),
            digester: digester.clone(),
            sides: shapes.iter().map(|shape| Mutex::new(Buckets::new(shape.buckets))).collect(),
            report: report.clone(),
        }
    }

    /// Takes rows out again that the source has and the target is not to have. Gives those that found nothing in their
    /// bucket, with the digest of their key: where a bucket is looked into, [`super::locate::Gather::take_out`] knows more.
    pub(super) fn take_out<'a>(&self, table: usize, rows: &'a [RefusedRow]) -> Vec<(u128, NormalRow<'a>)> {
        let (cells, mut scratch) = (&self.shapes[table].key_cells, Vec::new());
        let mut buckets = self.buckets(table);
        let mut missing = Vec::new();
        for row in rows.iter().map(RefusedRow::normal) {
            let (key, whole) = cells.digests(row, &self.digester, &mut scratch);
            if !buckets.remove(key, whole) {
                missing.push((key, row));
            }
        }
        missing
    }

    /// What one table came to.
    pub(super) fn buckets(&self, table: usize) -> MutexGuard<'_, Buckets> {
        lock(&self.sides[table])
    }
}

impl Pass for Tally {
    type Sink = TallySink;

    fn shapes(&self) -> &[TableShape] {
        &self.shapes
    }

    fn wants_places(&self) -> bool {
        false
    }

    fn open(&self, table: usize) -> TallySink {
        TallySink {
            shapes: self.shapes.clone(),
            table,
            digester: self.digester.clone(),
            buckets: Buckets::new(self.shapes[table].buckets),
            scratch: Vec::new(),
        }
    }

    fn close(&self, table: usize, sink: TallySink) {
        lock(&self.sides[table]).merge(&sink.buckets);
    }

    fn report(&self, progress: Progress) {
        (self.report)(progress);
    }
}

/// One reader's part of a tally.
pub(super) struct TallySink {
    shapes: Arc<Vec<TableShape>>,
    table: usize,
    digester: Arc<Digester>,
    buckets: Buckets,
    scratch: Vec<u8>,
}

impl RowSink for TallySink {
    fn row(&mut self, row: NormalRow<'_>, _: Option<Place>) {
        let cells = &self.shapes[self.table].key_cells;
        let (key, whole) = cells.digests(row, &self.digester, &mut self.scratch);
        self.buckets.add(key, whole);
    }

    fn exceptions(&mut self, count: Exceptions) {
        self.buckets.exceptions += count;
    }
}
