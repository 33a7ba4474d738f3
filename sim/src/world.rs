//! Processes, the wire between them and the services, and the time of all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use millstream_consumer::StreamConfig;
use tokio::sync::watch;

use crate::agenda::{Agenda, Whom};
use crate::dice::Dice;
use crate::link::{Call, Emission, Reply, Service, Verdict};
use crate::mutant::Mutant;
use crate::oracle::{Oracle, Write};
use crate::peer::Peer;
use crate::process::Process;
use crate::program::Program;
use crate::server::Server;
use crate::settings::Settings;
use crate::streams::{EPOCH_MS, Streams};
use crate::trace::Trace;

/// Whether a worker of this name is a Java worker.
pub(crate) fn is_peer(name: &str) -> bool {
    name.starts_with("java")
}

/// Something that is going to happen. A process is named by its number.
pub(crate) enum Happening {
    Arrive(usize, Call, Fate),
    Deliver(usize, Reply),
    Done(usize, Emission),
    Start(String),
    Resume(usize),
    Put,
    Trouble,
}

/// What becomes of a call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Good,
    Throttled,
    Lost,
    /// Carried out, but the answer never comes.
    Unanswered,
}

/// What one process can't reach, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partition {
    pub(crate) process: usize,
    pub(crate) service: Option<Service>,
    pub(crate) until_ms: u64,
}

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) now_ms: u64,
    limit_ms: u64,
    pub(crate) has_trouble: Arc<AtomicBool>,
    pub(crate) dice: Dice,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) server: Server,
    pub(crate) streams: Streams,
    /// Those that workers read, where there are several.
    pub(crate) wanted: watch::Sender<Vec<StreamConfig>>,
    pub(crate) oracle: Oracle,
    /// By number; none: it is gone.
    pub(crate) processes: Vec<Option<Process>>,
    /// Their names.
    pub(crate) names: Vec<String>,
    pub(crate) partitions: Vec<Partition>,
    /// Until then the table, or Kinesis, throttles nearly everything.
    pub(crate) throttled_until: Option<(Service, u64)>,
    pub(crate) calls: u64,
    pub(crate) pushes: u64,
    pub(crate) trace: Trace,
}

impl World {
    pub(crate) fn new(settings: Settings, mutant: Option<Mutant>, prints: bool) -> Self {
        let server = Server::new(settings.streams, settings.shards, mutant);
        server.fleet.set_java(settings.is_led);
        World {
            now_ms: 0,
            limit_ms: 0,
            has_trouble: Arc::new(AtomicBool::new(settings.is_faulty)),
            mutant,
            dice: Dice::new(settings.seed),
            agenda: Agenda::new(),
            server,
            streams: Streams::new(settings.streams, settings.shards, settings.keys),
            wanted: watch::Sender::new(settings.all_streams()),
            oracle: Oracle::new(settings.keys, settings.failing == 0),
            processes: Vec::new(),
            names: Vec::new(),
            partitions: Vec::new(),
            throttled_until: None,
            calls: 0,
            pushes: 0,
            trace: Trace::new(prints),
            settings,
        }
    }

    pub(crate) fn plan(&mut self, delay_ms: u64, whom: Whom, happening: Happening) {
        self.agenda.plan(self.now_ms + delay_ms, whom, happening);
    }

