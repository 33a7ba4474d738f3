//! Which leases a worker takes, keeps, hands over and checkpoints: decisions only, no clock and no IO.
//!
//! Rules that are never broken:
//! 1. One store operation per lease at a time, since each moves the counter that fences the next.
//! 2. A checkpoint is what was reported `Processed`, and never goes back.
//! 3. Nothing is written for a lease that was lost, or that this worker could not renew for `failover_ms`:
//!    such a worker stops reading by itself, before another one may take the lease.
//! 4. A lease asked for is handed over after reading has stopped, what was in flight is processed and the last
//!    checkpoint is written; or at a deadline, without the rest.
//! 5. A shutdown does the same with all leases, then releases them.
//! 6. At a shard's end the children's leases exist before `SHARD_END` is written.
//! 7. In a fleet with workers of the KCL 3, the leader chooses, which may be this worker; the rules above hold all the same.
//! 8. A shard is read from its beginning after every parent has ended: its lease is `SHARD_END`, or there is
//!    none and the stream does not list the parent any more.

mod action;
mod answers;
mod balancing;
mod event;
mod handoffs;
mod holding;
mod leading;
mod leaving;
mod membership;
mod migrating;
mod news;
mod periodic;
mod reports;
mod resting;
mod session;
mod shards;
mod state;
mod streams;
mod taking;
mod view;
mod wake;

use std::collections::BTreeMap;

pub use action::Action;
pub use event::Event;
pub use view::{LeaseStatus, LeaseView};

use crate::seed::Seed;
use crate::{CoordinatorConfig, Lease, StreamStart};
use balancing::Balancing;
use leading::Leading;
use membership::Membership;
use migrating::Migrating;
use periodic::Periodic;
use resting::Resting;
use session::Session;
use shards::Creating;
use state::Entry;
use streams::{Former, Stream};

/// The decisions of one worker about its leases.
///
/// The driver feeds it every event with the time, carries out the actions, and answers each action of the store
/// and each `ListShards` with one event. It calls again at [`Coordinator::next_wake`] at the latest.
#[derive(Debug)]
pub struct Coordinator {
    config: CoordinatorConfig,
    seed: Seed,
    /// Tells this process from all others, also of this worker's name.
    nonce: u64,
    /// The time of the current step, milliseconds of a clock that never goes back.
    now: u64,
    /// Counts the steps, to tell what was asked before and after something else.
    step: u64,
    leases: BTreeMap<String, Entry>,
    creating: BTreeMap<String, Creating>,
    scan: Periodic,
    resting: Resting,
    /// By identifier; the only stream of an application is called by none.
    streams: BTreeMap<String, Stream>,
    former: BTreeMap<String, Former>,
    membership: Membership,
    migrating: Migrating,
    leading: Leading,
    session: Session,
    balancing: Balancing,
    /// When a shutdown that was asked for ends.
    shutdown_ms: Option<u64>,
    /// In a shutdown: the step since when something of this worker may be left in the table.
    last_look_since: Option<u64>,
    is_done: bool,
    /// Leases lost so far.
    lost: u64,
    actions: Vec<Action>,
}

impl Coordinator {
    /// A worker that knows nothing yet. The seed decides which of several equal leases are taken first.
    pub fn new(config: CoordinatorConfig, seed: u64) -> Self {
        let mut streams = BTreeMap::new();
        if !config.reads_several {
            let start = StreamStart { initial: config.initial, latest_since_ms: config.latest_since_ms };
            streams.insert(String::new(), Stream::new(start));
        }
        Coordinator {
            config,
            seed: Seed::new(seed),
            nonce: seed,
            now: 0,
            step: 0,
            leases: BTreeMap::new(),
            creating: BTreeMap::new(),
            scan: Periodic::default(),
            resting: Resting::default(),
            streams,
            former: BTreeMap::new(),
            membership: Membership::default(),
            migrating: Migrating::default(),
            leading: Leading::default(),
            session: Session::default(),
            balancing: Balancing::default(),
            shutdown_ms: None,
            last_look_since: None,
            is_done: false,
            lost: 0,
            actions: Vec::new(),
        }
    }

    /// Takes in what happened and tells what to do. `now_ms`: milliseconds of any clock that never goes back.
    pub fn step(&mut self, event: Event, now_ms: u64) -> Vec<Action> {
        if self.is_done {
            return Vec::new();
        }
        self.step += 1;
        self.now = self.now.max(now_ms);
        self.note_news(&event);
        self.take_in(event);
        self.create_due();
        self.look_around();
        self.attend_fleet();
        self.attend_session();
        self.finish_shutdown();
        std::mem::take(&mut self.actions)
    }

