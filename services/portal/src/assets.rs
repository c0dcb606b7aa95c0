//! Style sheets and scripts, built into the binary and served under their content hash.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

static ASSETS: [Asset; 9] = [
    Asset { name: "tokens.css", kind: CSS, bytes: include_bytes!("../static/tokens.css") },
    Asset { name: "portal.css", kind: CSS, bytes: include_bytes!("../static/portal.css") },
    Asset { name: "pages.css", kind: CSS, bytes: include_bytes!("../static/pages.css") },
    Asset { name: "keys.js", kind: JS, bytes: include_bytes!("../static/keys.js") },
    Asset { name: "acts.js", kind: JS, bytes: include_bytes!("../static/acts.js") },
    Asset { name: "review.css", kind: CSS, bytes: include_bytes!("../static/review.css") },
    Asset { name: "live.js", kind: JS, bytes: include_bytes!("../static/live.js") },
    Asset { name: "offline.js", kind: JS, bytes: include_bytes!("../static/offline.js") },
    Asset { name: "htmx.min.js", kind: JS, bytes: include_bytes!("../static/htmx.min.js") },
];

fn hashes() -> &'static [String] {
    static HASHES: OnceLock<Vec<String>> = OnceLock::new();
    HASHES.get_or_init(|| ASSETS.iter().map(|asset| Sha256::digest(asset.bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()).collect())
}

/// The path of an asset, with its content hash so that a browser may keep it for ever.
pub fn url(name: &str) -> String {
    match ASSETS.iter().position(|asset| asset.name == name) {
        Some(at) => format!("/static/{}/{name}", hashes()[at]),
        None => format!("/static/unknown/{name}"),
    }
}

/// Serves one asset. A path with another hash is of another release and does not exist.
pub async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().zip(hashes()).find(|(asset, known)| asset.name == name && **known == hash);
    match found {
        Some((asset, _)) => ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], asset.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