    /// Lets happen what happens until then, or until a rule is broken.
    pub(crate) fn run_until(&mut self, end_ms: u64) {
        self.limit_ms = end_ms;
        self.advance_all();
        while self.oracle.violation.is_none()
            && let Some((time, happening)) = self.agenda.next(end_ms)
        {
            self.now_ms = time;
            self.happen(happening);
        }
        self.now_ms = end_ms;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(process, call, fate) => {
                self.arrive(process, call, fate);
                self.advance(process);
            }
            Happening::Deliver(process, reply) => {
                if let Some(process) = &mut self.processes[process] {
                    process.deliver(reply);
                }
                self.advance(process);
            }
            Happening::Done(process, emission) => self.observe(process, &emission),
            Happening::Start(name) => self.start(&name),
            Happening::Resume(process) => self.resume(process),
            Happening::Put => self.put(),
            Happening::Trouble => {
                self.trouble();
                self.advance_all();
            }
        }
    }

    pub(crate) fn advance_all(&mut self) {
        for process in 0..self.processes.len() {
            self.advance(process);
        }
    }

    /// Runs a process up to the next happening that may change it.
    fn advance(&mut self, number: usize) {
        loop {
            let horizon = self.agenda.horizon(number).min(self.limit_ms).max(self.now_ms);
            let Some(process) = self.processes[number].as_mut().filter(|process| process.paused_until.is_none()) else {
                return;
            };
            let mut has_called = false;
            for (at_ms, emission) in process.run(horizon) {
                let at_ms = at_ms.max(self.now_ms);
                match emission {
                    Emission::Call(call) => {
                        has_called = true;
                        self.send(number, at_ms, call);
                    }
                    other => self.agenda.plan(at_ms, Whom::Nobody, Happening::Done(number, other)),
                }
            }
            if !has_called {
                return;
            }
        }
    }

    fn send(&mut self, number: usize, at_ms: u64, call: Call) {
        self.calls += 1;
        self.pushes += u64::from(call.operation == "next_event");
        let (delay_ms, fate) = self.fate(number, at_ms, call.service);
        self.agenda.plan(at_ms + delay_ms, Whom::Process(number), Happening::Arrive(number, call, fate));
    }

    fn arrive(&mut self, number: usize, call: Call, fate: Fate) {
        if fate == Fate::Lost {
            return;
        }
        let Call { service, operation, subject, run } = call;
        let name = self.names[number].clone();
        if let (Some(process), "get_records" | "next_event", Some(shard)) =
            (&self.processes[number], operation, &subject)
            && fate == Fate::Good
        {
            self.oracle.reads(&process.name, shard, self.now_ms, process.resumed_ms);
        }
        if operation == "list_shards" {
            self.trace.say(self.now_ms, format_args!("{name}#{number} {operation} ({fate:?})"));
        }
        let key = subject.as_deref().filter(|_| service == Service::Table);
        let before = key.and_then(|key| self.server.row(key));
        let verdict = if fate == Fate::Throttled { Verdict::Throttle } else { Verdict::Execute };
        self.server.set_clock_ms(self.now_ms);
        let reply = run(&self.server, verdict);
        let after = key.and_then(|key| self.server.row(key));
        if let Some(key) = key
            && before != after
        {
            let (checkpoint, owner) =
                after.as_ref().map_or((String::new(), None), |row| (row.checkpoint.to_string(), row.actual_owner()));
            self.trace.say(
                self.now_ms,
                format_args!("{name}#{number} {operation} {key}: {checkpoint} of {owner:?} ({fate:?})"),
            );
            let rows = self.server.all_rows();
            let process = self.processes[number].as_ref();
            let skew_ms = process.map_or(0, |process| process.skew_ms);
            let write = Write {
                process: number,
                lives: process.is_some(),
                skew_ms,
                name: &name,
                operation,
                key,
                before: before.as_ref(),
                after: after.as_ref(),
            };
            self.oracle.wrote(&write, self.now_ms, &mut self.streams, &rows);
        }
        if fate != Fate::Unanswered {
            let transit_ms = self.transit();
            self.plan(transit_ms, Whom::Process(number), Happening::Deliver(number, reply));
        }
    }

    fn observe(&mut self, number: usize, emission: &Emission) {
        let name = self.names[number].clone();
        match emission {
            Emission::Processed { shard, records } => {
                let (first, last) = (records.first(), records.last());
                self.trace.say(
                    self.now_ms,
                    format_args!("{name}#{number} has processed {} of {shard}: {first:?} to {last:?}", records.len()),
                );
                self.oracle.processed(&name, records, &mut self.streams);
            }
            Emission::Ended(problem) => {
                self.trace.say(self.now_ms, format_args!("{name}#{number} has ended: {problem:?}"));
                if let Some(problem) = problem {
                    self.oracle.fail(format!("{name} has ended by itself: {problem}"));
                }
                self.processes[number] = None;
            }
            Emission::Call(_) => {}
        }
    }

    pub(crate) fn start(&mut self, name: &str) {
        let number = self.processes.len();
        self.trace.say(self.now_ms, format_args!("{name}#{number} starts"));
        let most_ms = self.settings.skew_ms as i64;
        let skew_ms = self.dice.between(0, 2 * self.settings.skew_ms + 1) as i64 - most_ms;
        let program = Program {
            initial: self.settings.initial,
            several: (self.settings.streams > 1).then(|| self.wanted.subscribe()),
            heartbeat: self.settings.heartbeat,
            is_led: self.settings.is_led,
            fans_out: self.settings.fans_out,
            born_ms: EPOCH_MS + self.now_ms as i64 + skew_ms,
            has_trouble: self.has_trouble.clone(),
            slow: self.settings.slow,
            failing: self.settings.failing,
            mutant: self.mutant,
        };
        let drift = self.settings.drift;
        let (dice, pace) = (self.dice.fork(), self.dice.between(1_000 - drift, 1_001 + drift));
        let mut process = if is_peer(name) {
            let peer = Peer { clears_handoffs: self.dice.chance(500) };
            Process::start(name, self.now_ms, pace, |link, stop| peer.run(link, stop, dice))
        } else {
            Process::start(name, self.now_ms, pace, |link, stop| program.run(link, stop, dice))
        };
        process.skew_ms = skew_ms;
        self.processes.push(Some(process));
        self.names.push(name.to_owned());
        self.advance(number);
    }

    pub(crate) fn resume(&mut self, number: usize) {
        let answers_first = self.dice.chance(500);
        let now_ms = self.now_ms;
        if let Some(process) = self.processes[number].as_mut().filter(|process| process.paused_until.is_some()) {
            process.resume(now_ms, answers_first);
            self.trace.say(now_ms, format_args!("{}#{number} goes on", process.name));
            self.advance(number);
        }
    }

    fn put(&mut self) {
        let keys = self.settings.keys as u64;
        let some: Vec<usize> = (0..self.dice.between(1, 6)).map(|_| self.dice.between(0, keys) as usize).collect();
        let aggregates = self.settings.aggregates && self.dice.chance(500);
        let first = self.streams.records.len();
        self.streams.put(&self.server.fake, self.now_ms, &some, aggregates);
        let last = self.streams.records.len() - 1;
        self.trace.say(self.now_ms, format_args!("records {first} to {last} are put, aggregated: {aggregates}"));
        let pause_ms = self.dice.between(20, 400);
        self.plan(pause_ms, Whom::Nobody, Happening::Put);
    }

    /// Those that run or stand still, and were not asked to stop.
    pub(crate) fn living(&self) -> Vec<usize> {
        let lives = |process: &Option<Process>| process.as_ref().is_some_and(|process| !process.is_stopping);
        (0..self.processes.len()).filter(|number| lives(&self.processes[*number])).collect()
    }
}
