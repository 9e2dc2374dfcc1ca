//! Changes as SQL: the one module that writes DDL.
//!
//! sea-query writes what it can. It does not escape the quotes in names of indexes and constraints, so those are
//! doubled first (`escaped`); what it lacks is written by hand with quoted identifiers ([`quoted`]). Statements are
//! unqualified: the session's `search_path` says which schema they are for.

use sea_query::{
    Alias, ColumnDef, ConditionalStatement, Expr, ExprTrait, ForeignKey as ForeignKeyStatement,
    ForeignKeyAction, Index as IndexStatement, IndexColumn, IndexType, IntoIden, PostgresQueryBuilder, Query,
    Table as TableStatement,
};

use super::{
    Change, Check, Column, ForeignKey, Index, IndexKey, IndexPart, Key, ReferentialAction, Table, TableCopy,
};

/// An identifier in quotes (PostgreSQL's manual, 4.1.1; SQLite has the same).
pub use migration::quote_identifier as quoted;

/// A name as sea-query wants those that it does not escape itself.
fn escaped(name: &str) -> String {
    name.replace('"', "\"\"")
}

/// Identifiers in quotes, separated by commas.
fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// The statement that makes a change, without a semicolon: the shortest way to say it.
#[must_use]
pub fn statement(change: &Change) -> String {
    match change {
        Change::CreateTable(table) => create_table(table),
        Change::AddColumn { table, column } => TableStatement::alter()
            .table(Alias::new(table))
            .add_column(column_definition(column))
            .to_string(PostgresQueryBuilder),
        Change::AddCheck { table, check } => {
            add_constraint(table, &check.name, &format!("CHECK ({})", check.expression))
        }
        Change::AddKey { table, key } => add_key(table, key),
        Change::CreateIndex { table, index } => create_index(table, index),
        Change::AddForeignKey { table, foreign_key } => add_foreign_key(table, foreign_key),
        Change::ValidateForeignKey { table, name } => {
            format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", quoted(table), quoted(name))
        }
    }
}

/// A statement on its way into a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// When, among the statements of its section.
    pub phase: Phase,
    /// The SQL, without a semicolon.
    pub sql: String,
}

/// The order of statements in a version: what may run at the same time stands together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Relations, columns, checks.
    Define,
    /// Index builds; they hold up no other reader or builder of the same table.
    Build,
    /// Constraints over indexes that are built.
    Constrain,
    /// Foreign keys, not yet checked.
    Refer,
    /// Foreign keys checked.
    Validate,
}

impl Phase {
    /// Whether statements of this phase may run at the same time.
    #[must_use]
    pub fn is_parallel(self) -> bool {
        matches!(self, Phase::Build | Phase::Validate)
    }
}

/// The statements that make a change on a target with rows to index. A key is built as an index first, since an index build
/// shares its table with others, and `ADD PRIMARY KEY` does not (PostgreSQL's manual, "ALTER TABLE", `USING INDEX`).
#[must_use]
pub fn statements(change: &Change) -> Vec<Statement> {
    let phase = match change {
        Change::CreateTable(_) | Change::AddColumn { .. } | Change::AddCheck { .. } => Phase::Define,
        Change::CreateIndex { .. } => Phase::Build,
        Change::AddForeignKey { .. } => Phase::Refer,
        Change::ValidateForeignKey { .. } => Phase::Validate,
        Change::AddKey { table, key } => {
            let mut index = IndexStatement::create();
            index.unique().name(escaped(&key.name)).table(Alias::new(table));
            for column in &key.columns {
                index.col(Alias::new(column));
            }
            let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
            let constraint =
                add_constraint(table, &key.name, &format!("{kind} USING INDEX {}", quoted(&key.name)));
            return vec![
                Statement { phase: Phase::Build, sql: index.to_string(PostgresQueryBuilder) },
                Statement { phase: Phase::Constrain, sql: constraint },
            ];
        }
    };
    vec![Statement { phase, sql: statement(change) }]
}

/// The statement that takes a change back; `None`: taking back another change does it too.
#[must_use]
pub fn undo(change: &Change) -> Option<String> {
    let drop_constraint =
        |table: &str, name: &str| format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(table), quoted(name));
    match change {
        Change::CreateTable(table) => {
            Some(TableStatement::drop().table(Alias::new(&table.name)).to_string(PostgresQueryBuilder))
        }
        Change::AddColumn { table, column } => {
            Some(format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quoted(&column.name)))
        }
        Change::AddCheck { table, check } => Some(drop_constraint(table, &check.name)),
        Change::AddKey { table, key } => Some(drop_constraint(table, &key.name)),
        Change::CreateIndex { index, .. } => Some(format!("DROP INDEX {}", quoted(&index.name))),
        Change::AddForeignKey { table, foreign_key } => Some(drop_constraint(table, &foreign_key.name)),
        Change::ValidateForeignKey { .. } => None,
    }
}

