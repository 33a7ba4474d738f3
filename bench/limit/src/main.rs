//! The limit of a consumer: GetRecords' answers that are in memory, parsed into columns on one core, with nothing else.
//!
//! Arguments: endpoint, stream. Prints a line for each way of writing answers: its name, and records a second.

mod answers;
mod columns;

use std::error::Error;
use std::time::Instant;

use answers::Written;
use columns::Columns;

/// The best of so many is told: what is slower was disturbed.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, stream] = arguments.as_slice() else { return Err("arguments: ENDPOINT STREAM".into()) };
    for written in [Written::Cbor, Written::Json] {
        let answers = answers::read(endpoint, stream, written)?;
        let mut best = 0.0_f64;
        for _ in 0..ROUNDS {
            let (mut records, began) = (0, Instant::now());
            for answer in &answers {
                records += Columns::parse(written, answer)?.len();
            }
            best = best.max(records as f64 / began.elapsed().as_secs_f64());
        }
        println!("{} {best:.0}", written.name());
    }
    Ok(())
}
