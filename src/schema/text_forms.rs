//! The texts that a type's reader takes, as SQL conditions: what [`crate::value`] reads, and not the more that PostgreSQL's own
//! casts would read.
//!
//! In the conditions `$` stands for the text, as in [`super::Conversion`]; one within quotes ends a pattern. None of them fails
//! on any text, but for the one of `jsonb`, so that each may stand where PostgreSQL is still to be kept from casting one.

use super::PgType;
use crate::value::Reading;

/// A day of the Gregorian calendar, years 0001 to 9999; each month with its own days.
const DAY: &str = "(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)\
                   |02-(0[1-9]|1[0-9]|2[0-8]))\
                   |([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

/// A time of day, 00:00:00 to 23:59:59.999999.
const CLOCK: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?";

/// An offset from UTC, of less than 16 hours.
const OFFSET: &str = "(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)";

/// The instants of the years 0001 to 9999.
const INSTANTS: (&str, &str) =
    ("timestamptz '0001-01-01 00:00:00+00'", "timestamptz '10000-01-01 00:00:00+00'");

/// The condition under which a text reads as a value of a type; `None`: every text does.
#[must_use]
pub(super) fn reads_as(to: PgType, reading: &Reading) -> Option<String> {
    Some(match to {
        PgType::Boolean => matches_form("([tT]|[fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])"),
        PgType::SmallInt => integer("BETWEEN -32768 AND 32767"),
        PgType::Integer => integer("BETWEEN -2147483648 AND 2147483647"),
        PgType::BigInt => integer("BETWEEN -9223372036854775808 AND 9223372036854775807"),
        PgType::Numeric(modifiers) => numeric(modifiers),
        PgType::Uuid => matches_form("[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
        PgType::Date => matches_form(&format!("({DAY})")),
        PgType::Time => matches_form(CLOCK),
        PgType::Timestamp => matches_form(&format!("({DAY})[ T]{CLOCK}")),
        PgType::Timestamptz => timestamptz(reading),
        PgType::Jsonb => no_key_twice(),
        PgType::Varchar(length) => format!("char_length($) <= {length}"),
        PgType::Enum(of) => format!("$ IN ({})", of.literals()),
        PgType::Text | PgType::Bytea | PgType::DoublePrecision => return None,
    })
}

/// The whole text is of this form. (In PostgreSQL's patterns `$` is the text's end alone, and classes as `\d` are the locale's.)
fn matches_form(form: &str) -> String {
    format!("$ ~ '^{form}$'")
}

/// A condition that would fail on texts of another form.
fn of_form_and(form: &str, condition: &str) -> String {
    format!("CASE WHEN {} THEN {condition} ELSE false END", matches_form(form))
}

fn integer(range: &str) -> String {
    of_form_and("(0|-?[1-9][0-9]{0,18})", &format!("$::numeric {range}"))
}

/// Digits, perhaps with a point between them; no negative zero, since `numeric` has none.
fn numeric(modifiers: Option<(u16, u16)>) -> String {
    let form = "-?[0-9]+([.][0-9]+)?";
    let is_signed_zero = "$ ~ '^-0*([.]0*)?$'";
    match modifiers {
        None => format!("{} AND NOT {is_signed_zero}", matches_form(form)),
        Some((precision, scale)) => {
            let digits = precision.saturating_sub(scale);
            let fits = format!(
                "NOT {is_signed_zero} AND $::numeric = round($::numeric, {scale}) AND abs($::numeric) < 1e{digits}"
            );
            of_form_and(form, &fits)
        }
    }
}

fn timestamptz(reading: &Reading) -> String {
    let (first, end) = INSTANTS;
    let zoned = format!("({DAY})[ T]{CLOCK}{OFFSET}");
    let with_offset = format!("$::timestamptz >= {first} AND $::timestamptz < {end}");
    match reading {
        Reading::AssumeZone(zone) => {
            let local = format!("({DAY})[ T]{CLOCK}");
            format!(
                "CASE WHEN {} THEN {with_offset} WHEN {} THEN {} ELSE false END",
                matches_form(&zoned),
                matches_form(&local),
                comes_once("$::timestamp", zone)
            )
        }
        _ => of_form_and(&zoned, &with_offset),
    }
}

/// Whether a zone's clocks show a local time exactly once, in the years 0001 to 9999.
///
/// PostgreSQL takes the standard time of two, and shifts what is skipped (its manual, B.2). A time that comes twice is another
/// instant too, under the offset that is in force a day earlier or later.
pub(super) fn comes_once(local: &str, zone: &str) -> String {
    let (first, end) = INSTANTS;
    let zone_text = format!("'{}'", zone.replace('\'', "''"));
    let instant = format!("(({local}) AT TIME ZONE {zone_text})");
    let within = format!("{instant} >= {first} AND {instant} < {end}");
    if zone == "UTC" {
        return within;
    }
    let is_no_other = |sign: char| {
        let beside = format!("({instant} {sign} interval '24 hours')");
        let offset = format!("({beside} AT TIME ZONE {zone_text} - {beside} AT TIME ZONE 'UTC')");
        let other = format!("((({local}) - {offset}) AT TIME ZONE 'UTC')");
        format!("({other} = {instant} OR {other} AT TIME ZONE {zone_text} <> ({local}))")
    };
    format!(
        "{instant} AT TIME ZONE {zone_text} = ({local}) AND {} AND {} AND {within}",
        is_no_other('-'),
        is_no_other('+')
    )
}

/// A JSON text in which no object has a key twice, of which `jsonb` keeps only the last.
///
/// A dropped member takes at least two quotation marks with it, so that equal numbers of them say that none was dropped; those
/// that the text has as `\u0022` count too, where no other backslash stands before one. What remains is gone through object
/// by object.
fn no_key_twice() -> String {
    let marks = |text: &str| format!("octet_length({text}) - octet_length(replace({text}, '\"', ''))");
    format!(
        "CASE WHEN strpos($, '\\\\u0022') = 0 AND (SELECT {} FROM (SELECT replace($, '\\u0022', '\"') OFFSET 0) AS given (mtm_text)) \
         = (SELECT {} FROM (SELECT $::jsonb::text OFFSET 0) AS kept (mtm_text)) THEN true ELSE NOT EXISTS (WITH RECURSIVE \
         mtm_node (part) AS (SELECT $::json UNION ALL SELECT mtm_child.part FROM mtm_node, LATERAL (SELECT value FROM \
         json_each(CASE json_typeof(part) WHEN 'object' THEN part END) UNION ALL SELECT value FROM \
         json_array_elements(CASE json_typeof(part) WHEN 'array' THEN part END)) AS mtm_child (part)) SELECT FROM mtm_node \
         WHERE json_typeof(part) = 'object' AND (SELECT count(*) <> count(DISTINCT key COLLATE \"C\") FROM \
         json_object_keys(part) AS mtm_keys (key))) END",
        marks("mtm_text"),
        marks("mtm_text")
    )
}
