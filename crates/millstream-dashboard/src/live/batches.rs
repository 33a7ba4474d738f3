//! The batches as the Streaming page takes them.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::History;
use crate::history::Batch;
use crate::rest;

/// Characters of an error in the table.
const ERROR: usize = 200;

/// What a page has: of which run, up to which version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// When the program began.
    pub(super) run: u64,
    pub(super) version: u64,
}

impl Page {
    /// From the id of the last event that the page has had: `RUN VERSION`.
    pub(crate) fn of_event_id(id: &str) -> Self {
        let parsed = id.split_once(' ').and_then(|(run, version)| Some((run.parse().ok()?, version.parse().ok()?)));
        parsed.map_or_else(Self::default, |(run, version)| Self { run, version })
    }
}

/// The next event of a page, and what the page has then. Rows are short, as all 1,000 come with the first event.
pub(super) fn event(history: &History, seen: &Page, now_ms: u64) -> (Bytes, Page) {
    let application = history.application();
    let is_anew = seen.run != application.started_ms || seen.version > history.version();
    let since = if is_anew { 0 } else { seen.version };
    let mut data = json!({
        "now": now_ms,
        "statistics": rest::statistics_of(history),
        "receivers": rest::receivers_of(history),
        "open": history.open().map(|batch| batch.time_ms).collect::<Vec<_>>(),
        "batches": history.changed_since(since).map(row).collect::<Vec<_>>(),
    });
    if is_anew {
        data["application"] = json!({
            "id": application.id,
            "name": application.name,
            "version": env!("CARGO_PKG_VERSION"),
            "startTime": history.started_ms().unwrap_or(application.started_ms),
            "retainedBatches": history.retained(),
        });
    }
    let seen = Page { run: application.started_ms, version: history.version() };
    (Bytes::from(format!("id: {} {}\ndata: {data}\n\n", seen.run, seen.version)), seen)
}

/// `[time, status, [records of each input], scheduling delay, processing time, total delay, outputs active, completed, failed, all,
/// error]`.
fn row(batch: &Batch) -> Value {
    let counts = batch.output_counts();
    json!([
        batch.time_ms,
        batch.status().word(),
        batch.records,
        batch.scheduling_delay_ms(),
        batch.processing_ms(),
        batch.total_delay_ms(),
        counts.active,
        counts.completed,
        counts.failed,
        counts.total,
        batch.first_failure().map(last_line),
    ])
}

/// The line of an error that says what it is: the last of a traceback.
fn last_line(error: &str) -> String {
    let line = error.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(ERROR).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{application, batch};

    fn data(event: &Bytes) -> Value {
        let text = std::str::from_utf8(event).unwrap();
        serde_json::from_str(text.split_once("\ndata: ").unwrap().1.strip_suffix("\n\n").unwrap()).unwrap()
    }

    #[test]
    fn a_page_is_told_all_first_and_then_what_changes() {
        let mut history = History::new(application(), 10);
        history.batch_submitted(&batch(1000, [3, 4]));
        let (event, page) = super::event(&history, &Page::default(), 5000);
        assert_eq!(data(&event)["application"]["id"], "local-1");
        assert_eq!(data(&event)["batches"][0][0], 1000);
        let (event, page) = super::event(&history, &page, 5000);
        assert_eq!((&data(&event)["batches"], data(&event).get("application")), (&json!([]), None));

        let mut info = batch(1000, [3, 4]);
        info.processing_start_ms = Some(1030);
        info.processing_end_ms = Some(1080);
        info.failure = Some("Traceback\n  line\nValueError: no\n".to_owned());
        history.batch_completed(&info);
        let (event, page) = super::event(&history, &page, 5000);
        let expected = json!([[1000, "COMPLETED", [3, 4], 20, 50, 70, 0, 0, 0, 1, "ValueError: no"]]);
        assert_eq!((&data(&event)["batches"], &data(&event)["open"]), (&expected, &json!([])));

        // It comes back with the id of the last event; with one of another run it is told all.
        let id = std::str::from_utf8(&event).unwrap().lines().next().unwrap().strip_prefix("id: ").unwrap().to_owned();
        assert_eq!(Page::of_event_id(&id), page);
        assert_eq!(data(&super::event(&history, &Page::of_event_id("499 1"), 0).0)["batches"], expected);
        assert_eq!(data(&super::event(&history, &Page::of_event_id("500 99"), 0).0)["batches"], expected);
        assert_eq!(Page::of_event_id("nonsense"), Page::default());
    }
}
