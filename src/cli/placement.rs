//! Which schema of the target is meant: by the flag, the mapping, or as PostgreSQL has it.

use super::error::CliError;
use crate::mapping::Mapping;

/// Where in the target the tables are to be.
pub(super) struct Placement {
    pub(super) schema: String,
    /// Where they may still be.
    pub(super) moved_from: Option<String>,
}

/// The target schema: the flag's, else the mapping's, else `public`. A flag that names the schema out of which the mapping moves
/// the tables would have them made there anew, so that it is refused; one that names a third schema is about others.
pub(super) fn placement(mapping: &Mapping, flag: Option<&str>) -> Result<Placement, CliError> {
    let Some(entry) = &mapping.schema else {
        return Ok(Placement { schema: flag.unwrap_or("public").to_owned(), moved_from: None });
    };
    let moved_from = entry.moved_from.as_ref().map(|from| from.value.clone());
    match flag {
        Some(flag) if moved_from.as_deref() == Some(flag) => Err(CliError::Usage {
            message: format!(
                "--schema {flag} contradicts the mapping, which moves the tables from schema {flag} to {}",
                entry.name.value
            ),
            hint: Some("leave --schema out, or take `moved_from` out of the mapping".to_owned()),
        }),
        Some(flag) if flag != entry.name.value => Ok(Placement { schema: flag.to_owned(), moved_from: None }),
        _ => Ok(Placement { schema: entry.name.value.clone(), moved_from }),
    }
}
