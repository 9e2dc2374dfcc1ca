//! Which PostgreSQL type a column becomes, and why: a demand is tested, a rule's ladder is climbed.

use super::glob;
use crate::{
    audit::{Affinity, ColumnAudit, EXAMPLES, Misfits, Probe, TableAudit},
    mapping::{ColumnEntry, EpochUnit, Mapping, Mistake, OnInvalid, Placed, Rule, Rung, TableEntry},
    schema::{Finding, Grounds, PgType, Refusal, Severity},
    value::Reading,
};

/// A column's settled type.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) pg_type: PgType,
    pub(super) reading: Reading,
    pub(super) on_invalid: OnInvalid,
    /// Whether the mapping named the type; if not, it may still climb.
    pub(super) demanded: bool,
    pub(super) grounds: Grounds,
}

/// Types in which two different texts may be one value: no default rung for a column of a key.
const NOT_ONE_TO_ONE: [PgType; 6] =
    [PgType::Boolean, PgType::Jsonb, PgType::Time, PgType::Timestamp, PgType::Timestamptz, PgType::Uuid];

/// Settles one column's type.
pub(super) fn settle(
    mapping: &Mapping,
    table: &TableAudit,
    column: &ColumnAudit,
    (table_entry, entry): (Option<&TableEntry>, Option<&ColumnEntry>),
    in_key: bool,
    findings: &mut Vec<Finding>,
    mistakes: &mut Vec<Mistake>,
) -> Settled {
    let climbed = climb(mapping, table, column, in_key);
    let Some((entry, demanded)) = entry.and_then(|e| e.pg_type.as_ref().map(|t| (e, t))) else {
        return climbed;
    };
    let of_table = table_entry.and_then(|entry| entry.on_invalid.as_ref());
    let on_invalid = entry.on_invalid.as_ref().or(of_table).map_or(OnInvalid::Fail, |placed| placed.value);
    let reading = reading_of(mapping, entry, demanded, mistakes);
    let grounds = Grounds::new(format!("the mapping, line {}", demanded.place.line));
    let mut settled = Settled { pg_type: demanded.value, reading, on_invalid, demanded: true, grounds };
    let Err(misfits) = fits(column, &settled) else {
        return settled;
    };
    settled.grounds.counter_example = refusal(demanded.value, &misfits);
    let finding = |severity, outcome: &str| Finding {
        severity,
        code: "type-does-not-fit",
        message: format!(
            "{}.{} cannot be {} in {}: {}. {outcome}",
            table.name,
            column.name,
            demanded.value,
            counted(column, &settled, &misfits),
            examples(&misfits),
        ),
    };
    match on_invalid {
        OnInvalid::Fail => {
            findings.push(finding(
                Severity::Blocker,
                "Correct the rows, or say `on_invalid: set_null`, `reject` or `text` for this column",
            ));
            settled
        }
        OnInvalid::SetNull => {
            findings.push(finding(Severity::Warning, "They become NULL, as the mapping says"));
            settled
        }
        OnInvalid::Reject => {
            findings.push(finding(
                Severity::Warning,
                "Such rows go to the rejects as they are, as the mapping says, and not into the target",
            ));
            settled
        }
        OnInvalid::Text => {
            findings.push(finding(Severity::Warning, "The column becomes text, as the mapping says"));
            let pg_type = [PgType::Text, PgType::Bytea]
                .into_iter()
                .find(|pg_type| column.fits(pg_type, false).is_ok())
                .unwrap_or(PgType::Bytea);
            settled.grounds.rule += ", `on_invalid: text`";
            Settled { pg_type, reading: Reading::Plain, on_invalid: OnInvalid::Fail, ..settled }
        }
    }
}

