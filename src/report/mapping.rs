//! The mapping for people and for programs: what it holds, and what each column becomes by it.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use super::{
    audit::{ranges, storage},
    plan::finding_line,
    text::{Grid, Paint, counted, rows},
};
use crate::{
    audit::{Audit, ColumnAudit, StorageClasses},
    mapping::{Mapping, MappingError, Mistake},
    schema::{Column, ColumnCopy, Desired, Finding, Partitioning, PgType, Refusal, Severity, TableCopy},
};

/// What checking a mapping came to.
#[derive(Debug, Clone, Serialize)]
pub struct MappingReport {
    /// The file; `None`: the built-in rules alone, or a text without a name.
    mapping: Option<String>,
    /// What it holds; `None` where it has mistakes.
    holds: Option<Holds>,
    /// The SQLite file that it was checked against.
    source: Option<String>,
    /// All that is wrong with it.
    mistakes: Vec<Mistake>,
    /// What the source's rows say against it, the gravest first.
    findings: Vec<Finding>,
}

/// What is in a mapping.
#[derive(Debug, Clone, Serialize)]
struct Holds {
    /// The enumerated types, in the order of the file.
    enums: Vec<String>,
    /// The tables, in the order of the file.
    tables: Vec<String>,
    /// How many rules of its own.
    rules: usize,
    /// How many rules come behind them.
    built_in_rules: usize,
}

impl MappingReport {
    /// Of a mapping without mistakes.
    #[must_use]
    pub fn new(mapping: &Mapping, source: Option<&Path>, findings: Vec<Finding>) -> MappingReport {
        let built_in_rules = mapping.rules.iter().filter(|rule| rule.place.file.is_empty()).count();
        MappingReport {
            mapping: name(mapping),
            holds: Some(Holds {
                enums: mapping.enums.iter().map(|of| of.value.name().to_owned()).collect(),
                tables: mapping.tables.iter().map(|table| table.name.value.clone()).collect(),
                rules: mapping.rules.len() - built_in_rules,
                built_in_rules,
            }),
            source: source.map(|path| path.display().to_string()),
            mistakes: Vec::new(),
            findings,
        }
    }

    /// Of a mapping with mistakes.
    #[must_use]
    pub fn of_mistakes(error: &MappingError, source: Option<&Path>) -> MappingReport {
        let mistakes = error.mistakes().to_vec();
        let file = mistakes.iter().map(|mistake| &mistake.place.file).find(|file| !file.is_empty());
        MappingReport {
            mapping: file.cloned(),
            holds: None,
            source: source.map(|path| path.display().to_string()),
            mistakes,
            findings: Vec::new(),
        }
    }

    /// How many findings forbid a plan.
    #[must_use]
    pub fn blockers(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Blocker).count()
    }
}

fn name(mapping: &Mapping) -> Option<String> {
    mapping.path.as_ref().map(|path| path.display().to_string())
}

/// Writes what the mapping holds, in a line, and what the source says against it.
///
/// # Errors
/// Whatever the writer says.
pub fn mapping_text(report: &MappingReport, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if let Some(holds) = &report.holds {
        let built_in = holds.built_in_rules;
        let (name, held) = match &report.mapping {
            Some(file) => {
                let (tables, rules) = (holds.tables.len() as u64, holds.rules as u64);
                let enums = holds.enums.len() as u64;
                let enums = (enums > 0).then(|| format!("{}, ", counted(enums, "enumerated type")));
                let tables = format!("{}{}", enums.unwrap_or_default(), counted(tables, "table"));
                (file.as_str(), format!("{tables}, {} over {built_in} built-in ones", counted(rules, "rule")))
            }
            None => ("The built-in rules alone", format!("{built_in} rules")),
        };
        let checked = report.source.as_ref().map(|source| format!(", checked against {source}"));
        writeln!(out, "{}: {held}{}; no mistakes", paint.bold(name), checked.unwrap_or_default())?;
    }
    for mistake in &report.mistakes {
        writeln!(out, "{mistake}")?;
    }
    for finding in &report.findings {
        writeln!(out, "  {}", finding_line(finding, paint))?;
    }
    match report.blockers() {
        0 => Ok(()),
        1 => writeln!(out, "{}", paint.red("1 blocker forbids a plan.")),
        blockers => writeln!(out, "{}", paint.red(&format!("{blockers} blockers forbid a plan."))),
    }
}

/// What each column becomes, and why.
#[derive(Debug, Clone, Serialize)]
pub struct TypesReport<'a> {
    /// The mapping's file; `None`: the built-in rules alone.
    mapping: Option<String>,
    /// The SQLite file.
    source: &'a str,
    tables: Vec<TableTypes<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct TableTypes<'a> {
    source: &'a str,
    target: &'a str,
    target_schema: &'a str,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitioning: Option<&'a Partitioning>,
    columns: Vec<ColumnType<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct ColumnType<'a> {
    /// `None`: the mapping adds it.
    source: Option<&'a str>,
    target: &'a str,
    #[serde(rename = "type")]
    pg_type: PgType,
    reason: String,
    /// The same as `reason`, in its parts.
    #[serde(skip)]
    rule: &'a str,
    #[serde(skip)]
    remarks: &'a [String],
    /// The first row that a better type, or the demanded one, does not hold.
    counter_example: Option<&'a Refusal>,
    evidence: Option<Evidence<'a>>,
}

