//! From a file to a [`Mapping`]: reads it, parses it, and puts the built-in rules behind its own.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use xxhash_rust::xxh3::xxh3_128;

use super::{Mapping, MappingError, Mistake, Place, read, yaml};

/// The built-in rules; the last word of every mapping.
const DEFAULTS: &str = include_str!("../../mappings/defaults.yaml");

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError::Unreadable`] if there is no such file, or it cannot be read; [`MappingError::Mistakes`] with all
    /// that is wrong in it.
    pub fn load(path: &Path) -> Result<Mapping, MappingError> {
        let unreadable = |error| MappingError::unreadable(path, error);
        // Reading a directory says so only on some systems.
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        let file = path.display().to_string();
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error, &file))?;
        let mut mapping = Mapping::parse(&text, &file)?;
        mapping.path = Some(path.to_owned());
        mapping.versions_dir = mapping.versions_dir.map(|dir| beside(path, &dir));
        Ok(mapping)
    }

    /// Reads a mapping from its text. `file_name` is what mistakes are reported under; `versions_dir` stays as written.
    ///
    /// # Errors
    /// [`MappingError::Mistakes`] with all that is wrong in the text.
    pub fn parse(text: &str, file_name: &str) -> Result<Mapping, MappingError> {
        let mut mapping = parse_alone(text, file_name)?;
        mapping.path = Some(PathBuf::from(file_name));
        mapping.rules.extend(Mapping::built_in().rules);
        Ok(mapping)
    }

    /// The built-in rules alone (`--mapping none`).
    #[must_use]
    pub fn built_in() -> Mapping {
        // Compiled in, and read by a test: there is no mistake that a user could see.
        parse_alone(DEFAULTS, "").unwrap_or_default()
    }

    /// The JSON Schema of a mapping file (draft 7), for editors; made from the tables by which the file is read.
    #[must_use]
    pub fn json_schema() -> String {
        // Compiled in, and compared by a test with the file in the tree: there is no error that a user could see.
        read::json_schema().unwrap_or_default()
    }
}

/// Reads a text without adding the built-in rules.
fn parse_alone(text: &str, file: &str) -> Result<Mapping, MappingError> {
    let digest = format!("{:032x}", xxh3_128(text.as_bytes()));
    // Some editors begin a file with a byte order mark; `serde_yaml` takes it for content.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let failed = |mistakes| MappingError::from_mistakes(text, mistakes);
    let tree = yaml::parse(text, file).map_err(|mistake| failed(vec![*mistake]))?;
    let mut mapping = read::mapping(&tree).map_err(failed)?;
    mapping.digest = digest;
    text.clone_into(&mut mapping.text);
    Ok(mapping)
}

/// Points at the first byte that is not UTF-8.
fn not_utf8(error: &std::string::FromUtf8Error, file: &str) -> MappingError {
    let text = String::from_utf8_lossy(error.as_bytes());
    let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
    let (line, column) =
        (good.split('\n').count(), good.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
    let place = Place { file: file.to_owned(), line, column };
    let mistake = Mistake::at(&place, "the file is not UTF-8", Some("save it in the encoding UTF-8"));
    MappingError::from_mistakes(&text, vec![mistake])
}

/// A path as it is meant in a file: relative to the file's folder, without needless `..`.
fn beside(file: &Path, path: &Path) -> PathBuf {
    let joined = file.parent().unwrap_or(Path::new("")).join(path);
    let mut clean = PathBuf::new();
    for part in joined.components() {
        match (part, clean.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                clean.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) | (Component::CurDir, _) => {}
            _ => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}