fn create_table(table: &Table) -> String {
    let mut statement = TableStatement::create();
    statement.table(Alias::new(&table.name));
    for column in &table.columns {
        statement.col(column_definition(column));
    }
    for Check { name, expression } in &table.checks {
        statement.check((Alias::new(name), Expr::cust(expression.clone())));
    }
    lay_out(&statement.to_string(PostgresQueryBuilder), &format!("CREATE TABLE {}", quoted(&table.name)))
}

fn column_definition(column: &Column) -> ColumnDef {
    let mut definition = ColumnDef::new(Alias::new(&column.name));
    let collation =
        column.collation.as_ref().map(|name| format!(" COLLATE {}", quoted(name))).unwrap_or_default();
    definition.custom(format!("{}{collation}", column.pg_type));
    if column.identity {
        definition.extra("GENERATED BY DEFAULT AS IDENTITY");
    }
    if column.not_null {
        definition.not_null();
    }
    if let Some(default) = &column.default {
        definition.default(Expr::cust(default.clone()));
    }
    definition
}

fn add_constraint(table: &str, name: &str, definition: &str) -> String {
    format!("ALTER TABLE {} ADD CONSTRAINT {} {definition}", quoted(table), quoted(name))
}

fn add_key(table: &str, key: &Key) -> String {
    let kind = if key.primary { "PRIMARY KEY" } else { "UNIQUE" };
    add_constraint(table, &key.name, &format!("{kind} ({})", quoted_list(&key.columns)))
}

fn create_index(table: &str, index: &Index) -> String {
    let mut statement = IndexStatement::create();
    statement.name(escaped(&index.name)).table(Alias::new(table));
    if index.unique {
        statement.unique();
    }
    statement.index_type(IndexType::Custom(Alias::new(&index.method).into_iden()));
    for part in &index.parts {
        statement.col(index_column(part));
    }
    if let Some(predicate) = &index.predicate {
        statement.and_where(Expr::cust(predicate.clone()));
    }
    statement.to_string(PostgresQueryBuilder)
}

fn index_column(part: &IndexPart) -> IndexColumn {
    let column: IndexColumn = match &part.key {
        IndexKey::Column(name) => Alias::new(name).into(),
        IndexKey::Expression(expression) => Expr::cust(expression.clone()).into(),
    };
    // sea-query writes the direction before the operator class, where PostgreSQL wants it behind: so both go in the
    // operator class's place, which is written as it stands.
    let behind: Vec<&str> =
        part.opclass.as_deref().into_iter().chain(part.descending.then_some("DESC")).collect();
    if behind.is_empty() { column } else { column.with_operator_class(Alias::new(behind.join(" "))) }
}

fn add_foreign_key(table: &str, foreign_key: &ForeignKey) -> String {
    let mut statement = ForeignKeyStatement::create();
    statement
        .name(escaped(&foreign_key.name))
        .from_tbl(Alias::new(table))
        .to_tbl(Alias::new(&foreign_key.parent_table));
    for column in &foreign_key.columns {
        statement.from_col(Alias::new(column));
    }
    for column in &foreign_key.parent_columns {
        statement.to_col(Alias::new(column));
    }
    if foreign_key.on_delete != ReferentialAction::NoAction {
        statement.on_delete(action(foreign_key.on_delete));
    }
    if foreign_key.on_update != ReferentialAction::NoAction {
        statement.on_update(action(foreign_key.on_update));
    }
    format!("{} NOT VALID", statement.to_string(PostgresQueryBuilder))
}

fn action(action: ReferentialAction) -> ForeignKeyAction {
    match action {
        ReferentialAction::NoAction => ForeignKeyAction::NoAction,
        ReferentialAction::Restrict => ForeignKeyAction::Restrict,
        ReferentialAction::Cascade => ForeignKeyAction::Cascade,
        ReferentialAction::SetNull => ForeignKeyAction::SetNull,
        ReferentialAction::SetDefault => ForeignKeyAction::SetDefault,
    }
}

/// A table's insert plan: how rows that stand in a staging table of the source's columns, as text, come into the table.
///
/// COPY is its fast path: the same columns, the same conversions, made before the rows are sent.
#[must_use]
pub fn insert_plan(schema: &str, copy: &TableCopy) -> String {
    let mut select = Query::select();
    for column in &copy.columns {
        let source = Expr::col(Alias::new(&column.source));
        select.expr(source.cast_as(Alias::new(column.pg_type.to_string())));
    }
    select.from(Alias::new(&copy.source));
    let mut insert = Query::insert();
    insert
        .into_table((Alias::new(schema), Alias::new(&copy.target)))
        .columns(copy.columns.iter().map(|column| Alias::new(&column.target)));
    // The numbers of columns agree by construction, the only thing that can be wrong here.
    let _ = insert.select_from(select);
    insert.to_string(PostgresQueryBuilder)
}

