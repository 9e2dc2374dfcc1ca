//! Making the data directory: UTF-8, locale C.UTF-8, nobody let in but through the private socket.

use std::{fs, path::Path, process::Output};

use super::{LocalError, SUPERUSER, account::Account, binaries::Binaries, place::Place};

/// Locales in order of preference. Both sort by code point; `C` alone knows no letters beyond ASCII, and is the only one
/// on systems without `C.UTF-8`.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Runs `initdb` into a directory beside the data's, then renames it: what is there is whole.
pub(super) fn initialise(place: &Place, binaries: &Binaries) -> Result<(), LocalError> {
    let data = place.data();
    let unfinished = data.with_extension("new");
    let mut reason = String::new();
    for locale in LOCALES {
        remove_tree(&unfinished)?;
        let output = run_initdb(&place.account, binaries, &unfinished, locale)?;
        if output.status.success() {
            return fs::rename(&unfinished, &data).map_err(LocalError::io("rename", &unfinished));
        }
        reason = last_lines(&String::from_utf8_lossy(&output.stderr));
        if !reason.contains("locale") {
            break;
        }
    }
    Err(LocalError::Initialise { data, reason })
}

fn run_initdb(
    account: &Account,
    binaries: &Binaries,
    data: &Path,
    locale: &str,
) -> Result<Output, LocalError> {
    let mut pgdata = std::ffi::OsString::from("--pgdata=");
    pgdata.push(data);
    let options = [
        "--encoding=UTF8".to_owned(),
        format!("--locale={locale}"),
        format!("--username={SUPERUSER}"),
        // The socket's directory is of mode 0700: whoever reaches the socket is the owner, or root.
        "--auth-local=trust".to_owned(),
        "--auth-host=scram-sha-256".to_owned(),
    ];
    account.run(&binaries.initdb(), std::iter::once(pgdata).chain(options.map(Into::into)))
}

fn remove_tree(path: &Path) -> Result<(), LocalError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LocalError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The end of a program's output, on one line: enough to say why, short enough for a message.
pub(super) fn last_lines(text: &str) -> String {
    const KEPT_LINES: usize = 4;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let kept = lines.get(lines.len().saturating_sub(KEPT_LINES)..).unwrap_or_default();
    if kept.is_empty() { "it gave no reason".to_owned() } else { kept.join(" / ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_the_end_of_the_output() {
        assert_eq!(last_lines("a\n\n b \nc\nd\ne\n"), "b / c / d / e");
        assert_eq!(last_lines("only\n"), "only");
        assert_eq!(last_lines("\n \n"), "it gave no reason");
    }
}
