//! Whether a type holds a column's values without loss: asked of the evidence, not of the rows again.

use super::{Audit, ColumnAudit, CounterExample, Misfits, Probe, StorageClasses, TableAudit};
use crate::{
    mapping::EpochUnit,
    schema::{EnumType, PgType},
    value::{self, Misfit, Reading, StorageClass},
};

use rusqlite::types::ValueRef;

impl Audit {
    /// The table of that name, as SQLite compares names: any case of ASCII.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableAudit> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl TableAudit {
    /// The column of that name, as SQLite compares names: any case of ASCII.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnAudit> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

impl ColumnAudit {
    /// Says whether a type holds every value, each read as the type itself reads it ([`Reading::Plain`]).
    ///
    /// A rule of the mapping only guesses, so it makes numbers of numbers alone: with `demanded` false a text does not fit
    /// the integers and `numeric`, even where it reads as one. A column without values fits everything.
    ///
    /// # Errors
    /// [`Misfits`] with at least one row that the type cannot hold. Their number is a lower bound.
    pub fn fits(&self, pg_type: &PgType, demanded: bool) -> Result<(), Misfits> {
        match pg_type {
            PgType::Bytea => Ok(()),
            PgType::Boolean => self.passes(Probe::Boolean),
            PgType::SmallInt | PgType::Integer | PgType::BigInt => {
                self.texts_are_demanded(pg_type, demanded)?;
                self.passes(Probe::BigInt)?;
                self.within_integer(*pg_type)
            }
            PgType::Numeric(modifiers) => {
                self.texts_are_demanded(pg_type, demanded)?;
                self.passes(Probe::Numeric)?;
                modifiers.map_or(Ok(()), |(precision, scale)| self.within_numeric(precision, scale))
            }
            PgType::DoublePrecision => self.passes(Probe::DoublePrecision),
            PgType::Text => self.passes(Probe::Text),
            PgType::Varchar(limit) => {
                self.passes(Probe::Text)?;
                self.within_varchar(*limit)
            }
            PgType::Jsonb => self.passes(Probe::Jsonb),
            PgType::Date => self.passes(Probe::Date),
            PgType::Time => self.passes(Probe::Time),
            PgType::Timestamp => self.passes(Probe::Timestamp),
            PgType::Timestamptz => self.passes(Probe::Timestamptz),
            PgType::Uuid => self.passes(Probe::Uuid),
            PgType::Enum(of) => self.within_labels(*of),
        }
    }

    /// Says whether a type holds every value under a reading, as [`value::read`] would find.
    ///
    /// Under [`Reading::AssumeZone`] local times that the zone skips or shows twice are not looked for: the scan does not know
    /// the zone. (UTC has none.)
    ///
    /// # Errors
    /// As for [`ColumnAudit::fits`].
    pub fn fits_reading(&self, pg_type: &PgType, reading: &Reading, demanded: bool) -> Result<(), Misfits> {
        let unit = match reading {
            Reading::EpochSeconds => EpochUnit::Seconds,
            Reading::EpochMilliseconds => EpochUnit::Milliseconds,
            Reading::EpochMicroseconds => EpochUnit::Microseconds,
            Reading::AssumeZone(_) if *pg_type == PgType::Timestamptz => {
                return self.passes(Probe::TimestamptzAssumed);
            }
            Reading::Plain | Reading::AssumeZone(_) => return self.fits(pg_type, demanded),
        };
        match pg_type {
            PgType::Date | PgType::Timestamp | PgType::Timestamptz => self.fits_epoch(unit, pg_type),
            _ => self.fits(pg_type, demanded),
        }
    }

