//! The account that the server's processes run as: one's own, or an unprivileged one when root asks.

use std::{
    ffi::OsStr,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Command, Output, Stdio},
};

use super::LocalError;

/// Accounts that root's server may run as, the best first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The account that owns the server's files and runs its processes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether processes must change to it, because the caller is root.
    switch: bool,
}

impl Account {
    /// Finds out who is asking. `id` is asked, since the standard library cannot say it without unsafe code.
    pub(super) fn current() -> Result<Account, LocalError> {
        let number = |flag: &str| ask_id(&[flag])?.ok_or(LocalError::NoUnprivilegedAccount);
        Ok(Account { uid: number("-u")?, gid: number("-g")?, switch: false })
    }

    pub(super) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Finds an account that root may hand a new server to.
    pub(super) fn unprivileged() -> Result<Account, LocalError> {
        for name in UNPRIVILEGED {
            if let (Some(uid), Some(gid)) = (ask_id(&["-u", name])?, ask_id(&["-g", name])?)
                && uid != 0
            {
                return Ok(Account { uid, gid, switch: true });
            }
        }
        Err(LocalError::NoUnprivilegedAccount)
    }

    /// Takes the owner of files that are there already, so that root can go on with what a plain user began.
    pub(super) fn owner_of(&self, path: &Path) -> Result<Account, LocalError> {
        let metadata = path.symlink_metadata().map_err(LocalError::io("look at", path))?;
        let owner = Account { uid: metadata.uid(), gid: metadata.gid(), switch: self.is_root() };
        if owner.is_root() || (!self.is_root() && owner.uid != self.uid) {
            return Err(LocalError::ForeignOwner { path: path.to_owned(), owner: owner.uid });
        }
        Ok(owner)
    }

    /// Gives a new file or directory to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), LocalError> {
        if !self.switch {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
            .map_err(LocalError::io("hand over to the server's account", path))
    }

    /// Runs a program as this account and waits for it. Its input is closed and its working directory is `/`, which
    /// every account may enter. The caller's `PG*` settings are kept from it, and its messages are in English, since some
    /// are read.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Output, LocalError> {
        self.command(program)
            .args(arguments)
            .output()
            .map_err(|source| LocalError::Run { program: program.to_owned(), source })
    }

    /// Prepares a program to run as this account, as [`Account::run`] does.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if self.switch {
            // Also drops the caller's supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Names the account for a message.
    pub(super) fn describe(&self) -> String {
        if self.switch { format!("the account number {}", self.uid) } else { "you".to_owned() }
    }
}

/// Asks `id` for a number; none where there is no such account.
fn ask_id(arguments: &[&str]) -> Result<Option<u32>, LocalError> {
    let output = Command::new("id")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| LocalError::Run { program: "id".into(), source })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
