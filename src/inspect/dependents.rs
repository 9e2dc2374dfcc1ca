//! What is somebody else's and hangs on a column that a plan retypes or drops, so that PostgreSQL would refuse the change, or take
//! it along.
//!
//! Views, rules, triggers, policies and functions stand in `pg_depend`. Indexes and constraints are made anew by the server
//! where they can be, so each is tried in scratch: a table of the same columns, the object, and the change.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{InspectError, Live, LiveColumn, LiveTable, scratch};
use crate::{
    diff::Former,
    schema::{Change, Desired, render, render::quoted},
    target::{Target, server_error},
};

/// Asks what hangs on the columns that these changes retype or drop: the change's position, and what there is to say.
pub(super) async fn dependents(
    target: &Target,
    changes: &[Change],
    desired: &Desired,
    live: &Live,
    former: &Former,
) -> Result<Vec<(usize, String)>, InspectError> {
    let mut found = Vec::new();
    let touched: Vec<(usize, &Change)> = changes
        .iter()
        .enumerate()
        .filter(|(_, change)| matches!(change, Change::AlterType { .. } | Change::DropColumn { .. }))
        .filter(|(_, change)| live.catalogue.tables.contains_key(change.table()))
        .collect();
    if touched.is_empty() {
        return Ok(found);
    }
    let mut connection = target.pool.acquire().await?;
    for (at, change) in &touched {
        for what in named(&mut connection, target, change, (changes, desired, former)).await? {
            found.push((*at, format!("{what} uses the column")));
        }
    }
    let mut retyped: BTreeMap<&str, Vec<(usize, &Change)>> = BTreeMap::new();
    for (at, change) in touched {
        if matches!(change, Change::AlterType { .. }) {
            retyped.entry(change.table()).or_default().push((at, change));
        }
    }
    for (name, altered) in retyped {
        let Some(table) = live.catalogue.tables.get(name) else { continue };
        let mut transaction = connection.begin().await?;
        scratch::set_path(&mut transaction, &["pg_temp", &target.schema, "public"]).await?;
        found.extend(tried(&mut transaction, name, table, changes, &altered).await?);
        transaction.rollback().await?;
    }
    Ok(found)
}

/// What `pg_depend` says.
async fn named(
    connection: &mut PgConnection,
    target: &Target,
    change: &Change,
    (changes, desired, former): (&[Change], &Desired, &Former),
) -> Result<Vec<String>, InspectError> {
    let (table, column) = match change {
        Change::AlterType { table, column, .. } => (table, &column.name),
        Change::DropColumn { table, column, .. } => (table, column),
        _ => return Ok(Vec::new()),
    };
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(include_str!("dependents.sql"))
        .bind(format!("{}.{}", quoted(&target.schema), quoted(former.table(table))))
        .bind(former.column(table, column))
        .fetch_all(connection)
        .await?;
    // What becomes of a generated column that the mapping knows is the mapping's matter.
    let is_ours = |name: &String| {
        let wanted = desired.schema.tables.iter().find(|wanted| wanted.name == *table);
        wanted.is_some_and(|table| table.columns.iter().any(|column| column.name == *name))
            || changes.iter().any(|change| {
                matches!(change, Change::DropColumn { table: of, column, .. } if of == table && column == name)
            })
    };
    let foreign = rows.into_iter().filter(|(_, generated)| !generated.as_ref().is_some_and(is_ours));
    Ok(foreign.map(|(what, _)| what).collect())
}

/// The constraints and indexes of a table that stay, each as a statement, and do not live through its columns' new types.
async fn tried(
    connection: &mut PgConnection,
    name: &str,
    table: &LiveTable,
    changes: &[Change],
    altered: &[(usize, &Change)],
) -> Result<Vec<(usize, String)>, InspectError> {
    let columns: Vec<String> = table.columns.iter().map(definition).collect();
    let create = format!("CREATE TABLE pg_temp.{} ({})", quoted(name), columns.join(", "));
    if run(connection, &create).await?.is_some() || first_refused(connection, None, altered).await?.is_some()
    {
        // It is not for the objects that it fails.
        return Ok(Vec::new());
    }
    let gone: BTreeSet<&str> =
        changes.iter().filter(|change| change.table() == name).flat_map(goes).collect();
    let constraints = table
        .constraints
        .iter()
        // The other end of a foreign key is not in scratch.
        .filter(|(_, found)| !found.sql.starts_with("FOREIGN KEY"))
        .map(|(constraint, found)| {
            let add =
                format!("ALTER TABLE {} ADD CONSTRAINT {} {}", quoted(name), quoted(constraint), found.sql);
            ("constraint", constraint, add)
        });
    let indexes = table.indexes.iter().map(|(index, found)| ("index", index, found.sql.clone()));
    let mut found = Vec::new();
    for (kind, object, sql) in
        constraints.chain(indexes).filter(|(_, object, _)| !gone.contains(object.as_str()))
    {
        if let Some((at, reason)) = first_refused(connection, Some(&sql), altered).await? {
            found.push((at, format!("{kind} {object} does not allow it ({reason})")));
        }
    }
    Ok(found)
}

/// The first of these changes that the server does not make where an object is there, with its reason. Everything goes back.
async fn first_refused(
    connection: &mut PgConnection,
    object: Option<&str>,
    altered: &[(usize, &Change)],
) -> Result<Option<(usize, String)>, InspectError> {
    let mut savepoint = connection.begin().await?;
    if let Some(object) = object
        && run(&mut savepoint, object).await?.is_some()
    {
        savepoint.rollback().await?;
        return Ok(None);
    }
    let mut refused = None;
    for (at, change) in altered {
        if let Some(reason) = run(&mut savepoint, &render::statement(change)).await? {
            refused = Some((*at, reason));
            break;
        }
    }
    savepoint.rollback().await?;
    Ok(refused)
}

/// Runs a statement under a savepoint; gives the server's reason, where it refuses.
async fn run(connection: &mut PgConnection, sql: &str) -> Result<Option<String>, InspectError> {
    let mut savepoint = connection.begin().await?;
    match savepoint.execute(sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false)).await {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(None)
        }
        Err(error @ sqlx::Error::Database(_)) => {
            savepoint.rollback().await?;
            Ok(Some(server_error(&error).message.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

/// A column with its type alone.
fn definition(column: &LiveColumn) -> String {
    let collation = column.collation.as_ref().map(|name| format!(" COLLATE {}", quoted(name)));
    format!("{} {}{}", quoted(&column.name), column.type_name, collation.unwrap_or_default())
}

/// The constraints and indexes that a change takes away or makes anew.
fn goes(change: &Change) -> Vec<&str> {
    match change {
        Change::DropConstraint { name, .. } | Change::DropIndex { name, .. } => vec![name],
        Change::ReplaceIndex { index, .. } => vec![&index.name],
        Change::AlterType { staged: Some(staged), .. } => {
            staged.indexes.iter().map(|staged| staged.index.name.as_str()).collect()
        }
        _ => Vec::new(),
    }
}
