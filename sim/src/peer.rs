//! A worker of the Java KCL 2 on the same table (`DynamoDBLeaseTaker`, `DynamoDBLeaseRenewer`, `ShutdownTask`): it steals, its
//! writes are conditional on the counter alone, and it knows nothing of handoffs. The leader's shard sync is left to our workers.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream_kinesis::{Checkpoint, ChildShard, Kinesis, KinesisError, Position, ReadFrom, RecordBlock, ShardId};
use millstream_lease::{Lease, LeaseStore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::link::{Emission, Link, Service, Verdict};
use crate::names::stream_name;
use crate::program::number;
use crate::remote::{RemoteKinesis, RemoteTable};

const FAILOVER: Duration = Duration::from_secs(10);
const RENEW: Duration = Duration::from_millis(3_308);
const TAKE: Duration = Duration::from_millis(20_050);
const READ: Duration = Duration::from_secs(1);
const PARENTS: Duration = Duration::from_secs(10);
/// Leases untouched for three failover times are taken whatever the target is.
const VERY_OLD: u32 = 3;

/// How peers differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// As KCL 3 in its mode for a fleet of KCL 2; KCL 2 itself leaves `checkpointOwner` as it is.
    pub(crate) clears_handoffs: bool,
}

struct Held {
    lease: Lease,
    renewed: Instant,
    has_begun: bool,
    looked_for_parents: Option<Instant>,
    iterator: Option<String>,
    /// Everything up to here is processed.
    done: Option<Position>,
}

struct Worker<'a> {
    peer: Peer,
    link: &'a Link,
    table: RemoteTable,
    kinesis: RemoteKinesis,
    dice: Dice,
    held: BTreeMap<String, Held>,
    /// Each lease's counter, and when it was seen first.
    seen: BTreeMap<String, (u64, Instant)>,
}

impl Peer {
    pub(crate) async fn run(self, link: Link, stop: CancellationToken, dice: Dice) {
        let (table, kinesis) = (
            RemoteTable { link: link.clone(), mutant: None, fleet: None },
            RemoteKinesis { link: link.clone(), are_several: false, mutant: None },
        );
        let mut worker =
            Worker { peer: self, link: &link, table, kinesis, dice, held: BTreeMap::new(), seen: BTreeMap::new() };
        let now = Instant::now();
        let (mut take, mut renew, mut read) = (now, now + RENEW, now + READ);
        // The KCL does these in threads of their own; here one waits for another.
        while !stop.is_cancelled() {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = sleep_until(renew) => { renew = Instant::now() + RENEW; worker.renew().await }
                () = sleep_until(take) => { take = Instant::now() + TAKE; worker.take().await }
                () = sleep_until(read) => { read = Instant::now() + READ; worker.read().await }
            }
        }
        link.emit(Emission::Ended(None));
    }
}

