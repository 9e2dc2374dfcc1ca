//! The certificate's two files, each written beside its place and then moved there, so that nobody sees a half.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{cli::error::CliError, report, verify::Certificate};

/// Readable by others, as the user's umask allows: nothing in a certificate is a secret.
const MODE: u32 = 0o666;

/// Where the two files of a certificate go.
#[derive(Debug)]
pub(super) struct CertificateFiles {
    folder: PathBuf,
    json: PathBuf,
    page: PathBuf,
}

impl CertificateFiles {
    /// From the name that the user gave, with or without an ending. Tries whether the folder takes files.
    pub(super) fn at(named: &Path) -> Result<CertificateFiles, CliError> {
        let is_one_of_ours = named
            .extension()
            .is_some_and(|ending| ending == OsStr::new("json") || ending == OsStr::new("md"));
        let name = if is_one_of_ours { named.file_stem() } else { named.file_name() };
        // A name that ends in a slash is a folder's.
        let is_folder = named.as_os_str().as_encoded_bytes().ends_with(b"/");
        let Some(name) = name.filter(|_| !is_folder) else {
            return Err(CliError::Usage {
                message: format!("--certificate {} names no file", named.display()),
                hint: Some("FILE.json and FILE.md are written: `--certificate out/proof`".to_owned()),
            });
        };
        let folder = match named.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let file = |ending: &str| {
            let mut file = OsString::from(name);
            file.push(ending);
            named.with_file_name(file)
        };
        let files = CertificateFiles { json: file(".json"), page: file(".md"), folder };
        for path in [&files.json, &files.page] {
            if path.is_dir() {
                let message = format!("--certificate would write {}, which is a folder", path.display());
                return Err(CliError::Usage { message, hint: None });
            }
        }
        // The trial is gone when this function ends, so that an interruption leaves nothing.
        files.temporary()?;
        Ok(files)
    }

    fn temporary(&self) -> Result<NamedTempFile, CliError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".mtm-certificate-").permissions(Permissions::from_mode(MODE));
        builder.tempfile_in(&self.folder).map_err(|error| {
            let what = format!("the certificate cannot be written to the folder {}", self.folder.display());
            CliError::io(what, error)
        })
    }

    /// Writes both.
    pub(super) fn write(&self, certificate: &Certificate) -> Result<(), CliError> {
        // Both are whole before either is where it belongs.
        let json = self.filled(&self.json, |out| report::certificate_json(certificate, out))?;
        let page = self.filled(&self.page, |out| report::certificate_page(certificate, out))?;
        for (file, path) in [(json, &self.json), (page, &self.page)] {
            file.persist(path).map_err(|error| not_written(path, error.error))?;
        }
        Ok(())
    }

    fn filled(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<NamedTempFile, CliError> {
        let file = self.temporary()?;
        let mut out = std::io::BufWriter::new(file.as_file());
        let written = write(&mut out).and_then(|()| out.flush()).and_then(|()| file.as_file().sync_all());
        written.map_err(|error| not_written(path, error))?;
        drop(out);
        Ok(file)
    }
}

fn not_written(path: &Path, error: std::io::Error) -> CliError {
    CliError::io(format!("the certificate {} could not be written", path.display()), error)
}

impl fmt::Display for CertificateFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.json.display(), self.page.display())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn names_with_and_without_an_ending() {
        let folder = tempfile::tempdir().unwrap();
        for (named, json, page) in [
            ("proof", "proof.json", "proof.md"),
            ("proof.json", "proof.json", "proof.md"),
            ("proof.md", "proof.json", "proof.md"),
            ("proof.2024", "proof.2024.json", "proof.2024.md"),
            (".json", ".json.json", ".json.md"),
        ] {
            let files = CertificateFiles::at(&folder.path().join(named)).unwrap();
            assert_eq!(
                (files.json, files.page),
                (folder.path().join(json), folder.path().join(page)),
                "{named}"
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the trial leaves nothing");
        std::fs::create_dir(folder.path().join("taken.md")).unwrap();
        for refused in ["taken", "folder/", "not/there", "..", ""] {
            assert!(CertificateFiles::at(&folder.path().join(refused)).is_err(), "{refused}");
        }
    }
}
