use std::collections::BTreeMap;

use millstream_kinesis::InitialPosition;
use millstream_lease::{Action, CoordinatorConfig, Event, Heartbeat, Lease, LeaseStore, MemoryLeaseStore, execute};
use tokio::runtime::Runtime;

use super::dice::Dice;
use super::leader::Leader;
use super::node::{Batch, Node, Reader};
use super::oracle::Oracle;
use super::stream::Stream;

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) workers: usize,
    pub(crate) shards: usize,
    pub(crate) initial: InitialPosition,
    pub(crate) is_faulty: bool,
    /// A leader of the KCL 3 assigns the leases.
    pub(crate) is_led: bool,
    pub(crate) heartbeat: Heartbeat,
}

/// Something that is going to happen. A node is named by its index: a restarted process is another node.
pub(super) enum Happening {
    Tick(usize),
    /// A call arrives at the store or the stream.
    Call(usize, Action, Delivery),
    /// Something is told to a node.
    Told(usize, Event),
    Read(usize),
    Done(usize, Batch),
    Put,
    Lead,
    Trouble,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Delivery {
    Good,
    Lost,
    /// Carried out, but the caller was told that it failed.
    Unanswered,
}

pub(crate) struct World {
    pub(super) settings: Settings,
    pub(super) now: u64,
    pub(super) dice: Dice,
    pub(super) runtime: Runtime,
    pub(super) store: MemoryLeaseStore,
    pub(super) stream: Stream,
    pub(super) nodes: Vec<Node>,
    pub(super) leader: Option<Leader>,
    pub(super) oracle: Oracle,
    pub(super) agenda: BTreeMap<(u64, u64), Happening>,
    pub(super) counter: u64,
    pub(super) handoffs: usize,
    pub(super) log: Vec<String>,
    /// Print as it happens: a story that fails is wanted up to there.
    pub(super) prints: bool,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut world = World {
            now: 0,
            dice: Dice::new(settings.seed),
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            store: MemoryLeaseStore::new(),
            stream: Stream::new(settings.shards),
            nodes: Vec::new(),
            leader: settings.is_led.then(Leader::default),
            oracle: Oracle::default(),
            agenda: BTreeMap::new(),
            counter: 0,
            handoffs: 0,
            log: Vec::new(),
            prints: std::env::var_os("SIM_SEED").is_some(),
            settings,
        };
        for _ in 0..world.settings.workers {
            world.join();
        }
        world.plan(50, Happening::Put);
        if world.leader.is_some() {
            world.plan(1_000, Happening::Lead);
        }
        if world.settings.is_faulty {
            world.plan(5_000, Happening::Trouble);
        }
        world
    }

    pub(super) fn plan(&mut self, delay: u64, happening: Happening) {
        self.counter += 1;
        self.agenda.insert((self.now + delay, self.counter), happening);
    }

    pub(super) fn say(&mut self, text: String) {
        let line = format!("{:>7} {text}", self.now);
        if self.prints {
            println!("{line}");
        }
        self.log.push(line);
    }

    pub(crate) fn into_log(self) -> Vec<String> {
        self.log
    }

    pub(crate) fn handoffs(&self) -> usize {
        self.handoffs
    }

    pub(crate) fn join(&mut self) {
        let name = format!("w{}", self.nodes.len());
        self.start(name);
    }

    pub(super) fn start(&mut self, name: String) {
        let mut config = CoordinatorConfig::new(name, self.settings.initial);
        config.checkpoint_interval_ms = 2_000;
        config.shard_sync_ms = 20_000;
        config.heartbeat = self.settings.heartbeat;
        config.joins_fleet = self.leader.is_some();
        let node = Node::new(config, self.dice.next());
        self.say(format!("{} starts", node.name));
        self.nodes.push(node);
        let index = self.nodes.len() - 1;
        self.plan(0, Happening::Tick(index));
        self.plan(100, Happening::Read(index));
    }

