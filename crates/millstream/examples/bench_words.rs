//! Word count by native operators, timed from inside: `bench_words LINES_PER_BATCH BATCHES`.
//!
//! The engine runs jobs on one thread. Prints one line of JSON: the seconds that each batch took, from the start of its
//! processing to its end.

use foldhash::fast::RandomState;
use millstream::{BatchInfo, BatchListener, Queue, StreamingContext};
use std::collections::HashMap;
use std::error::Error;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The processing times of batches in ms.
struct Times(Mutex<Sender<u64>>);

impl BatchListener for Times {
    fn batch_completed(&self, batch: &BatchInfo) {
        if let (Some(start), Some(end)) = (batch.processing_start_ms, batch.processing_end_ms) {
            // Nobody listens any more once there are enough.
            let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).send(end - start);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [lines_per_batch, batches] = arguments[..] else { return Err("usage: bench_words LINES BATCHES".into()) };
    let ssc = StreamingContext::new(Duration::from_millis(500));
    let lines = text(lines_per_batch);
    let queue: Queue<String> = (0..batches).map(|_| lines.clone()).collect();
    let counts = ssc.queue_stream(&queue, true).map_partitions(count).reduce_by_key(|a, b| a + b);
    counts.foreach_rdd(move |_, counts| {
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        if total != 0 && total != 4 * lines_per_batch as u64 {
            return Err(format!("{total} words").into());
        }
        Ok(())
    });
    let (times, done) = channel();
    ssc.add_streaming_listener(Arc::new(Times(Mutex::new(times))));
    ssc.start()?;
    let seconds: Vec<String> = done.iter().take(batches).map(|ms| format!("{:.3}", ms as f64 / 1000.0)).collect();
    println!("{{\"processing\": [{}]}}", seconds.join(", "));
    Ok(ssc.stop(false)?)
}

/// The words of a partition, by words that are not copied before they are counted.
fn count(lines: &[String]) -> Vec<(String, u64)> {
    let mut counts: HashMap<&str, u64, RandomState> = HashMap::default();
    for word in lines.iter().flat_map(|line| line.split(' ')) {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
}

/// Lines of 4 words of 7 letters, out of 5,000 words; always the same.
fn text(lines: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let words: Vec<String> = (0..5_000).map(|_| (0..7).map(|_| char::from(b'a' + next(26) as u8)).collect()).collect();
    (0..lines).map(|_| (0..4).map(|_| words[next(5_000)].as_str()).collect::<Vec<_>>().join(" ")).collect()
}
