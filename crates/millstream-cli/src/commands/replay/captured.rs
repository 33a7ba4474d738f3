use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;

use bytes::Bytes;
use millstream_kinesis::PutEntry;
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::Timed;
use crate::error::CliError;

/// Records that are read ahead.
const AHEAD: usize = 1_000;

/// The records of a file that `tail --output json` wrote, in the order in which they arrived; those of standard input as they stand.
pub(super) fn read(path: PathBuf) -> Result<Receiver<Result<Timed, CliError>>, CliError> {
    let (sender, records) = mpsc::channel(AHEAD);
    let captured = Captured { path, sender };
    let file = if captured.path == Path::new("-") {
        None
    } else {
        Some(File::open(&captured.path).map_err(|source| captured.failed(source))?)
    };
    let read = move || {
        let done = match file {
            Some(file) => captured.sorted(file),
            None => captured.in_order(BufReader::new(io::stdin())),
        };
        if let Err(error) = done {
            // Whoever has stopped putting does not want to know.
            let _ = captured.sender.blocking_send(Err(error));
        }
    };
    thread::Builder::new().name("replay-input".to_owned()).spawn(read).map_err(CliError::Runtime)?;
    Ok(records)
}

struct Captured {
    path: PathBuf,
    sender: Sender<Result<Timed, CliError>>,
}

/// Where a record stands in the file: all that is kept of it until it is due.
struct Place {
    at_ms: i64,
    line: u64,
    offset: u64,
    length: usize,
}

impl Captured {
    fn failed(&self, source: io::Error) -> CliError {
        CliError::Read { path: self.path.clone(), source }
    }

    /// `tail` mixes the shards: what arrived early may stand behind what arrived late. Within a shard the order stays.
    fn sorted(&self, mut file: File) -> Result<(), CliError> {
        let mut places = self.places(BufReader::new(&file))?;
        places.sort_by_key(|place| place.at_ms);
        for place in places {
            let mut text = vec![0; place.length];
            let read = file.seek(SeekFrom::Start(place.offset)).and_then(|_| file.read_exact(&mut text));
            read.map_err(|source| self.failed(source))?;
            if !self.send(&text, place.line)? {
                break;
            }
        }
        Ok(())
    }

    fn places(&self, mut reader: impl BufRead) -> Result<Vec<Place>, CliError> {
        let mut places = Vec::new();
        let mut newest: HashMap<String, i64> = HashMap::new();
        let mut offset = 0;
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(|source| self.failed(source))?;
            if length == 0 {
                break;
            }
            if !text.trim_ascii().is_empty() {
                let (row, at_ms) = self.row(&text, line)?;
                let shard = row.get("shard").and_then(Value::as_str).unwrap_or_default();
                let newest = newest.entry(shard.to_owned()).or_insert(at_ms);
                *newest = at_ms.max(*newest);
                places.push(Place { at_ms: *newest, line, offset, length });
            }
            offset += length as u64;
        }
        Ok(places)
    }

    fn in_order(&self, mut reader: impl BufRead) -> Result<(), CliError> {
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(|source| self.failed(source))? == 0 {
                break;
            }
            if !text.trim_ascii().is_empty() && !self.send(&text, line)? {
                break;
            }
        }
        Ok(())
    }

    /// `false`: nobody wants more.
    fn send(&self, text: &[u8], line: u64) -> Result<bool, CliError> {
        let (row, at_ms) = self.row(text, line)?;
        let entry = entry(&row).map_err(|problem| self.no_record(text, line, problem))?;
        Ok(self.sender.blocking_send(Ok(Timed { at_ms, entry })).is_ok())
    }

    fn row(&self, text: &[u8], line: u64) -> Result<(Value, i64), CliError> {
        let row: Value = serde_json::from_slice(text).map_err(|error| self.no_record(text, line, error.to_string()))?;
        let at_ms = row.get("arrival_ms").and_then(Value::as_i64);
        let at_ms = at_ms.ok_or_else(|| self.no_record(text, line, "no number `arrival_ms`".to_owned()))?;
        Ok((row, at_ms))
    }

    fn no_record(&self, text: &[u8], line: u64, problem: String) -> CliError {
        let text = String::from_utf8_lossy(text).chars().take(80).collect();
        CliError::NotARecord { path: self.path.clone(), line, problem, text }
    }
}

fn entry(row: &Value) -> Result<PutEntry, String> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let data: Bytes = match (text("data"), text("data_base64")) {
        (Some(data), _) => data.to_owned().into(),
        (None, Some(data)) => {
            let data = base64_simd::STANDARD.decode_to_vec(data);
            data.map_err(|_| "`data_base64` is no Base64".to_owned())?.into()
        }
        (None, None) => return Err("no text `data` or `data_base64`".to_owned()),
    };
    let partition_key = text("partition_key").ok_or("no text `partition_key`")?.to_owned();
    let hash_key = text("explicit_hash_key").map(str::parse).transpose();
    let explicit_hash_key = hash_key.map_err(|error: millstream_kinesis::InvalidHashKey| error.to_string())?;
    Ok(PutEntry { data, partition_key, explicit_hash_key })
}
