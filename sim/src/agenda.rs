//! What is going to happen, in the order of time.

use std::collections::{BTreeMap, BTreeSet};

/// When, and which of several at one time.
type Slot = (u64, u64);

/// Whom a happening changes: no process runs past one that may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    Nobody,
    Process(usize),
    All,
}

#[derive(Debug)]
pub(crate) struct Agenda<E> {
    entries: BTreeMap<Slot, (Whom, E)>,
    of_all: BTreeSet<Slot>,
    of_process: BTreeMap<usize, BTreeSet<Slot>>,
    count: u64,
}

impl<E> Agenda<E> {
    pub(crate) fn new() -> Self {
        Agenda { entries: BTreeMap::new(), of_all: BTreeSet::new(), of_process: BTreeMap::new(), count: 0 }
    }

    pub(crate) fn plan(&mut self, at_ms: u64, whom: Whom, event: E) {
        self.count += 1;
        let slot = (at_ms, self.count);
        self.entries.insert(slot, (whom, event));
        if let Some(slots) = self.slots(whom) {
            slots.insert(slot);
        }
    }

    /// The next happening up to `end_ms`.
    pub(crate) fn next(&mut self, end_ms: u64) -> Option<(u64, E)> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= end_ms)?;
        let (slot, (whom, event)) = entry.remove_entry();
        if let Some(slots) = self.slots(whom) {
            slots.remove(&slot);
        }
        Some((slot.0, event))
    }

    /// When something happens next that may change this process.
    pub(crate) fn horizon(&self, process: usize) -> u64 {
        let own = self.of_process.get(&process).and_then(BTreeSet::first);
        own.into_iter().chain(self.of_all.first()).map(|slot| slot.0).min().unwrap_or(u64::MAX)
    }

    /// Takes out what is not wanted any more.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&E) -> bool) {
        let dropped: Vec<Slot> =
            self.entries.iter().filter(|(_, (_, event))| !keeps(event)).map(|(slot, _)| *slot).collect();
        for slot in dropped {
            if let Some((whom, _)) = self.entries.remove(&slot)
                && let Some(slots) = self.slots(whom)
            {
                slots.remove(&slot);
            }
        }
    }

    fn slots(&mut self, whom: Whom) -> Option<&mut BTreeSet<Slot>> {
        match whom {
            Whom::Nobody => None,
            Whom::Process(process) => Some(self.of_process.entry(process).or_default()),
            Whom::All => Some(&mut self.of_all),
        }
    }
}
