//! A column's new type on a table in use: a column of that type is made beside it, a trigger keeps the two in step, the rows
//! that are there are converted in many small transactions, a check proves that none is left out, and the new column takes the
//! old one's place in one transaction that only changes the catalogue.

use super::{
    Column, Conversion, Index, IndexKey, IndexPart, add_constraint, alter_column, alter_type, comment_on,
    literal, quoted,
    steps::{Lock, Phase, Place, Statement, beside, built, replacement_of, validate},
    type_of, where_missing,
};
use crate::{schema::Staged, target::TEXT_FORM_SETTINGS};

/// With what the name of the trigger begins that keeps the two columns in step. Triggers fire in the order of their names, and
/// this one has to see what others have made of the row.
pub const TRIGGER_PREFIX: &str = "~";

/// What the column is called that is to take another one's place.
#[must_use]
pub fn column_beside(column: &str) -> String {
    beside(column, "new")
}

/// What the trigger is called that fills it.
#[must_use]
pub fn trigger_beside(column: &str) -> String {
    beside(&format!("{TRIGGER_PREFIX}{column}"), "new")
}

/// The names of what is there until then.
struct Names<'a> {
    table: &'a str,
    old: &'a str,
    new: String,
    /// The trigger, whose name is one of the table's.
    trigger: String,
    /// The function, whose name is one of the schema's, and the check.
    function: String,
}

impl<'a> Names<'a> {
    fn of(table: &'a str, column: &'a str) -> Names<'a> {
        Names {
            table,
            old: column,
            new: column_beside(column),
            trigger: trigger_beside(column),
            function: beside(&format!("{table}_{column}"), "new"),
        }
    }

    fn alter(&self, what: &str) -> String {
        format!("ALTER TABLE {} {what}", quoted(self.table))
    }

    fn drop_trigger(&self) -> String {
        format!("DROP TRIGGER {} ON {}", quoted(&self.trigger), quoted(self.table))
    }

    fn drop_function(&self) -> String {
        format!("DROP FUNCTION {}()", quoted(&self.function))
    }

    /// An index over the new column.
    fn index(&self, index: &Index) -> Index {
        let name_of = |name: &String| if name == self.old { self.new.clone() } else { name.clone() };
        let part = |part: &IndexPart| match &part.key {
            IndexKey::Column(name) => IndexPart { key: IndexKey::Column(name_of(name)), ..part.clone() },
            IndexKey::Expression(_) => part.clone(),
        };
        Index {
            name: replacement_of(&index.name),
            parts: index.parts.iter().map(part).collect(),
            include: index.include.iter().map(name_of).collect(),
            ..index.clone()
        }
    }
}

/// The statements on a table in use.
pub(super) fn beside_others(
    table: &str,
    (column, conversion): (&Column, &Conversion),
    staged: &Staged,
) -> Vec<Statement> {
    let names = Names::of(table, &column.name);
    let (old, new) = (quoted(names.old), quoted(&names.new));
    let value = conversion.using_sql(names.old).unwrap_or_else(|| old.clone());
    let gives = conversion.gives_sql(names.old);
    let condition = match &gives {
        _ if staged.not_null => format!("{new} IS NOT NULL"),
        None => format!("({new} IS NULL) = ({old} IS NULL)"),
        Some(gives) => format!("({new} IS NULL) = ({old} IS NULL OR NOT ({gives}))"),
    };
    let define = |sql: String| Statement::new(Phase::Define, Lock::All, sql);
    let mut statements = vec![
        define(names.alter(&format!("ADD COLUMN {new} {}", type_of(column)))),
        define(function(&names, conversion)),
        define(format!(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
            quoted(&names.trigger),
            quoted(table),
            quoted(&names.function)
        )),
        define(format!(
            "{} NOT VALID",
            add_constraint(table, &names.function, &format!("CHECK ({condition})"))
        )),
    ];
    let given = gives.map(|gives| format!(" AND ({gives})")).unwrap_or_default();
    let update = format!(
        "UPDATE {} SET {new} = {value} WHERE {new} IS NULL AND {old} IS NOT NULL{given}",
        quoted(table)
    );
    statements.push(Statement { in_chunks: true, ..Statement::new(Phase::Convert, Lock::Writes, update) });
    statements.push(Statement::new(Phase::Confirm, Lock::None, validate(table, &names.function)));
    let in_use = Place { in_use: true, partitions: None };
    let indexes = staged.indexes.iter().flat_map(|staged| built(table, &names.index(&staged.index), in_use));
    statements.extend(indexes.map(|built| Statement { phase: Phase::Prepare, ..built }));
    let exchange = exchange(&names, column, staged)
        .into_iter()
        .enumerate()
        .map(|(at, sql)| Statement { together: at > 0, ..Statement::new(Phase::Exchange, Lock::All, sql) });
    statements.extend(exchange);
    let proven = staged.checks.iter().map(|check| validate(table, &check.name));
    statements.extend(proven.map(|sql| Statement::new(Phase::Prove, Lock::None, sql)));
    statements
}

/// The function by which whoever writes the one column writes the other. It reads texts as this session does, whatever the
/// writer's own settings are.
fn function(names: &Names<'_>, conversion: &Conversion) -> String {
    let operand = format!("NEW.{}", quoted(names.old));
    let value = conversion.using_of(&operand).unwrap_or(operand);
    let body = format!("BEGIN\n    NEW.{} := {value};\n    RETURN NEW;\nEND", quoted(&names.new));
    let settings: Vec<String> =
        TEXT_FORM_SETTINGS.iter().map(|setting| format!("SET {setting} FROM CURRENT")).collect();
    format!(
        "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql\n{} AS {}",
        quoted(&names.function),
        settings.join(" "),
        in_dollars(&body)
    )
}

