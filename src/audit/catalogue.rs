//! What `sqlite_schema` and the pragmas tell, before any row is read.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    Affinity, ColumnAudit, ForeignKeyAudit, IndexAudit, IndexPartAudit, OtherObject, TableAudit,
    declarations, rows::TableRows,
};
use crate::{schema::ReferentialAction, source::quoted};

/// Lines of `PRAGMA quick_check` that are asked for.
const QUICK_CHECK_LINES: u32 = 5;

/// Everything in the file that has a name.
pub(super) struct Catalogue {
    pub(super) objects: Vec<Object>,
    pub(super) tables: Vec<Table>,
    pub(super) others: Vec<OtherObject>,
}

/// A row of `sqlite_schema`.
pub(super) struct Object {
    /// `table`, `index`, `view`, `trigger`.
    pub(super) kind: String,
    pub(super) name: String,
    table: String,
    pub(super) sql: Option<String>,
}

impl Object {
    /// Whether SQLite keeps the object for itself ("The Schema Table", 2.6).
    pub(super) fn is_internal(&self) -> bool {
        self.name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
    }
}

/// An ordinary table's declaration.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) without_rowid: bool,
    strict: bool,
    pub(super) rowid_alias: Option<String>,
    pub(super) rowid_name: Option<String>,
    pub(super) sequence: Option<i64>,
    pub(super) columns: Vec<Column>,
    pub(super) primary_key: Vec<String>,
    pub(super) indexes: Vec<IndexAudit>,
    pub(super) foreign_keys: Vec<ForeignKeyAudit>,
}

/// A column's declaration.
pub(super) struct Column {
    pub(super) name: String,
    declared_type: String,
    pub(super) affinity: Affinity,
    not_null: bool,
    default: Option<String>,
    generated: bool,
    /// Position in the primary key from 1; 0: not in it.
    key_position: i64,
}

/// A text cell, whatever its bytes; names need not be UTF-8 in a damaged file.
fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(real.to_string()),
    })
}

fn name(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    text(row, at).map(Option::unwrap_or_default)
}

/// The rows of a query, each through a function.
fn list<T>(
    reader: &Connection,
    sql: &str,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    reader.prepare(sql)?.query_map([], |row| each(row))?.collect()
}

/// Reads the schema.
pub(super) fn read(reader: &Connection) -> rusqlite::Result<Catalogue> {
    let objects =
        list(reader, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", |row| {
            Ok(Object { kind: name(row, 0)?, name: name(row, 1)?, table: name(row, 2)?, sql: text(row, 3)? })
        })?;
    // type: table, view, shadow, virtual; shadow tables are known as such where their module is built in.
    let listed: HashMap<String, (String, bool, bool)> = list(reader, "PRAGMA main.table_list", |row| {
        Ok((name(row, 1)?, (name(row, 2)?, row.get(4)?, row.get(5)?)))
    })?
    .into_iter()
    .collect();
    let sequences = sequences(reader, &objects)?;
    let virtual_names: Vec<&str> = objects
        .iter()
        .filter(|object| listed.get(&object.name).is_some_and(|(kind, ..)| kind == "virtual"))
        .map(|object| object.name.as_str())
        .collect();
    let mut tables = Vec::new();
    let mut others = Vec::new();
    for object in &objects {
        let (listed_kind, without_rowid, strict) =
            listed.get(&object.name).map_or(("", false, false), |(kind, wr, strict)| (kind, *wr, *strict));
        let mut other = |kind, belongs_to: Option<&str>| {
            others.push(OtherObject {
                kind,
                name: object.name.clone(),
                belongs_to: belongs_to.map(str::to_owned),
                sql: object.sql.clone(),
            });
        };
        match (object.kind.as_str(), listed_kind) {
            ("view", _) => other("view", None),
            ("trigger", _) => other("trigger", Some(&object.table)),
            ("table", _) if object.is_internal() => other("internal table", None),
            ("table", "virtual") => other("virtual table", None),
            ("table", "shadow") => other("shadow table", owner(&object.name, &virtual_names)),
            ("table", _) => {
                tables.push(table(reader, &objects, object, without_rowid, strict, &sequences)?);
            }
            // Indexes are told with their tables.
            _ => {}
        }
    }
    let implicit = implicit_parent_keys(&tables);
    for foreign_key in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        let parent = foreign_key.parent_table.to_lowercase();
        foreign_key.parent_exists = implicit.contains_key(&parent);
        if foreign_key.parent_columns.is_empty() {
            foreign_key.parent_columns = implicit.get(&parent).cloned().unwrap_or_default();
        }
    }
    Ok(Catalogue { objects, tables, others })
}