/// How the mapping wants a cell to be read.
fn reading_of(
    mapping: &Mapping,
    entry: &ColumnEntry,
    demanded: &Placed<PgType>,
    mistakes: &mut Vec<Mistake>,
) -> Reading {
    let moment = matches!(demanded.value, PgType::Timestamp | PgType::Timestamptz);
    if let Some(unit) = &entry.from {
        if !moment {
            mistakes.push(Mistake::at(
                &unit.place,
                &format!("`from` does not go with {}", demanded.value),
                Some("it is for timestamptz and timestamp"),
            ));
            return Reading::Plain;
        }
        return match unit.value {
            EpochUnit::Seconds => Reading::EpochSeconds,
            EpochUnit::Milliseconds => Reading::EpochMilliseconds,
            EpochUnit::Microseconds => Reading::EpochMicroseconds,
        };
    }
    match (&mapping.assume_zone, demanded.value) {
        (Some(zone), PgType::Timestamptz) => Reading::AssumeZone(zone.clone()),
        _ => Reading::Plain,
    }
}

fn fits(column: &ColumnAudit, settled: &Settled) -> Result<(), Misfits> {
    column.fits_reading(&settled.pg_type, &settled.reading, true)
}

/// Climbs the ladder of the first rule that is for this column. Ends at `bytea`, which holds everything.
fn climb(mapping: &Mapping, table: &TableAudit, column: &ColumnAudit, in_key: bool) -> Settled {
    let settled = |pg_type, grounds| Settled {
        pg_type,
        reading: Reading::Plain,
        on_invalid: OnInvalid::Fail,
        demanded: false,
        grounds,
    };
    if table.rowid_alias.as_deref() == Some(&column.name) {
        return settled(PgType::BigInt, Grounds::new("it is the rowid".to_owned()));
    }
    let Some(rule) = mapping.rules.iter().find(|rule| is_for(rule, column)) else {
        return settled(PgType::Bytea, Grounds::new("no rule is for it".to_owned()));
    };
    let mut grounds = Grounds::new(describe(rule));
    for rung in &rule.to {
        let Some(pg_type) = type_of(*rung, &column.declared_type) else { continue };
        if in_key && NOT_ONE_TO_ONE.contains(&pg_type) {
            pass(&mut grounds, format!("{pg_type} could make two keys equal"), None);
            continue;
        }
        match column.fits(&pg_type, false) {
            Ok(()) => return settled(pg_type, grounds),
            Err(misfits) => {
                let refusal = refusal(pg_type, &misfits);
                let unnamed = || format!("{pg_type} does not hold every value");
                let remark = refusal.as_ref().map_or_else(unnamed, Refusal::to_string);
                pass(&mut grounds, remark, refusal);
            }
        }
    }
    grounds.remarks.push("no rung holds every value".to_owned());
    settled(PgType::Bytea, grounds)
}

/// Notes why a rung is not taken. The first one says it: those after it are no better.
fn pass(grounds: &mut Grounds, remark: String, counter_example: Option<Refusal>) {
    if grounds.remarks.is_empty() {
        grounds.remarks.push(remark);
        grounds.counter_example = counter_example;
    }
}

/// The first row that a type does not hold.
fn refusal(pg_type: PgType, misfits: &Misfits) -> Option<Refusal> {
    let example = misfits.examples.first()?;
    Some(Refusal { pg_type, key: example.key.clone(), reason: example.reason.clone() })
}

fn is_for(rule: &Rule, column: &ColumnAudit) -> bool {
    rule.declared.as_ref().is_none_or(|pattern| glob::matches(pattern, &column.declared_type))
        && rule.column.as_ref().is_none_or(|pattern| glob::matches(pattern, &column.name))
        && rule.affinity.is_none_or(|affinity| affinity == column.affinity)
}

/// The type that a rung stands for; `None`: the declared type lacks what the rung needs.
fn type_of(rung: Rung, declared_type: &str) -> Option<PgType> {
    match rung {
        Rung::Type(pg_type) => Some(pg_type),
        Rung::NumericAsDeclared => {
            let (_, inside) = declared_type.split_once('(')?;
            PgType::parse(&format!("numeric({}", inside))
                .ok()
                .filter(|t| matches!(t, PgType::Numeric(Some(_))))
        }
    }
}

