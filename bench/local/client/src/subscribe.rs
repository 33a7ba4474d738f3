//! SubscribeToShard: from the sending of a record to its arrival at a subscriber.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::bodies;
use crate::http::{Connection, Format, request};
use crate::{Result, print_latency};

/// How long a record may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two records, so that each is one event.
const PAUSE: Duration = Duration::from_millis(2);

/// Puts records one by one for a while, each after the one before has come in.
pub fn measure(address: &str, seconds: f64, bytes: usize) -> Result<()> {
    let mut puts = Connection::open(address)?;
    let arn = subscriber(&mut puts)?;
    let subscribe = request("SubscribeToShard", Format::Json, bodies::subscribe(&arn).as_bytes());
    let mut stream = Connection::open(address)?;
    let (sender, arrivals) = mpsc::channel();
    thread::spawn(move || {
        let mut events = Vec::new();
        let mut number = 0;
        // The stream ends with the process.
        let _ = stream.exchange(&subscribe, &mut |bytes| {
            events.extend_from_slice(bytes);
            let key = bodies::numbered_key(number);
            if events.windows(key.len()).any(|found| found == key.as_bytes()) {
                let _ = sender.send(Instant::now());
                events.clear();
                number += 1;
            }
        });
    });
    // The subscription takes a moment; the first record waits for it.
    thread::sleep(Duration::from_millis(500));
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut micros = Vec::new();
    for number in 0.. {
        let body = bodies::put_numbered(number, bytes);
        let put = request("PutRecord", Format::Json, body.as_bytes());
        let start = Instant::now();
        puts.discard(&put)?;
        let arrived = arrival(&arrivals)?;
        micros.push(arrived.duration_since(start).as_secs_f64() * 1e6);
        if Instant::now() > end {
            break;
        }
        thread::sleep(PAUSE);
    }
    print_latency(micros);
    Ok(())
}

fn arrival(arrivals: &Receiver<Instant>) -> Result<Instant> {
    arrivals.recv_timeout(PATIENCE).map_err(|_| "a record has not come in".into())
}

/// Registers a consumer and waits until it may subscribe.
fn subscriber(connection: &mut Connection) -> Result<String> {
    let mut ask = |operation: &str, body: String, member: &str| -> Result<String> {
        let answer = connection.call(&request(operation, Format::Json, body.as_bytes()))?;
        bodies::member(&answer, member).ok_or_else(|| format!("{operation}: no {member}").into())
    };
    let stream = ask("DescribeStreamSummary", bodies::stream(), "StreamARN")?;
    let consumer = ask("RegisterStreamConsumer", bodies::register(&stream), "ConsumerARN")?;
    let end = Instant::now() + PATIENCE;
    while ask("DescribeStreamConsumer", bodies::consumer(&consumer), "ConsumerStatus")? != "ACTIVE" {
        if Instant::now() > end {
            return Err("the consumer does not become active".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(consumer)
}