/// Each table's primary key, by the table's name in lower case: what a foreign key without columns refers to.
fn implicit_parent_keys(tables: &[Table]) -> HashMap<String, Vec<String>> {
    tables.iter().map(|table| (table.name.to_lowercase(), table.primary_key.clone())).collect()
}

/// The virtual table that a shadow table belongs to: its name goes before an underscore.
fn owner<'a>(shadow: &str, virtual_names: &[&'a str]) -> Option<&'a str> {
    virtual_names
        .iter()
        .filter(|name| shadow.strip_prefix(**name).is_some_and(|rest| rest.starts_with('_')))
        .max_by_key(|name| name.len())
        .copied()
}

/// The highest rowid ever used, of each table with AUTOINCREMENT that had rows ("SQLite Autoincrement", 3).
fn sequences(reader: &Connection, objects: &[Object]) -> rusqlite::Result<HashMap<String, i64>> {
    if !objects.iter().any(|object| object.name == "sqlite_sequence") {
        return Ok(HashMap::new());
    }
    let sql = "SELECT name, max(seq) FROM sqlite_sequence WHERE typeof(seq) = 'integer' GROUP BY name";
    Ok(list(reader, sql, |row| Ok((name(row, 0)?, row.get(1)?)))?.into_iter().collect())
}

fn table(
    reader: &Connection,
    objects: &[Object],
    object: &Object,
    without_rowid: bool,
    strict: bool,
    sequences: &HashMap<String, i64>,
) -> rusqlite::Result<Table> {
    let quoted_name = quoted(&object.name);
    let columns = list(reader, &format!("PRAGMA main.table_xinfo({quoted_name})"), |row| {
        let declared_type = name(row, 2)?;
        Ok(Column {
            name: name(row, 1)?,
            affinity: declarations::affinity(&declared_type, strict),
            declared_type,
            not_null: row.get(3)?,
            default: text(row, 4)?,
            key_position: row.get(5)?,
            // 2: virtual, 3: stored.
            generated: row.get::<_, i64>(6)? >= 2,
        })
    })?;
    let indexes = indexes(reader, objects, &quoted_name)?;
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.key_position > 0).collect();
    key.sort_by_key(|column| column.key_position);
    // INTEGER PRIMARY KEY is the rowid itself and needs no index; every other primary key has one ("ROWIDs and the
    // INTEGER PRIMARY KEY").
    let rowid_alias = match key.as_slice() {
        [only] if !without_rowid && !indexes.iter().any(|index| index.origin == "pk") => {
            Some(only.name.clone())
        }
        _ => None,
    };
    let taken = |word: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(word));
    let rowid_name = match &rowid_alias {
        Some(alias) => Some(alias.clone()),
        None if without_rowid => None,
        None => ["rowid", "_rowid_", "oid"].into_iter().find(|word| !taken(word)).map(str::to_owned),
    };
    Ok(Table {
        name: object.name.clone(),
        sql: object.sql.clone().unwrap_or_default(),
        without_rowid,
        strict,
        rowid_alias,
        rowid_name,
        sequence: sequences.get(&object.name).copied(),
        primary_key: key.iter().map(|column| column.name.clone()).collect(),
        foreign_keys: foreign_keys(reader, &quoted_name)?,
        indexes,
        columns,
    })
}