/// What puts the new column in the old one's place. With the old one go the checks and the indexes over it.
fn exchange(names: &Names<'_>, column: &Column, staged: &Staged) -> Vec<String> {
    let Names { table, old, new, .. } = names;
    let mut statements = vec![
        names.drop_trigger(),
        names.drop_function(),
        names.alter(&format!("DROP COLUMN {}", quoted(old))),
        names.alter(&format!("RENAME COLUMN {} TO {}", quoted(new), quoted(old))),
    ];
    if staged.not_null {
        // The check says that it holds, so that no row is read.
        statements.push(alter_column(table, old, "SET NOT NULL"));
        statements.push(names.alter(&format!("DROP CONSTRAINT {}", quoted(&names.function))));
    }
    statements.extend(
        column.default.iter().map(|default| alter_column(table, old, &format!("SET DEFAULT {default}"))),
    );
    statements.extend(staged.checks.iter().map(|check| {
        format!("{} NOT VALID", add_constraint(table, &check.name, &format!("CHECK ({})", check.expression)))
    }));
    statements.extend(staged.indexes.iter().map(|staged| {
        let name = &staged.index.name;
        format!("ALTER INDEX {} RENAME TO {}", quoted(&replacement_of(name)), quoted(name))
    }));
    statements.extend(column.comment.as_deref().map(|comment| comment_on(table, Some(old), Some(comment))));
    statements
}

/// The statements on a table that nobody is at.
pub(super) fn at_once(
    table: &str,
    (column, conversion): (&Column, &Conversion),
    staged: &Staged,
) -> Vec<Statement> {
    let define = |sql: String| Statement::new(Phase::Define, Lock::All, sql);
    let name = &column.name;
    let mut statements: Vec<Statement> = staged
        .indexes
        .iter()
        .map(|staged| define(format!("DROP INDEX {}", quoted(&staged.index.name))))
        .collect();
    statements.extend(staged.from_default.iter().map(|_| define(alter_column(table, name, "DROP DEFAULT"))));
    statements.push(define(alter_type(table, column, conversion)));
    let default = column.default.iter().map(|default| format!("SET DEFAULT {default}"));
    statements.extend(default.map(|set| define(alter_column(table, name, &set))));
    statements.extend(staged.indexes.iter().flat_map(|staged| built(table, &staged.index, Place::default())));
    statements
}

/// The way back: before the exchange the new column goes, after it the column goes back by `back`; where nothing says what its
/// values were, that is refused.
pub(super) fn way_back(table: &str, column: &Column, staged: &Staged, back: Option<&str>) -> String {
    let names = Names::of(table, &column.name);
    let before = [
        names.drop_trigger(),
        names.drop_function(),
        names.alter(&format!("DROP COLUMN {}", quoted(&names.new))),
    ];
    let after = match back {
        None => vec![format!(
            "RAISE EXCEPTION USING MESSAGE = {}",
            literal(&format!(
                "the values of {table}.{} do not say what they were before; write a new version that undoes it",
                column.name
            ))
        )],
        Some(back) => {
            let drop = |index: &str| format!("DROP INDEX IF EXISTS {}", quoted(index));
            let mut after: Vec<String> =
                staged.indexes.iter().map(|staged| drop(&staged.index.name)).collect();
            after.extend(column.default.iter().map(|_| alter_column(table, names.old, "DROP DEFAULT")));
            after.push(back.to_owned());
            let default = staged.from_default.iter().map(|default| format!("SET DEFAULT {default}"));
            after.extend(default.map(|set| alter_column(table, names.old, &set)));
            after.extend(staged.indexes.iter().map(|staged| where_missing(&staged.definition)));
            after
        }
    };
    let lines = |statements: &[String]| -> String {
        statements.iter().map(|sql| format!("        {sql};\n")).collect()
    };
    let body = format!(
        "BEGIN\n    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = {}::regclass AND attname = {} AND NOT attisdropped) THEN\n\
         {}    ELSE\n{}    END IF;\nEND",
        literal(&quoted(table)),
        literal(&names.new),
        lines(&before),
        lines(&after)
    );
    format!("DO {}", in_dollars(&body))
}

/// A text between dollars that it does not hold.
fn in_dollars(body: &str) -> String {
    let tags = (0u32..).map(|number| if number == 0 { "$mtm$".to_owned() } else { format!("$mtm{number}$") });
    let tag = tags.into_iter().find(|tag| !body.contains(tag.as_str())).unwrap_or_default();
    format!("{tag}\n{body}\n{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{schema::PgType, value::Reading};

    #[test]
    fn no_name_closes_the_function() {
        let column = "a$mtm$; DROP TABLE t; $mtm1$\"";
        let conversion = Conversion::between(PgType::Text, PgType::Jsonb, &Reading::Plain).unwrap();
        let sql = function(&Names::of("t", column), &conversion);
        assert!(sql.contains("AS $mtm2$\nBEGIN") && sql.ends_with("END\n$mtm2$"), "{sql}");
        assert!(sql.contains(r#":= NEW."a$mtm$; DROP TABLE t; $mtm1$"""::jsonb"#), "{sql}");
    }
}
