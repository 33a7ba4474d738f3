//! How far a command is that puts records.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

/// On standard error, where that is a terminal. `total`: records that are coming, where known.
pub(crate) fn progress_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:40} {human_pos}/{human_len} records, {per_sec}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {human_pos} records, {per_sec}"),
    };
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
