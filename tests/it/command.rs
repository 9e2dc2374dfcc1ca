//! The binary, run as a user runs it: a folder of its own, nothing of the caller's environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::support::{TestDatabase, sqlite_file};

/// The program under test.
pub const MTM: &str = env!("CARGO_BIN_EXE_mtm");

/// A folder in which commands run.
pub struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    pub fn new() -> Workplace {
        Workplace { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A SQLite file made from SQL text. Foreign keys are off, as they are by default elsewhere: orphans get in.
    pub fn sqlite(&self, name: &str, sql: &str) -> PathBuf {
        sqlite_file(self.path(), name, &format!("PRAGMA foreign_keys = OFF; {sql}"))
    }

    /// A file made from text.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(MTM);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    pub fn mtm(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&arguments.join(" "), self.command(arguments).output().unwrap())
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Outcome {
    what: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn of(what: &str, output: Output) -> Outcome {
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        Outcome {
            what: what.to_owned(),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// It ended with this code, and without a panic.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Outcome {
        let Outcome { what, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "mtm {what}\n--- stdout\n{stdout}--- stderr\n{stderr}");
        assert!(!stderr.contains("panicked"), "mtm {what}\n{stderr}");
        self
    }

    /// It is done, and had nothing to say beside its data.
    #[track_caller]
    pub fn succeeds(self) -> Outcome {
        let done = self.ends_with(0);
        assert_eq!(done.stderr, "", "mtm {}", done.what);
        done
    }

    /// It failed with this code, said these things, and said them on stderr alone.
    #[track_caller]
    pub fn fails(self, code: i32, said: &[&str]) -> Outcome {
        let failed = self.ends_with(code).complains_of(said);
        assert_eq!(failed.stdout, "", "mtm {}: data beside an error", failed.what);
        failed
    }

    /// stderr holds these, whatever the breaks in its lines.
    #[track_caller]
    pub fn complains_of(self, said: &[&str]) -> Outcome {
        let flat = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for needle in said {
            assert!(flat.contains(needle), "mtm {}: no {needle:?} in\n{}", self.what, self.stderr);
        }
        self
    }

    /// stdout holds these, whatever the columns of its tables.
    #[track_caller]
    pub fn says(self, said: &[&str]) -> Outcome {
        let flat = self.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for needle in said {
            assert!(flat.contains(needle), "mtm {}: no {needle:?} in\n{}", self.what, self.stdout);
        }
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("mtm {}: {error} in\n{}", self.what, self.stdout))
    }
}

/// A SQLite file and an empty database: one way from the one to the other.
pub struct Way {
    pub place: Workplace,
    pub target: TestDatabase,
    pub source: PathBuf,
}

impl Way {
    pub async fn from_sql(sql: &str) -> Way {
        let place = Workplace::new();
        let source = place.sqlite("source.db", sql);
        Way { place, target: TestDatabase::new().await, source }
    }

    /// A command on both ends.
    pub fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut arguments =
            vec![verb, "--source", self.source.to_str().unwrap(), "--target", &self.target.url];
        arguments.extend(more);
        self.place.command(&arguments)
    }

    /// Runs a command on both ends.
    pub fn run(&self, verb: &str, more: &[&str]) -> Outcome {
        Outcome::of(&format!("{verb} {}", more.join(" ")), self.command(verb, more).output().unwrap())
    }

    /// Plan, apply, verify, and the plan that is empty afterwards. Gives what the first plan says.
    #[track_caller]
    pub fn goes_through(&self) -> String {
        self.goes_through_with(&[])
    }

    #[track_caller]
    pub fn goes_through_with(&self, more: &[&str]) -> String {
        let with = |flags: &[&'static str]| [flags, more].concat().to_vec();
        let plan = self.run("plan", &with(&[])).succeeds().stdout;
        self.run("apply", &with(&["--yes"])).succeeds();
        self.run("verify", &with(&[])).succeeds().says(&["Proven"]);
        self.run("plan", &with(&["--exit-code"])).succeeds().says(&["Nothing to do"]);
        plan
    }

    /// Each query gives this text.
    pub async fn holds(&self, queries: &[(&str, &str)]) {
        for (sql, expected) in queries {
            let found = self.target.value(sql).await.unwrap_or_else(|| "NULL".to_owned());
            assert_eq!(found, *expected, "{sql}");
        }
    }

    /// How many relations there are outside of PostgreSQL's own schemas.
    pub async fn relations(&self) -> String {
        let sql = "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
                   WHERE n.nspname !~ '^(pg_|information_schema)' AND relkind IN ('r', 'v', 'S', 'm', 'p')";
        self.target.value(sql).await.unwrap()
    }
}

/// Whether all of these are in a text, whatever its breaks and columns.
#[track_caller]
pub fn contains_all(text: &str, needles: &[&str]) {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for needle in needles {
        assert!(flat.contains(needle), "no {needle:?} in\n{text}");
    }
}
