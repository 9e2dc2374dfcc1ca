//! A playlist as a file: CSV (RFC 4180), or M3U with the lines that players read.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{PROPOSALS, Proposed};
use crate::dashboard::{fault::Fault, frame, router::Site};

/// `GET /playlists/SLUG.csv`, `GET /playlists/SLUG.m3u`
pub(super) async fn file(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let proposal = |slug: &str| PROPOSALS.iter().find(|proposal| proposal.slug == slug);
    let Some((proposal, form)) = file.rsplit_once('.').and_then(|(slug, form)| Some((proposal(slug)?, form)))
    else {
        return frame::fault_page(&Fault::NotFound("there is no such playlist".to_owned()), &headers);
    };
    let write = match form {
        "csv" => csv,
        "m3u" => m3u,
        _ => {
            let fault = Fault::NotFound("a playlist is to be had as .csv and as .m3u".to_owned());
            return frame::fault_page(&fault, &headers);
        }
    };
    match proposal.fill(&site).await {
        Ok(tracks) => {
            let (media_type, text) = write(proposal.title, &tracks);
            let attachment = format!("attachment; filename=\"{file}\"");
            let headers =
                [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, attachment)];
            (headers, text).into_response()
        }
        Err(fault) => frame::fault_page(&fault, &headers),
    }
}

fn csv(_: &str, tracks: &[Proposed]) -> (&'static str, String) {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let header = ["track_id", "name", "artist_name", "duration_ms", "spotify_url", "rank", "day"];
    let mut record = |fields: [&str; 7]| writer.write_record(fields.map(harmless)).ok();
    record(header);
    for track in tracks {
        let duration = track.duration_ms.map(|duration| duration.to_string()).unwrap_or_default();
        let (url, rank) = (track.spotify_url.as_deref().unwrap_or_default(), track.rank.to_string());
        record([&track.track_id, &track.name, &track.artist_name, &duration, url, &rank, &track.day]);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    ("text/csv; charset=utf-8; header=present", String::from_utf8(bytes).unwrap_or_default())
}

/// Spreadsheets take a field that begins so for a formula, and run it; an apostrophe keeps it a text.
fn harmless(field: &str) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field.to_owned() }
}

fn m3u(title: &str, tracks: &[Proposed]) -> (&'static str, String) {
    let mut text = format!("#EXTM3U\n#EXTENC:UTF-8\n#PLAYLIST:{title}\n");
    for track in tracks {
        // -1: not known. A line ends an entry, so that none may be in a name.
        let seconds = track.duration_ms.map_or(-1, |milliseconds| (i64::from(milliseconds) + 500) / 1000);
        let name = format!("{} - {}", track.artist_name, track.name).replace(['\n', '\r'], " ");
        let address =
            track.spotify_url.clone().unwrap_or_else(|| format!("spotify:track:{}", track.track_id));
        text += &format!("#EXTINF:{seconds},{name}\n{}\n", address.replace(['\n', '\r'], ""));
    }
    ("audio/x-mpegurl; charset=utf-8", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(name: &str) -> Proposed {
        Proposed {
            track_id: "4uLU6hMCjMI75M1A2tKUQC".to_owned(),
            name: name.to_owned(),
            artist_name: "A, \"B\"".to_owned(),
            duration_ms: Some(185_500),
            spotify_url: None,
            rank: 1,
            day: "2026-11-20".to_owned(),
        }
    }

    #[test]
    fn a_field_that_would_run_in_a_spreadsheet_stays_a_text() {
        let (_, text) = csv("", &[track("=HYPERLINK(\"x\")"), track("Plain")]);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
        assert_eq!(names, ["'=HYPERLINK(\"x\")", "Plain"]);
        assert!(text.contains("\"A, \"\"B\"\"\""));
    }

    #[test]
    fn an_entry_is_two_lines_whatever_the_name() {
        let (_, text) = m3u("Gems", &[track("Two\nlines")]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3..], ["#EXTINF:186,A, \"B\" - Two lines", "spotify:track:4uLU6hMCjMI75M1A2tKUQC"]);
    }
}
