//! The lease table and Kinesis as a process sees them: over the wire.

use async_trait::async_trait;
use millstream_kinesis::{
    Checkpoint, GetRecords, Kinesis, KinesisError, Pushed, PutEntry, PutOutcome, ReadFrom, Shard, ShardId,
    StreamConsumer, StreamOrigin, Subscription,
};
use millstream_lease::store::FleetStore;
use millstream_lease::{Lease, LeaseStore, RenewOutcome, SessionAnswer, SessionWrite, Sessions, StoreError};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep;

use crate::fleet::RemoteFleet;
use crate::link::{Link, Service, Verdict, Work};
use crate::mutant::Mutant;
use crate::names::lease_key;
use crate::server::Server;

const TABLE: &str = "leases";
/// Between two questions whether there is an event.
const ASKING: Duration = Duration::from_millis(250);

/// The lease table at the other end of the wire.
pub(crate) struct RemoteTable {
    pub(crate) link: Link,
    /// A rule that this worker breaks.
    pub(crate) mutant: Option<Mutant>,
    /// What is kept beside the leases, where workers of the KCL 3 use the table.
    pub(crate) fleet: Option<RemoteFleet>,
}

impl RemoteTable {
    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: Option<&str>,
        work: impl FnOnce(Arc<dyn LeaseStore>) -> Work<Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        call_table(&self.link, operation, key, move |server| server.wait(work(server.table.clone()))).await
    }
}

/// Calls the service that keeps the leases, and what is beside them.
pub(crate) async fn call_table<T: Send + 'static>(
    link: &Link,
    operation: &'static str,
    key: Option<&str>,
    work: impl FnOnce(&Server) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let answer = link.call(Service::Table, operation, key, move |server, verdict| match verdict {
        Verdict::Execute => work(server),
        Verdict::Throttle => Err(StoreError::Throttled { table: TABLE.to_owned(), operation }),
    });
    answer.await.unwrap_or_else(|| {
        let (endpoint, message) = ("sim".to_owned(), "no answer".to_owned());
        Err(StoreError::Unreachable { table: TABLE.to_owned(), endpoint, message })
    })
}

#[async_trait]
impl LeaseStore for RemoteTable {
    async fn ensure(&self) -> Result<(), StoreError> {
        self.call("ensure", None, |table| Box::pin(async move { table.ensure().await })).await
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        self.call("scan", None, |table| Box::pin(async move { table.scan().await })).await
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        let owned = key.to_owned();
        self.call("get", Some(key), |table| Box::pin(async move { table.get(&owned).await })).await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        let owned = lease.clone();
        self.call("create", Some(&lease.key), |table| Box::pin(async move { table.create(&owned).await })).await
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        let owned = held.clone();
        let renewed =
            self.call("renew", Some(&held.key), |table| Box::pin(async move { table.renew(&owned).await })).await;
        match self.mutant {
            // No answer passes for a success.
            Some(Mutant::AssumedRenewal) => Ok(renewed.unwrap_or(RenewOutcome::Renewed { counter: held.counter })),
            _ => renewed,
        }
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        let (owned, to) = (seen.clone(), me.to_owned());
        let operation = if me == &*self.link.name { "take" } else { "assign" };
        self.call(operation, Some(&seen.key), |table| Box::pin(async move { table.take(&owned, &to).await })).await
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        let (owned, to) = (seen.clone(), me.to_owned());
        let work = |table: Arc<dyn LeaseStore>| -> Work<_> {
            Box::pin(async move { table.request_handoff(&owned, &to).await })
        };
        self.call("request_handoff", Some(&seen.key), work).await
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        let owned = held.clone();
        let work =
            |table: Arc<dyn LeaseStore>| -> Work<_> { Box::pin(async move { table.complete_handoff(&owned).await }) };
        self.call("complete_handoff", Some(&held.key), work).await
    }

    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError> {
        let owned = seen.clone();
        let work =
            |table: Arc<dyn LeaseStore>| -> Work<_> { Box::pin(async move { table.withdraw_handoff(&owned).await }) };
        self.call("withdraw_handoff", Some(&seen.key), work).await
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        let owned = held.clone();
        self.call("release", Some(&held.key), |table| Box::pin(async move { table.release(&owned).await })).await
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        let (owned, checkpoint, children) = (held.clone(), checkpoint.clone(), children.to_vec());
        let work = move |table: Arc<dyn LeaseStore>| -> Work<_> {
            Box::pin(async move { table.checkpoint(&owned, &checkpoint, &children).await })
        };
        self.call("checkpoint", Some(&held.key), work).await
    }

    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError> {
        let (owned, pending, state) = (held.clone(), pending.clone(), state.map(<[u8]>::to_vec));
        let work = move |table: Arc<dyn LeaseStore>| -> Work<_> {
            Box::pin(async move { table.prepare(&owned, &pending, state.as_deref()).await })
        };
        self.call("prepare", Some(&held.key), work).await
    }

