//! The pages, and what they load, in the program itself: nothing comes from elsewhere.

use millstream_pages::{Asset, HTML, SCRIPT, asset};

/// The page at `/`.
pub(super) const STREAMS: Asset = asset!(HTML, "streams.html");

/// The page of this name.
pub(super) fn page(name: &str) -> Option<Asset> {
    Some(match name {
        "stream" => asset!(HTML, "stream.html"),
        "faults" => asset!(HTML, "faults.html"),
        _ => return None,
    })
}

/// What pages load.
pub(super) fn file(name: &str) -> Option<Asset> {
    Some(match name {
        "streams.js" => asset!(SCRIPT, "streams.js"),
        "stream.js" => asset!(SCRIPT, "stream.js"),
        "faults.js" => asset!(SCRIPT, "faults.js"),
        "service.js" => asset!(SCRIPT, "service.js"),
        shared => millstream_pages::find(shared)?,
    })
}