    /// Says whether every value is a number that counts `unit`s since 1970, within what `date`, `timestamp` or `timestamptz`
    /// holds.
    ///
    /// # Errors
    /// As for [`ColumnAudit::fits`].
    pub fn fits_epoch(&self, unit: EpochUnit, pg_type: &PgType) -> Result<(), Misfits> {
        let (reading, position, behind) = match unit {
            EpochUnit::Seconds => (Reading::EpochSeconds, 0, 6),
            EpochUnit::Milliseconds => (Reading::EpochMilliseconds, 1, 3),
            EpochUnit::Microseconds => (Reading::EpochMicroseconds, 2, 0),
        };
        if let Some(first) = self.evidence.texts.first() {
            let misfit = Misfit::StorageClass { class: StorageClass::Text, pg_type: *pg_type };
            return Err(one(first, self.storage.text, misfit.to_string()));
        }
        // Blobs and negative zeros fit no number.
        self.passes(Probe::Numeric)?;
        let integers =
            self.integer_range.into_iter().flat_map(|(low, high)| [low, high].map(ValueRef::Integer));
        let reals = self.real_range.into_iter().flat_map(|(low, high)| [low, high].map(ValueRef::Real));
        let keys = self.evidence.integer_keys.iter().chain(&self.evidence.real_keys).flatten();
        // A date is a whole day, which only its own evidence knows of all rows; here it is the range that counts.
        for (cell, key) in integers.chain(reals).zip(keys) {
            value::check(cell, &PgType::Timestamp, &reading)
                .map_err(|misfit| one(key, 1, misfit.to_string()))?;
        }
        if let Some([_, (digits, key)]) = &self.evidence.numeric_digits
            && *digits > behind
        {
            return Err(one(key, 1, Misfit::FinerThanMicrosecond.to_string()));
        }
        match self.evidence.not_midnight.get(position) {
            Some(Some(key)) if *pg_type == PgType::Date => Err(one(key, 1, Misfit::NotMidnight.to_string())),
            _ => Ok(()),
        }
    }

    /// Whether no value was refused by a probe.
    fn passes(&self, probe: Probe) -> Result<(), Misfits> {
        match self.evidence.misfits.get(&probe) {
            Some(misfits) if misfits.rows > 0 => Err(misfits.clone()),
            _ => Ok(()),
        }
    }

    fn texts_are_demanded(&self, pg_type: &PgType, demanded: bool) -> Result<(), Misfits> {
        if demanded || self.evidence.texts.is_empty() {
            return Ok(());
        }
        let reason = format!("a text becomes {pg_type} only where the mapping demands it");
        let examples = self.evidence.texts.iter();
        Err(Misfits {
            rows: self.storage.text,
            examples: examples
                .map(|key| CounterExample { key: key.clone(), reason: reason.clone() })
                .collect(),
        })
    }

    fn within_integer(&self, pg_type: PgType) -> Result<(), Misfits> {
        for (integer, key) in self.evidence.bigint_range.iter().flatten() {
            value::check(ValueRef::Integer(*integer), &pg_type, &Reading::Plain)
                .map_err(|misfit| one(key, 1, misfit.to_string()))?;
        }
        Ok(())
    }

    fn within_numeric(&self, precision: u16, scale: u16) -> Result<(), Misfits> {
        let pg_type = PgType::Numeric(Some((precision, scale)));
        if let Some(key) = self.evidence.infinities.first() {
            return Err(one(key, 1, Misfit::Infinite { pg_type }.to_string()));
        }
        let Some([(integer, integer_key), (fraction, fraction_key)]) = &self.evidence.numeric_digits else {
            return Ok(());
        };
        if *integer > u32::from(precision.saturating_sub(scale)) {
            let reason = format!("the number has {integer} digits before the point, too many for {pg_type}");
            return Err(one(integer_key, 1, reason));
        }
        if *fraction > u32::from(scale) {
            let reason = format!("the number has {fraction} digits behind the point, too many for {pg_type}");
            return Err(one(fraction_key, 1, reason));
        }
        Ok(())
    }

    /// A type that the scan was not asked about holds nothing but NULL: what is not proven is not written.
    fn within_labels(&self, of: EnumType) -> Result<(), Misfits> {
        let StorageClasses { integer, real, text, blob, .. } = self.storage;
        match self.evidence.labels.get(&of) {
            Some(misfits) if misfits.rows > 0 => Err(misfits.clone()),
            None if integer + real + text + blob > 0 => {
                Err(one("every row", integer + real + text + blob, format!("was not tried as {of}")))
            }
            _ => Ok(()),
        }
    }

    fn within_varchar(&self, limit: u32) -> Result<(), Misfits> {
        match &self.evidence.longest_text {
            Some((characters, key)) if *characters > u64::from(limit) => {
                let reason = format!("the text has {characters} characters, more than {limit}");
                Err(one(key, 1, reason))
            }
            _ => Ok(()),
        }
    }
}

/// Misfits with one example.
fn one(key: &str, rows: u64, reason: String) -> Misfits {
    Misfits { rows, examples: vec![CounterExample { key: key.to_owned(), reason }] }
}
