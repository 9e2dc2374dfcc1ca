//! A reader on loan, and how names are quoted for it.

use std::{
    ops::Deref,
    sync::{MutexGuard, PoisonError},
};

use rusqlite::Connection;

use super::Source;

/// A connection of the pool, for one thread; it goes back when this is dropped.
#[derive(Debug)]
pub struct ReaderGuard<'a> {
    source: &'a Source,
    position: usize,
    connection: MutexGuard<'a, Connection>,
}

impl<'a> ReaderGuard<'a> {
    /// Waits until a reader is idle, and takes it.
    pub(super) fn borrow(source: &'a Source) -> ReaderGuard<'a> {
        let mut idle = source.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((position, reader)) = idle.pop().and_then(|at| Some((at, source.readers.get(at)?))) {
                drop(idle);
                let connection = reader.lock().unwrap_or_else(PoisonError::into_inner);
                return ReaderGuard { source, position, connection };
            }
            idle = source.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Deref for ReaderGuard<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for ReaderGuard<'_> {
    fn drop(&mut self) {
        self.source.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.position);
        self.source.returned.notify_one();
    }
}
