//! Subscriptions: consumers to whom the records of a shard are pushed.

mod run;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

pub(crate) use run::{EVENTS_AHEAD, Subscription};

use super::region::ACCOUNT;
use crate::api_error::ApiError;

/// A second call within this time of a successful one is refused, in milliseconds; a later one takes over
/// (SubscribeToShard in the Kinesis API reference).
const TAKEOVER_MS: u64 = 5000;

/// The subscriptions of all consumers.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    state: Mutex<State>,
    /// Something has changed that a subscription may end for.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The newest of each consumer and shard.
    newest: HashMap<Key, Newest>,
    running: JoinSet<()>,
    stopped: bool,
}

/// A consumer and a shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) consumer_arn: String,
    pub(crate) shard: u32,
}

#[derive(Debug)]
struct Newest {
    since_ms: u64,
    /// Says that another takes over; its receiver is gone when the subscription has ended.
    taken_over: oneshot::Sender<()>,
}

impl Subscriptions {
    /// Begins a subscription in place of an older one. What is given resolves when another takes over.
    ///
    /// `names` are those of the stream, the shard and the consumer, for the message.
    pub(crate) fn begin(&self, key: Key, names: [&str; 3], now_ms: u64) -> Result<oneshot::Receiver<()>, ApiError> {
        let mut state = self.lock();
        let is_new = |newest: &Newest| now_ms < newest.since_ms.saturating_add(TAKEOVER_MS);
        if state.newest.get(&key).is_some_and(is_new) {
            let message =
                format!("Another active subscription exists for this consumer: {ACCOUNT}:{}", names.join(":"));
            return Err(ApiError::in_use(message));
        }
        state.newest.retain(|_, newest| is_new(newest) || !newest.taken_over.is_closed());
        let (sender, taken_over) = oneshot::channel();
        if let Some(older) = state.newest.insert(key, Newest { since_ms: now_ms, taken_over: sender }) {
            // It may have ended by itself.
            let _ = older.taken_over.send(());
        }
        Ok(taken_over)
    }

    /// Runs a subscription until it ends.
    pub(crate) fn run(&self, subscription: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        while state.running.try_join_next().is_some() {}
        state.running.spawn(subscription);
    }

    /// How many are under way.
    pub(crate) fn open(&self) -> usize {
        self.lock().newest.values().filter(|newest| !newest.taken_over.is_closed()).count()
    }

    /// The shards that a consumer is subscribed to, by number.
    pub(crate) fn shards_of(&self, consumer_arn: &str) -> Vec<u32> {
        let state = self.lock();
        let own = state
            .newest
            .iter()
            .filter(|(key, newest)| key.consumer_arn == consumer_arn && !newest.taken_over.is_closed());
        let mut shards: Vec<u32> = own.map(|(key, _)| key.shard).collect();
        shards.sort_unstable();
        shards
    }

    /// Lets every subscription look whether its stream and its consumer are still there.
    pub(crate) fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// Ends every subscription, and those that are still to come at their beginning.
    pub(crate) async fn stop(&self) {
        let mut running = {
            let mut state = self.lock();
            state.stopped = true;
            std::mem::take(&mut state.running)
        };
        self.look_again();
        while running.join_next().await.is_some() {}
    }

    fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_later_call_takes_over_and_an_early_one_is_refused() {
        let subscriptions = Subscriptions::default();
        let begin = |shard, now_ms| {
            let key = Key { consumer_arn: "arn".to_owned(), shard };
            subscriptions.begin(key, ["s", "shardId-000000000000", "c"], now_ms)
        };
        let mut first = begin(0, 1000).unwrap();
        let mut other = begin(1, 1000).unwrap();
        let error = begin(0, 5999).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (
                "ResourceInUseException",
                "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c"
            )
        );
        assert_eq!(first.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        let second = begin(0, 6000).unwrap();
        assert_eq!(first.try_recv(), Ok(()));
        assert_eq!(other.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        // One that has ended counts as a successful call all the same.
        drop(second);
        assert!(begin(0, 10_999).is_err());
        let _third = begin(0, 11_000).unwrap();
        drop(other);
        let _fourth = begin(2, 12_000).unwrap();
        assert_eq!(subscriptions.lock().newest.len(), 2, "what has ended is forgotten");
    }
}
