//! The plan as Markdown, for a pull request's comment: what it comes to, the changes, their SQL, the rows, what was found.
//!
//! The target is not named: a comment is read by more people than a database's address is meant for. Names come from
//! two databases and may hold anything, so all of them are escaped (GitHub Flavored Markdown, "Tables" and "Backslash
//! escapes").

use std::io::{self, Write};

use super::{
    plan_sql::plan_sql,
    text::{count, counted, rows},
};
use crate::{
    plan::{CopyPlan, Plan, PlannedChange},
    schema::{Outcome, Severity},
};

/// Lines of a table that are shown: a comment holds 65,536 characters on GitHub.
const MOST_LINES: usize = 100;

/// Characters of SQL that are shown.
const MOST_SQL: usize = 30_000;

/// By which a workflow finds the comment that it has made before.
const MARK: &str = "<!-- mtm plan -->";

/// Writes the plan.
///
/// # Errors
/// Whatever the writer says.
pub fn plan_markdown(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{MARK}\n### {}\n", headline(plan))?;
    writeln!(out, "{} to schema {}", code(&plan.source), code(&plan.target_schema))?;
    if !plan.pending_versions.is_empty() {
        let names: Vec<String> = plan.pending_versions.iter().map(|name| code(name)).collect();
        writeln!(out, "\nPending versions: {}", names.join(", "))?;
    }
    changes(plan, out)?;
    copies(plan, out)?;
    findings(plan, out)
}

/// What the plan comes to, in a line.
fn headline(plan: &Plan) -> String {
    let blockers = plan.blockers().count();
    if blockers > 0 {
        return format!("mtm plan: forbidden by {}", counted(blockers as u64, "blocker"));
    }
    if plan.is_empty() {
        return "mtm plan: nothing to do".to_owned();
    }
    let changes = plan.changes.iter().filter(|planned| planned.change.defines()).count();
    let to_copy = plan.tables.iter().filter(|table| is_copied(table.copy));
    let to_copy: u64 = to_copy.map(|table| table.source_rows).sum();
    format!("mtm plan: {} of the schema, {} to copy", counted(changes as u64, "change"), rows(to_copy))
}

fn is_copied(copy: CopyPlan) -> bool {
    matches!(copy, CopyPlan::Copy | CopyPlan::Resume)
}

fn changes(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.changes.is_empty() && !plan.creates_schema {
        return Ok(());
    }
    writeln!(out, "\n#### Schema\n")?;
    let nothing = String::new;
    let schema = plan
        .creates_schema
        .then(|| ["+".to_owned(), code(&format!("schema {}", plan.target_schema)), nothing()]);
    let line = |planned: &PlannedChange| {
        let hazards: Vec<&str> = planned.hazards.iter().map(|hazard| hazard.slug()).collect();
        [planned.action.sign().to_owned(), code(&planned.summary), hazards.join(", ")]
    };
    table(["", "change", "hazards"], schema.into_iter().chain(plan.changes.iter().map(line)), out)?;
    let mut sql = Vec::new();
    plan_sql(plan, &mut sql)?;
    let sql = String::from_utf8_lossy(&sql);
    let shown: String = sql.chars().take(MOST_SQL).collect();
    let fence = fence(&shown, 3);
    writeln!(out, "\n<details><summary>SQL</summary>\n\n{fence}sql\n{}\n{fence}\n", shown.trim_end())?;
    if shown.len() < sql.len() {
        writeln!(out, "Cut off here: `mtm plan --format sql` shows the rest.\n")?;
    }
    writeln!(out, "</details>")
}

fn copies(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.tables.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n#### Rows\n")?;
    let lines = plan.tables.iter().map(|table| {
        let what = match table.copy {
            CopyPlan::Copy => "copy",
            CopyPlan::Resume => "copy the rest",
            CopyPlan::Done => "done",
            CopyPlan::Convert => "done; this plan converts them",
            CopyPlan::SourceChanged => {
                "**stop**: rows of an earlier state of the source, or of another mapping, are there"
            }
            CopyPlan::Occupied => "**stop**: other rows are there",
        };
        let name = if table.source == table.target {
            code(&table.source)
        } else {
            format!("{} to {}", code(&table.source), code(&table.target))
        };
        [
            name,
            count(table.source_rows),
            table.target_rows.map_or_else(|| "-".to_owned(), count),
            what.to_owned(),
        ]
    });
    table(["table", "rows in the source", "rows in the target", ""], lines, out)
}

fn findings(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let left_out = plan.fates.iter().filter_map(|fate| match &fate.outcome {
        Outcome::LeftOut(why) => {
            Some(format!("- **left out** {} {}: {}", fate.kind, code(&fate.name), prose(why)))
        }
        Outcome::Migrated(_) | Outcome::Translated(_) => None,
    });
    let found = plan.findings.iter().map(|finding| {
        let word = match finding.severity {
            Severity::Blocker => "blocker",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        format!("- **{word}** {}: {}", finding.code, prose(&finding.message))
    });
    let lines: Vec<String> = found.chain(left_out).collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n#### Findings\n")?;
    lines.iter().take(MOST_LINES).try_for_each(|line| writeln!(out, "{line}"))?;
    more(lines.len(), out)
}

/// A table with its head; the cells are Markdown already.
fn table<const N: usize>(
    head: [&str; N],
    lines: impl Iterator<Item = [String; N]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines: Vec<[String; N]> = lines.collect();
    writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(N))?;
    lines.iter().take(MOST_LINES).try_for_each(|cells| writeln!(out, "| {} |", cells.join(" | ")))?;
    more(lines.len(), out)
}

fn more(lines: usize, out: &mut dyn Write) -> io::Result<()> {
    match lines.saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => writeln!(out, "\n… and {} more", count(more as u64)),
    }
}

/// A name or a definition, as code. By tags, since a span in backticks cannot hold every name inside of a table; and people
/// are not called by a name that stands in code.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// A sentence. An at sign in it calls nobody.
fn prose(text: &str) -> String {
    escaped(text).replace('@', "@<!-- -->")
}

/// What means something in Markdown or HTML means itself.
fn escaped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut safe = String::with_capacity(text.len());
    for (at, letter) in letters.iter().enumerate() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // Inside of a word it is a letter.
            '_' if is_letter(at.checked_sub(1)) && is_letter(Some(at + 1)) => safe.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '$' => safe.extend(['\\', *letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(*letter),
        }
    }
    safe
}

/// Backticks, at least so many, and more than any run of them in the text.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_a_name_means_itself() {
        for (text, expected) in [
            ("table snapshot_date", "<code>table snapshot_date</code>"),
            ("a|b", r"<code>a\|b</code>"),
            (r"a\|b", r"<code>a\\\|b</code>"),
            ("`code`", r"<code>\`code\`</code>"),
            ("_x_ *y*", r"<code>\_x\_ \*y\*</code>"),
            ("</code><img>", "<code>&lt;/code&gt;&lt;img&gt;</code>"),
            ("two\nlines", "<code>two lines</code>"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(prose("ask @somebody"), "ask @<!-- -->somebody");
    }

    #[test]
    fn fence_is_longer_than_what_it_holds() {
        assert_eq!(fence("SELECT 1", 3), "```");
        assert_eq!(fence("CREATE TABLE \"````\"", 3), "`````");
    }
}
