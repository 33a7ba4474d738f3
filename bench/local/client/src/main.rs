//! Load for a Kinesis endpoint. `run.py` starts it; each command prints one line of JSON.
//!
//! ```text
//! load create ADDRESS SHARDS
//! load put-records ADDRESS CONNECTIONS SECONDS RECORDS BYTES    records/s
//! load put-record ADDRESS SECONDS BYTES                         latency
//! load subscribe ADDRESS SECONDS BYTES                          latency from PutRecord to a subscriber
//! load fill ADDRESS CONNECTIONS COUNT RECORDS BYTES [SHARDS]    COUNT calls of PutRecords, each for one of so many shards
//! load get-records ADDRESS SECONDS LIMIT json|cbor SHARD [FILE] records/s; the first answer goes to FILE
//! load get-new ADDRESS SECONDS CALLS RECORDS BYTES json|cbor    records/s of what CALLS of PutRecords have just put
//! load bare ADDRESS FILE                                        serves FILE
//! load fetch ADDRESS SECONDS RECORDS                            records/s of what `bare` serves
//! ```

mod bare;
mod bodies;
mod http;
mod subscribe;

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bodies::Random;
use http::{Connection, Format, request};

/// Different bodies that a connection sends in turn.
const BODIES: u64 = 8;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["create", address, shards] => {
            let body = bodies::create_stream(shards.parse()?);
            Connection::open(address)?.call(&request("CreateStream", Format::Json, body.as_bytes()))?;
            println!("{{}}");
        }
        ["put-records", address, connections, seconds, records, bytes] => {
            let end = Instant::now() + Duration::from_secs_f64(seconds.parse()?);
            put_records(address, connections.parse()?, records.parse()?, bytes.parse()?, None, || {
                Instant::now() < end
            })?;
        }
        ["fill", address, connections, count, records, bytes, ref rest @ ..] => {
            let left = AtomicU64::new(count.parse()?);
            let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
            let shards = rest.first().map(|shards| shards.parse()).transpose()?;
            put_records(address, connections.parse()?, records.parse()?, bytes.parse()?, shards, take)?;
        }
        ["put-record", address, seconds, bytes] => put_record(address, seconds.parse()?, bytes.parse()?)?,
        ["subscribe", address, seconds, bytes] => subscribe::measure(address, seconds.parse()?, bytes.parse()?)?,
        ["get-records", address, seconds, limit, format, shard, ref rest @ ..] => {
            let format = format_of(format);
            get_records(address, seconds.parse()?, limit.parse()?, format, shard.parse()?, rest.first().copied())?;
        }
        ["get-new", address, seconds, calls, records, bytes, format] => {
            get_new(address, seconds.parse()?, calls.parse()?, records.parse()?, bytes.parse()?, format_of(format))?;
        }
        ["bare", address, file] => bare::serve(address, file)?,
        ["fetch", address, seconds, records] => {
            let fetch = request("GetRecords", Format::Json, b"{}");
            repeat(&mut Connection::open(address)?, &fetch, seconds.parse()?, records.parse()?)?;
        }
        _ => return Err("see the head of main.rs for the commands".into()),
    }
    Ok(())
}

