use std::collections::BTreeMap;

use millstream_kinesis::{ChildShard, HashKeyRange, InitialPosition};
use millstream_lease::{Action, Coordinator, CoordinatorConfig, Event, Heartbeat, Lease, split_key};

use super::{parse, print};

/// The worker a script is about, and the leases as it was last told of them.
pub(super) struct Worker {
    name: String,
    coordinator: Coordinator,
    leases: BTreeMap<String, Lease>,
}

impl Worker {
    pub(super) fn new(name: &str, settings: &[&str]) -> Self {
        let mut config = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
        config.joins_fleet = false;
        config.may_lead = false;
        // As the KCL does.
        config.renew_interval_ms = Some(config.failover_ms / 3);
        let mut seed = 1;
        for setting in settings {
            let (name, value) = setting.split_once('=').expect("name=value");
            let number = || value.parse::<u64>().expect("a number");
            match name {
                "initial" => config.initial = parse::initial(value),
                "max-leases" => config.max_leases = number() as usize,
                "max-steal" => config.max_leases_to_steal = number() as usize,
                "checkpoint-interval" => config.checkpoint_interval_ms = number(),
                "shutdown-timeout" => config.shutdown_timeout_ms = number(),
                "streams" => config.reads_several = value == "several",
                "former" => config.former_streams_ms = Some(number()),
                "heartbeat" => config.heartbeat = Heartbeat::Worker,
                "fleet" => (config.joins_fleet, config.may_lead) = (true, value == "lead"),
                "deployed-for" => config.migration.client_version = Some(value.parse().expect("a client version")),
                "tables" => config.migration.moves_to_lease_table = Some(value == "one"),
                "renewals" => config.renew_interval_ms = None,
                "seed" => seed = number(),
                _ => panic!("what is `{name}`?"),
            }
        }
        Worker { name: name.to_owned(), coordinator: Coordinator::new(config, seed), leases: BTreeMap::new() }
    }

    pub(super) fn command(&mut self, now: u64, words: &[&str], details: &[&str]) -> Vec<String> {
        match words {
            ["status"] => self.coordinator.view().map(|lease| print::view(&lease)).collect(),
            ["wake"] => vec![format!("at {}", self.coordinator.next_wake(now))],
            _ => {
                let event = self.event(words, details);
                let actions = self.coordinator.step(event, now);
                self.remember(&actions);
                actions.iter().map(|action| print::action(action, &self.name)).collect()
            }
        }
    }

    fn event(&mut self, words: &[&str], details: &[&str]) -> Event {
        match *words {
            ["tick"] => Event::Tick,
            ["shutdown"] => Event::Shutdown,
            ["fleet", ref rest @ ..] => Event::FleetSeen(parse::fleet(rest, details)),
            ["fleet-failed", ..] => Event::FleetFailed { reason: words[1..].join(" ") },
            ["reported"] => Event::Reported,
            ["report-failed", ..] => Event::ReportFailed { reason: words[1..].join(" ") },
            ["retired"] => Event::Retired,
            ["migrated"] => Event::Migrated { is_done: true },
            ["not-migrated"] => Event::Migrated { is_done: false },
            ["lead-taken", version] => Event::LeadTaken { version: version.to_owned() },
            ["lead-refused"] => Event::LeadRefused,
            ["lead-failed", ..] => Event::LeadFailed { reason: words[1..].join(" ") },
            ["resigned"] => Event::Resigned,
            ["scan-failed", ..] => Event::ScanFailed { reason: words[1..].join(" ") },
            ["list-failed", ..] => Event::ListFailed { stream: String::new(), reason: words[1..].join(" ") },
            ["sessions", ref rest @ ..] => Event::SessionWritten(parse::sessions(rest)),
            ["session-failed", ..] => Event::SessionFailed { reason: words[1..].join(" ") },
            ["streams"] => Event::StreamsChanged(details.iter().map(|line| parse::stream(line)).collect()),
            ["scanned"] => {
                let leases: Vec<Lease> = details.iter().map(|line| parse::lease(line)).collect();
                self.leases.extend(leases.iter().map(|lease| (lease.key.clone(), lease.clone())));
                Event::Scanned(leases)
            }
            ["shards", ref stream @ ..] => Event::ShardsListed {
                stream: stream.concat(),
                shards: details.iter().map(|line| parse::shard(line)).collect(),
            },
            ["flush"] => Event::Flush { key: None },
            [command, key, ref rest @ ..] => self.event_of(command, key, rest),
            _ => panic!("what is `{words:?}`?"),
        }
    }

