//! The columns whose values are changed at random, and the ways in which a value of each type can go wrong.
//!
//! `{c}` is the column, `{n}` a number from 1 to 6.

/// A column, and how its text is read so that equal values read alike.
pub struct Column {
    pub table: &'static str,
    pub name: &'static str,
    pub changes: &'static [&'static str],
    pub text: &'static str,
}

const TEXT: &[&str] = &[
    "{c} || ' '",
    "' ' || {c}",
    "{c} || chr(8203)",
    "overlay({c} PLACING chr({n} + 96) FROM {n} FOR 1)",
    "overlay({c} PLACING '' FROM {n} FOR 1)",
    "upper({c})",
    "lower({c})",
    "initcap({c})",
    "normalize({c}, NFD)",
    "normalize({c}, NFC)",
    "reverse({c})",
    "left({c}, -1)",
    "btrim({c})",
    "translate({c}, 'aeiou', 'eioua')",
    "replace({c}, chr(10), chr(13) || chr(10))",
    "convert_from(convert_to({c}, 'UTF8'), 'LATIN1')",
    "nullif({c}, {c})",
    "coalesce({c}, '')",
    "''",
];
const INTEGER: &[&str] =
    &["{c} + {n}", "{c} - 1", "-{c}", "{c} # 1", "{c} / 10", "0", "nullif({c}, {c})", "coalesce({c}, 0)"];
const NUMERIC: &[&str] = &[
    "{c} + 0.00000001",
    "{c} - 0.001",
    "{c} * 10",
    "-{c}",
    "round({c}, {n} % 3)",
    "trunc({c}, 1)",
    "'NaN'",
    "0",
    "NULL",
];
const DOUBLE: &[&str] = &[
    "-{c}",
    "'-0'::float8",
    "{c} * (1 + 2.3e-16::float8)",
    "{c} * (1 - 1.2e-16::float8)",
    "{c}::real",
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "{c} + 5e-324",
    "0",
    "NULL",
    "coalesce({c}, 0)",
    "round({c})",
];
const BYTES: &[&str] = &[
    "set_byte({c}, {n} % length({c}), get_byte({c}, {n} % length({c})) # {n})",
    r"{c} || '\x00'",
    r"'\x00' || {c}",
    "substring({c} FROM 2)",
    r"decode(encode({c}, 'escape'), 'escape') || '\x0a'",
    r"coalesce({c}, '\x')",
    "NULL",
    r"'\x'",
];
const JSON: &[&str] = &[
    "to_jsonb({c}::text)",
    "jsonb_build_array({c})",
    r#"{c} || '{"more": null}'"#,
    "{c} - 'id'",
    "{c} - 0",
    "jsonb_set({c}, '{deep,a,{n}}', '{n}')",
    "jsonb_set({c}, '{deep,b}', 'false')",
    "jsonb_set({c}, '{id}', to_jsonb({n}))",
    "jsonb_strip_nulls({c})",
    "replace({c}::text, '.10', '.1')::jsonb",
    "replace({c}::text, '.10', '.11')::jsonb",
    r#"replace({c}::text, '"z"', '"Z"')::jsonb"#,
    "replace({c}::text, 'é', 'e')::jsonb",
    "replace({c}::text, 'true', '1')::jsonb",
    "regexp_replace({c}::text, '[0-9]', '{n}')::jsonb",
    "'null'",
    "'{}'",
    "NULL",
    "coalesce({c}, 'null')",
];
const DATE: &[&str] =
    &["{c} + {n}", "{c} - 1", "'infinity'", "'-infinity'", "({c} + interval '1 month')::date", "NULL"];
const TIME: &[&str] = &[
    "{c} + interval '1 microsecond'",
    "{c} + interval '12 hours'",
    "date_trunc('second', {c})::time",
    "'24:00'",
    "NULL",
];
const TIMESTAMP: &[&str] = &[
    "{c} + interval '1 microsecond'",
    "{c} - interval '{n} hours'",
    "date_trunc('second', {c})",
    "date_trunc('day', {c})",
    "'infinity'",
    "NULL",
];
const TIMESTAMPTZ: &[&str] = &[
    "({c} AT TIME ZONE 'UTC') AT TIME ZONE 'Europe/Berlin'",
    "({c} AT TIME ZONE 'Asia/Kolkata') AT TIME ZONE 'UTC'",
    "{c} - interval '1 microsecond'",
    "{c} + interval '{n} hours'",
    "'-infinity'",
    "coalesce({c}, 'epoch')",
    "NULL",
];
const UUID: &[&str] = &[
    "overlay({c}::text PLACING '{n}' FROM {n} FOR 1)::uuid",
    "reverse(translate({c}::text, '-', ''))::uuid",
    "'00000000-0000-0000-0000-000000000000'",
    "NULL",
];
const BOOLEAN: &[&str] = &["NOT {c}", "NULL", "coalesce({c}, false)"];

const fn column(table: &'static str, name: &'static str, changes: &'static [&'static str]) -> Column {
    Column { table, name, changes, text: "{c}::text" }
}

pub const COLUMNS: &[Column] = &[
    column("albums", "title", TEXT),
    column("kinds", "flag", BOOLEAN),
    column("kinds", "small", INTEGER),
    column("kinds", "medium", INTEGER),
    column("kinds", "large", INTEGER),
    // 1.0 is 1.00.
    Column { text: "trim_scale({c})::text", ..column("kinds", "exact", NUMERIC) },
    Column { text: "trim_scale({c})::text", ..column("kinds", "money", NUMERIC) },
    column("kinds", "approximate", DOUBLE),
    column("kinds", "words", TEXT),
    column("kinds", "code", TEXT),
    column("kinds", "bytes", BYTES),
    column("kinds", "payload", JSON),
    column("kinds", "day", DATE),
    column("kinds", "clock", TIME),
    column("kinds", "local_time", TIMESTAMP),
    column("kinds", "moment", TIMESTAMPTZ),
    column("kinds", "uuid", UUID),
    column("kinds", "album_id", INTEGER),
    column("charts", "rank", INTEGER),
    column("charts", "note", TEXT),
];
