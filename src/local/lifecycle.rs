//! Starting, stopping, looking.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Write,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::Path,
    process::Stdio,
};

use super::{
    LocalError, LocalServer, Running, SOCKET_PORT, SUPERUSER, StartOptions, Status,
    binaries::{self, Binaries},
    initialise::{initialise, last_lines},
    place::{LOG_NAME, Place, write_private_file},
    postmaster::{self, Listening, PidFile, Postmaster},
    secret::random_hex,
};

/// How long a server may take to start or to stop, in seconds; a start takes 0.12 s, and a recovery longer.
const TIMEOUT_SECONDS: &str = "60";

/// The password's length: 128 bits.
const PASSWORD_BYTES: usize = 16;

/// Settings that differ from PostgreSQL's own. The time zone is that of the servers that people deploy to, so that a
/// `timestamptz` reads here as it does there.
const SETTINGS: [&str; 3] = ["timezone=UTC", "log_timezone=UTC", "unix_socket_permissions=0700"];

impl LocalServer {
    /// Starts the server, and makes its data directory the first time. A server that runs already is left alone.
    ///
    /// Blocks until the server takes connections: a fraction of a second, a few the first time.
    ///
    /// # Errors
    /// [`LocalError`]: the programs are missing, the data is another's or of another version, the server runs with
    /// another port, or it does not start.
    pub fn start(&self, options: StartOptions) -> Result<Running, LocalError> {
        let _lock = Place::lock(&self.workdir)?;
        match self.look()? {
            Status::Running(running) => return running.if_it_listens_on(options.port),
            Status::Starting { pid, log } => return Err(LocalError::StillStarting { pid, log }),
            Status::Absent | Status::Stopped { .. } => {}
        }
        let place = match Place::find(&self.workdir)? {
            Some(place) => place,
            None => Place::make(&self.workdir)?,
        };
        let binaries = binaries::find_for(&place.account, &place.data())?;
        if !is_initialised(&place) {
            initialise(&place, &binaries)?;
        }
        remove_recycled_pid_file(&place)?;
        if options.port.is_some() {
            ensure_password(&place, &binaries)?;
        }
        start_server(&place, &binaries, options.port)?;
        match self.look()? {
            Status::Running(running) => Ok(running),
            _ => Err(LocalError::Start { reason: "it ended at once".to_owned(), log: place.log() }),
        }
    }

    /// Stops the server, breaking off open transactions; says whether one ran. The data stays.
    ///
    /// # Errors
    /// [`LocalError::Stop`] when it does not end in time, and whatever [`LocalServer::status`] finds.
    pub fn stop(&self) -> Result<bool, LocalError> {
        let Some(place) = Place::find(&self.workdir)? else { return Ok(false) };
        let _lock = Place::lock(&self.workdir)?;
        // Only a postmaster of this data directory comes back from here; pg_ctl would signal whatever the file names.
        let PidFile::Alive(_) = postmaster::look(&place.data())? else { return Ok(false) };
        let binaries = binaries::find_for(&place.account, &place.data())?;
        let data = place.data();
        let arguments =
            ["stop", "--mode=fast", "--wait", "--timeout", TIMEOUT_SECONDS, "--pgdata"].map(OsString::from);
        let output = place.account.run(&binaries.pg_ctl(), arguments.into_iter().chain([data.into()]))?;
        if output.status.success() {
            return Ok(true);
        }
        Err(LocalError::Stop {
            reason: last_lines(&String::from_utf8_lossy(&output.stderr)),
            log: place.log(),
        })
    }

    /// Says what the server is doing. Changes nothing.
    ///
    /// # Errors
    /// [`LocalError::ForeignOwner`], [`LocalError::SocketGone`], or a file that cannot be read.
    pub fn status(&self) -> Result<Status, LocalError> {
        self.look()
    }

    fn look(&self) -> Result<Status, LocalError> {
        let Some(place) = Place::find(&self.workdir)? else { return Ok(Status::Absent) };
        if !is_initialised(&place) {
            return Ok(Status::Absent);
        }
        match postmaster::look(&place.data())? {
            PidFile::Absent | PidFile::Stale | PidFile::Recycled => {
                Ok(Status::Stopped { data: place.data() })
            }
            PidFile::Alive(Postmaster { pid, listening: None }) => {
                Ok(Status::Starting { pid, log: place.log() })
            }
            PidFile::Alive(Postmaster { pid, listening: Some(listening) }) => running(&place, pid, listening),
        }
    }
}

impl Running {
    fn if_it_listens_on(self, port: Option<u16>) -> Result<Running, LocalError> {
        match port {
            Some(asked) if !self.tcp || self.port != asked => {
                let actual = if self.tcp {
                    format!("on TCP port {}", self.port)
                } else {
                    "on its socket alone".to_owned()
                };
                Err(LocalError::OtherPort { asked, actual })
            }
            _ => Ok(self),
        }
    }
}

fn running(place: &Place, pid: u32, listening: Listening) -> Result<Status, LocalError> {
    let Listening { port, socket_directory, tcp } = listening;
    if !socket_directory.join(format!(".s.PGSQL.{port}")).exists() {
        return Err(LocalError::SocketGone { pid, socket_directory });
    }
    let password_file = tcp.then(|| place.password_file());
    Ok(Status::Running(Running {
        pid,
        port,
        tcp,
        socket_directory,
        data: place.data(),
        log: place.log(),
        password_file,
    }))
}

