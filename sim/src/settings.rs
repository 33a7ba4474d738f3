//! What kind of story a seed tells.

use millstream_consumer::StreamConfig;
use millstream_kinesis::InitialPosition;
use millstream_lease::Heartbeat;

use crate::dice::Dice;
use crate::names::stream_name;
use crate::streams::EPOCH_MS;

/// One story.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides all that happens.
    pub seed: u64,
    /// At the start.
    pub workers: u64,
    /// How the workers show that they live.
    pub heartbeat: Heartbeat,
    /// Whether a worker of the KCL 3 uses the table, too: then one of ours leads, and assigns the leases.
    pub is_led: bool,
    /// How many of the workers, at the start and of those that join, are Java workers of the KCL 2: in a thousand.
    pub peers: u64,
    /// Streams that the application reads. Where there are several, some are left out for a while.
    pub streams: usize,
    /// Of each stream, at the start.
    pub shards: u32,
    /// Different partition keys.
    pub keys: usize,
    /// Where the application starts.
    pub initial: InitialPosition,
    /// Whether anything goes wrong. Else workers only come and go, and shards are split and merged: nothing is repeated then.
    pub is_faulty: bool,
    /// Whether some records are aggregated (KPL).
    pub aggregates: bool,
    /// Whether records are pushed to the workers of ours, by enhanced fan-out, as long as that can be had.
    pub fans_out: bool,
    /// Cuts in a thousand that take longer than a handoff waits.
    pub slow: u64,
    /// Cuts in a thousand that fail, after which the program goes on all the same.
    pub failing: u64,
    /// The clocks of the machines show at most so much more or less than the right time, in milliseconds.
    pub skew_ms: u64,
    /// The clocks of the machines run faster or slower by at most so many thousandths.
    pub drift: u64,
}

/// Milliseconds of the world before the first worker starts: something is in the stream then.
pub(crate) const BEFORE_MS: u64 = 10_000;

impl Settings {
    /// The story of this seed.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5e77);
        let initial = match dice.between(0, 4) {
            0 => InitialPosition::Latest,
            1 => InitialPosition::AtTimestamp(EPOCH_MS + dice.between(0, BEFORE_MS) as i64),
            _ => InitialPosition::TrimHorizon,
        };
        let is_faulty = !dice.chance(150);
        let peers = if initial == InitialPosition::TrimHorizon && is_faulty && dice.chance(400) { 400 } else { 0 };
        let mut settings = Settings {
            seed,
            peers,
            heartbeat: Heartbeat::Lease,
            is_led: false,
            workers: dice.between(1, 5),
            streams: 1,
            shards: dice.between(1, 7) as u32,
            keys: 24,
            initial,
            is_faulty,
            aggregates: dice.chance(300),
            fans_out: false,
            slow: if is_faulty && dice.chance(500) { 10 } else { 0 },
            failing: if is_faulty && dice.chance(150) { 10 } else { 0 },
            skew_ms: if dice.chance(300) { 2_000 } else { 0 },
            drift: if dice.chance(300) { 10 } else { 0 },
        };
        // Java workers know of no sessions.
        if peers == 0 && dice.chance(500) {
            settings.heartbeat = Heartbeat::Worker;
        } else if peers == 0 && dice.chance(500) {
            settings.is_led = true;
        }
        settings.fans_out = dice.chance(250);
        // Java workers are told of one stream.
        if peers == 0 && dice.chance(250) {
            settings.streams = 2;
        }
        settings
    }

    /// What workers of several streams are told while none is left out.
    pub(crate) fn all_streams(&self) -> Vec<StreamConfig> {
        let one = |number| StreamConfig { stream: stream_name(number).to_owned(), initial: self.initial };
        (0..self.streams).map(one).collect()
    }
}
