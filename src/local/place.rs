//! Where the server's files lie, and whose they are.
//!
//! A plain user's lie in `.mtm/` itself. Root's lie in a directory under `/var/tmp`, since the account that the server
//! runs as cannot enter `/root`; `.mtm/postgres.location` points there. A unix socket's path is limited to about a hundred
//! bytes, so the socket of a deep working directory lies under `/tmp`, and `.mtm/socket.location` points there. What a
//! pointer leads to is believed only if it is a directory of mode 0700 that belongs to the right account: `/tmp` and
//! `/var/tmp` are everybody's.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use super::{LocalError, account::Account, secret::random_hex};

/// The longest socket path, in bytes, that every system takes: Linux has room for 107, macOS for 103 and a NUL.
const LONGEST_SOCKET_PATH: usize = 103;

/// The longest name of a socket in its directory.
const LONGEST_SOCKET_NAME: usize = "/.s.PGSQL.65535".len();

/// Directories for the files of root's server: `/var/tmp` outlives a restart of the machine.
const SHARED_HOMES: [&str; 2] = ["/var/tmp", "/tmp"];

/// Directories for the socket of a deep working directory, the shortest first.
const SHARED_SOCKETS: [&str; 2] = ["/tmp", "/var/tmp"];

/// The server's log, in the same directory as its data directory.
pub(super) const LOG_NAME: &str = "postgres.log";

/// The server's files.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `.mtm` of the working directory.
    base: PathBuf,
    /// What holds data, log and password: `base`, or where its pointer leads.
    home: PathBuf,
    /// The account that owns them.
    pub(super) account: Account,
}

/// Held while the server is started or stopped, so that two commands do not do so at once.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Place {
    /// Finds the files that are there; none where the server was never started.
    pub(super) fn find(workdir: &Path) -> Result<Option<Place>, LocalError> {
        let base = workdir.join(".mtm");
        let Ok(base) = base.canonicalize() else { return Ok(None) };
        let caller = Account::current()?;
        let home = match read_pointer(&base.join("postgres.location"))? {
            Some(home) if is_private_directory(&home) => home,
            // Its target was cleaned away: there is nothing any more.
            Some(_) => return Ok(None),
            None => base.clone(),
        };
        let data = home.join("postgres");
        if home == base && !data.is_dir() {
            return Ok(None);
        }
        let account = caller.owner_of(if home == base { &data } else { &home })?;
        Ok(Some(Place { base, home, account }))
    }

    /// Makes room for a new server.
    pub(super) fn make(workdir: &Path) -> Result<Place, LocalError> {
        let base = make_base(workdir)?;
        let caller = Account::current()?;
        let pointer = base.join("postgres.location");
        if !caller.is_root() {
            // What it led to is gone, or the files would have been found.
            remove_if_there(&pointer)?;
            return Ok(Place { home: base.clone(), base, account: caller });
        }
        let account = Account::unprivileged()?;
        let home = make_private_directory(SHARED_HOMES, &account)?;
        write_pointer(&pointer, &home)?;
        Ok(Place { base, home, account })
    }

    /// Waits until no other command starts or stops the server here. Makes `.mtm` if need be.
    pub(super) fn lock(workdir: &Path) -> Result<Lock, LocalError> {
        let path = make_base(workdir)?.join("postgres.lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(LocalError::io("open", &path))?;
        file.lock().map_err(LocalError::io("lock", &path))?;
        Ok(Lock { _file: file })
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("postgres")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join(LOG_NAME)
    }

    /// The password lies with the one who uses it, not with the server, which never reads it.
    pub(super) fn password_file(&self) -> PathBuf {
        self.base.join("postgres.password")
    }

    /// Makes the socket's directory, of mode 0700, and short enough.
    pub(super) fn make_socket_directory(&self) -> Result<PathBuf, LocalError> {
        let beside = self.home.join("run");
        let pointer = self.base.join("socket.location");
        if fits_a_socket(&beside) {
            if !is_private_directory(&beside) {
                make_owned_directory(&beside, &self.account)?;
            }
            return Ok(beside);
        }
        if let Some(known) = read_pointer(&pointer)?
            && is_private_directory(&known)
            && self.account.owner_of(&known).is_ok_and(|owner| owner.uid == self.account.uid)
        {
            return Ok(known);
        }
        let made = make_private_directory(SHARED_SOCKETS, &self.account)?;
        write_pointer(&pointer, &made)?;
        Ok(made)
    }
}