fn describe(rule: &Rule) -> String {
    let conditions: Vec<String> = [
        rule.declared.as_ref().map(|pattern| format!("declared `{pattern}`")),
        rule.column.as_ref().map(|pattern| format!("column `{pattern}`")),
        rule.affinity.map(|affinity| format!("affinity {}", affinity.name())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let of = if rule.place.file.is_empty() { "built-in rule" } else { "rule" };
    format!("{of}: {}", if conditions.is_empty() { "any".to_owned() } else { conditions.join(", ") })
}

impl Affinity {
    /// SQLite's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Affinity::Integer => "INTEGER",
            Affinity::Text => "TEXT",
            Affinity::Blob => "BLOB",
            Affinity::Real => "REAL",
            Affinity::Numeric => "NUMERIC",
        }
    }
}

/// Whether a foreign key may join columns of these types (PostgreSQL must be able to compare them).
pub(super) fn joinable(child: PgType, parent: PgType) -> bool {
    let class = |pg_type| match pg_type {
        PgType::SmallInt
        | PgType::Integer
        | PgType::BigInt
        | PgType::Numeric(_)
        | PgType::DoublePrecision => 1,
        PgType::Text | PgType::Varchar(_) => 2,
        PgType::Boolean => 3,
        PgType::Bytea => 4,
        PgType::Jsonb => 5,
        PgType::Date | PgType::Timestamp | PgType::Timestamptz => 6,
        PgType::Time => 7,
        PgType::Uuid => 8,
        PgType::Enum(_) => 9,
    };
    // PostgreSQL widens integers to numeric, and numeric to double precision, by itself, and never the other way.
    let width = |pg_type| match pg_type {
        PgType::DoublePrecision => 2,
        PgType::Numeric(_) => 1,
        _ => 0,
    };
    let enums_agree = child == parent || !matches!(child, PgType::Enum(_));
    class(child) == class(parent) && width(child) <= width(parent) && enums_agree
}

/// Types in which columns joined by a foreign key can meet, narrowest first.
pub(super) const MEETING: [PgType; 5] =
    [PgType::BigInt, PgType::DoublePrecision, PgType::Numeric(None), PgType::Text, PgType::Bytea];

pub(super) fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// How many rows do not fit; at least how many, where the audit has not counted to the end.
fn counted(column: &ColumnAudit, settled: &Settled, misfits: &Misfits) -> String {
    let few = misfits.rows <= EXAMPLES as u64;
    let all = match (settled.pg_type, &settled.reading) {
        (_, Reading::EpochSeconds | Reading::EpochMilliseconds | Reading::EpochMicroseconds) => false,
        (PgType::Text | PgType::Jsonb | PgType::Date | PgType::Bytea, _) => true,
        // Local times that a zone skips are not looked for.
        (PgType::Timestamptz, Reading::AssumeZone(zone)) => few && zone == "UTC",
        // One row that is out of range speaks for all of them.
        (PgType::Varchar(_) | PgType::Numeric(Some(_)), _) => false,
        (PgType::SmallInt | PgType::Integer, _) => {
            let (low, high) = match settled.pg_type {
                PgType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
                _ => (i64::from(i32::MIN), i64::from(i32::MAX)),
            };
            let within = column.evidence.bigint_range.as_ref();
            few && column.evidence.misfits.get(&Probe::BigInt) == Some(misfits)
                && within.is_none_or(|[(least, _), (most, _)]| low <= *least && *most <= high)
        }
        _ => few,
    };
    if all { rows(misfits.rows) } else { format!("at least {}", rows(misfits.rows)) }
}

/// The first offending rows, by key and reason.
pub(super) fn examples(misfits: &Misfits) -> String {
    let mut listed: Vec<String> =
        misfits.examples.iter().map(|example| format!("{} {}", example.key, example.reason)).collect();
    let more = misfits.rows.saturating_sub(listed.len() as u64);
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    listed.join("; ")
}