fn put_records(
    address: &str,
    connections: u64,
    records: usize,
    bytes: usize,
    shards: Option<u64>,
    more: impl Fn() -> bool + Sync,
) -> Result<()> {
    let prepared: Vec<Vec<Vec<u8>>> = (1..=connections)
        .map(|nth| {
            let mut random = Random(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let body = |nth| {
                let hash_key = shards.map(|shards| u128::MAX / u128::from(shards) * u128::from(nth) + 1);
                bodies::put_records(&mut random, records, bytes, hash_key)
            };
            (0..shards.unwrap_or(BODIES))
                .map(body)
                .map(|body| request("PutRecords", Format::Json, body.as_bytes()))
                .collect()
        })
        .collect();
    let more = &more;
    let start = Instant::now();
    let calls: u64 = thread::scope(|scope| {
        let threads: Vec<_> = prepared
            .iter()
            .map(|requests| {
                scope.spawn(move || -> Result<u64> {
                    let mut connection = Connection::open(address)?;
                    let mut calls = 0;
                    for (request, nth) in requests.iter().cycle().zip(0..) {
                        if !more() {
                            break;
                        }
                        if nth == 0 {
                            let answer = connection.call(request)?;
                            let text = String::from_utf8_lossy(&answer).replace(' ', "");
                            if !text.contains("\"FailedRecordCount\":0") {
                                return Err(text.chars().take(300).collect::<String>().into());
                            }
                        } else {
                            connection.discard(request)?;
                        }
                        calls += 1;
                    }
                    Ok(calls)
                })
            })
            .collect();
        let counts = threads.into_iter().map(|thread| thread.join().map_err(|_| "a connection's thread panicked")?);
        counts.sum::<Result<u64>>()
    })?;
    let rate = (calls * records as u64) as f64 / start.elapsed().as_secs_f64();
    println!(r#"{{"records_per_second":{rate:.0},"calls":{calls}}}"#);
    Ok(())
}

fn put_record(address: &str, seconds: f64, bytes: usize) -> Result<()> {
    let mut random = Random(7);
    let requests: Vec<Vec<u8>> = (0..BODIES)
        .map(|_| request("PutRecord", Format::Json, bodies::put_record(&mut random, bytes).as_bytes()))
        .collect();
    let mut connection = Connection::open(address)?;
    let mut micros = Vec::new();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    for request in requests.iter().cycle() {
        let start = Instant::now();
        connection.discard(request)?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
        if Instant::now() > end {
            break;
        }
    }
    print_latency(micros);
    Ok(())
}

fn print_latency(mut micros: Vec<f64>) {
    micros.sort_by(f64::total_cmp);
    let at = |part: f64| micros[((micros.len() - 1) as f64 * part) as usize];
    println!(r#"{{"p50_us":{:.0},"p99_us":{:.0},"calls":{}}}"#, at(0.5), at(0.99), micros.len());
}

fn get_records(address: &str, seconds: f64, limit: u16, format: Format, shard: u32, file: Option<&str>) -> Result<()> {
    let mut connection = Connection::open(address)?;
    let iterator = get_iterator(&mut connection, shard, "TRIM_HORIZON")?;
    let get = request("GetRecords", format, &bodies::get_records(&iterator, limit, format));
    let answer = connection.call(&get)?;
    let records = answer.windows(14).filter(|bytes| bytes == b"SequenceNumber").count() as u64;
    if let Some(file) = file {
        std::fs::write(file, &answer)?;
    }
    repeat(&mut connection, &get, seconds, records)
}

fn format_of(name: &str) -> Format {
    if name == "cbor" { Format::Cbor } else { Format::Json }
}

fn get_iterator(connection: &mut Connection, shard: u32, kind: &str) -> Result<String> {
    let body = bodies::iterator(shard, kind);
    let answer = connection.call(&request("GetShardIterator", Format::Json, body.as_bytes()))?;
    Ok(bodies::member(&answer, "ShardIterator").ok_or("no iterator")?)
}

/// Puts records and reads them once, for a while: as the one application of a stream does. Only the reads are timed.
fn get_new(address: &str, seconds: f64, calls: usize, records: usize, bytes: usize, format: Format) -> Result<()> {
    let mut connection = Connection::open(address)?;
    let mut random = Random(7);
    let puts: Vec<Vec<u8>> = (0..calls)
        .map(|_| request("PutRecords", Format::Json, bodies::put_records(&mut random, records, bytes, None).as_bytes()))
        .collect();
    let limit = u16::try_from(calls * records)?;
    let (mut reads, mut reading) = (0, 0.0);
    while reading < seconds {
        let iterator = get_iterator(&mut connection, 0, "LATEST")?;
        for put in &puts {
            connection.discard(put)?;
        }
        let get = request("GetRecords", format, &bodies::get_records(&iterator, limit, format));
        let start = Instant::now();
        connection.discard(&get)?;
        reading += start.elapsed().as_secs_f64();
        reads += 1;
    }
    let rate = (reads * calls * records) as f64 / reading;
    println!(r#"{{"records_per_second":{rate:.0},"calls":{reads}}}"#);
    Ok(())
}

/// Sends a request for a while; each answer holds so many records.
fn repeat(connection: &mut Connection, request: &[u8], seconds: f64, records: u64) -> Result<()> {
    let start = Instant::now();
    let (mut calls, mut bytes) = (0, 0);
    while calls == 0 || start.elapsed().as_secs_f64() < seconds {
        bytes += connection.discard(request)?;
        calls += 1;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let (rate, megabytes) = ((calls * records) as f64 / elapsed, bytes as f64 / elapsed / 1e6);
    let millis = elapsed * 1e3 / calls as f64;
    println!(
        r#"{{"records_per_second":{rate:.0},"records":{records},"megabytes_per_second":{megabytes:.0},"call_ms":{millis:.2}}}"#
    );
    Ok(())
}
