//! `/api/v1/…`: Spark's paths, fields and messages for streams; and `/shards` and `/leases` of our own.

mod applications;
mod batches;
mod date;
mod receivers;
mod shards;
mod statistics;

use serde::Serialize;
use serde_json::Value;

use crate::board::Board;
use crate::feed::Feed;

/// There is nothing at a path; the text is for people, in Spark's words where Spark has some.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFound(pub(crate) String);

/// The answer to `GET /api/v1/…`; `path` is what follows, `query` is not decoded. `now_ms`: since the epoch.
pub(crate) async fn answer(
    feed: &Feed,
    board: &Board,
    path: &[&str],
    query: &str,
    now_ms: u64,
) -> Result<Value, NotFound> {
    match path {
        ["version"] => return Ok(applications::version(feed.history().application())),
        ["applications"] => return Ok(Value::Array(vec![applications::answer(feed.history().application(), now_ms)])),
        ["applications", id, ..] if *id != feed.history().application().id => {
            return Err(NotFound(format!("unknown app: {id}")));
        }
        ["applications", _] => return Ok(applications::answer(feed.history().application(), now_ms)),
        ["applications", _, "shards"] => return Ok(shards::shards(&*board.look().await)),
        ["applications", _, "leases"] => return Ok(shards::leases(&*board.look().await)),
        _ => {}
    }
    let history = feed.history();
    match path {
        ["applications", _, "streaming", "statistics"] => Ok(statistics::answer(&history)),
        ["applications", _, "streaming", "receivers"] => Ok(receivers::all(&history, true)),
        ["applications", _, "streaming", "receivers", id] => receivers::one(&history, id),
        ["applications", _, "streaming", "batches"] => Ok(batches::all(&history, query)),
        ["applications", _, "streaming", "batches", id] => batches::one(&history, id),
        ["applications", _, "streaming", "batches", id, "operations"] => batches::operations(&history, id),
        ["applications", _, "streaming", "batches", id, "operations", op] => batches::operation(&history, id, op),
        ["applications", _, "streaming", "batches", id, "inputs"] => batches::inputs(&history, id),
        _ => Err(NotFound(format!("there is no /api/v1/{}; see docs/dashboard.md", path.join("/")))),
    }
}

/// What the pages show beside batches: the same values under the same names.
pub(crate) fn statistics_of(history: &crate::History) -> Value {
    statistics::answer(history)
}

/// As `/shards` shows them.
pub(crate) fn shards_of(snapshot: &crate::board::Snapshot) -> Value {
    shards::shards(snapshot)
}

/// As `/receivers` shows them, without the rate of each batch.
pub(crate) fn receivers_of(history: &crate::History) -> Value {
    receivers::all(history, false)
}

/// As JSON. All that is shown can be written as JSON: `null` is never seen.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