    fn take_in(&mut self, event: Event) {
        match event {
            Event::Tick => self.advance_all(),
            Event::Scanned(leases) => self.scanned(leases),
            Event::ScanFailed { reason } => self.scan.failed(self.now, reason),
            Event::StreamsChanged(streams) => self.streams_changed(streams),
            Event::ShardsListed { stream, shards } => self.shards_listed(&stream, shards),
            Event::ListFailed { stream, reason } => self.list_failed(&stream, reason),
            Event::Created { key } => self.created(&key),
            Event::Renewed { key, counter } => self.renewed(&key, counter),
            Event::HandoffRequested { lease } => self.handoff_requested(lease),
            Event::NotWantedAnyMore { lease } => self.not_wanted_any_more(lease),
            Event::Taken(lease) => self.taken(lease),
            Event::HandoffAsked { key } => self.handoff_asked(&key),
            Event::HandoffWithdrawn { key } => self.handoff_withdrawn(&key),
            Event::HandedOver { key } => self.handed_over(&key),
            Event::Released { key } => self.released(&key),
            Event::Checkpointed { key, counter } => self.checkpointed(&key, counter),
            Event::Prepared { key, counter } => self.prepared(&key, counter),
            Event::Prepare { key, pending, state } => self.prepare(&key, pending, state),
            Event::Deleted { key } => self.deleted(&key),
            Event::Refused { key } => self.refused(&key),
            Event::Failed { key, reason } => self.failed(&key, reason),
            Event::Processed { key, checkpoint } => self.processed(&key, checkpoint),
            Event::BytesProcessed { key, bytes } => self.bytes_processed(&key, bytes),
            Event::Flush { key } => self.flush(key.as_deref()),
            Event::ReaderEnded { key, children } => self.reader_ended(&key, children),
            Event::Drained { key } => self.drained(&key),
            Event::FleetSeen(fleet) => self.fleet_seen(fleet),
            Event::FleetFailed { reason } => self.fleet_failed(reason),
            Event::Reported => self.reported(),
            Event::ReportFailed { reason } => self.report_failed(reason),
            Event::Retired => self.retired(),
            Event::Migrated { is_done } => self.migrated(is_done),
            Event::LeadTaken { version } => self.lead_taken(version),
            Event::LeadRefused => self.lead_refused(),
            Event::LeadFailed { reason } => self.lead_failed(reason),
            Event::Resigned => self.resigned(),
            Event::SessionWritten(answer) => self.session_written(answer),
            Event::SessionFailed { reason } => self.session_failed(reason),
            Event::Shutdown => self.shut_down(),
        }
    }

    /// Looks at the table and at the streams' shards where that is due.
    fn look_around(&mut self) {
        if self.shutdown_ms.is_some() && self.last_look_since.is_none() {
            return;
        }
        if self.scan.start(self.now, self.step, self.config.scan_interval_ms) {
            self.actions.push(Action::Scan);
        }
        if self.shutdown_ms.is_none() {
            for (stream, Stream { list, .. }) in &mut self.streams {
                if list.start(self.now, self.step, self.config.shard_sync_ms) {
                    self.actions.push(Action::ListShards { stream: stream.clone() });
                }
            }
        }
    }

    /// Takes in the table as it was scanned. What this worker itself changed meanwhile is newer than the scan.
    fn scanned(&mut self, scanned: Vec<Lease>) {
        let Some(scan_step) = self.scan.answered() else {
            return;
        };
        let mut scanned: BTreeMap<_, _> = scanned.into_iter().map(|lease| (lease.key.clone(), lease)).collect();
        self.leave_out_former(&mut scanned);
        let (streams, now) = (&mut self.streams, self.now);
        self.leases.retain(|key, entry| {
            let stays = scanned.contains_key(key) || entry.hold.is_some() || entry.is_newer_than(scan_step);
            if !stays
                && !entry.lease.is_ended()
                && let Some(stream) = streams.get_mut(entry.lease.stream())
            {
                // Somebody deleted the row of a shard that is still to be read: it gets a new one.
                stream.list.hurry(now);
            }
            stays
        });
        self.creating.retain(|key, creating| creating.is_in_flight || !scanned.contains_key(key));
        for (key, lease) in scanned {
            match self.leases.get_mut(&key) {
                None => {
                    self.leases.insert(key, Entry::new(lease, self.now, self.step));
                }
                // The write under way may have been sent long ago, before a pause; a checkpoint never goes back.
                Some(entry) if entry.is_newer_than(scan_step) => {
                    let known = &mut entry.lease.checkpoint;
                    *known = lease.checkpoint.max(known.clone());
                }
                Some(entry) if entry.hold.is_some() => self.check_held(lease),
                Some(entry) => entry.observe(lease, self.now, self.step),
            }
        }
        if self.shutdown_ms.is_none() {
            self.give_back();
            self.synchronise(scan_step);
            if !self.may_hold() {
                // A worker without a session takes nothing.
            } else if self.membership.is_led() {
                self.lead_after_scan(scan_step);
                self.take_as_led();
            } else if self.knows_its_place() {
                self.take_leases();
            }
        } else {
            self.last_look_since.take_if(|since| scan_step >= *since);
            self.give_back();
        }
        self.advance_all();
        self.rest_after_scan();
    }
}
