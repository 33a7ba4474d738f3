//! What the entries of a checkpoint file come to: where a program goes on. Pure.

use super::entry::Entry;
use super::{LoggedInput, Part, SavedState};
use crate::BatchTime;
use std::collections::{BTreeMap, VecDeque};

/// Where an earlier run has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// The snapshot's states, then what each committed batch has changed.
    pub(crate) states: Vec<SavedState>,
    /// Batches that were cut and not committed, the oldest first.
    pub(crate) open: VecDeque<(BatchTime, Vec<LoggedInput>)>,
    /// The last batch that was cut or committed.
    pub(crate) last: Option<BatchTime>,
    /// By input and part, what was committed last.
    done: BTreeMap<(String, String), String>,
}

/// What an earlier run has cut of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastInput {
    /// Of each part, what was committed last.
    pub done: Vec<Part>,
    /// What was cut for the batches that will run once more, see [`Source::recut`](crate::Source::recut); the oldest first.
    pub open: Vec<(BatchTime, Vec<Part>)>,
}

impl History {
    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::State(state) => self.states.push(state),
            Entry::Done(input) => self.note_done(input),
            Entry::Cut(time, inputs) => {
                self.last = Some(time);
                self.open.push_back((time, inputs));
            }
            Entry::Committed(time, states) => {
                self.last = self.last.max(Some(time));
                self.states.extend(states);
                // Batches are committed in order; one without records was not logged as cut.
                while self.open.front().is_some_and(|(open, _)| *open <= time) {
                    let inputs = self.open.pop_front().map(|(_, inputs)| inputs);
                    inputs.into_iter().flatten().for_each(|input| self.note_done(input));
                }
            }
        }
    }

    fn note_done(&mut self, input: LoggedInput) {
        for Part { name, range } in input.parts {
            self.done.insert((input.name.clone(), name), range);
        }
    }

    /// The snapshot that stands for all entries until now, with the states as they are now.
    pub(super) fn snapshot(&self, states: &[SavedState]) -> Vec<Entry> {
        let states = states.iter().cloned().map(Entry::State);
        let done = self.done.iter().map(|((input, part), range)| {
            let parts = vec![Part { name: part.clone(), range: range.clone() }];
            Entry::Done(LoggedInput { name: input.clone(), parts })
        });
        let last = self.last.filter(|last| self.open.front().is_none_or(|(open, _)| open > last));
        let committed = last.map(|time| Entry::Committed(time, Vec::new()));
        let open = self.open.iter().map(|(time, inputs)| Entry::Cut(*time, inputs.clone()));
        states.chain(done).chain(committed).chain(open).collect()
    }

    /// The part of this that concerns one input.
    pub(crate) fn of_input(&self, name: &str) -> PastInput {
        let done = self.done.iter().filter(|((input, _), _)| input == name);
        let done = done.map(|((_, part), range)| Part { name: part.clone(), range: range.clone() }).collect();
        let parts = |inputs: &[LoggedInput]| {
            inputs.iter().filter(|input| input.name == name).flat_map(|input| input.parts.clone()).collect()
        };
        PastInput { done, open: self.open.iter().map(|(time, inputs)| (*time, parts(inputs))).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(millis: u64) -> BatchTime {
        BatchTime::from_millis(millis)
    }

    fn input(part: &str, range: &str) -> LoggedInput {
        LoggedInput { name: "in".into(), parts: vec![Part { name: part.into(), range: range.into() }] }
    }

    fn state(bytes: &[u8]) -> SavedState {
        SavedState { name: "s".into(), bytes: bytes.to_vec() }
    }

    fn history(entries: impl IntoIterator<Item = Entry>) -> History {
        let mut history = History::default();
        entries.into_iter().for_each(|entry| history.apply(entry));
        history
    }

    fn some_entries() -> Vec<Entry> {
        vec![
            Entry::State(state(b"all")),
            Entry::Cut(time(1), vec![input("a", "(0, 1]")]),
            Entry::Cut(time(2), vec![input("a", "(1, 2]"), input("b", "(0, 5]")]),
            Entry::Committed(time(1), vec![state(b"+1")]),
            Entry::Committed(time(2), vec![state(b"+2")]),
            Entry::Cut(time(4), vec![input("b", "(5, 6]")]),
        ]
    }

    #[test]
    fn what_was_cut_is_open_until_it_is_committed() {
        let history = history(some_entries());
        assert_eq!(history.states, [state(b"all"), state(b"+1"), state(b"+2")]);
        assert_eq!(history.last, Some(time(4)));
        let past = history.of_input("in");
        assert_eq!(past.done, [input("a", "(1, 2]").parts, input("b", "(0, 5]").parts].concat());
        assert_eq!(past.open, [(time(4), input("b", "(5, 6]").parts)]);
        assert_eq!(history.of_input("another").done, []);
        assert_eq!(history.of_input("another").open, [(time(4), vec![])]);
    }

    #[test]
    fn a_batch_without_records_moves_the_time_when_it_is_committed() {
        let history = history([Entry::Committed(time(7), vec![])]);
        assert_eq!((history.last, history.open.len()), (Some(time(7)), 0));
    }

    #[test]
    fn a_snapshot_comes_to_the_same_wherever_it_is_made() {
        let entries = some_entries();
        for count in 0..=entries.len() {
            let before = history(entries[..count].to_vec());
            let after = history(before.snapshot(&before.states));
            assert_eq!(after, before, "after {count} entries");
        }
    }
}
