//! Tells stories: see `docs/simulation.md`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{available_parallelism, scope};
use std::time::Instant;

use millstream_sim::growth;
use millstream_sim::mutant::Mutant;
use millstream_sim::settings::Settings;
use millstream_sim::story::{Outcome, tell};

const USAGE: &str =
    "usage: millstream-sim seeds [count] [first] | seed <n> | mutants [seeds] | growth [leases] [workers]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: u64| words.get(at).map_or(Ok(or), |word| word.parse().map_err(|_| word));
    let done = match words.first().map(String::as_str) {
        Some("seeds") => number(1, 200).and_then(|count| Ok(seeds(count, number(2, 0)?))),
        Some("seed") => number(1, 0).map(seed),
        Some("mutants") => number(1, 300).map(mutants),
        Some("growth") => number(1, 10_000).and_then(|leases| {
            println!("{}", growth::measure(leases, number(2, 100)?));
            Ok(true)
        }),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(is_well) => ExitCode::from(u8::from(!is_well)),
        Err(word) => {
            eprintln!("`{word}` is not a number; {USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Tells one story aloud.
fn seed(seed: u64) -> bool {
    let settings = Settings::of(seed);
    println!("{settings:?}");
    let outcome = tell(settings, None, true);
    println!("{outcome:?}");
    outcome.violation.is_none()
}

/// Tells many, on all processors, and prints the seeds that break a rule.
fn seeds(count: u64, first: u64) -> bool {
    let (began, next, outcomes) = (Instant::now(), AtomicU64::new(first), Mutex::new(Vec::<Outcome>::new()));
    scope(|threads| {
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            threads.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let outcome = tell(Settings::of(seed), None, false);
                    if let Some(violation) = &outcome.violation {
                        println!("SEED={seed}: {violation}");
                    }
                    outcomes.lock().expect("no story panics").push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no story panics");
    let sum = |what: fn(&Outcome) -> u64| outcomes.iter().map(what).sum::<u64>();
    let broken = outcomes.iter().filter(|outcome| outcome.violation.is_some()).count();
    println!(
        "{count} stories from seed {first}: {broken} break a rule. {} records, {} processed once more; {} calls, {} leases taken, \
         {} handoffs; {:.0} s",
        sum(|outcome| outcome.records as u64),
        sum(|outcome| outcome.repeated),
        sum(|outcome| outcome.calls),
        sum(|outcome| outcome.takes),
        sum(|outcome| outcome.handoffs),
        began.elapsed().as_secs_f64()
    );
    broken == 0
}

/// Looks for the first seed that catches each mutant.
fn mutants(most: u64) -> bool {
    let mut all_caught = true;
    for mutant in Mutant::ALL {
        let caught = (0..most).find_map(|seed| {
            let violation = tell(Settings::of(seed), Some(*mutant), false).violation?;
            Some((seed, violation))
        });
        match caught {
            Some((seed, violation)) => println!("{mutant:?}, caught by seed {seed}: {violation}"),
            None => {
                all_caught = false;
                println!("{mutant:?} LIVES: no seed below {most} shows that it breaks the rule: {}", mutant.rule());
            }
        }
    }
    all_caught
}