    fn event_of(&mut self, command: &str, key: &str, rest: &[&str]) -> Event {
        let owned = key.to_owned();
        match command {
            "created" => Event::Created { key: owned },
            "renewed" => Event::Renewed { key: owned, counter: self.change(key, |_| ()).counter },
            "prepared" => Event::Prepared { key: owned, counter: self.change(key, |_| ()).counter },
            "prepare" => Event::Prepare {
                key: owned,
                pending: parse::checkpoint(rest[0]),
                state: parse::value(rest, "state").map(|state| state.as_bytes().to_vec()),
            },
            "checkpointed" => Event::Checkpointed { key: owned, counter: self.change(key, |_| ()).counter },
            "taken" => {
                let owner = parse::value(rest, "by").unwrap_or(&self.name).to_owned();
                Event::Taken(self.change(key, |lease| {
                    lease.owner = Some(owner);
                    lease.checkpoint_owner = None;
                }))
            }
            "handoff-requested" => {
                let next = parse::value(rest, "by").expect("by=").to_owned();
                let lease = self.change(key, |lease| {
                    // Another one may have asked before.
                    let reader = lease.checkpoint_owner.take().or(lease.owner.take());
                    (lease.owner, lease.checkpoint_owner) = (Some(next), reader);
                    lease.counter -= 1;
                });
                Event::HandoffRequested { lease }
            }
            "not-wanted" => {
                let lease = self.change(key, |lease| {
                    lease.owner = lease.checkpoint_owner.take();
                    lease.counter -= 1;
                });
                Event::NotWantedAnyMore { lease }
            }
            "asked" => Event::HandoffAsked { key: owned },
            "withdrawn" => Event::HandoffWithdrawn { key: owned },
            "handed-over" => Event::HandedOver { key: owned },
            "released" => Event::Released { key: owned },
            "deleted" => Event::Deleted { key: owned },
            "refused" => Event::Refused { key: owned },
            "failed" => Event::Failed { key: owned, reason: rest.join(" ") },
            "processed" => Event::Processed { key: owned, checkpoint: parse::checkpoint(rest[0]) },
            "bytes" => Event::BytesProcessed { key: owned, bytes: rest[0].parse().expect("a number") },
            "flush" => Event::Flush { key: Some(owned) },
            "drained" => Event::Drained { key: owned },
            "read-to-end" => Event::ReaderEnded { key: owned, children: children(key, rest) },
            _ => panic!("what is `{command}`?"),
        }
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Lease)) -> Lease {
        let lease = self.leases.get_mut(key).expect("a lease with an operation under way");
        lease.counter += 1;
        change(lease);
        lease.clone()
    }

    fn remember(&mut self, actions: &[Action]) {
        for action in actions {
            if let Some(lease) = print::lease_of(action) {
                self.leases.insert(lease.key.clone(), lease.clone());
            }
        }
    }
}

/// `children=c,d`, and for a merge `with=` the other parent.
fn children(key: &str, rest: &[&str]) -> Vec<ChildShard> {
    let mut parents = parse::shards(Some(split_key(key).1));
    parents.extend(parse::shards(parse::value(rest, "with")));
    parse::shards(parse::value(rest, "children"))
        .into_iter()
        .map(|id| ChildShard { id, parents: parents.clone(), hash_range: HashKeyRange::ALL })
        .collect()
}
