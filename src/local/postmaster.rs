//! Whether a server process serves a data directory, as its `postmaster.pid` and the system's process table have it.
//!
//! The file alone is not believed: after a crash it stays, and its number may by then be another program's. Nothing is
//! ever signalled that is not a `postgres` of this very data directory.
//!
//! The file's lines are listed in PostgreSQL's `src/include/utils/pidfile.h`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::LocalError;

const LINE_PID: usize = 0;
const LINE_PORT: usize = 3;
const LINE_SOCKET_DIRECTORY: usize = 4;
const LINE_LISTEN_ADDRESS: usize = 5;
const LINE_STATUS: usize = 7;

/// A server process of a data directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Postmaster {
    pub(super) pid: u32,
    /// Where it takes connections; none as long as it does not.
    pub(super) listening: Option<Listening>,
}

/// Where a server takes connections.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listening {
    pub(super) port: u16,
    pub(super) socket_directory: PathBuf,
    pub(super) tcp: bool,
}

/// What `postmaster.pid` in a data directory says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum PidFile {
    Absent,
    /// It names a process that is gone. PostgreSQL itself knows best how to go on from there: it looks for orphaned
    /// backends first.
    Stale,
    /// Its number has become another program's, or the file cannot be read. PostgreSQL would refuse to start.
    Recycled,
    Alive(Postmaster),
}

/// Reads it, and looks at the process that it names.
pub(super) fn look(data: &Path) -> Result<PidFile, LocalError> {
    let path = pid_file(data);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(PidFile::Absent),
        Err(error) => return Err(LocalError::io("read", path)(error)),
    };
    let Some(postmaster) = parse(&text) else { return Ok(PidFile::Recycled) };
    Ok(match command_line(postmaster.pid) {
        None => PidFile::Stale,
        Some(command) if serves(&command, data) => PidFile::Alive(postmaster),
        Some(_) => PidFile::Recycled,
    })
}

pub(super) fn pid_file(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

fn parse(text: &str) -> Option<Postmaster> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    // A single-user process writes its number negated.
    let pid = lines.get(LINE_PID)?.parse::<i64>().ok()?.unsigned_abs().try_into().ok()?;
    Some(Postmaster { pid, listening: parse_listening(&lines) })
}

fn parse_listening(lines: &[&str]) -> Option<Listening> {
    let ready = *lines.get(LINE_STATUS)? == "ready";
    ready.then_some(())?;
    Some(Listening {
        port: lines.get(LINE_PORT)?.parse().ok()?,
        socket_directory: PathBuf::from(lines.get(LINE_SOCKET_DIRECTORY)?),
        tcp: !lines.get(LINE_LISTEN_ADDRESS)?.is_empty(),
    })
}

/// The arguments of a process, one a line; none where there is no such process.
fn command_line(pid: u32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).replace('\0', "\n"));
    }
    let output = Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Whether these arguments are those of a server of this data directory.
fn serves(command: &str, data: &Path) -> bool {
    let program = command.lines().next().unwrap_or_default();
    program.contains("postgres") && command.contains(data.to_string_lossy().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "4711\n/home/ada/.mtm/postgres\n1795000000\n5432\n/home/ada/.mtm/run\n\n  5432001         0\nready   \n";

    #[test]
    fn pid_file_is_read_line_by_line() {
        let listening =
            |port, tcp| Some(Listening { port, socket_directory: "/home/ada/.mtm/run".into(), tcp });
        let cases = [
            (RUNNING.to_owned(), Some((4711, listening(5432, false)))),
            (RUNNING.replace("run\n\n", "run\nlocalhost\n"), Some((4711, listening(5432, true)))),
            (RUNNING.replace("ready   ", "starting"), Some((4711, None))),
            (RUNNING.replace("ready   ", "stopping"), Some((4711, None))),
            ("4711\n/home/ada/.mtm/postgres\n".to_owned(), Some((4711, None))),
            ("-4711\n".to_owned(), Some((4711, None))),
            (String::new(), None),
            ("not a number\n".to_owned(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(&text).map(|found| (found.pid, found.listening)), expected, "{text:?}");
        }
    }

    #[test]
    fn process_of_another_program_is_not_ours() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(look(directory.path()).unwrap(), PidFile::Absent);
        let own = std::process::id();
        fs::write(pid_file(directory.path()), RUNNING.replace("4711", &own.to_string())).unwrap();
        assert_eq!(look(directory.path()).unwrap(), PidFile::Recycled, "a live process that is this test");
        fs::write(pid_file(directory.path()), RUNNING.replace("4711", "999999999")).unwrap();
        assert_eq!(look(directory.path()).unwrap(), PidFile::Stale, "no process at all");
    }

    #[test]
    fn server_of_another_data_directory_is_not_ours() {
        let command = "/usr/lib/postgresql/15/bin/postgres\n-D\n/home/ada/.mtm/postgres\n-p\n5432\n";
        assert!(serves(command, Path::new("/home/ada/.mtm/postgres")));
        assert!(!serves(command, Path::new("/home/eve/.mtm/postgres")));
        assert!(!serves("vim\n/home/ada/.mtm/postgres\n", Path::new("/home/ada/.mtm/postgres")));
    }
}