    pub(crate) fn run_until(&mut self, end: u64) {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((time, _), happening) = entry.remove_entry();
            self.now = time;
            self.happen(happening);
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Call(node, action, delivery) => self.arrive(node, &action, delivery),
            Happening::Put => {
                let open = self.stream.open_shards();
                if let Some(shard) = self.dice.pick(&open) {
                    self.stream.put(shard);
                }
                self.plan(50, Happening::Put);
            }
            Happening::Lead => self.lead(),
            Happening::Trouble => self.trouble(),
            Happening::Tick(node) | Happening::Told(node, _) | Happening::Read(node) | Happening::Done(node, _) => {
                let resumes = self.nodes[node].paused_until;
                if !self.nodes[node].is_alive {
                } else if self.now < resumes {
                    self.plan(resumes - self.now, happening);
                } else {
                    self.happen_at(node, happening);
                }
            }
        }
    }

    fn happen_at(&mut self, node: usize, happening: Happening) {
        match happening {
            Happening::Tick(_) if self.nodes[node].next_tick <= self.now => {
                self.step(node, Event::Tick);
                let wake = self.nodes[node].coordinator.next_wake(self.now);
                assert!(wake > self.now, "{} spins", self.nodes[node].name);
            }
            Happening::Told(_, event) => self.step(node, event),
            Happening::Read(_) => {
                let (batches, ends) = self.nodes[node].read(&self.stream);
                for end in ends {
                    self.step(node, end);
                }
                for batch in batches {
                    let slow = self.settings.is_faulty && self.dice.chance(20);
                    let work = if slow { self.dice.between(5_000, 40_000) } else { self.dice.between(10, 900) };
                    self.plan(work, Happening::Done(node, batch));
                }
                self.plan(200, Happening::Read(node));
            }
            Happening::Done(_, batch) => {
                self.oracle.processed(&batch.records);
                for event in self.nodes[node].finish(&batch) {
                    self.step(node, event);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, index: usize, event: Event) {
        if !matches!(event, Event::Tick | Event::Scanned(_) | Event::ShardsListed { .. }) {
            self.say(format!("{} <- {event:?}", self.nodes[index].name));
        }
        let actions = self.nodes[index].coordinator.step(event, self.now);
        for action in actions {
            if !matches!(action, Action::Scan | Action::ListShards { .. }) {
                self.say(format!("{} -> {action:?}", self.nodes[index].name));
            }
            self.act(index, action);
        }
        let wake = self.nodes[index].coordinator.next_wake(self.now);
        if wake != u64::MAX && wake != self.nodes[index].next_tick {
            self.nodes[index].next_tick = wake;
            self.plan(wake - self.now, Happening::Tick(index));
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        match action {
            Action::StartReading { key, checkpoint, .. } => {
                self.check_alone(index, &key);
                let table = self.table();
                Oracle::check_parents(&key, &checkpoint, &self.stream, &table);
                let position = self.oracle.started(&key, &checkpoint, &self.stream);
                self.counter += 1;
                let number = self.counter;
                let reader = Reader { number, position, is_draining: false, has_ended: false, is_busy: false };
                assert!(self.nodes[index].readers.insert(key, reader).is_none(), "read twice");
            }
            Action::StopReading { key, drain: false } => {
                self.nodes[index].readers.remove(&key);
            }
            Action::StopReading { key, drain: true } => {
                self.nodes[index].readers.get_mut(&key).expect("a reader").is_draining = true;
                if let Some(drained) = self.nodes[index].drained(&key) {
                    self.plan(0, Happening::Told(index, drained));
                }
            }
            Action::Done => {
                assert!(self.nodes[index].readers.is_empty(), "done while reading");
                self.nodes[index].is_alive = false;
            }
            call => self.call(index, call),
        }
    }

    /// Sends a call on its way, which may be a bad one.
    fn call(&mut self, index: usize, action: Action) {
        let transit = self.dice.between(1, 30);
        let fate = if self.settings.is_faulty { self.dice.between(0, 200) } else { 100 };
        let (delay, delivery) = match fate {
            0..3 => (transit, Delivery::Lost),
            3..6 => (transit, Delivery::Unanswered),
            // Carried out long after the caller was told that it failed.
            6 => (self.dice.between(2_000, 15_000), Delivery::Unanswered),
            7..10 => (self.dice.between(100, 1_500), Delivery::Good),
            _ => (transit, Delivery::Good),
        };
        if delivery != Delivery::Good {
            let reason = format!("{delivery:?}");
            let failure = match &action {
                Action::Scan => Event::ScanFailed { reason },
                Action::ListShards { stream } => Event::ListFailed { stream: stream.clone(), reason },
                Action::LookAtFleet => Event::FleetFailed { reason },
                Action::Report(_) => Event::ReportFailed { reason },
                Action::Retire(_) => Event::Retired,
                Action::TakeLead { .. } | Action::KeepLead { .. } => Event::LeadFailed { reason },
                Action::Resign { .. } => Event::Resigned,
                Action::WriteSession(_) => Event::SessionFailed { reason },
                call => Event::Failed { key: key_of(call).to_owned(), reason },
            };
            self.plan(2_000, Happening::Told(index, failure));
        }
        self.plan(delay, Happening::Call(index, action, delivery));
    }

    fn arrive(&mut self, index: usize, action: &Action, delivery: Delivery) {
        if delivery == Delivery::Lost {
            return;
        }
        let name = self.nodes[index].name.clone();
        let before = self.table();
        let event = match action {
            Action::ListShards { stream } => Event::ShardsListed { stream: stream.clone(), shards: self.stream.list() },
            Action::LookAtFleet => Event::FleetSeen(self.fleet()),
            Action::Report(_) => {
                self.report(&name);
                Event::Reported
            }
            Action::Retire(_) => {
                self.retire(&name);
                Event::Retired
            }
            call => self.runtime.block_on(execute(&self.store, &name, call)).expect("a call of the store").event,
        };
        self.handoffs += usize::from(matches!(event, Event::HandoffAsked { .. }));
        if let Action::WriteCheckpoint { lease: held, .. } = action {
            let after = self.table();
            let find = |table: &[Lease]| table.iter().find(|lease| lease.key == held.key).cloned();
            if let (Some(old), Some(new)) = (find(&before), find(&after))
                && old != new
            {
                self.oracle.check_checkpoint((index, &name), held, &old, &new, &self.stream, &after);
            }
        }
        if delivery == Delivery::Good {
            let transit = self.dice.between(1, 30);
            self.plan(transit, Happening::Told(index, event));
        }
    }

    pub(super) fn table(&self) -> Vec<Lease> {
        self.runtime.block_on(self.store.scan()).unwrap()
    }

    pub(super) fn running(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.is_alive && !node.is_stopping).map(|(index, _)| index).collect()
    }
}

fn key_of(action: &Action) -> &str {
    match action {
        Action::Create(lease)
        | Action::Renew(lease)
        | Action::Take(lease)
        | Action::Prepare { lease, .. }
        | Action::Assign { lease, .. }
        | Action::RequestHandoff { lease, .. }
        | Action::CompleteHandoff(lease)
        | Action::WithdrawHandoff(lease)
        | Action::Release(lease)
        | Action::Delete(lease)
        | Action::WriteCheckpoint { lease, .. } => &lease.key,
        other => panic!("{other:?} is about no lease"),
    }
}
