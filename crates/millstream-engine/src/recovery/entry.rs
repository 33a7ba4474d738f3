//! The entries of a checkpoint file as the payloads of its frames. Pure.
//!
//! An entry is a byte that says its kind, then its fields: numbers of 64 bits, little-endian; texts, bytes and lists with the
//! number of their bytes or items before them.

use super::Part;
use crate::BatchTime;

/// A state, or what a batch has changed in it, in the words of its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedState {
    /// The state's name, the same in every run of the program.
    pub name: String,
    /// What there is to know of it.
    pub bytes: Vec<u8>,
}

/// What an input gave to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedInput {
    /// The input's name, see [`Source::name`](crate::Source::name).
    pub name: String,
    /// The parts that gave records.
    pub parts: Vec<Part>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Of the snapshot: a state.
    State(SavedState),
    /// Of the snapshot: what was committed last of each part.
    Done(LoggedInput),
    /// A batch was cut and is about to run.
    Cut(BatchTime, Vec<LoggedInput>),
    /// All outputs of a batch have succeeded, and it has changed this.
    Committed(BatchTime, Vec<SavedState>),
}

impl Entry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Entry::State(state) => {
                out.push(1);
                put_state(&mut out, state);
            }
            Entry::Done(input) => {
                out.push(2);
                put_input(&mut out, input);
            }
            Entry::Cut(time, inputs) => {
                out.push(3);
                put_number(&mut out, time.millis());
                put_list(&mut out, inputs, put_input);
            }
            Entry::Committed(time, states) => {
                out.push(4);
                put_number(&mut out, time.millis());
                put_list(&mut out, states, put_state);
            }
        }
        out
    }

    /// `None` for what no release has written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let mut input = Input(rest);
        let entry = match kind {
            1 => Entry::State(input.state()?),
            2 => Entry::Done(input.input()?),
            3 => Entry::Cut(input.time()?, input.list(Input::input)?),
            4 => Entry::Committed(input.time()?, input.list(Input::state)?),
            _ => return None,
        };
        input.0.is_empty().then_some(entry)
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(out, items.len() as u64);
    items.iter().for_each(|item| put(out, item));
}

fn put_state(out: &mut Vec<u8>, state: &SavedState) {
    put_bytes(out, state.name.as_bytes());
    put_bytes(out, &state.bytes);
}

fn put_input(out: &mut Vec<u8>, input: &LoggedInput) {
    put_bytes(out, input.name.as_bytes());
    put_list(out, &input.parts, |out, part| {
        put_bytes(out, part.name.as_bytes());
        put_bytes(out, part.range.as_bytes());
    });
}

/// What is left to decode.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn time(&mut self) -> Option<BatchTime> {
        self.number().map(BatchTime::from_millis)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// Reads item by item, so that a wrong number of items takes no memory.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(items)
    }

    fn state(&mut self) -> Option<SavedState> {
        Some(SavedState { name: self.text()?, bytes: self.bytes()?.to_vec() })
    }

    fn input(&mut self) -> Option<LoggedInput> {
        let name = self.text()?;
        let parts = self.list(|input| Some(Part { name: input.text()?, range: input.text()? }))?;
        Some(LoggedInput { name, parts })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entries() -> Vec<Entry> {
        let part = |name: &str| Part { name: name.into(), range: "(0, 7]".into() };
        let input = LoggedInput { name: "kinesis words".into(), parts: vec![part("shard-0"), part("é")] };
        let state = SavedState { name: "updateStateByKey 1".into(), bytes: vec![0, 255, 7] };
        let time = BatchTime::from_millis(1_357_008_430_000);
        vec![
            Entry::State(state.clone()),
            Entry::Done(input.clone()),
            Entry::Cut(time, vec![input, LoggedInput { name: String::new(), parts: vec![] }]),
            Entry::Committed(time, vec![state]),
            Entry::Committed(time, vec![]),
        ]
    }

    #[test]
    fn entries_are_read_back_as_written() {
        for entry in entries() {
            assert_eq!(Entry::decode(&entry.encode()), Some(entry));
        }
    }

    #[test]
    fn what_is_no_entry_is_refused_without_a_panic() {
        for entry in entries() {
            let bytes = entry.encode();
            for cut in 0..bytes.len() {
                assert_eq!(Entry::decode(&bytes[..cut]), None, "{entry:?} cut at {cut}");
            }
            assert_eq!(Entry::decode(&[bytes.clone(), vec![0]].concat()), None, "{entry:?} with more behind");
        }
        assert_eq!(Entry::decode(&[9]), None);
        assert_eq!(Entry::decode(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]), None);
    }
}
