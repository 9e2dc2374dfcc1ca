//! `/migration`: how the data came here, as the ledger has it: versions, runs, copies, the certificate.

use askama::Template;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    dashboard::{
        fault::Fault,
        frame::Frame,
        page::{Asked, Nothing, Page},
        router::Site,
        text,
    },
    target::{self, Copied, Ledger, RecordedCertificate, RecordedRun, VersionStatus},
};

/// Runs that are shown, the latest first.
const RUNS: i64 = 50;

/// How the data came here.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::dashboard) struct Migration {
    /// Whether the database has a ledger that the site's role may read.
    has_ledger: bool,
    versions: Vec<Version>,
    /// The latest first.
    runs: Vec<Run>,
    copies: Vec<Copy>,
    /// The last proof that source and target agree, or where they do not.
    certificate: Option<Certificate>,
}

/// A version of the schema.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    name: String,
    /// `applied`, `pending`, or how far it has come.
    state: String,
}

/// A run of a command that wrote.
#[derive(Debug, Serialize, ToSchema)]
struct Run {
    command: String,
    started_at: String,
    finished_at: Option<String>,
    /// `done`, `failed`, `interrupted`, `abandoned`; none: it is at work.
    outcome: Option<String>,
}

/// A table whose rows are all there.
#[derive(Debug, Serialize, ToSchema)]
struct Copy {
    table: String,
    source_table: String,
    rows_written: i64,
    /// Rows of which a cell was set to NULL, as the mapping says.
    rows_nulled: i64,
    /// Rows that are in the ledger, and not in the table, as the mapping says.
    rows_rejected: i64,
    finished_at: String,
}

/// What `mtm verify` found.
#[derive(Debug, Serialize, ToSchema)]
struct Certificate {
    made_at: String,
    /// Whether source and target agree.
    equal: bool,
    /// What was compared: the source, each table with its rows, and what of the schema is not as it should be.
    #[schema(value_type = Object)]
    summary: Value,
}

impl Page for Migration {
    type Question = Asked<Nothing>;

    const PATH: &'static str = "/migration";
    const TITLE: &'static str = "Migration";
    const SUMMARY: &'static str = "How the data came here: versions, runs, copies, the certificate";

    async fn ask(site: &Site, _: &Self::Question) -> Result<Migration, Fault> {
        let target = site.database.target();
        let unreadable = |error: &dyn std::error::Error| {
            tracing::warn!(%error, "the ledger could not be read");
            Fault::Down
        };
        let ledger = Ledger::find(target).await.map_err(|error| unreadable(&error))?;
        let statuses = match target::status(target, &site.versions).await {
            // A role that may not read the ledger may not read which versions there are either.
            Err(_) if ledger.is_none() => Vec::new(),
            statuses => statuses.map_err(|error| unreadable(&error))?,
        };
        let versions = statuses.iter().map(Version::of).collect();
        let Some(ledger) = ledger else {
            return Ok(Migration {
                has_ledger: false,
                versions,
                runs: vec![],
                copies: vec![],
                certificate: None,
            });
        };
        let (runs, copies, certificate) =
            tokio::try_join!(ledger.runs(RUNS), ledger.copied_tables(), ledger.last_certificate())
                .map_err(|error| unreadable(&error))?;
        Ok(Migration {
            has_ledger: true,
            versions,
            runs: runs.into_iter().map(Run::from).collect(),
            copies: copies.into_iter().map(Copy::from).collect(),
            certificate: certificate.map(Certificate::from),
        })
    }

    fn html(&self, frame: &Frame) -> askama::Result<String> {
        Html { frame, page: self }.render()
    }
}

impl Version {
    fn of(status: &VersionStatus) -> Version {
        Version { name: status.name.clone(), state: status.to_string() }
    }
}

impl From<RecordedRun> for Run {
    fn from(run: RecordedRun) -> Run {
        let RecordedRun { command, started_at, finished_at, outcome } = run;
        Run { command, started_at, finished_at, outcome }
    }
}

impl From<Copied> for Copy {
    fn from(copied: Copied) -> Copy {
        let rows = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
        Copy {
            table: copied.table,
            source_table: copied.source_table,
            rows_written: rows(copied.rows_written),
            rows_nulled: rows(copied.rows_nulled),
            rows_rejected: rows(copied.rows_rejected),
            finished_at: copied.finished_at,
        }
    }
}

impl From<RecordedCertificate> for Certificate {
    fn from(recorded: RecordedCertificate) -> Certificate {
        let RecordedCertificate { made_at, equal, summary } = recorded;
        Certificate { made_at, equal, summary }
    }
}

/// A table of the proof.
struct Compared<'a> {
    table: &'a str,
    source_rows: i64,
    target_rows: i64,
    differences: i64,
}

impl Certificate {
    /// A text of the summary; empty where it has none of that name.
    fn text(&self, name: &str) -> &str {
        self.summary[name].as_str().unwrap_or_default()
    }

    fn tables(&self) -> Vec<Compared<'_>> {
        self.summary["tables"].as_array().into_iter().flatten().map(Compared::of).collect()
    }
}

impl Compared<'_> {
    fn of(table: &Value) -> Compared<'_> {
        let number = |name: &str| table[name].as_i64().unwrap_or_default();
        Compared {
            table: table["table"].as_str().unwrap_or_default(),
            source_rows: number("source_rows"),
            target_rows: number("target_rows"),
            differences: number("differences"),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/migration/page.html")]
struct Html<'a> {
    frame: &'a Frame,
    page: &'a Migration,
}
