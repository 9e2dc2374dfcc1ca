//! `POST /settings/theme`: light or dark, remembered by a cookie. A form of another site is turned away on its way here.

use axum::{
    Form,
    extract::rejection::FormRejection,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::dashboard::{
    fault::Fault,
    frame::{self, Theme},
};

/// A year.
const REMEMBERED_SECONDS: u32 = 31_536_000;

#[derive(Deserialize)]
pub(super) struct Choice {
    theme: String,
}

pub(super) async fn set(headers: HeaderMap, choice: Result<Form<Choice>, FormRejection>) -> Response {
    let theme = choice.ok().and_then(|Form(choice)| Theme::named(&choice.theme));
    let Some(theme) = theme else {
        let fault = Fault::BadRequest("the colours are system, light or dark".to_owned());
        return frame::fault_page(&fault, &headers);
    };
    let cookie = format!(
        "{}={}; Path=/; Max-Age={REMEMBERED_SECONDS}; SameSite=Strict; HttpOnly",
        Theme::COOKIE,
        theme.word()
    );
    let back = page_of(&headers);
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, back)]).into_response()
}

/// The page that the form was on, as an address of this site and no other.
fn page_of(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let uri: Option<axum::http::Uri> = referer.and_then(|referer| referer.parse().ok());
    let path = uri.as_ref().and_then(|uri| uri.path_and_query()).map_or("/settings", |path| path.as_str());
    // Two slashes would name another host, and browsers take a backslash for one.
    if path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') {
        path.to_owned()
    } else {
        "/settings".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_to_the_page_and_never_to_another_site() {
        for (referer, back) in [
            (Some("https://example.org/machine?date=2026-01-01"), "/machine?date=2026-01-01"),
            (Some("https://example.org//elsewhere.example/"), "/settings"),
            (Some("nonsense nonsense"), "/settings"),
            (None, "/settings"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(referer) = referer {
                headers.insert(header::REFERER, referer.parse().unwrap());
            }
            assert_eq!(page_of(&headers), back, "{referer:?}");
        }
    }
}
