//! The style, the script and the icon: compiled in, and sent under a name that changes with them, so that browsers may keep
//! them for ever.

use std::sync::{Arc, LazyLock};

use axum::{Router, http::header, response::IntoResponse, routing::get};

use super::router::Site;

/// A file that the pages need.
pub(super) struct Asset {
    name: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
}

pub(super) static STYLE: Asset = Asset {
    name: "style",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("assets/style.css"),
};
pub(super) static SCRIPT: Asset = Asset {
    name: "site",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("assets/site.js"),
};
pub(super) static ICON: Asset = Asset {
    name: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    content: include_str!("assets/icon.svg"),
};

impl Asset {
    /// Its address, of which its content is a part.
    pub(super) fn address(&self) -> String {
        let digest = xxhash_rust::xxh3::xxh3_64(self.content.as_bytes());
        format!("/assets/{}.{digest:016x}.{}", self.name, self.extension)
    }
}

static ADDRESSES: LazyLock<[(String, &'static Asset); 3]> =
    LazyLock::new(|| [&STYLE, &SCRIPT, &ICON].map(|asset| (asset.address(), asset)));

/// The routes of the files.
pub(super) fn routes() -> Router<Arc<Site>> {
    ADDRESSES.iter().fold(Router::new(), |router, (address, asset)| {
        let headers = [
            (header::CONTENT_TYPE, asset.media_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        router.route(address, get(move || async move { (headers, asset.content).into_response() }))
    })
}
