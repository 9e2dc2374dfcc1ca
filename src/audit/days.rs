//! How far the moments of a column reach, in whole days.

use rusqlite::types::ValueRef;

use super::{ColumnAudit, Probe};
use crate::{
    schema::PgType,
    value::{self, Reading, Value},
};

const DAY_MICROSECONDS: i64 = 86_400_000_000;

impl ColumnAudit {
    /// The first and the last day on which a value of the column lies, as this type under this reading, in days since
    /// 2000-01-01 (of a `timestamptz` in UTC); `None`: no value is one. In an assumed zone other than UTC it is a day more at
    /// either end.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn days(&self, pg_type: PgType, reading: &Reading) -> Result<Option<(i64, i64)>, String> {
        let epoch = matches!(
            reading,
            Reading::EpochSeconds | Reading::EpochMilliseconds | Reading::EpochMicroseconds
        );
        if epoch {
            return self.epoch_days(pg_type, reading);
        }
        let (probe, around) = match (pg_type, reading) {
            (PgType::Date, _) => {
                return Ok(self.evidence.moments.get(&Probe::Date).copied());
            }
            (PgType::Timestamp, _) => (Probe::Timestamp, 0),
            (_, Reading::AssumeZone(zone)) => (Probe::TimestamptzAssumed, i64::from(zone != "UTC")),
            _ => (Probe::Timestamptz, 0),
        };
        let moments = self.evidence.moments.get(&probe);
        let day = |microseconds: i64| microseconds.div_euclid(DAY_MICROSECONDS);
        Ok(moments.map(|(low, high)| (day(*low) - around, day(*high) + around)))
    }

    /// Numbers are in order as what they count is.
    fn epoch_days(&self, pg_type: PgType, reading: &Reading) -> Result<Option<(i64, i64)>, String> {
        let integers = self.integer_range.map(|(low, high)| [low, high].map(ValueRef::Integer));
        let reals = self.real_range.map(|(low, high)| [low, high].map(ValueRef::Real));
        let mut days: Option<(i64, i64)> = None;
        for cell in integers.into_iter().chain(reals).flatten() {
            let day = match value::read(cell, &pg_type, reading) {
                Ok(Value::Timestamp(at) | Value::Timestamptz(at)) => at.div_euclid(DAY_MICROSECONDS),
                Ok(Value::Date(day)) => i64::from(day),
                Ok(_) => continue,
                Err(misfit) => return Err(format!("of its lowest or highest number {misfit}")),
            };
            days = Some(days.map_or((day, day), |(low, high)| (low.min(day), high.max(day))));
        }
        Ok(days)
    }
}
