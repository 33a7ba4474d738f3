use std::collections::BTreeMap;

use millstream_kinesis::{Checkpoint, Position};
use millstream_lease::{Coordinator, CoordinatorConfig, Event};

use super::stream::Stream;

/// One worker process with its readers.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) coordinator: Coordinator,
    pub(super) is_alive: bool,
    pub(super) is_stopping: bool,
    pub(super) paused_until: u64,
    /// The tick that counts; older ones are void.
    pub(super) next_tick: u64,
    pub(super) readers: BTreeMap<String, Reader>,
}

/// The reader of one shard, with the batches that the program works on.
pub(super) struct Reader {
    /// Tells a reader from an earlier one of the same shard.
    pub(super) number: u64,
    /// The last record read.
    pub(super) position: u64,
    pub(super) is_draining: bool,
    pub(super) has_ended: bool,
    /// A batch is being worked on.
    pub(super) is_busy: bool,
}

/// Some records of one shard, or its end, on their way through the program.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) shard: String,
    pub(super) reader: u64,
    pub(super) records: Vec<u64>,
    pub(super) is_last: bool,
}

pub(super) fn at(record: u64) -> Checkpoint {
    Checkpoint::At(Position { sequence: u128::from(record).into(), sub: 0 })
}

impl Node {
    pub(super) fn new(config: CoordinatorConfig, seed: u64) -> Self {
        Node {
            name: config.worker_id.clone(),
            coordinator: Coordinator::new(config, seed),
            is_alive: true,
            is_stopping: false,
            paused_until: 0,
            next_tick: 0,
            readers: BTreeMap::new(),
        }
    }

    /// Reads some records of each shard: what the program is to work on, and the ends that were met.
    pub(super) fn read(&mut self, stream: &Stream) -> (Vec<Batch>, Vec<Event>) {
        let (mut batches, mut ends) = (Vec::new(), Vec::new());
        for (key, reader) in &mut self.readers {
            // Batches are processed in order: what is reported covers all before.
            if reader.is_draining || reader.has_ended || reader.is_busy {
                continue;
            }
            let shard = stream.get(key);
            let unread = shard.records.iter().filter(|record| **record > reader.position);
            let records: Vec<u64> = unread.take(40).copied().collect();
            reader.position = records.last().copied().unwrap_or(reader.position);
            let is_all = shard.records.last().is_none_or(|last| *last <= reader.position);
            reader.has_ended = is_all && !shard.children.is_empty();
            if reader.has_ended {
                let children = stream.children(key);
                ends.push(Event::ReaderEnded { key: key.clone(), children });
            }
            if !records.is_empty() || reader.has_ended {
                reader.is_busy = true;
                let (shard, reader, is_last) = (key.clone(), reader.number, reader.has_ended);
                batches.push(Batch { shard, reader, records, is_last });
            }
        }
        (batches, ends)
    }

    /// The program is done with a batch. Nothing is told of one whose reader was dropped.
    pub(super) fn finish(&mut self, batch: &Batch) -> Vec<Event> {
        let key = batch.shard.clone();
        let Some(reader) = self.readers.get_mut(&key).filter(|reader| reader.number == batch.reader) else {
            return Vec::new();
        };
        reader.is_busy = false;
        let mut events = Vec::new();
        if let Some(last) = batch.records.last() {
            events.push(Event::Processed { key: key.clone(), checkpoint: at(*last) });
        }
        if batch.is_last {
            events.push(Event::Processed { key: key.clone(), checkpoint: Checkpoint::ShardEnd });
        }
        events.extend(self.drained(&key));
        events
    }

    /// Ends a draining reader that has nothing left to do.
    pub(super) fn drained(&mut self, key: &str) -> Option<Event> {
        let is_drained = self.readers.get(key).is_some_and(|reader| reader.is_draining && !reader.is_busy);
        is_drained.then(|| {
            self.readers.remove(key);
            Event::Drained { key: key.to_owned() }
        })
    }
}
