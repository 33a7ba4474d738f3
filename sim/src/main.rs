//! `millstream-sim seeds 200`, `millstream-sim seed 7`.

use std::process::ExitCode;
use std::time::Instant;

use millstream_sim::growth;
use millstream_sim::mutant::Mutant;
use millstream_sim::settings::Settings;
use millstream_sim::story::tell;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: u64| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(or);
    match words.first().map(String::as_str) {
        Some("seed") => {
            let settings = Settings::of(number(1, 0));
            println!("{settings:?}");
            let outcome = tell(settings, None, true);
            println!("{outcome:?}");
            ExitCode::from(u8::from(outcome.violation.is_some()))
        }
        Some("growth") => {
            println!("{}", growth::measure(number(1, 10_000), number(2, 100)));
            ExitCode::SUCCESS
        }
        Some("mutants") => mutants(number(1, 300)),
        _ => seeds(number(1, 200), number(2, 0)),
    }
}

/// Looks for the first seed that catches each mutant.
fn mutants(most: u64) -> ExitCode {
    let mut alive = 0;
    for mutant in Mutant::ALL {
        let caught = (0..most).find_map(|seed| {
            let violation = tell(Settings::of(seed), Some(*mutant), false).violation?;
            Some((seed, violation))
        });
        match caught {
            Some((seed, violation)) => println!("{mutant:?}: seed {seed}: {violation}"),
            None => {
                alive += 1;
                println!("{mutant:?} LIVES: no seed of {most} shows that it breaks: {}", mutant.rule());
            }
        }
    }
    ExitCode::from(u8::from(alive > 0))
}

fn seeds(count: u64, from: u64) -> ExitCode {
    let began = Instant::now();
    let mut failed = 0;
    let (mut calls, mut records, mut repeated, mut takes, mut handoffs) = (0, 0, 0, 0, 0);
    for seed in from..from + count {
        let outcome = tell(Settings::of(seed), None, false);
        calls += outcome.calls;
        records += outcome.records;
        repeated += outcome.repeated;
        takes += outcome.takes;
        handoffs += outcome.handoffs;
        if let Some(violation) = outcome.violation {
            failed += 1;
            println!("seed {seed}: {violation}");
        }
    }
    println!(
        "{count} seeds, {failed} failed, {calls} calls, {records} records ({repeated} repeated), {takes} takes, {handoffs} handoffs, {:?}",
        began.elapsed()
    );
    ExitCode::from(u8::from(failed > 0))
}
