//! Programs that end and start again over one checkpoint directory.

use crate::world::{LONG, engine};
use millstream_engine::{
    BatchTime, BoxError, Cut, Engine, GraphBuilder, Part, PastInput, Recovery, RecoveryError, SavedState, Source,
    StartError, States,
};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Counts up by one a cut, and can give any number once more.
struct Numbers {
    next: u64,
}

impl Source<u64> for Numbers {
    fn name(&self) -> Option<String> {
        Some("numbers".into())
    }

    fn recover(&mut self, past: PastInput) {
        let open = past.open.into_iter().flat_map(|(_, parts)| parts);
        let last = past.done.into_iter().chain(open).last();
        self.next = last.map_or(self.next, |part| part.range.parse::<u64>().unwrap() + 1);
    }

    fn cut(&mut self, _: BatchTime) -> Result<Cut<u64>, BoxError> {
        let number = self.next;
        self.next += 1;
        let parts = vec![Part { name: "all".into(), range: number.to_string() }];
        Ok(Cut { parts, ..Cut::once(number, 1) })
    }

    fn recut(&mut self, _: BatchTime, parts: &[Part]) -> Result<Cut<u64>, BoxError> {
        Ok(Cut::once(parts[0].range.parse()?, 1))
    }
}

/// The numbers that a program has seen, in order; padded to some size when it is saved.
#[derive(Clone, Default)]
struct Seen {
    numbers: Arc<Mutex<Vec<u64>>>,
    saved: usize,
    padding: usize,
}

impl Seen {
    fn state(&self, numbers: &[u64]) -> SavedState {
        let text = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        SavedState { name: "seen".into(), bytes: format!("{text}{}", " ".repeat(self.padding)).into_bytes() }
    }
}

impl States for Seen {
    fn restore(&mut self, saved: Vec<SavedState>) -> Result<(), BoxError> {
        let mut numbers = self.numbers.lock().unwrap();
        for state in saved {
            assert_eq!(state.name, "seen");
            let text = String::from_utf8(state.bytes)?;
            numbers.extend(text.split_whitespace().map(|number| number.parse::<u64>().unwrap()));
        }
        self.saved = numbers.len();
        Ok(())
    }

    fn changes(&mut self) -> Result<Vec<SavedState>, BoxError> {
        let numbers = self.numbers.lock().unwrap().clone();
        let new = self.state(&numbers[self.saved..]);
        self.saved = numbers.len();
        Ok(vec![new])
    }

    fn all(&mut self) -> Result<Vec<SavedState>, BoxError> {
        Ok(vec![self.state(&self.numbers.lock().unwrap())])
    }
}

/// Starts a program over `directory` whose output fails for the number `bad`. The batches that succeed.
fn start(
    directory: &Path,
    anew: bool,
    seen: &Seen,
    bad: u64,
) -> Result<(Engine, Receiver<(BatchTime, u64)>), StartError> {
    let mut graph = GraphBuilder::new();
    let numbers = graph.input(Box::new(Numbers { next: 1 }));
    let state = seen.numbers.clone();
    let noted = graph.derive(
        &[numbers],
        Box::new(move |_: BatchTime, parents: Vec<u64>| {
            state.lock().unwrap().push(parents[0]);
            Ok(parents[0])
        }),
    );
    let (sender, outputs) = channel();
    graph.output(
        noted,
        "send",
        Box::new(
            move |time: BatchTime, number: u64| {
                if number == bad { Err("bad".into()) } else { Ok(sender.send((time, number))?) }
            },
        ),
    );
    graph.recover(Recovery { directory: directory.to_owned(), anew, states: Box::new(seen.clone()) });
    let engine = engine();
    engine.start(graph)?;
    Ok((engine, outputs))
}

fn started(directory: &Path, seen: &Seen, bad: u64) -> (Engine, Receiver<(BatchTime, u64)>) {
    start(directory, false, seen, bad).unwrap()
}

fn take(outputs: &Receiver<(BatchTime, u64)>, count: usize) -> Vec<(BatchTime, u64)> {
    (0..count).map(|_| outputs.recv_timeout(LONG).unwrap()).collect()
}

/// Runs a program until it has put out `count` numbers, and stops it at once.
fn run(directory: &Path, seen: &Seen, count: usize) -> Vec<(BatchTime, u64)> {
    let (engine, outputs) = started(directory, seen, 0);
    let taken = take(&outputs, count);
    engine.stop(false).unwrap();
    taken
}

fn counted(seen: &Seen) -> Vec<u64> {
    let numbers = seen.numbers.lock().unwrap().clone();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    numbers
}

