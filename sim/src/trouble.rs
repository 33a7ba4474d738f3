//! What goes wrong on the wire and in the machines, and what changes in the stream.

use std::sync::atomic::Ordering;

use crate::agenda::Whom;
use crate::link::Service;
use crate::settings::BEFORE_MS;
use crate::world::{Fate, Happening, Partition, World, is_peer};

const MOST_PROCESSES: usize = 6;
const MOST_SHARDS: usize = 10;

impl World {
    /// How long a call or an answer is on its way.
    pub(crate) fn transit(&mut self) -> u64 {
        self.dice.between(1, 30)
    }

    /// What becomes of a call, and when it arrives.
    pub(crate) fn fate(&mut self, process: usize, at_ms: u64, service: Service) -> (u64, Fate) {
        let transit_ms = self.transit();
        let cuts_off = |partition: &Partition| {
            partition.process == process
                && at_ms < partition.until_ms
                && partition.service.is_none_or(|cut_off| cut_off == service)
        };
        if self.partitions.iter().any(cuts_off) {
            return (transit_ms, Fate::Lost);
        }
        let is_throttled = self.throttled_until.is_some_and(|(which, until_ms)| which == service && at_ms < until_ms);
        if is_throttled && self.dice.chance(800) {
            return (transit_ms, Fate::Throttled);
        }
        if !self.has_trouble.load(Ordering::Relaxed) {
            return (transit_ms, Fate::Good);
        }
        match self.dice.between(0, 1000) {
            0..12 => (transit_ms, Fate::Lost),
            12..24 => (transit_ms, Fate::Unanswered),
            // Carried out long after the caller was told that it failed.
            24..30 => (self.dice.between(2_000, 20_000), Fate::Unanswered),
            30..50 => (self.dice.between(100, 1_500), Fate::Good),
            50..60 => (transit_ms, Fate::Throttled),
            _ => (transit_ms, Fate::Good),
        }
    }

    pub(crate) fn trouble(&mut self) {
        let living = self.living();
        let open = self.streams.open_shards();
        let victim = self.dice.pick(&living).copied();
        let shard = self.dice.pick(&open).cloned();
        // What is before 12 and from 22 on are faults.
        let what = if self.settings.is_faulty { self.dice.between(0, 24) } else { self.dice.between(12, 22) };
        match (what, victim, shard) {
            (0..4, Some(victim), _) => self.crash(victim),
            (4..8, Some(victim), _) => {
                let pause_ms = self.dice.between(500, 45_000);
                self.pause(victim, pause_ms);
            }
            (8..11, Some(victim), _) => {
                let service = [None, Some(Service::Table), Some(Service::Kinesis)][self.dice.between(0, 3) as usize];
                let until_ms = self.now_ms + self.dice.between(1_000, 40_000);
                let name = self.names[victim].clone();
                self.trace
                    .say(self.now_ms, format_args!("{name}#{victim} is cut off from {service:?} until {until_ms}"));
                self.partitions.push(Partition { process: victim, service, until_ms });
            }
            (11, ..) => {
                let service = if self.dice.chance(500) { Service::Table } else { Service::Kinesis };
                let until_ms = self.now_ms + self.dice.between(1_000, 15_000);
                self.trace.say(self.now_ms, format_args!("{service:?} throttles until {until_ms}"));
                self.throttled_until = Some((service, until_ms));
            }
            (12, Some(victim), _) => self.stop(victim),
            (13..16, ..) if living.len() < MOST_PROCESSES && self.now_ms >= BEFORE_MS => self.join(),
            (16..19, _, Some(shard)) if open.len() < MOST_SHARDS => {
                self.trace.say(self.now_ms, format_args!("{shard} is split"));
                self.streams.split(&self.server.fake, &shard);
            }
            (19..22, _, Some(shard)) => {
                if let Some(upper) = self.streams.merge(&self.server.fake, &shard) {
                    self.trace.say(self.now_ms, format_args!("{shard} and {upper} are merged"));
                }
            }
            (22, ..) => {
                self.trace.say(self.now_ms, format_args!("all iterators expire, all subscriptions break"));
                self.server.fake.expire_iterators();
                self.server.fake.break_subscriptions();
            }
            (23, ..) => self.server.fake.truncate_next(3),
            _ => {}
        }
        if self.settings.is_led && self.settings.is_faulty && self.dice.chance(50) {
            let is_there = self.dice.chance(500);
            self.trace.say(self.now_ms, format_args!("the Java worker is there: {is_there}"));
            self.server.fleet.set_java(is_there);
        }
        if self.settings.streams > 1 && self.dice.chance(150) {
            self.choose_streams();
        }
        let next_ms = self.dice.between(200, 12_000);
        self.plan(next_ms, Whom::All, Happening::Trouble);
    }

