//! The application's two tables, as sea-orm has them.

pub(super) mod snapshot;
pub(super) mod track;