#[test]
fn a_stopped_program_goes_on_where_it_was() {
    let directory = TempDir::new().unwrap();
    let mut last = BatchTime::from_millis(0);
    for round in 1..=5 {
        let seen = Seen::default();
        let outputs = run(directory.path(), &seen, 3);
        let first = outputs[0];
        assert!(first.0 >= last, "round {round}: batch times never go back");
        assert!(counted(&seen).len() >= 3 * round, "round {round}: {seen:?}", seen = counted(&seen));
        last = first.0;
    }
}

#[test]
fn what_comes_behind_a_failed_batch_is_run_once_more() {
    let directory = TempDir::new().unwrap();
    let (engine, outputs) = started(directory.path(), &Seen::default(), 3);
    let before = take(&outputs, 5);
    assert_eq!(before.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    let error = engine.await_termination(Some(LONG)).unwrap_err();
    assert_eq!(error.cause.to_string(), "bad");
    engine.stop(false).unwrap();
    assert!(engine.await_termination(Some(LONG)).unwrap(), "those behind it have not failed");

    let seen = Seen::default();
    let (engine, outputs) = started(directory.path(), &seen, 0);
    let after = take(&outputs, 5);
    assert_eq!(after.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    assert!(before[1].0 < after[0].0 && after[0].0 < before[2].0, "the failed batch has kept its time");
    engine.stop(false).unwrap();
    counted(&seen);
}

#[test]
fn old_files_go_when_a_new_one_begins() {
    let directory = TempDir::new().unwrap();
    for round in 1..=3 {
        let seen = Seen { padding: 400_000, ..Seen::default() };
        run(directory.path(), &seen, 6);
        assert!(counted(&seen).len() >= 6 * round);
    }
    let names = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    let number: u64 = names[0].strip_prefix("checkpoint-").unwrap().parse().unwrap();
    assert!(number >= 3, "{names:?}");
}

#[test]
fn a_new_beginning_deletes_what_was_there() {
    let directory = TempDir::new().unwrap();
    run(directory.path(), &Seen::default(), 3);
    let seen = Seen::default();
    let (engine, outputs) = start(directory.path(), true, &seen, 0).unwrap();
    assert_eq!(take(&outputs, 1)[0].1, 1);
    engine.stop(false).unwrap();
    counted(&seen);
}

#[test]
fn two_programs_do_not_share_a_directory() {
    let directory = TempDir::new().unwrap();
    let (engine, _outputs) = started(directory.path(), &Seen::default(), 0);
    let error = start(directory.path(), false, &Seen::default(), 0).map(drop).unwrap_err();
    assert!(matches!(error, StartError::Recovery(RecoveryError::InUse(_))), "{error}");
    engine.stop(false).unwrap();
    run(directory.path(), &Seen::default(), 1);
}

/// The one checkpoint file.
fn file(directory: &TempDir) -> std::path::PathBuf {
    let mut paths = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.to_str().unwrap().contains("checkpoint-")).unwrap()
}

#[test]
fn a_torn_end_is_cut_off_and_damage_elsewhere_is_told() {
    let directory = TempDir::new().unwrap();
    run(directory.path(), &Seen::default(), 5);
    let path = file(&directory);
    let bytes = fs::read(&path).unwrap();

    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let seen = Seen::default();
    run(directory.path(), &seen, 1);
    assert!(counted(&seen).len() >= 5);

    let mut damaged = bytes.clone();
    damaged[30] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = start(directory.path(), false, &Seen::default(), 0).map(drop).unwrap_err().to_string();
    assert!(error.contains("is damaged at byte 12") && error.contains("begin anew"), "{error}");

    let mut newer = bytes;
    newer[8] = 2;
    fs::write(&path, &newer).unwrap();
    let error = start(directory.path(), false, &Seen::default(), 0).map(drop).unwrap_err().to_string();
    assert!(error.contains("has format version 2, and this release reads up to version 1"), "{error}");
}

/// The fixture was written by the first release with this format: numbers 1 to 3 committed, number 4 open.
#[test]
fn a_file_of_format_version_1_is_read() {
    let directory = TempDir::new().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/checkpoint-version-1");
    fs::copy(fixture, directory.path().join("checkpoint-7")).unwrap();
    let seen = Seen::default();
    let outputs = run(directory.path(), &seen, 2);
    assert_eq!(outputs[0], (BatchTime::from_millis(1_700_000_004_000), 4));
    assert_eq!(outputs[1].1, 5);
    assert!(counted(&seen).len() >= 5);
}
