//! What a mapping file means, and what every mistake in one says.

use std::path::{Path, PathBuf};

use super::*;
use crate::schema::{IndexKey, PgType, ReferentialAction};

/// The mistakes of a text, as a user reads them.
fn mistakes(text: &str) -> Vec<String> {
    match Mapping::parse(text, "m.yaml") {
        Ok(_) => Vec::new(),
        Err(error) => error.mistakes().iter().map(Mistake::to_string).collect(),
    }
}

#[test]
fn every_shipped_mapping_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let mut read = 0;
    for folder in [folder.clone(), folder.join("examples")] {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                if let Err(error) = Mapping::load(&path) {
                    panic!("{error}");
                }
                read += 1;
            }
        }
    }
    assert!(read >= 5, "only {read} mappings were found");
}