impl Worker<'_> {
    /// A write that is conditional on the counter. `None`: no answer. `Some(None)`: refused.
    async fn write(
        &self,
        operation: &'static str,
        known: &Lease,
        change: impl FnOnce(&mut Lease) + Send + 'static,
    ) -> Option<Option<Lease>> {
        let (key, counter) = (known.key.clone(), known.counter);
        let rule = move |row: &mut Lease| {
            let is_met = row.counter == counter;
            if is_met {
                row.counter += 1;
                change(row);
            }
            is_met
        };
        let answer =
            self.link.call(Service::Table, operation, Some(&known.key), move |server, verdict| match verdict {
                Verdict::Execute => Some(server.change(&key, rule)),
                Verdict::Throttle => None,
            });
        answer.await.flatten()
    }

    async fn renew(&mut self) {
        for key in self.held.keys().cloned().collect::<Vec<_>>() {
            let Some(held) = self.held.get(&key) else { continue };
            let (sent, answer) = (Instant::now(), self.write("renew", &held.lease, |_| ()).await);
            self.wrote(&key, sent, answer);
        }
        self.held.retain(|_, held| held.renewed.elapsed() < FAILOVER);
    }

    fn wrote(&mut self, key: &str, sent: Instant, answer: Option<Option<Lease>>) {
        match (answer, self.held.get_mut(key)) {
            (Some(Some(lease)), Some(held)) => (held.lease, held.renewed) = (lease, sent),
            (Some(None), _) => drop(self.held.remove(key)),
            _ => {}
        }
    }

    async fn take(&mut self) {
        let Ok(leases) = self.table.scan().await else { return };
        let now = Instant::now();
        self.seen.retain(|key, _| leases.iter().any(|lease| lease.key == *key));
        for lease in &leases {
            let seen = self.seen.entry(lease.key.clone()).or_insert((lease.counter, now));
            if seen.0 != lease.counter {
                *seen = (lease.counter, now);
            }
        }
        let me = &*self.link.name;
        let age = |lease: &Lease| self.seen.get(&lease.key).map_or(Duration::ZERO, |seen| now - seen.1);
        let active: Vec<&Lease> = leases.iter().filter(|lease| !lease.is_ended()).collect();
        let (free, owned): (Vec<&Lease>, Vec<&Lease>) =
            active.iter().partition(|lease| lease.owner.is_none() || age(lease) >= FAILOVER);
        let mut load: BTreeMap<&str, Vec<&Lease>> = BTreeMap::from([(me, Vec::new())]);
        for lease in owned {
            load.entry(lease.owner.as_deref().unwrap_or(me)).or_default().push(lease);
        }
        let target = active.len().div_ceil(load.len()).max(1);
        let need = target.saturating_sub(load[me].len());
        let very_old = free.iter().filter(|lease| age(lease) >= FAILOVER * VERY_OLD).count();
        let mut wanted: Vec<Lease> = free.iter().copied().cloned().collect();
        while wanted.len() > need.max(very_old) {
            let at = self.dice.between(0, wanted.len() as u64) as usize;
            wanted.swap_remove(at);
        }
        if free.is_empty() && need > 0 {
            let richest = load.iter().filter(|(owner, _)| **owner != me).max_by_key(|(_, leases)| leases.len());
            if let Some((_, leases)) =
                richest.filter(|(_, leases)| leases.len() > target || (need > 1 && leases.len() == target))
            {
                wanted.extend(self.dice.pick(leases).map(|lease| (*lease).clone()));
            }
        }
        for lease in wanted {
            self.take_one(lease).await;
        }
    }

    async fn take_one(&mut self, seen: Lease) {
        let (me, clears) = (self.link.name.to_string(), self.peer.clears_handoffs);
        let (sent, is_switch) = (Instant::now(), seen.owner.as_deref() != Some(&me));
        let change = move |row: &mut Lease| {
            row.owner = Some(me);
            row.owner_switches += u64::from(is_switch);
            if clears {
                row.checkpoint_owner = None;
            }
        };
        if let Some(Some(lease)) = self.write("take", &seen, change).await {
            let held =
                Held { lease, renewed: sent, has_begun: false, looked_for_parents: None, iterator: None, done: None };
            self.held.insert(held.lease.key.clone(), held);
        }
    }

    async fn read(&mut self) {
        for key in self.held.keys().cloned().collect::<Vec<_>>() {
            if self.may_begin(&key).await {
                self.read_one(&key).await;
            }
        }
    }

    /// Whether the parents have ended (`BlockOnParentShardTask`).
    async fn may_begin(&mut self, key: &str) -> bool {
        let Some(held) = self.held.get_mut(key).filter(|held| held.renewed.elapsed() < FAILOVER) else { return false };
        if held.has_begun {
            return true;
        }
        if held.looked_for_parents.is_some_and(|looked| looked.elapsed() < PARENTS) {
            return false;
        }
        held.looked_for_parents = Some(Instant::now());
        for parent in held.lease.parents.clone() {
            match self.table.get(parent.as_str()).await {
                Ok(parent) if parent.as_ref().is_none_or(Lease::is_ended) => {}
                _ => return false,
            }
        }
        if let Some(held) = self.held.get_mut(key) {
            held.has_begun = true;
            held.done = match &held.lease.checkpoint {
                Checkpoint::At(position) => Some(position.clone()),
                _ => None,
            };
        }
        self.held.contains_key(key)
    }

    async fn read_one(&mut self, key: &str) {
        let shard = ShardId::from(key);
        let Some(held) = self.held.get(key) else { return };
        let iterator = match held.iterator.clone() {
            Some(iterator) => iterator,
            None => {
                let from = held.done.as_ref().map_or(ReadFrom::TrimHorizon, |done| ReadFrom::At(done.sequence.clone()));
                let Ok(iterator) = self.kinesis.get_iterator(stream_name(0), &shard, &from).await else { return };
                iterator
            }
        };
        let answer = match self.kinesis.get_records(stream_name(0), &shard, &iterator, 50).await {
            Ok(answer) => answer,
            Err(KinesisError::ExpiredIterator) => {
                self.held.entry(key.to_owned()).and_modify(|held| held.iterator = None);
                return;
            }
            Err(_) => return,
        };
        let Some(held) = self.held.get_mut(key) else { return };
        // `DataRetrievalUtil`: an end without children is none.
        if answer.next.is_none() && answer.children.is_empty() {
            held.iterator = None;
            return;
        }
        let mut block = millstream_kinesis::kpl::deaggregate(&answer.block, None).block;
        if let Some(done) = &held.done {
            block = block.after(done);
        }
        held.iterator = answer.next.clone();
        self.process(key, &block).await;
        if answer.next.is_none() {
            self.end(key, answer.children).await;
        }
    }

    async fn process(&mut self, key: &str, block: &RecordBlock) {
        let (Some(last), Some(held)) = (block.last(), self.held.get_mut(key)) else { return };
        held.done = Some(last.clone());
        let records = block.iter().map(|record| number(record.data)).collect();
        self.link.emit(Emission::Processed { shard: key.to_owned(), records });
        self.checkpoint(key, Checkpoint::At(last), Vec::new()).await;
    }

    async fn end(&mut self, key: &str, children: Vec<ChildShard>) {
        let ids = children.iter().map(|child| child.id.clone()).collect();
        // The lease of a merged shard waits for that of its other parent.
        for parent in children.iter().flat_map(|child| &child.parents) {
            if !matches!(self.table.get(parent.as_str()).await, Ok(Some(_))) {
                self.held.entry(key.to_owned()).and_modify(|held| held.iterator = None);
                return;
            }
        }
        for child in &children {
            if self.table.create(&Lease::of_child(child, Checkpoint::TrimHorizon)).await.is_err() {
                // Read once more: the end comes again.
                self.held.entry(key.to_owned()).and_modify(|held| held.iterator = None);
                return;
            }
        }
        self.checkpoint(key, Checkpoint::ShardEnd, ids).await;
        if self.held.get(key).is_some_and(|held| held.lease.is_ended()) {
            self.held.remove(key);
        } else {
            self.held.entry(key.to_owned()).and_modify(|held| held.iterator = None);
        }
    }

    async fn checkpoint(&mut self, key: &str, checkpoint: Checkpoint, children: Vec<ShardId>) {
        let Some(held) = self.held.get(key) else { return };
        let sent = Instant::now();
        let change = move |row: &mut Lease| {
            (row.checkpoint, row.owner_switches) = (checkpoint, 0);
            if !children.is_empty() {
                row.children = children;
            }
        };
        let answer = self.write("checkpoint", &held.lease, change).await;
        self.wrote(key, sent, answer);
    }
}
