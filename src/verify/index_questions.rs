//! Whether the planner can use each index for the question that it is there for.
//!
//! The question follows from the index, since it is what the index's access method and operator class can answer: of a
//! `btree` whether its leading part equals a value, of a `gin` over JSON whether it contains one (`@>`) or has a name
//! (`?`), of one over a text search vector whether it matches (`@@`); an expression is asked as the index has it, and a
//! partial index together with its predicate. The planner answers with `EXPLAIN` under `enable_seqscan = off`
//! (PostgreSQL's manual, 20.7.1 "Planner Method Configuration"): no row is read, so an empty or a small table is judged
//! like a large one. The value is a sub-select that the planner does not look into, as a parameter would be.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row};

use super::{
    VerifyError,
    schema_state::{ObjectKind, SchemaObject},
};
use crate::schema::render;

/// One question, and whether an index answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexUse {
    /// The table.
    pub table: String,
    /// The index; a key's has the key's name.
    pub index: String,
    /// The condition of a query, `$1` being a value: `raw_json @> $1`. Empty: none is known.
    pub question: String,
    /// How the planner goes about it.
    pub verdict: Verdict,
    /// What the planner does, in its own words: `Bitmap Index Scan`; or why it was not asked.
    pub plan: String,
}

/// How the planner goes about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It uses the index.
    Usable,
    /// It uses another index, which answers the question too.
    ServedByAnother,
    /// It uses no index.
    NotUsable,
    /// No question is known for this kind of index, or there is no such index.
    NotAsked,
}

/// What an index can be asked.
#[derive(Debug, Default)]
struct Asked {
    method: String,
    key: String,
    collation: Option<String>,
    predicate: Option<String>,
    /// Whether the planner passes it over while older transactions are open.
    young: bool,
    /// The index on each partition, where its table is partitioned.
    parts: Vec<String>,
    operators: Vec<Operator>,
}

#[derive(Debug, Clone)]
struct Operator {
    schema: String,
    name: String,
    operand: Option<String>,
}

/// Asks every index among the objects, and gives in sentences what cannot be used although nothing is wrong with it.
///
/// # Errors
/// The catalogue cannot be read, or a question cannot be planned.
pub(super) async fn judge(
    pool: &PgPool,
    schema: &str,
    objects: &[SchemaObject],
) -> Result<(Vec<IndexUse>, Vec<String>), VerifyError> {
    let indexes: Vec<&SchemaObject> = objects.iter().filter(|object| object.kind.has_index()).collect();
    if indexes.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let fault = |error: sqlx::Error| VerifyError::target("the target's indexes cannot be read", &error);
    let mut session = pool.acquire().await.map_err(fault)?;
    // Dropped on the way, the transaction is rolled back.
    let mut transaction = session.begin().await.map_err(fault)?;
    let path = format!("{}, {}", render::quoted(schema), render::quoted("public"));
    let settings =
        // A small table may be answered by walking through some index that holds the columns: no answer to the question.
        format!("SET TRANSACTION READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL search_path = {path}");
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await.map_err(fault)?;
    let known = known(&mut transaction, schema, &indexes).await.map_err(fault)?;
    let (mut uses, mut sentences) = (Vec::new(), Vec::new());
    for object in indexes {
        let SchemaObject { table, name, kind, .. } = object;
        let put = |question: &str, verdict, plan: String| IndexUse {
            table: table.clone(),
            index: name.clone(),
            question: question.to_owned(),
            verdict,
            plan,
        };
        let Some(asked) = known.get(&(table.clone(), name.clone())) else {
            uses.push(put("", Verdict::NotAsked, "there is no such index".to_owned()));
            continue;
        };
        let questions = questions(asked);
        if questions.is_empty() {
            uses.push(put("", Verdict::NotAsked, format!("no question is known for {}", asked.method)));
        }
        for question in questions {
            let (verdict, plan) = explain(&mut transaction, schema, table, (name, &asked.parts), &question)
                .await
                .map_err(|error| {
                    VerifyError::target(format!("index `{name}` on `{table}` cannot be asked"), &error)
                })?;
            if verdict == Verdict::NotUsable && asked.young {
                let plan = "not before the transactions end that are older than it".to_owned();
                uses.push(put(&question.shown, Verdict::NotAsked, plan));
                continue;
            }
            // What is wrong with the index itself has been told.
            if verdict == Verdict::NotUsable && object.problem.is_none() {
                let what = if *kind == ObjectKind::Index { "index" } else { "index of the key" };
                sentences.push(format!(
                    "{what} {name} on {table}: the planner does not use it for {} ({plan})",
                    question.shown
                ));
            }
            uses.push(put(&question.shown, verdict, plan));
        }
    }
    transaction.rollback().await.map_err(fault)?;
    Ok((uses, sentences))
}

