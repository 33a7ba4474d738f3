use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;

use csv_core::ReadRecordResult;
use millstream_kinesis::PutEntry;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{PutArgs, PutFormat};
use crate::error::CliError;

/// Records that are read ahead of a put: bounds the memory however long the input is.
pub(super) const AHEAD: usize = 5_000;

/// Reads the input on a thread of its own, so that what has come is put while more is waited for. The last message is an error, if
/// there was one.
pub(super) fn read(args: &PutArgs) -> Result<Receiver<Result<PutEntry, CliError>>, CliError> {
    let file: Box<dyn Read + Send> = if args.file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(&args.file);
        Box::new(file.map_err(|source| CliError::Read { path: args.file.clone(), source })?)
    };
    let (sender, entries) = mpsc::channel(AHEAD);
    let input = Input {
        path: args.file.clone(),
        key_field: args.key_field.clone(),
        is_json: args.format != PutFormat::Csv && (args.format == PutFormat::Json || args.key_field.is_some()),
        sender,
    };
    let is_csv = args.format == PutFormat::Csv;
    let read = move || {
        let reader = BufReader::new(file);
        let done = if is_csv { input.rows(reader) } else { input.lines(reader) };
        if let Err(error) = done {
            // Whoever has stopped putting does not want to know.
            let _ = input.sender.blocking_send(Err(error));
        }
    };
    thread::Builder::new().name("put-input".to_owned()).spawn(read).map_err(CliError::Runtime)?;
    Ok(entries)
}

struct Input {
    path: PathBuf,
    key_field: Option<String>,
    is_json: bool,
    sender: Sender<Result<PutEntry, CliError>>,
}

impl Input {
    fn failed(&self, source: io::Error) -> CliError {
        CliError::Read { path: self.path.clone(), source }
    }

    /// A record a line; empty lines are passed over.
    fn lines(&self, mut reader: impl BufRead) -> Result<(), CliError> {
        for line in 1.. {
            let mut text = Vec::new();
            if reader.read_until(b'\n', &mut text).map_err(|source| self.failed(source))? == 0 {
                break;
            }
            text.truncate(text.trim_ascii_end().len());
            // A key of its own for each line spreads the lines over the shards, since Kinesis hashes it.
            let key = if text.is_empty() {
                continue;
            } else if self.is_json {
                self.key_of_object(&text, line)?
            } else {
                line.to_string()
            };
            if self.sender.blocking_send(Ok(PutEntry::new(key, text))).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn key_of_object(&self, data: &[u8], line: u64) -> Result<String, CliError> {
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(data) else {
            return Err(CliError::NotAnObject { path: self.path.clone(), line, text: beginning(data) });
        };
        let Some(field) = &self.key_field else {
            return Ok(line.to_string());
        };
        match object.get(field) {
            Some(serde_json::Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(serde_json::Value::Number(number)) => Ok(number.to_string()),
            _ => Err(self.no_key(field, data, line)),
        }
    }

    /// A record a row, as it stands in the file; the first row has the columns' names and is not put.
    fn rows(&self, mut reader: impl BufRead) -> Result<(), CliError> {
        let mut line = 0;
        let Some(names) = self.row(&mut reader, &mut line)? else { return Ok(()) };
        let names = self.fields(&names, line)?;
        let column = match &self.key_field {
            None => None,
            Some(field) => Some((
                field,
                names.iter().position(|name| name == field).ok_or_else(|| CliError::NoColumn {
                    path: self.path.clone(),
                    field: field.clone(),
                    columns: names.join(", "),
                })?,
            )),
        };
        loop {
            let first = line + 1;
            let Some(row) = self.row(&mut reader, &mut line)? else { return Ok(()) };
            let fields = self.fields(&row, first)?;
            if fields.len() != names.len() {
                let message = format!("it has {} fields, the first row {}", fields.len(), names.len());
                return Err(self.bad_row(first, message));
            }
            let key = match column {
                None => first.to_string(),
                Some((field, column)) => match fields.get(column) {
                    Some(key) if !key.is_empty() => key.clone(),
                    _ => return Err(self.no_key(field, &row, first)),
                },
            };
            if self.sender.blocking_send(Ok(PutEntry::new(key, row))).is_err() {
                return Ok(());
            }
        }
    }

    /// The next row without its line end; a line end between quotes does not end it. Empty lines are passed over.
    fn row(&self, reader: &mut impl BufRead, line: &mut u64) -> Result<Option<Vec<u8>>, CliError> {
        let mut row = Vec::new();
        loop {
            let before = row.len();
            let read = reader.read_until(b'\n', &mut row).map_err(|source| self.failed(source))?;
            let is_whole = row.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
            if read == 0 {
                return if is_whole { Ok(None) } else { Err(self.bad_row(*line, "a quote is not closed".to_owned())) };
            }
            *line += 1;
            if !is_whole {
                continue;
            }
            while row.last().is_some_and(|byte| b"\r\n".contains(byte)) {
                row.pop();
            }
            if !row.is_empty() || before > 0 {
                return Ok(Some(row));
            }
        }
    }

    fn fields(&self, row: &[u8], line: u64) -> Result<Vec<String>, CliError> {
        let input = [row, b"\n"].concat();
        let mut text = vec![0; input.len()];
        let mut ends = vec![0; row.iter().filter(|byte| **byte == b',').count() + 1];
        let (result, _, _, count) = csv_core::Reader::new().read_record(&input, &mut text, &mut ends);
        if result != ReadRecordResult::Record {
            return Err(self.bad_row(line, "it is not a row".to_owned()));
        }
        let mut start = 0;
        let field = |end: &usize| {
            let field = String::from_utf8_lossy(&text[start..*end]).into_owned();
            start = *end;
            field
        };
        Ok(ends[..count].iter().map(field).collect())
    }

    fn bad_row(&self, line: u64, message: String) -> CliError {
        CliError::BadCsv { path: self.path.clone(), line, message }
    }

    fn no_key(&self, field: &str, data: &[u8], line: u64) -> CliError {
        CliError::NoKey { path: self.path.clone(), line, field: field.to_owned(), text: beginning(data) }
    }
}

/// What an error shows of a line.
fn beginning(data: &[u8]) -> String {
    String::from_utf8_lossy(data).chars().take(80).collect()
}