/// What the audit found in a column, as far as it bears on the type.
#[derive(Debug, Clone, Serialize)]
struct Evidence<'a> {
    declared_type: &'a str,
    storage: StorageClasses,
    integer_range: Option<(i64, i64)>,
    real_range: Option<(f64, f64)>,
    longest_text_chars: Option<u64>,
    longest_bytes: Option<u64>,
    #[serde(skip)]
    in_words: [String; 2],
}

impl<'a> TypesReport<'a> {
    /// Of the tables that are asked for.
    #[must_use]
    pub fn new(
        mapping: &Mapping,
        audit: &'a Audit,
        desired: &'a Desired,
        asked_for: impl Fn(&TableCopy) -> bool,
    ) -> TypesReport<'a> {
        let both = desired.schema.tables.iter().zip(&desired.tables);
        let tables = both.filter(|(_, copy)| asked_for(copy)).map(|(table, copy)| TableTypes {
            source: &copy.source,
            target: &copy.target,
            target_schema: &desired.schema.name,
            rows: copy.rows,
            partitioning: table.partitioning.as_ref(),
            columns: table.columns.iter().map(|column| column_type(column, copy, audit)).collect(),
        });
        TypesReport { mapping: name(mapping), source: &audit.path, tables: tables.collect() }
    }
}

fn column_type<'a>(column: &'a Column, table: &'a TableCopy, audit: &'a Audit) -> ColumnType<'a> {
    match table.columns.iter().find(|copy| copy.target == column.name) {
        Some(ColumnCopy { source, target, pg_type, reason, grounds, .. }) => ColumnType {
            source: Some(source),
            target,
            pg_type: *pg_type,
            reason: reason.clone(),
            rule: &grounds.rule,
            remarks: &grounds.remarks,
            counter_example: grounds.counter_example.as_ref(),
            evidence: audit.table(&table.source).and_then(|table| table.column(source)).map(Evidence::of),
        },
        None => {
            let rule = if column.generated.is_some() { GENERATED } else { ADDED };
            ColumnType {
                source: None,
                target: &column.name,
                pg_type: column.pg_type,
                reason: rule.to_owned(),
                rule,
                remarks: &[],
                counter_example: None,
                evidence: None,
            }
        }
    }
}

const ADDED: &str = "added by the mapping";
const GENERATED: &str = "added by the mapping, generated from the row";

impl Evidence<'_> {
    fn of(column: &ColumnAudit) -> Evidence<'_> {
        Evidence {
            declared_type: &column.declared_type,
            storage: column.storage,
            integer_range: column.integer_range,
            real_range: column.real_range,
            longest_text_chars: column.longest_text_chars,
            longest_bytes: column.longest_bytes,
            in_words: [storage(column), ranges(column)],
        }
    }
}

/// Writes what each column becomes, a table at a time: its type, the rule that gave it, and what its values say.
///
/// # Errors
/// Whatever the writer says.
pub fn types_text(report: &TypesReport<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mapping = report.mapping.as_deref().unwrap_or("the built-in rules alone");
    writeln!(out, "{} {mapping}, for {}", paint.bold("Mapping:"), report.source)?;
    for table in &report.tables {
        let name = renamed(Some(table.source), table.target);
        let partitioned = table.partitioning.map(|partitioning| {
            let partitions = partitioning.partitions(table.target).len() as u64;
            let every = partitioning.every.word();
            format!(", {} by each {every} of {}", counted(partitions, "partition"), partitioning.column)
        });
        let partitioned = partitioned.unwrap_or_default();
        writeln!(out, "\n{}: {}{partitioned}", paint.bold(&name), rows(table.rows))?;
        let mut grid = Grid::default();
        for column in &table.columns {
            let [classes, ranges] =
                column.evidence.as_ref().map(|found| found.in_words.clone()).unwrap_or_default();
            let name = renamed(column.source, column.target);
            grid.push([name, column.pg_type.to_string(), column.rule.to_owned(), classes, ranges]);
            for remark in column.remarks {
                grid.note(paint.dim(remark));
            }
            // A rule's remark is its counter-example; a demand has none: its outcome is a finding of the plan.
            if let (Some(refusal), []) = (column.counter_example, column.remarks) {
                grid.note(paint.yellow(&refusal.to_string()));
            }
        }
        grid.write("  ", out)?;
    }
    Ok(())
}

/// A name, and the other one where it has one in the target.
fn renamed(source: Option<&str>, target: &str) -> String {
    match source {
        Some(source) if source != target => format!("{source} to {target}"),
        _ => target.to_owned(),
    }
}