type ByIndex = BTreeMap<(String, String), Asked>;

async fn known(session: &mut PgConnection, schema: &str, indexes: &[&SchemaObject]) -> sqlx::Result<ByIndex> {
    let tables: BTreeSet<&str> = indexes.iter().map(|index| index.table.as_str()).collect();
    let names: BTreeSet<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
    let rows = sqlx::query(include_str!("index_questions.sql"))
        .bind(schema)
        .bind(tables.into_iter().collect::<Vec<_>>())
        .bind(names.into_iter().collect::<Vec<_>>())
        .fetch_all(session)
        .await?;
    let mut known = ByIndex::new();
    for row in rows {
        let asked = known.entry((row.try_get("table_name")?, row.try_get("index_name")?)).or_default();
        asked.method = row.try_get("method")?;
        asked.key = row.try_get("key")?;
        asked.collation = row.try_get("collation")?;
        asked.predicate = row.try_get("predicate")?;
        asked.young = row.try_get("young")?;
        asked.parts = row.try_get("parts")?;
        asked.operators.push(Operator {
            schema: row.try_get("operator_schema")?,
            name: row.try_get("operator")?,
            operand: row.try_get("operand")?,
        });
    }
    Ok(known)
}

/// A question, for the planner and for people.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    condition: String,
    shown: String,
}

/// The operators that are asked, by access method: the first group that the operator class knows.
fn wanted(method: &str) -> &'static [&'static [&'static str]] {
    match method {
        "gin" | "rum" => &[&["@>", "?"], &["@@"], &["&&"], &["="]],
        _ => &[&["="], &["@>"], &["&&"]],
    }
}

fn questions(asked: &Asked) -> Vec<Question> {
    let found = |names: &&[&str]| -> Vec<Operator> {
        let first = |name: &&str| asked.operators.iter().find(|operator| operator.name == *name).cloned();
        names.iter().filter_map(first).collect()
    };
    let groups = wanted(&asked.method).iter().map(found);
    // Failing those, whatever the class has first.
    let operators = groups
        .into_iter()
        .find(|operators| !operators.is_empty())
        .unwrap_or_else(|| asked.operators.iter().take(1).cloned().collect());
    let collation = asked.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
    let predicate = asked.predicate.as_ref().map(|rows| format!(" AND ({rows})")).unwrap_or_default();
    let question = |operator: Operator| {
        let Operator { schema, name, operand } = operator;
        // Of a polymorphic operator (`anyarray`) the value's type is not known here.
        let operand = operand?;
        Some(Question {
            condition: format!(
                "({}){collation} OPERATOR({schema}.{name}) (SELECT NULL::{operand}){predicate}",
                asked.key
            ),
            shown: format!("{}{collation} {name} $1{predicate}", asked.key),
        })
    };
    operators.into_iter().filter_map(question).collect()
}

