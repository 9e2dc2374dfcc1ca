//! Where PostgreSQL's server programs are on this machine.

use std::path::{Path, PathBuf};

use super::{LocalError, account::Account};

/// The programs that a private server needs; a directory that lacks one of them is of no use.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Directories that packages install into, outside of PATH: a parent, the directory's beginning (its end is a version),
/// and the way from there to the programs.
const USUAL_PLACES: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),                      // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                               // the PostgreSQL project's RPMs
    ("/usr/local", "pgsql", "bin"),                          // built from source
    ("/opt/homebrew/opt", "postgresql", "bin"),              // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql", "bin"),                 // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"), // Homebrew on Linux
    ("/opt/local/lib", "postgresql", "bin"),                 // MacPorts
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"), // Postgres.app
];

/// The server programs of one PostgreSQL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binaries {
    /// Their directory.
    pub directory: PathBuf,
    /// Their major version.
    pub major: u32,
}

impl Binaries {
    pub(super) fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    pub(super) fn pg_ctl(&self) -> PathBuf {
        self.directory.join("pg_ctl")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }
}

/// Finds the server programs: on PATH, where `pg_config` says, or in the usual places, the newest first.
///
/// # Errors
/// [`LocalError::BinariesMissing`], which says how to install them.
pub fn find_binaries() -> Result<Binaries, LocalError> {
    let account = Account::current()?;
    usable(&account).next().ok_or_else(|| LocalError::BinariesMissing { account: account.describe() })
}

/// Finds the programs for an account: for data that is there, of the version that made it.
pub(super) fn find_for(account: &Account, data: &Path) -> Result<Binaries, LocalError> {
    let Some(data_major) = data_major(data)? else {
        return usable(account)
            .next()
            .ok_or_else(|| LocalError::BinariesMissing { account: account.describe() });
    };
    let mut installed = Vec::new();
    for binaries in usable(account) {
        // Before version 10 a major version had two numbers, as in 9.6: it equals none of ours, and so is refused.
        if binaries.major.to_string() == data_major {
            return Ok(binaries);
        }
        installed.push(binaries.major.to_string());
    }
    if installed.is_empty() {
        return Err(LocalError::BinariesMissing { account: account.describe() });
    }
    installed.dedup();
    let installed = installed.join(", ");
    Err(LocalError::OtherMajorVersion { data: data.to_owned(), data_major, installed })
}

/// Reads a data directory's major version; none where there is no data yet.
fn data_major(data: &Path) -> Result<Option<String>, LocalError> {
    let path = data.join("PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::io("read", path)(error)),
    }
}

/// The programs that this account can really run, in order of preference. Asking for the version proves it: a directory
/// under another's home is on root's PATH, and of no use to the server's account.
fn usable(account: &Account) -> impl Iterator<Item = Binaries> {
    candidates().into_iter().filter_map(move |directory| {
        let output = account.run(&directory.join("postgres"), ["--version"]).ok()?;
        let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Binaries { directory, major })
    })
}

fn candidates() -> Vec<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> =
        std::env::split_paths(&on_path).filter(|path| path.is_absolute()).collect();
    if let Ok(output) = std::process::Command::new("pg_config").arg("--bindir").output() {
        directories.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for (parent, beginning, programs) in USUAL_PLACES {
        directories
            .extend(versions_in(Path::new(parent), beginning).into_iter().map(|path| path.join(programs)));
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for directory in directories {
        // PATH often holds links into the package's directory; the programs look for their neighbours there.
        let Ok(initdb) = directory.join(PROGRAMS[0]).canonicalize() else { continue };
        let Some(real) = initdb.parent() else { continue };
        // pg_ctl writes its own path into a shell's command, between double quotes.
        if real.as_os_str().as_encoded_bytes().iter().any(|byte| b"\"$`\\".contains(byte)) {
            continue;
        }
        let complete = PROGRAMS.iter().all(|program| real.join(program).is_file());
        if complete && !found.iter().any(|known| known == real) {
            found.push(real.to_owned());
        }
    }
    found
}

/// The directories in `parent` that begin so, the highest version first.
fn versions_in(parent: &Path, beginning: &str) -> Vec<PathBuf> {
    let mut names: Vec<(u32, String)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(beginning))
        .map(|name| (first_number(&name).unwrap_or(0), name))
        .collect();
    names.sort_by(|left, right| right.cmp(left));
    names.into_iter().map(|(_, name)| parent.join(name)).collect()
}

/// Reads the major version out of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; works for `18beta1` too.
fn parse_major(version: &str) -> Option<u32> {
    first_number(version.split_once("(PostgreSQL)")?.1)
}

fn first_number(text: &str) -> Option<u32> {
    let digits = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_what_postgres_prints() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("mysqld 8.0", None),
            ("", None),
        ];
        for (text, major) in cases {
            assert_eq!(parse_major(text), major, "{text:?}");
        }
    }

    #[test]
    fn versions_are_sorted_as_numbers() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-16", "pgsql-15", "other-99"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let names: Vec<_> = versions_in(directory.path(), "pgsql-")
            .into_iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["pgsql-16", "pgsql-15", "pgsql-9"]);
        assert!(versions_in(&directory.path().join("none"), "").is_empty());
    }

    #[test]
    fn this_machine_has_the_programs() {
        let binaries = find_binaries().unwrap();
        assert!(binaries.initdb().is_file() && binaries.pg_ctl().is_file() && binaries.postgres().is_file());
        assert!(binaries.major >= 12, "{binaries:?}");
    }

    #[test]
    fn data_of_another_major_version_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for version in ["9.1", "99"] {
            std::fs::write(directory.path().join("PG_VERSION"), format!("{version}\n")).unwrap();
            let error = find_for(&Account::current().unwrap(), directory.path()).unwrap_err().to_string();
            assert!(
                error.contains(&format!("made by PostgreSQL {version}, and this machine has 1")),
                "{error}"
            );
            assert!(error.contains(&format!("install PostgreSQL {version}")), "{error}");
        }
    }
}