    async fn reset(&self, seen: &Lease, to: &Lease) -> Result<bool, StoreError> {
        let (owned, to) = (seen.clone(), to.clone());
        self.call("reset", Some(&seen.key), |table| Box::pin(async move { table.reset(&owned, &to).await })).await
    }

    fn fleet(&self) -> Option<&dyn FleetStore> {
        self.fleet.as_ref().map(|fleet| fleet as _)
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        self.call("sessions", None, |table| Box::pin(async move { table.sessions().await })).await
    }

    async fn write_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        let owned = write.clone();
        let work =
            |table: Arc<dyn LeaseStore>| -> Work<_> { Box::pin(async move { table.write_session(&owned).await }) };
        let answer = self.call("write_session", None, work).await;
        match (self.mutant, write) {
            (Some(Mutant::AssumedSession), SessionWrite::Beat { worker, version, .. }) => {
                let mut answer = answer.unwrap_or_default();
                answer.is_done = true;
                answer.sessions.versions.insert(worker.clone(), version.clone());
                Ok(answer)
            }
            _ => answer,
        }
    }

    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError> {
        let owned = seen.clone();
        self.call("delete", Some(&seen.key), |table| Box::pin(async move { table.delete(&owned).await })).await
    }
}

/// Kinesis at the other end of the wire: what a consumer calls.
pub(crate) struct RemoteKinesis {
    pub(crate) link: Link,
    /// Whether the application reads several streams.
    pub(crate) are_several: bool,
    /// A rule that this worker breaks.
    pub(crate) mutant: Option<Mutant>,
}

impl RemoteKinesis {
    /// `shard`: the stream's name and its shard, where the call is about one.
    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        shard: Option<(&str, &ShardId)>,
        work: impl FnOnce(Arc<dyn Kinesis>) -> Work<Result<T, KinesisError>> + Send + 'static,
    ) -> Result<T, KinesisError> {
        let lease = shard.map(|(stream, shard)| lease_key(stream, shard, self.are_several));
        let work = move |server: &Server| server.wait(work(server.kinesis.clone()));
        call_kinesis(&self.link, operation, lease.as_deref(), work).await
    }
}

async fn call_kinesis<T: Send + 'static>(
    link: &Link,
    operation: &'static str,
    lease: Option<&str>,
    work: impl FnOnce(&Server) -> Result<T, KinesisError> + Send + 'static,
) -> Result<T, KinesisError> {
    let answer = link.call(Service::Kinesis, operation, lease, move |server, verdict| match verdict {
        Verdict::Execute => work(server),
        Verdict::Throttle => Err(KinesisError::Throttled),
    });
    answer.await.unwrap_or_else(|| {
        Err(KinesisError::Unreachable { endpoint: "sim".to_owned(), message: "no answer".to_owned() })
    })
}

#[async_trait]
impl Kinesis for RemoteKinesis {
    async fn list_shards(&self, stream: &str) -> Result<Vec<Shard>, KinesisError> {
        let stream = stream.to_owned();
        self.call("list_shards", None, |kinesis| Box::pin(async move { kinesis.list_shards(&stream).await })).await
    }

    async fn get_iterator(&self, stream: &str, shard: &ShardId, at: &ReadFrom) -> Result<String, KinesisError> {
        let (of, owned, at) = (stream.to_owned(), shard.clone(), at.clone());
        let work = |kinesis: Arc<dyn Kinesis>| -> Work<_> {
            Box::pin(async move { kinesis.get_iterator(&of, &owned, &at).await })
        };
        self.call("get_iterator", Some((stream, shard)), work).await
    }

