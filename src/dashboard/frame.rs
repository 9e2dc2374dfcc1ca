//! What is around every page: its title, the way to the others, the colours, when it was counted.

use std::time::Duration;

use askama::Template;
use axum::http::{HeaderMap, header};

use super::{assets, fault::Fault, text};

/// The pages that the navigation leads to: path and name.
const NAVIGATION: [(&str, &str); 9] = [
    ("/", "Overview"),
    ("/dashboard", "Dashboard"),
    ("/analytics", "Analytics"),
    ("/machine", "Time machine"),
    ("/search", "Search"),
    ("/playlists", "Playlists"),
    ("/explore", "Explore"),
    ("/migration", "Migration"),
    ("/settings", "Settings"),
];

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system has it.
    System,
    Light,
    Dark,
}

impl Theme {
    /// The cookie that remembers it.
    pub(super) const COOKIE: &str = "theme";
    pub(super) const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    /// The word in the cookie, the form and the page.
    pub(super) fn word(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(super) fn named(word: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.word() == word)
    }

    /// The one that the request's cookies name.
    pub(super) fn of(headers: &HeaderMap) -> Theme {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let word = pairs.find(|(name, _)| *name == Theme::COOKIE).map(|(_, word)| word);
        word.and_then(Theme::named).unwrap_or(Theme::System)
    }
}

/// What is around a page.
pub(super) struct Frame {
    /// The page's path, which the navigation marks.
    pub(super) path: &'static str,
    /// The page's title.
    pub(super) title: &'static str,
    pub(super) theme: Theme,
    /// How long ago the answer was counted, how long that took, and whether something has changed since; `None`: just now.
    pub(super) counted: Option<(Duration, Duration, bool)>,
}

impl Frame {
    pub(super) fn new(path: &'static str, title: &'static str, headers: &HeaderMap) -> Frame {
        Frame { path, title, theme: Theme::of(headers), counted: None }
    }

    pub(super) fn navigation(&self) -> [(&'static str, &'static str); 9] {
        NAVIGATION
    }

    pub(super) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }

    pub(super) fn style(&self) -> String {
        assets::STYLE.address()
    }

    pub(super) fn script(&self) -> String {
        assets::SCRIPT.address()
    }

    pub(super) fn icon(&self) -> String {
        assets::ICON.address()
    }

    /// When the figures were counted, in words.
    pub(super) fn counted_in_words(&self) -> Option<String> {
        let (age, took, outdated) = self.counted?;
        let since = if outdated {
            "There is something new since; it is being counted."
        } else {
            "Nothing has changed since."
        };
        Some(format!("Counted {} ago, in {}. {since}", text::age(age), text::duration(took)))
    }
}

/// The page that says what went wrong.
#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage<'a> {
    frame: &'a Frame,
    fault: &'a Fault,
}

/// The page of a fault.
pub(super) fn fault_page(fault: &Fault, headers: &HeaderMap) -> axum::response::Response {
    let frame = Frame::new("", fault.title(), headers);
    match (FaultPage { frame: &frame, fault }).render() {
        Ok(html) => fault.with_body(axum::response::Html(html)),
        Err(_) => fault.with_body(fault.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_what_the_cookie_says_where_it_says_one() {
        for (cookies, theme) in [
            ("", Theme::System),
            ("theme=dark", Theme::Dark),
            ("a=b; theme=light; c=d", Theme::Light),
            ("theme=<script>", Theme::System),
            ("thematic=dark", Theme::System),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookies.parse().unwrap());
            assert_eq!(Theme::of(&headers), theme, "{cookies}");
        }
    }
}
