//! What the pages of a running program and those of the local service share, in the program itself: nothing comes from elsewhere.
//!
//! Scripts find each other beside themselves, so all are served from one path.

/// The media type of a page.
pub const HTML: &str = "text/html; charset=utf-8";
/// The media type of a style sheet.
pub const CSS: &str = "text/css; charset=utf-8";
/// The media type of a script.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub content: &'static [u8],
}

/// Makes an [`Asset`] of a media type and of a file, whose path is relative to the source file.
#[macro_export]
macro_rules! asset {
    ($content_type:expr, $file:expr) => {
        $crate::Asset { content_type: $content_type, content: include_bytes!($file).as_slice() }
    };
}

/// The shared file of this name.
pub fn find(name: &str) -> Option<Asset> {
    Some(match name {
        "style.css" => asset!(CSS, "../assets/style.css"),
        "icon.svg" => asset!("image/svg+xml", "../assets/icon.svg"),
        "lineage.js" => asset!(SCRIPT, "../assets/lineage.js"),
        "live.js" => asset!(SCRIPT, "../assets/live.js"),
        "table.js" => asset!(SCRIPT, "../assets/table.js"),
        "words.js" => asset!(SCRIPT, "../assets/words.js"),
        _ => return None,
    })
}
