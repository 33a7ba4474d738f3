//! The pages and what they load, in the program itself: nothing comes from elsewhere.

use bytes::Bytes;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file.
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
}

macro_rules! asset {
    ($content_type:expr, $file:literal) => {
        ($content_type, include_bytes!(concat!("../assets/", $file)).as_slice())
    };
}

/// The file at a path, given in its parts.
pub(crate) fn find(path: &[&str]) -> Option<Asset> {
    let (content_type, content) = match path {
        ["streaming"] => asset!(HTML, "streaming.html"),
        ["streaming", "batch"] => asset!(HTML, "batch.html"),
        ["shards"] => asset!(HTML, "shards.html"),
        ["static", "style.css"] => asset!(CSS, "style.css"),
        ["static", "icon.svg"] => asset!("image/svg+xml", "icon.svg"),
        ["static", "batch.js"] => asset!(SCRIPT, "batch.js"),
        ["static", "chart.js"] => asset!(SCRIPT, "chart.js"),
        ["static", "lineage.js"] => asset!(SCRIPT, "lineage.js"),
        ["static", "live.js"] => asset!(SCRIPT, "live.js"),
        ["static", "shards.js"] => asset!(SCRIPT, "shards.js"),
        ["static", "streaming.js"] => asset!(SCRIPT, "streaming.js"),
        ["static", "table.js"] => asset!(SCRIPT, "table.js"),
        ["static", "words.js"] => asset!(SCRIPT, "words.js"),
        ["static", "uplot.js"] => asset!(SCRIPT, "vendor/uPlot.iife.min.js"),
        // Wherever it is, its licence is.
        ["static", "uplot-license.txt"] => asset!("text/plain; charset=utf-8", "vendor/uPlot-LICENSE"),
        ["static", "uplot.css"] => asset!(CSS, "vendor/uPlot.min.css"),
        _ => return None,
    };
    Some(Asset { content_type, content: Bytes::from_static(content) })
}