/// Lays a CREATE TABLE out, a column or constraint a line. `head` is what stands before its brackets; it is not looked
/// for, since a name may hold brackets of its own.
fn lay_out(sql: &str, head: &str) -> String {
    let body = sql.strip_prefix(head).and_then(|rest| rest.strip_prefix(" ( ")?.strip_suffix(" )"));
    let Some(body) = body else { return sql.to_owned() };
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0u32, None);
    for c in body.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let lines: Vec<String> = parts.iter().map(|part| format!("    {}", part.trim())).collect();
    format!("{head} (\n{}\n)", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PgType;

    fn column(name: &str, pg_type: PgType) -> Column {
        Column {
            name: name.to_owned(),
            pg_type,
            collation: None,
            not_null: false,
            default: None,
            identity: false,
        }
    }

    #[test]
    fn a_table_reads_like_one() {
        let table = Table {
            name: "pla\"ces".to_owned(),
            columns: vec![
                Column { identity: true, not_null: true, ..column("id", PgType::BigInt) },
                Column { collation: Some("C".to_owned()), ..column("na,me", PgType::Varchar(64)) },
                Column { default: Some("'a, b'".to_owned()), ..column("kind", PgType::Text) },
                column("price", PgType::Numeric(Some((10, 2)))),
            ],
            keys: Vec::new(),
            checks: vec![Check { name: "ch\"eck".to_owned(), expression: "price > 0".to_owned() }],
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
        };
        assert_eq!(
            statement(&Change::CreateTable(table)),
            r#"CREATE TABLE "pla""ces" (
    "id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
    "na,me" character varying(64) COLLATE "C",
    "kind" text DEFAULT ('a, b'),
    "price" numeric(10,2),
    CONSTRAINT "ch""eck" CHECK (price > 0)
)"#
        );
    }

    #[test]
    fn a_name_with_brackets_stays_one_line() {
        let table = Table {
            name: "a ( b".to_owned(),
            columns: vec![column("c ) , ( d", PgType::Text)],
            keys: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
        };
        let sql = statement(&Change::CreateTable(table));
        assert_eq!(sql, "CREATE TABLE \"a ( b\" (\n    \"c ) , ( d\" text\n)");
    }

    #[test]
    fn indexes_of_every_kind() {
        let part = |key, opclass: Option<&str>, descending| IndexPart {
            key,
            opclass: opclass.map(str::to_owned),
            descending,
        };
        let index = |parts, method: &str, predicate: Option<&str>| Change::CreateIndex {
            table: "t".to_owned(),
            index: Index {
                name: "i\"x".to_owned(),
                unique: false,
                method: method.to_owned(),
                parts,
                predicate: predicate.map(str::to_owned),
            },
        };
        let name = |name: &str| IndexKey::Column(name.to_owned());
        for (change, sql) in [
            (
                index(
                    vec![part(name("a"), Some("text_pattern_ops"), true), part(name("b"), None, true)],
                    "btree",
                    None,
                ),
                r#"CREATE INDEX "i""x" ON "t" USING btree ("a" text_pattern_ops DESC, "b" DESC)"#,
            ),
            (
                index(
                    vec![part(IndexKey::Expression("raw -> 'ids'".to_owned()), Some("jsonb_ops"), false)],
                    "gin",
                    Some("raw ? 'ids'"),
                ),
                r#"CREATE INDEX "i""x" ON "t" USING gin ((raw -> 'ids') jsonb_ops) WHERE raw ? 'ids'"#,
            ),
        ] {
            assert_eq!(statement(&change), sql);
        }
    }

    #[test]
    fn constraints_with_hostile_names() {
        let foreign_key = ForeignKey {
            name: "f\"k".to_owned(),
            columns: vec!["a\"b".to_owned()],
            parent_table: "par\"ent".to_owned(),
            parent_columns: vec!["id".to_owned()],
            on_update: ReferentialAction::NoAction,
            on_delete: ReferentialAction::Cascade,
            valid: true,
        };
        assert_eq!(
            statement(&Change::AddForeignKey { table: "child".to_owned(), foreign_key }),
            r#"ALTER TABLE "child" ADD CONSTRAINT "f""k" FOREIGN KEY ("a""b") REFERENCES "par""ent" ("id") ON DELETE CASCADE NOT VALID"#
        );
        let key =
            Key { name: "p\"k".to_owned(), primary: true, columns: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(
            statement(&Change::AddKey { table: "t".to_owned(), key }),
            r#"ALTER TABLE "t" ADD CONSTRAINT "p""k" PRIMARY KEY ("a", "b")"#
        );
    }
}