/// A URL carries the path as text, so that one that is not text will not do either.
fn fits_a_socket(directory: &Path) -> bool {
    directory.to_str().is_some() && directory.as_os_str().len() + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH
}

/// Makes `.mtm`, which version control is told to leave alone.
fn make_base(workdir: &Path) -> Result<PathBuf, LocalError> {
    let base = workdir.join(".mtm");
    std::fs::create_dir_all(&base).map_err(LocalError::io("make", &base))?;
    let ignore = base.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(LocalError::io("write", &ignore))?;
    }
    base.canonicalize().map_err(LocalError::io("find", &base))
}

fn is_private_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.mode() & 0o077 == 0)
}

/// Makes a directory of mode 0700 that nobody made before us, in the first parent that takes one.
fn make_private_directory(parents: [&str; 2], account: &Account) -> Result<PathBuf, LocalError> {
    let suffix = random_hex(6)?;
    let [first, second] = parents.map(|parent| Path::new(parent).join(format!("mtm-{suffix}")));
    if make_owned_directory(&first, account).is_ok() {
        return Ok(first);
    }
    make_owned_directory(&second, account)?;
    Ok(second)
}

fn make_owned_directory(path: &Path, account: &Account) -> Result<(), LocalError> {
    DirBuilder::new().mode(0o700).create(path).map_err(LocalError::io("make", path))?;
    account.own(path)
}

fn read_pointer(path: &Path) -> Result<Option<PathBuf>, LocalError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes.trim_ascii_end())))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LocalError::io("read", path)(error)),
    }
}

fn write_pointer(path: &Path, target: &Path) -> Result<(), LocalError> {
    let mut line = target.as_os_str().as_bytes().to_vec();
    line.push(b'\n');
    std::fs::write(path, line).map_err(LocalError::io("write", path))
}

fn remove_if_there(path: &Path) -> Result<(), LocalError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LocalError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Writes a new file of mode 0600.
pub(super) fn write_private_file(path: &Path, text: &str) -> Result<(), LocalError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(LocalError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_working_directory_gets_a_short_socket_and_keeps_it() {
        let directory = tempfile::tempdir().unwrap();
        let account = Account::current().unwrap();
        let deep = directory.path().join("d".repeat(100));
        for (home, beside) in [(directory.path().join("home"), true), (deep, false)] {
            std::fs::create_dir(&home).unwrap();
            let place = Place { base: home.clone(), home: home.clone(), account: account.clone() };
            let made = place.make_socket_directory().unwrap();
            assert_eq!(made == home.join("run"), beside, "{}", made.display());
            assert!(is_private_directory(&made) && fits_a_socket(&made), "{}", made.display());
            if !account.is_root() {
                assert_eq!(place.make_socket_directory().unwrap(), made);
            }
            if !beside {
                std::fs::remove_dir(&made).unwrap();
                assert_ne!(
                    place.make_socket_directory().unwrap(),
                    made,
                    "a name that was cleaned away is not used again"
                );
                std::fs::remove_dir(read_pointer(&home.join("socket.location")).unwrap().unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn directory_that_others_may_enter_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let open = directory.path().join("open");
        DirBuilder::new().mode(0o755).create(&open).unwrap();
        let private = directory.path().join("private");
        DirBuilder::new().mode(0o700).create(&private).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&private, &link).unwrap();
        assert!(is_private_directory(&private));
        assert!(!is_private_directory(&open) && !is_private_directory(&link));
        assert!(!is_private_directory(&directory.path().join("absent")));
    }

    #[test]
    fn pointer_to_nothing_counts_as_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Place::find(directory.path()).unwrap().is_none());
        let base = make_base(directory.path()).unwrap();
        assert!(Place::find(directory.path()).unwrap().is_none());
        write_pointer(&base.join("postgres.location"), Path::new("/var/tmp/mtm-gone")).unwrap();
        assert!(Place::find(directory.path()).unwrap().is_none());
    }

    #[test]
    fn secret_file_is_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        write_private_file(&path, "secret").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert!(write_private_file(&path, "another").is_err(), "a file that is there is not written over");
    }
}
