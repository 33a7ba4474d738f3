//! What the pages are told as it happens, as server-sent events: first all of it, then what has changed.

mod batches;
mod shards;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use crate::board::Board;
use crate::feed::Feed;

pub(crate) use batches::Page;

/// The least time between two events of the batches: what changes faster comes together.
const BATCHES_EVERY: Duration = Duration::from_millis(200);
/// The time between two events of the shards.
const SHARDS_EVERY: Duration = Duration::from_secs(1);
/// So often something is sent where nothing has changed, so that a page that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Tells a page of the batches until it is gone. `seen`: what the page has already, if it was connected before.
pub(crate) async fn tell_batches(feed: Arc<Feed>, seen: Page, now_ms: fn() -> u64, page: Sender<Bytes>) {
    let mut versions = feed.versions();
    let mut seen = seen;
    loop {
        versions.mark_unchanged();
        let (event, now_seen) = batches::event(&feed.history(), &seen, now_ms());
        seen = now_seen;
        if page.send(event).await.is_err() {
            return;
        }
        tokio::time::sleep(BATCHES_EVERY).await;
        while !changed_within(&mut versions, &page).await {
            if page.send(Bytes::from_static(b":\n\n")).await.is_err() {
                return;
            }
        }
    }
}

async fn changed_within(versions: &mut tokio::sync::watch::Receiver<u64>, page: &Sender<Bytes>) -> bool {
    tokio::select! {
        changed = versions.changed() => changed.is_ok(),
        () = page.closed() => true,
        () = tokio::time::sleep(SIGN_OF_LIFE) => false,
    }
}

/// Tells a page of the shards until it is gone.
pub(crate) async fn tell_shards(board: Arc<Board>, page: Sender<Bytes>) {
    let mut shown = shards::Shown::default();
    let mut silent = Duration::ZERO;
    loop {
        let event = shown.event(&*board.look().await);
        let event = event.or_else(|| (silent >= SIGN_OF_LIFE).then(|| Bytes::from_static(b":\n\n")));
        match event {
            None => silent += SHARDS_EVERY,
            Some(event) => {
                silent = Duration::ZERO;
                if page.send(event).await.is_err() {
                    return;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(SHARDS_EVERY) => {}
            () = page.closed() => return,
        }
    }
}