fn indexes(reader: &Connection, objects: &[Object], table: &str) -> rusqlite::Result<Vec<IndexAudit>> {
    let mut indexes = list(reader, &format!("PRAGMA main.index_list({table})"), |row| {
        Ok(IndexAudit {
            name: name(row, 1)?,
            unique: row.get(2)?,
            origin: name(row, 3)?,
            partial: row.get(4)?,
            parts: Vec::new(),
            sql: None,
        })
    })?;
    // The pragma lists the newest first.
    indexes.reverse();
    for index in &mut indexes {
        let sql = format!("PRAGMA main.index_xinfo({})", quoted(&index.name));
        let parts = list(reader, &sql, |row| {
            let part =
                IndexPartAudit { column: text(row, 2)?, descending: row.get(3)?, collation: name(row, 4)? };
            Ok((part, row.get::<_, bool>(5)?))
        })?;
        index.parts = parts.into_iter().filter(|(_, is_key)| *is_key).map(|(part, _)| part).collect();
        let object = objects.iter().find(|object| object.kind == "index" && object.name == index.name);
        index.sql = object.and_then(|object| object.sql.clone());
    }
    Ok(indexes)
}

/// The foreign keys as declared, in the order of their declaration; not yet checked.
fn foreign_keys(reader: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKeyAudit>> {
    let action = |words: &str| ReferentialAction::parse(words).unwrap_or(ReferentialAction::NoAction);
    let mut found: Vec<(i64, ForeignKeyAudit)> = Vec::new();
    list(reader, &format!("PRAGMA main.foreign_key_list({table})"), |row| {
        let number: i64 = row.get(0)?;
        if found.last().is_none_or(|(last, _)| *last != number) {
            let foreign_key = ForeignKeyAudit {
                columns: Vec::new(),
                parent_table: name(row, 2)?,
                parent_columns: Vec::new(),
                on_update: action(&name(row, 5)?),
                on_delete: action(&name(row, 6)?),
                parent_exists: false,
                orphans: None,
                unchecked: None,
            };
            found.push((number, foreign_key));
        }
        if let Some((_, foreign_key)) = found.last_mut() {
            foreign_key.columns.push(name(row, 3)?);
            foreign_key.parent_columns.extend(text(row, 4)?);
        }
        Ok(())
    })?;
    // The last one declared has number 0.
    found.reverse();
    Ok(found.into_iter().map(|(_, foreign_key)| foreign_key).collect())
}

/// What `PRAGMA quick_check` complains of; that it could not run is a complaint too.
pub(super) fn quick_check(reader: &Connection) -> Vec<String> {
    let sql = format!("PRAGMA main.quick_check({QUICK_CHECK_LINES})");
    match list(reader, &sql, |row| name(row, 0)) {
        Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
        Err(error) => vec![format!("quick_check could not run: {error}")],
    }
}

impl Table {
    /// Whether any foreign key or message can name a row by its rowid.
    pub(super) fn rowid(&self) -> Option<String> {
        self.rowid_name
            .as_ref()
            .map(|name| if self.rowid_alias.is_some() { quoted(name) } else { name.clone() })
    }

    /// Brings declaration and rows together.
    pub(super) fn into_audit(
        self,
        rows: TableRows,
        foreign_keys: Vec<ForeignKeyAudit>,
        unmet_checks: BTreeMap<String, String>,
    ) -> TableAudit {
        let columns = self
            .columns
            .into_iter()
            .zip(rows.columns)
            .map(|(column, found)| ColumnAudit {
                name: column.name,
                declared_type: column.declared_type,
                affinity: column.affinity,
                not_null: column.not_null,
                default: column.default,
                generated: column.generated,
                storage: found.storage,
                integer_range: found.integer_range,
                real_range: found.real_range,
                longest_text_chars: found.longest_text_chars,
                longest_bytes: found.longest_bytes,
                json_sample: found.json_sample,
                evidence: found.evidence,
            })
            .collect();
        TableAudit {
            autoincrement: declarations::has_keyword(&self.sql, "AUTOINCREMENT"),
            checks: declarations::checks(&self.sql),
            unmet_checks,
            name: self.name,
            sql: self.sql,
            without_rowid: self.without_rowid,
            strict: self.strict,
            rowid_alias: self.rowid_alias,
            rowid_name: self.rowid_name,
            sequence: self.sequence,
            rows: rows.rows,
            max_rowid: rows.max_rowid,
            chunk_starts: rows.chunk_starts,
            cell_bytes: rows.cell_bytes,
            columns,
            primary_key: self.primary_key,
            primary_key_nulls: rows.primary_key_nulls,
            indexes: self.indexes,
            foreign_keys,
        }
    }
}