/// Lets the planner say how it would go about a question.
async fn explain(
    session: &mut PgConnection,
    schema: &str,
    table: &str,
    (index, parts): (&str, &[String]),
    question: &Question,
) -> sqlx::Result<(Verdict, String)> {
    let sql = format!(
        "EXPLAIN (FORMAT JSON, COSTS OFF) SELECT * FROM {}.{} WHERE {}",
        render::quoted(schema),
        render::quoted(table),
        question.condition
    );
    // EXPLAIN's `json` is text on the wire.
    let row = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_one(session).await?;
    let text: String = row.try_get_unchecked(0)?;
    let plan: Value = serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let mut scans = Vec::new();
    scans_of(&plan[0]["Plan"], &mut scans);
    let is_ours = |name: &str| name == index || parts.iter().any(|part| part == name);
    let ours = scans.iter().find(|(_, name)| name.is_some_and(is_ours));
    Ok(match (ours, scans.iter().find_map(|(node, name)| Some((node, (*name)?)))) {
        (Some((node, _)), _) => (Verdict::Usable, (*node).to_owned()),
        (None, Some((node, name))) => (Verdict::ServedByAnother, format!("{node} on {name}")),
        (None, None) => match scans.first() {
            Some((node, _)) => (Verdict::NotUsable, (*node).to_owned()),
            None => (Verdict::NotAsked, "no row can meet it".to_owned()),
        },
    })
}

/// The scans of a plan: node type, and the index that is searched. One that is only walked through answers nothing.
fn scans_of<'a>(plan: &'a Value, scans: &mut Vec<(&'a str, Option<&'a str>)>) {
    let node = plan["Node Type"].as_str().unwrap_or_default();
    if node.ends_with("Scan") && node != "Bitmap Heap Scan" {
        let searched = plan.get("Index Cond").is_some();
        scans.push((node, plan["Index Name"].as_str().filter(|_| searched)));
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        scans_of(below, scans);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, operators: &[(&str, Option<&str>)]) -> Asked {
        let operator = |(name, operand): &(&str, Option<&str>)| Operator {
            schema: "pg_catalog".to_owned(),
            name: (*name).to_owned(),
            operand: operand.map(str::to_owned),
        };
        Asked {
            method: method.to_owned(),
            key: "x".to_owned(),
            operators: operators.iter().map(operator).collect(),
            ..Asked::default()
        }
    }

    #[test]
    fn the_question_follows_from_method_and_operator_class() {
        let btree = [("<", Some("text")), ("=", Some("text")), ("=", Some("name"))];
        let jsonb =
            [("@>", Some("jsonb")), ("?", Some("text")), ("?|", Some("text[]")), ("@@", Some("jsonpath"))];
        for (asked, expected) in [
            (asked("btree", &btree), vec!["x = $1"]),
            (
                Asked { collation: Some("\"C\"".to_owned()), ..asked("btree", &btree) },
                vec!["x COLLATE \"C\" = $1"],
            ),
            (
                Asked { predicate: Some("y > 0".to_owned()), ..asked("hash", &btree) },
                vec!["x = $1 AND (y > 0)"],
            ),
            (asked("gin", &jsonb), vec!["x @> $1", "x ? $1"]),
            (asked("gin", &[("@>", Some("jsonb")), ("@?", Some("jsonpath"))]), vec!["x @> $1"]),
            (asked("gin", &[("@@", Some("tsquery")), ("@@@", Some("tsquery"))]), vec!["x @@ $1"]),
            (asked("gist", &[("<<", Some("box")), ("&&", Some("box"))]), vec!["x && $1"]),
            (asked("gist", &[("<<", Some("box"))]), vec!["x << $1"]),
            (asked("gin", &[("@>", None)]), vec![]),
        ] {
            let shown: Vec<String> = questions(&asked).into_iter().map(|question| question.shown).collect();
            assert_eq!(shown, expected);
        }
        let question = &questions(&asked("btree", &btree))[0];
        assert_eq!(question.condition, "(x) OPERATOR(pg_catalog.=) (SELECT NULL::text)");
    }

    #[test]
    fn an_index_that_is_only_walked_through_answers_nothing() {
        let plan = serde_json::json!({"Node Type": "Bitmap Heap Scan", "Plans": [
            {"Node Type": "Bitmap Index Scan", "Index Name": "one", "Index Cond": "x"}]});
        let mut scans = Vec::new();
        scans_of(&plan, &mut scans);
        assert_eq!(scans, [("Bitmap Index Scan", Some("one"))]);
        let plan = serde_json::json!({"Node Type": "Index Only Scan", "Index Name": "one", "Filter": "x"});
        scans.clear();
        scans_of(&plan, &mut scans);
        assert_eq!(scans, [("Index Only Scan", None)]);
    }
}
