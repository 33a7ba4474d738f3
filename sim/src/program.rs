//! The program of a worker: it cuts, processes the cuts in order and reports them, as an engine does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig, ConsumerError, Cut, Retrieval, StreamConfig};
use millstream_kinesis::{InitialPosition, PollOptions};
use millstream_lease::{CoordinatorConfig, Heartbeat};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;
use crate::fleet::RemoteFleet;
use crate::link::{Emission, Link};
use crate::mutant::Mutant;
use crate::names::stream_name;
use crate::remote::{RemoteKinesis, RemoteTable};

/// What a worker is told.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) initial: InitialPosition,
    /// The streams that are read, where there are several.
    pub(crate) several: Option<watch::Receiver<Vec<StreamConfig>>>,
    pub(crate) heartbeat: Heartbeat,
    /// Whether workers of the KCL 3 use the table, too.
    pub(crate) is_led: bool,
    /// Whether records are pushed to it.
    pub(crate) fans_out: bool,
    /// What the machine's clock said when the process started.
    pub(crate) born_ms: i64,
    /// Whether programs have trouble of their own, too.
    pub(crate) has_trouble: Arc<AtomicBool>,
    /// In a thousand cuts, so many take longer than a handoff waits.
    pub(crate) slow: u64,
    /// In a thousand cuts, so many fail.
    pub(crate) failing: u64,
    pub(crate) mutant: Option<Mutant>,
}

const CUT_INTERVAL: Duration = Duration::from_millis(500);
const MOST_IN_FLIGHT: usize = 3;
/// What a slow cut takes at least, and at most.
const SLOW_MS: (u64, u64) = (5_000, 40_000);

impl Program {
    pub(crate) async fn run(self, link: Link, stop: CancellationToken, mut dice: Dice) {
        let ended = tokio::select! {
            biased;
            consumer = self.start(&link, &mut dice) => Work { consumer, link: &link, dice, program: &self, in_flight: VecDeque::new() }.run(&stop).await,
            () = stop.cancelled() => Ok(()),
        };
        link.emit(Emission::Ended(ended.err().map(|error| error.to_string())));
    }

    /// Starts again and again until it can, as somebody who looks after the process does.
    async fn start(&self, link: &Link, dice: &mut Dice) -> Consumer {
        loop {
            let mut lease = CoordinatorConfig::new(&*link.name, self.initial);
            lease.heartbeat = self.heartbeat;
            lease.checkpoint_interval_ms = 2_000;
            lease.shard_sync_ms = 20_000;
            lease.latest_since_ms = Some(self.born_ms + link.own_ms() as i64);
            let seed = dice.next();
            let config = match &self.several {
                None => ConsumerConfig::new(stream_name(0), lease, seed),
                Some(streams) => ConsumerConfig::several(streams.clone(), lease, seed),
            };
            let config = ConsumerConfig {
                poll: PollOptions { idle_interval: Duration::from_millis(500), limit: 50, ..PollOptions::default() },
                buffer_bytes: 1 << 20,
                retrieval: match self.fans_out {
                    true => Retrieval::FanOut { consumer: "application".to_owned() },
                    false => Retrieval::Polling,
                },
                shutdown_timeout: Duration::from_secs(60),
                ..config
            };
            let kinesis = Arc::new(RemoteKinesis {
                link: link.clone(),
                are_several: self.several.is_some(),
                mutant: self.mutant,
            });
            let table = Arc::new(RemoteTable {
                link: link.clone(),
                mutant: self.mutant,
                fleet: self.is_led.then(|| RemoteFleet::new(link.clone(), self.mutant)),
            });
            match Consumer::start(kinesis, table, config).await {
                Ok(consumer) => return consumer,
                Err(_) => sleep(Duration::from_secs(1)).await,
            }
        }
    }
}

/// A running program.
struct Work<'a> {
    consumer: Consumer,
    link: &'a Link,
    dice: Dice,
    program: &'a Program,
    /// The cuts not yet processed, and when each will be.
    in_flight: VecDeque<(Cut, Instant)>,
}

impl Work<'_> {
    async fn run(mut self, stop: &CancellationToken) -> Result<(), ConsumerError> {
        let mut next_cut = Instant::now();
        loop {
            let done = self.in_flight.front().map(|(_, done)| *done);
            let wake =
                done.filter(|done| *done < next_cut || self.in_flight.len() == MOST_IN_FLIGHT).unwrap_or(next_cut);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(wake) => {}
            }
            self.finish_due();
            if Instant::now() >= next_cut && self.in_flight.len() < MOST_IN_FLIGHT {
                next_cut = Instant::now() + CUT_INTERVAL;
                self.begin()?;
            }
        }
        // Some programs process what they have read, others leave it to the next worker.
        if self.dice.chance(500) {
            self.consumer.pause();
            self.begin()?;
        }
        while let Some((_, done)) = self.in_flight.front() {
            sleep_until(*done).await;
            self.finish_due();
        }
        self.consumer.shutdown().await;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), ConsumerError> {
        let most = if self.dice.chance(300) { self.dice.between(1, 20) } else { u64::MAX };
        let cut = self.consumer.cut_at_most(most)?;
        let free = self.in_flight.back().map_or(Instant::now(), |(_, done)| *done).max(Instant::now());
        // One at a time: a queue of them would take longer than the quiet in which all that was read is to be processed.
        let is_slow = self.trouble(self.program.slow) && free - Instant::now() < Duration::from_millis(SLOW_MS.0);
        let work_ms = if is_slow { self.dice.between(SLOW_MS.0, SLOW_MS.1) } else { self.dice.between(5, 600) };
        if self.program.mutant == Some(Mutant::CheckpointPastUnprocessed) {
            self.consumer.processed(cut.id);
        }
        self.in_flight.push_back((cut, free + Duration::from_millis(work_ms)));
        Ok(())
    }

    fn trouble(&mut self, per_mille: u64) -> bool {
        self.dice.chance(per_mille) && self.program.has_trouble.load(Ordering::Relaxed)
    }

    fn finish_due(&mut self) {
        while let Some((cut, _)) = self.in_flight.pop_front_if(|(_, done)| *done <= Instant::now()) {
            if self.trouble(self.program.failing) {
                match self.program.mutant {
                    Some(Mutant::FailureAsSuccess) => self.consumer.processed(cut.id),
                    _ => self.consumer.failed(cut.id),
                }
                continue;
            }
            for input in &cut.inputs {
                let shard = input.range.shard.as_str().to_owned();
                let records = input.blocks.iter().flat_map(|block| block.iter().map(|record| number(record.data)));
                self.link.emit(Emission::Processed { shard, records: records.collect() });
            }
            self.consumer.processed(cut.id);
        }
    }
}

/// A record's number, which is its data.
pub(crate) fn number(data: &[u8]) -> u64 {
    data.try_into().map_or(u64::MAX, u64::from_le_bytes)
}
