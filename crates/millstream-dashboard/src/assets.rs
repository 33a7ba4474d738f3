//! The pages and what they load, in the program itself: nothing comes from elsewhere.

use millstream_pages::{Asset, CSS, HTML, SCRIPT, asset};

/// The file at a path, given in its parts.
pub(crate) fn find(path: &[&str]) -> Option<Asset> {
    Some(match path {
        ["streaming"] => asset!(HTML, "../assets/streaming.html"),
        ["streaming", "batch"] => asset!(HTML, "../assets/batch.html"),
        ["shards"] => asset!(HTML, "../assets/shards.html"),
        ["static", "batch.js"] => asset!(SCRIPT, "../assets/batch.js"),
        ["static", "chart.js"] => asset!(SCRIPT, "../assets/chart.js"),
        ["static", "shards.js"] => asset!(SCRIPT, "../assets/shards.js"),
        ["static", "streaming.js"] => asset!(SCRIPT, "../assets/streaming.js"),
        ["static", "uplot.js"] => asset!(SCRIPT, "../assets/vendor/uPlot.iife.min.js"),
        // Wherever it is, its licence is.
        ["static", "uplot-license.txt"] => asset!("text/plain; charset=utf-8", "../assets/vendor/uPlot-LICENSE"),
        ["static", "uplot.css"] => asset!(CSS, "../assets/vendor/uPlot.min.css"),
        ["static", shared] => millstream_pages::find(shared)?,
        _ => return None,
    })
}
