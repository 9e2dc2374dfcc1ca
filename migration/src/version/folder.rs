//! Versions as folders.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{Section, Step, Version, VersionError, file, is_version_name};

/// Reads the versions of a folder, oldest first. A folder that does not exist holds none; files in it, and folders whose
/// name begins with a dot, are none of its business.
///
/// # Errors
/// [`VersionError`], with file and line where there is one.
pub fn load_folder(folder: &Path) -> Result<Vec<Version>, VersionError> {
    let mut versions = Vec::new();
    for path in entries(folder)? {
        let name = name_of(&path);
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        if !is_version_name(&name) {
            return Err(VersionError::BadName { name });
        }
        versions.push(load_version(&path, name)?);
    }
    versions.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(versions)
}

/// Writes a version as a folder of its own, and returns its path. It appears whole or not at all.
///
/// # Errors
/// [`VersionError::Exists`] when it is there already, [`VersionError::Unwritable`] for a step that would not read back
/// as it is.
pub fn save(folder: &Path, version: &Version) -> Result<PathBuf, VersionError> {
    if !is_version_name(&version.name) {
        return Err(VersionError::BadName { name: version.name.clone() });
    }
    let path = folder.join(&version.name);
    if path.exists() {
        return Err(VersionError::Exists { path });
    }
    let mut texts = Vec::new();
    for section in Section::ALL {
        texts.push((section, text_of(version, section)?));
    }
    let unfinished = folder.join(format!(".{}.unfinished", version.name));
    fs::create_dir_all(&unfinished).map_err(failed(&unfinished, "written"))?;
    for (section, text) in texts {
        let file = unfinished.join(file_name(section));
        fs::write(&file, text).map_err(failed(&file, "written"))?;
    }
    fs::rename(&unfinished, &path).map_err(failed(&path, "written"))?;
    Ok(path)
}

fn text_of(version: &Version, section: Section) -> Result<String, VersionError> {
    let steps = file::format(version.section(section), section).map_err(|(index, reason)| {
        VersionError::Unwritable { name: version.name.clone(), section, number: index + 1, reason }
    })?;
    let when = match section {
        Section::PreData => "before the rows, in one transaction",
        Section::PostData => "after the rows, each step in a transaction of its own",
        Section::Down => "the way back, in one transaction",
    };
    Ok(format!("-- {}, {section}: {when}.\n\n{steps}", version.name))
}

fn load_version(path: &Path, name: String) -> Result<Version, VersionError> {
    let known: Vec<String> = Section::ALL.into_iter().map(file_name).collect();
    let stray = |file: &PathBuf| {
        file.extension().is_some_and(|extension| extension == "sql") && !known.contains(&name_of(file))
    };
    if let Some(path) = entries(path)?.into_iter().find(stray) {
        return Err(VersionError::StrayFile { path });
    }
    if !known.iter().any(|file| path.join(file).exists()) {
        return Err(VersionError::Empty { path: path.to_owned() });
    }
    Ok(Version {
        name,
        pre_data: load_section(path, Section::PreData)?,
        post_data: load_section(path, Section::PostData)?,
        down: load_section(path, Section::Down)?,
    })
}

/// A file that is missing has no steps.
fn load_section(version: &Path, section: Section) -> Result<Vec<Step>, VersionError> {
    let path = version.join(file_name(section));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(VersionError::File { path, action: "read", source }),
    };
    file::parse(&text, section).map_err(|fault| VersionError::Format {
        path,
        line: fault.line,
        reason: fault.reason,
    })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, VersionError> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(folder, "read")(source)),
    };
    let mut paths = found
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed(folder, "read"))?;
    paths.sort();
    Ok(paths)
}

fn failed(path: &Path, action: &'static str) -> impl Fn(std::io::Error) -> VersionError {
    move |source| VersionError::File { path: path.to_owned(), action, source }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn file_name(section: Section) -> String {
    format!("{section}.sql")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> Version {
        Version {
            name: name.to_owned(),
            pre_data: vec![Step::new("CREATE TABLE t (a text)")],
            post_data: vec![Step { concurrent: true, ..Step::new("CREATE INDEX CONCURRENTLY i ON t (a)") }],
            down: vec![Step { hazards: vec!["deletes-data".to_owned()], ..Step::new("DROP TABLE t") }],
        }
    }

    #[test]
    fn what_is_saved_loads_in_the_order_of_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let versions = folder.path().join("versions");
        assert_eq!(load_folder(&versions).unwrap(), []);
        let (late, early) = (version("m20260202_000000_late"), version("m20260101_000000_early"));
        save(&versions, &late).unwrap();
        save(&versions, &early).unwrap();
        fs::write(versions.join("README.md"), "about").unwrap();
        assert_eq!(load_folder(&versions).unwrap(), [early.clone(), late]);
        assert!(matches!(save(&versions, &early), Err(VersionError::Exists { .. })));
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let name = "m20260101_000000_a";
        let cases: &[(&str, &str, &str)] = &[
            ("first/down.sql", "", "\"first\" is not the name of a version"),
            ("m20260101_000000_a/predata.sql", "", "predata.sql is none of"),
            ("m20260101_000000_a/notes.txt", "", "holds none of"),
            ("m20260101_000000_a/down.sql", "\nDROP TABLE t;", "down.sql:2: "),
        ];
        for (file, text, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let error = load_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(load_folder(file.path()), Err(VersionError::File { .. })));
        assert!(matches!(save(file.path(), &version(name)), Err(VersionError::File { .. })));
    }
}
