//! Randomness from the operating system, as text: for the password, and for names that nobody can guess beforehand.

use std::{fmt::Write, fs::File, io::Read};

use super::LocalError;

const SOURCE: &str = "/dev/urandom";

/// Gives this many random bytes as hexadecimal digits, which need no quoting anywhere.
pub(super) fn random_hex(bytes: usize) -> Result<String, LocalError> {
    let mut random = vec![0_u8; bytes];
    File::open(SOURCE)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(LocalError::io("read", SOURCE))?;
    Ok(random.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    }))
}