fn is_initialised(place: &Place) -> bool {
    place.data().join("PG_VERSION").exists()
}

/// Removes what a crash left behind where PostgreSQL does not do so itself: when the number is another program's by now,
/// as happens after the machine's restart.
fn remove_recycled_pid_file(place: &Place) -> Result<(), LocalError> {
    if postmaster::look(&place.data())? == PidFile::Recycled {
        let path = postmaster::pid_file(&place.data());
        fs::remove_file(&path).map_err(LocalError::io("remove", &path))?;
    }
    Ok(())
}

fn start_server(place: &Place, binaries: &Binaries, port: Option<u16>) -> Result<(), LocalError> {
    let socket_directory = place.make_socket_directory()?;
    let (data, log) = (place.data(), place.log());
    let said_before = fs::metadata(&log).map_or(0, |metadata| metadata.len());
    // pg_ctl puts its own -D and --log between double quotes and hands them to a shell, which would evaluate a `$(…)` in
    // the path. So the data directory goes by the environment and, well quoted, among the server's options (where the
    // process table shows it); and the log by its name alone.
    let program = binaries.pg_ctl();
    let output = place
        .account
        .command(&program)
        .current_dir(place.home())
        .env("PGDATA", &data)
        // Without a log file the server would hold on to our pipe, and reading from pg_ctl would never end.
        .args(["start", "--silent", "--wait", "--timeout", TIMEOUT_SECONDS, "--log", LOG_NAME, "--options"])
        .arg(server_options(&data, &socket_directory, port))
        .output()
        .map_err(|source| LocalError::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = fs::read(&log).unwrap_or_default();
    let new = said.get(usize::try_from(said_before).unwrap_or(usize::MAX)..).unwrap_or_default();
    let text = if new.is_empty() { &output.stderr } else { new };
    Err(LocalError::Start { reason: last_lines(&String::from_utf8_lossy(text)), log })
}

/// The server's own options as one string, which `pg_ctl` hands to a shell.
fn server_options(data: &Path, socket_directory: &Path, port: Option<u16>) -> OsString {
    let listen = if port.is_some() { "localhost" } else { "" };
    let mut settings = vec![
        format!("port={}", port.unwrap_or(SOCKET_PORT)),
        format!("listen_addresses={listen}"),
        // The setting is a list whose items may be quoted.
        format!("unix_socket_directories=\"{}\"", socket_directory.to_string_lossy().replace('"', "\"\"")),
    ];
    settings.extend(SETTINGS.map(str::to_owned));
    let mut options = OsString::from("-D ");
    options.push(shell_quoted(data.as_os_str()));
    for setting in settings {
        options.push(" -c ");
        options.push(shell_quoted(OsStr::new(&setting)));
    }
    options
}

/// Quotes for a POSIX shell (XCU 2.2.2): nothing is special between single quotes but the single quote.
fn shell_quoted(text: &OsStr) -> OsString {
    let mut quoted = vec![b'\''];
    for &byte in text.as_bytes() {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            other => quoted.push(other),
        }
    }
    quoted.push(b'\'');
    OsString::from_vec(quoted)
}

/// Gives the superuser a password, once. In single-user mode, before any socket is open, and through standard input, so
/// that it is in no argument list and no log.
fn ensure_password(place: &Place, binaries: &Binaries) -> Result<(), LocalError> {
    let file = place.password_file();
    if file.exists() {
        return Ok(());
    }
    let password = random_hex(PASSWORD_BYTES)?;
    let program = binaries.postgres();
    let not_run = |source| LocalError::Run { program: program.clone(), source };
    let mut child = place
        .account
        .command(&program)
        .args(["--single", "-D"])
        .arg(place.data())
        .args(["-c", "password_encryption=scram-sha-256", "-c", "log_min_error_statement=panic", "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let statement = format!("ALTER ROLE \"{SUPERUSER}\" PASSWORD '{password}'\n");
    if let Some(mut input) = child.stdin.take() {
        input.write_all(statement.as_bytes()).map_err(not_run)?;
    }
    let output = child.wait_with_output().map_err(not_run)?;
    let said = String::from_utf8_lossy(&output.stderr).replace(&password, "********");
    if !output.status.success() || said.contains("ERROR") {
        return Err(LocalError::Password { reason: last_lines(&said) });
    }
    write_private_file(&file, &format!("{password}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_shell() {
        let directory = Path::new("/home/o'hara/a \"b\", $(c) `d` \\");
        let options = server_options(directory, directory, None);
        let mut script = OsString::from("printf '%s\\n' ");
        script.push(&options);
        let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(lines.starts_with("-D\n/home/o'hara/a \"b\", $(c) `d` \\\n-c\n"), "{lines}");
        assert!(
            lines.contains("\nunix_socket_directories=\"/home/o'hara/a \"\"b\"\", $(c) `d` \\\"\n"),
            "{lines}"
        );
        assert!(lines.contains("\nlisten_addresses=\n") && lines.contains("\nport=5432\n"), "{lines}");
    }

    #[test]
    fn tcp_is_on_only_with_a_port() {
        let options =
            server_options(Path::new("/data"), Path::new("/run"), Some(6000)).into_string().unwrap();
        assert!(
            options.contains("'listen_addresses=localhost'") && options.contains("'port=6000'"),
            "{options}"
        );
    }
}
