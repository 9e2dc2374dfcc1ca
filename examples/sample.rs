//! Writes a sample Music Time Machine of any size: `cargo run --release --example sample -- FILE [TRACKS [MONTHS]]`.

use std::{error::Error, io::Write, path::PathBuf};

use mtm::demo::{SampleOptions, write_sample};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let path: PathBuf = arguments.next().ok_or("which file? Say: sample FILE [TRACKS [MONTHS]]")?.into();
    let mut options = SampleOptions::default();
    let mut number = |name: &str| -> Result<Option<u32>, Box<dyn Error>> {
        let Some(given) = arguments.next() else { return Ok(None) };
        let number = given.to_str().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| format!("{name}: {} is no number", given.display()).into())
    };
    if let Some(tracks) = number("TRACKS")? {
        options.tracks = tracks as usize;
    }
    if let Some(months) = number("MONTHS")? {
        options.months = months;
    }
    let summary = write_sample(&path, options)?;
    writeln!(
        std::io::stdout(),
        "{}: {} tracks, {} snapshots",
        path.display(),
        summary.tracks,
        summary.snapshots
    )?;
    Ok(())
}