    async fn get_records(
        &self,
        stream: &str,
        shard: &ShardId,
        iterator: &str,
        limit: u32,
    ) -> Result<GetRecords, KinesisError> {
        let (of, owned, iterator) = (stream.to_owned(), shard.clone(), iterator.to_owned());
        let work = move |kinesis: Arc<dyn Kinesis>| -> Work<_> {
            Box::pin(async move { kinesis.get_records(&of, &owned, &iterator, limit).await })
        };
        self.call("get_records", Some((stream, shard)), work).await
    }

    async fn find_consumer(&self, stream: &str, name: &str) -> Result<Option<StreamConsumer>, KinesisError> {
        let (stream, name) = (stream.to_owned(), name.to_owned());
        let work = |kinesis: Arc<dyn Kinesis>| -> Work<_> {
            Box::pin(async move { kinesis.find_consumer(&stream, &name).await })
        };
        self.call("find_consumer", None, work).await
    }

    async fn register_consumer(&self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError> {
        let (stream, name) = (stream.to_owned(), name.to_owned());
        let work = |kinesis: Arc<dyn Kinesis>| -> Work<_> {
            Box::pin(async move { kinesis.register_consumer(&stream, &name).await })
        };
        self.call("register_consumer", None, work).await
    }

    async fn subscribe(
        &self,
        stream: &str,
        consumer_arn: &str,
        shard: &ShardId,
        at: &ReadFrom,
    ) -> Result<Box<dyn Subscription>, KinesisError> {
        let (of, arn, owned, at) = (stream.to_owned(), consumer_arn.to_owned(), shard.clone(), at.clone());
        let lease = lease_key(stream, shard, self.are_several);
        let begun = call_kinesis(&self.link, "subscribe", Some(&lease), move |server| {
            let kinesis = server.kinesis.clone();
            let begun = Box::pin(async move { kinesis.subscribe(&of, &arn, &owned, &at).await });
            server.wait(begun).map(|subscription| server.keep(subscription))
        });
        let number = begun.await?;
        let source = EventSource { link: self.link.clone(), lease, number };
        let forgets = self.mutant == Some(Mutant::EventForgotten);
        Ok(Box::new(RemoteSubscription { source, forgets, event: None }))
    }

    async fn put_records(&self, _: &str, _: &[PutEntry]) -> Result<Vec<PutOutcome>, KinesisError> {
        Err(not_simulated())
    }

    async fn create_stream(&self, _: &str, _: u32) -> Result<(), KinesisError> {
        Err(not_simulated())
    }

    async fn stream_origin(&self, stream: &str) -> Result<StreamOrigin, KinesisError> {
        let stream = stream.to_owned();
        self.call("stream_origin", None, |kinesis| Box::pin(async move { kinesis.stream_origin(&stream).await })).await
    }

    async fn stream_active(&self, _: &str) -> Result<bool, KinesisError> {
        Err(not_simulated())
    }
}

/// A subscription at the other end of the wire. Events come because it asks for them; one that is lost on its way, and whatever
/// follows it, was sent for nothing: the connection is broken then.
struct RemoteSubscription {
    source: EventSource,
    /// Whether it goes on behind an event that was lost.
    forgets: bool,
    /// The one that is waited for, also by a caller that has given up.
    event: Option<Work<Result<Option<Pushed>, KinesisError>>>,
}

#[async_trait]
impl Subscription for RemoteSubscription {
    async fn next(&mut self) -> Result<Option<Pushed>, KinesisError> {
        loop {
            let source = self.source.clone();
            let event = self.event.get_or_insert_with(|| Box::pin(source.next())).await;
            self.event = None;
            if !(self.forgets && matches!(event, Err(KinesisError::Unreachable { .. }))) {
                return event;
            }
        }
    }
}

/// Where the events of a subscription come from.
#[derive(Clone)]
struct EventSource {
    link: Link,
    lease: String,
    number: u64,
}

impl EventSource {
    async fn next(self) -> Result<Option<Pushed>, KinesisError> {
        loop {
            let number = self.number;
            let pushed =
                call_kinesis(&self.link, "next_event", Some(&self.lease), move |server| match server.pushed(number) {
                    Poll::Ready(event) => event.map(Some),
                    Poll::Pending => Ok(None),
                });
            match pushed.await? {
                Some(event) => return Ok(event),
                None => sleep(ASKING).await,
            }
        }
    }
}

fn not_simulated() -> KinesisError {
    KinesisError::InvalidArgument { message: "not simulated".to_owned() }
}