    /// All workers are told to read all streams, or to leave one out.
    fn choose_streams(&mut self) {
        let mut wanted = self.settings.all_streams();
        if self.dice.chance(600) {
            wanted.remove(self.dice.between(0, wanted.len() as u64) as usize);
        }
        let names: Vec<&str> = wanted.iter().map(|config| config.stream.as_str()).collect();
        self.trace.say(self.now_ms, format_args!("to be read: {names:?}"));
        self.wanted.send_replace(wanted);
    }

    /// A process dies; somebody may start it again.
    fn crash(&mut self, victim: usize) {
        let name = self.names[victim].clone();
        self.trace.say(self.now_ms, format_args!("{name}#{victim} crashes"));
        self.processes[victim] = None;
        let after_ms = [None, Some(0), Some(self.dice.between(1_000, 25_000))][self.dice.between(0, 3) as usize];
        if let Some(after_ms) = after_ms {
            self.plan(after_ms, Whom::Nobody, Happening::Start(name));
        }
    }

    fn pause(&mut self, victim: usize, pause_ms: u64) {
        let until_ms = self.now_ms + pause_ms;
        if let Some(process) = self.processes[victim].as_mut().filter(|process| process.paused_until.is_none()) {
            self.trace.say(self.now_ms, format_args!("{}#{victim} stands still until {until_ms}", process.name));
            process.paused_until = Some(until_ms);
            self.plan(pause_ms, Whom::Process(victim), Happening::Resume(victim));
        }
    }

    fn stop(&mut self, victim: usize) {
        if let Some(process) = &mut self.processes[victim] {
            self.trace.say(self.now_ms, format_args!("{}#{victim} is asked to stop", process.name));
            process.stop();
        }
    }

    pub(crate) fn join(&mut self) {
        let kind = if self.dice.chance(self.settings.peers) { "java" } else { "w" };
        let name = format!("{kind}{}", self.processes.len());
        self.start(&name);
    }

    /// No more trouble; at least one worker.
    pub(crate) fn calm_down(&mut self) {
        self.trace.say(self.now_ms, format_args!("all is well again"));
        self.has_trouble.store(false, Ordering::Relaxed);
        self.partitions.clear();
        self.throttled_until = None;
        self.server.fake.truncate_next(0);
        self.wanted.send_replace(self.settings.all_streams());
        self.agenda.retain(|happening| !matches!(happening, Happening::Trouble | Happening::Resume(_)));
        for number in 0..self.processes.len() {
            self.resume(number);
        }
        if self.settings.failing > 0 {
            // What has failed is processed by a program that is started again.
            for number in self.living() {
                self.processes[number] = None;
                self.start(&self.names[number].clone());
            }
        }
        // A peer alone would not find the shards.
        if self.living().iter().all(|number| is_peer(&self.names[*number])) {
            self.start(&format!("w{}", self.processes.len()));
        }
    }

    pub(crate) fn stop_all(&mut self) {
        self.agenda.retain(|happening| !matches!(happening, Happening::Start(_) | Happening::Put));
        for number in self.living() {
            self.stop(number);
        }
    }
}
