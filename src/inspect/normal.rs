//! The desired schema in PostgreSQL's own words, and the ledger's memory of it.
//!
//! To put a table in the server's words is to make it in scratch, which takes some milliseconds. A schema of a thousand
//! tables is edited one table at a time, so the words of the others are remembered in the ledger, under a digest of all
//! that they follow from: the statements, the server, and what is asked of its catalogue. The memory of a table is used where
//! the target has all of it; whatever would be changed is asked for and so tried on the server. `plan` only reads that
//! memory; `apply` writes it.

use std::collections::BTreeMap;

use super::{
    Catalogue, InspectError, Live, LiveEnum, LiveTable,
    catalogue::QUESTIONS,
    scratch::{self, Whole},
};
use crate::{
    schema::{Desired, Fill, Table},
    target::{Ledger, LedgerError, NormalForm, Target},
};

/// The desired schema in PostgreSQL's own words.
#[derive(Debug, Clone, Default)]
pub struct Normal {
    /// Its tables.
    pub catalogue: Catalogue,
    /// The digests of those that the server was asked for, and the ledger does not remember yet.
    asked: BTreeMap<String, String>,
}

/// Puts the desired schema in PostgreSQL's own words.
///
/// # Errors
/// [`InspectError::Refused`] names the object that the server does not take.
pub async fn normalise(target: &Target, desired: &Desired, live: &Live) -> Result<Normal, InspectError> {
    let tables = &desired.schema.tables;
    let schema = Whole::of(&desired.schema);
    let remembered = match Ledger::find(target).await? {
        Some(ledger) => ledger.normal_forms().await?,
        None => BTreeMap::new(),
    };
    // What the words depend on beside the statements; the time zone and the like are the same in every session of ours.
    let server: String = sqlx::query_scalar(
        "SELECT concat_ws(' ', current_setting('server_version_num'), current_setting('quote_all_identifiers'))",
    )
    .fetch_one(&target.pool)
    .await?;
    let mut normal = Normal::default();
    // Labels are what they are, in every server's words.
    let types = desired.schema.enums.iter().map(|of| (of.name().to_owned(), LiveEnum::of(*of)));
    normal.catalogue.types = types.collect();
    let mut unknown: Vec<&Table> = Vec::new();
    for table in tables {
        let digest = digest(&server, table, &schema);
        let found = live.catalogue.tables.get(&table.name);
        match remembered.get(&table.name).and_then(|form| read(form, &digest)) {
            // What is to be changed has been tried; a memory of what another name, function or operator has meant has not.
            Some(form) if found.is_some_and(|found| found.defines(&form)) => {
                normal.catalogue.tables.insert(table.name.clone(), form);
            }
            _ => {
                unknown.push(table);
                normal.asked.insert(table.name.clone(), digest);
            }
        }
    }
    let asked = scratch::normalise(target, &unknown, &schema).await?;
    normal.catalogue.tables.extend(asked.tables);
    // How far a table's partitions reach follows from the rows, and their bounds are in the server's words already.
    for table in tables {
        let Some(form) = normal.catalogue.tables.get_mut(&table.name) else { continue };
        let partitions = table.partitions().into_iter();
        form.partitions = partitions.map(|partition| (partition.name, partition.bounds)).collect();
    }
    Ok(normal)
}

/// Tries what new columns are to be filled with, of tables or columns that are not there yet.
///
/// # Errors
/// [`InspectError::Refused`] names the column whose expression the server does not take.
pub async fn try_fills(target: &Target, desired: &Desired, live: &Live) -> Result<(), InspectError> {
    let schema = Whole::of(&desired.schema);
    for copy in &desired.tables {
        let found = live.catalogue.tables.get(&copy.target);
        let is_new = |fill: &&Fill| {
            !found.is_some_and(|found| found.columns.iter().any(|column| column.name == fill.column))
        };
        let fills: Vec<&Fill> = copy.fills.iter().filter(is_new).collect();
        if let (Some(table), false) = (schema.table(&copy.target), fills.is_empty()) {
            scratch::try_fills(target, (table, &fills), &schema).await?;
        }
    }
    Ok(())
}

/// Writes into the ledger, where there is one, what the server was asked for. A ledger of an older `mtm` is brought up to
/// date; one that this role may not write stays without a memory, which costs the next plan its time and nothing else.
///
/// # Errors
/// [`InspectError`], where the server does not answer.
pub async fn remember(target: &Target, normal: &Normal) -> Result<(), InspectError> {
    let form = |(table, digest): (&String, &String)| {
        let form = serde_json::to_string(normal.catalogue.tables.get(table)?).ok()?;
        Some((table.clone(), NormalForm { digest: digest.clone(), form }))
    };
    let forms: BTreeMap<String, NormalForm> = normal.asked.iter().filter_map(form).collect();
    if forms.is_empty() {
        return Ok(());
    }
    if Ledger::find(target).await?.is_none() {
        return Ok(());
    }
    let written = match Ledger::install(target).await {
        Ok(ledger) => ledger.remember_normal_forms(&forms).await,
        Err(error) => Err(error),
    };
    match written {
        Err(LedgerError::NoRoom { .. }) => Ok(()),
        Err(error) if error.server().is_some_and(|server| server.code == NO_RIGHT) => Ok(()),
        written => Ok(written?),
    }
}

/// `insufficient_privilege` (PostgreSQL's manual, appendix A).
const NO_RIGHT: &str = "42501";

/// A remembered form, if it came of just that.
fn read(form: &NormalForm, digest: &str) -> Option<LiveTable> {
    if form.digest != digest {
        return None;
    }
    serde_json::from_str(&form.form).ok()
}

/// What identifies all that a table's words follow from: the server, what it is asked, and the statements that make the
/// table and what its foreign keys refer to.
fn digest(server: &str, table: &Table, schema: &Whole<'_>) -> String {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(server);
    QUESTIONS.into_iter().for_each(&mut add);
    scratch::statements(&[table], schema).for_each(|(_, sql)| add(&sql));
    format!("{:032x}", hasher.digest128())
}
