//! `millstream put`: lines of a file into a stream.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use millstream_kinesis::{AwsKinesis, Producer, PutEntry};

use crate::aws::AwsArgs;
use crate::error::CliError;

#[derive(Args)]
#[command(
    after_help = "Example:\n  millstream put orders orders.jsonl --key-field customer --endpoint-url http://127.0.0.1:4566"
)]
pub(crate) struct PutArgs {
    /// Stream to put into.
    pub(crate) stream: String,
    /// File with one record a line; standard input when left out or `-`.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// How a line is read.
    #[arg(long, value_enum, default_value_t = PutFormat::Lines)]
    pub(crate) format: PutFormat,
    /// Field of the JSON object that is the partition key (means --format json). Without it, lines are spread evenly.
    #[arg(long)]
    pub(crate) key_field: Option<String>,
    /// Number of records that are coming, for the progress bar.
    #[arg(long)]
    pub(crate) total: Option<u64>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PutFormat {
    /// Each line is a record.
    Lines,
    /// Each line is a JSON object, put as it is.
    Json,
}

/// Records read ahead of a put: bounds the memory however long the input is.
const CHUNK: usize = 5_000;

/// Puts every line, in the order of the input, and prints how many.
pub(crate) async fn run(args: PutArgs) -> Result<(), CliError> {
    let kinesis = AwsKinesis::connect(&args.aws.settings()).await?;
    let producer = Producer::new(Arc::new(kinesis), args.stream.as_str());
    let progress = progress_bar(args.total);
    let mut lines = Lines::open(&args)?;
    let mut put = 0;
    loop {
        let entries = lines.chunk()?;
        if entries.is_empty() {
            break;
        }
        put += entries.len() as u64;
        producer.put_all(entries).await?;
        progress.set_position(put);
    }
    progress.finish();
    // The records are put, whether or not somebody reads so; `println!` would panic.
    let _ = writeln!(io::stdout(), "{put} records put into {}", args.stream);
    Ok(())
}

fn progress_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:40} {human_pos}/{human_len} records, {per_sec}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {human_pos} records, {per_sec}"),
    };
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

struct Lines {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    key_field: Option<String>,
    json: bool,
    line: u64,
}

impl Lines {
    fn open(args: &PutArgs) -> Result<Self, CliError> {
        let reader: Box<dyn BufRead> = if args.file == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(&args.file);
            Box::new(BufReader::new(file.map_err(|source| CliError::Read { path: args.file.clone(), source })?))
        };
        Ok(Self {
            reader,
            path: args.file.clone(),
            key_field: args.key_field.clone(),
            json: args.format == PutFormat::Json || args.key_field.is_some(),
            line: 0,
        })
    }

    /// The next records; none at the end of the input. Empty lines are passed over.
    fn chunk(&mut self) -> Result<Vec<PutEntry>, CliError> {
        let mut entries = Vec::new();
        while entries.len() < CHUNK {
            let mut text = Vec::new();
            let read = self.reader.read_until(b'\n', &mut text);
            if read.map_err(|source| CliError::Read { path: self.path.clone(), source })? == 0 {
                break;
            }
            self.line += 1;
            let end = text.trim_ascii_end().len();
            text.truncate(end);
            if !text.is_empty() {
                entries.push(self.entry(text)?);
            }
        }
        Ok(entries)
    }

    fn entry(&self, data: Vec<u8>) -> Result<PutEntry, CliError> {
        // A key of its own for each line spreads the lines over the shards, since Kinesis hashes it.
        let partition_key = if self.json { self.key_of(&data)? } else { self.line.to_string() };
        Ok(PutEntry { data: data.into(), partition_key, explicit_hash_key: None })
    }

    fn key_of(&self, data: &[u8]) -> Result<String, CliError> {
        let Ok(object) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(data) else {
            return Err(CliError::NotAnObject { path: self.path.clone(), line: self.line, text: beginning(data) });
        };
        let Some(field) = &self.key_field else {
            return Ok(self.line.to_string());
        };
        match object.get(field) {
            Some(serde_json::Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(serde_json::Value::Number(number)) => Ok(number.to_string()),
            _ => Err(CliError::NoKey {
                path: self.path.clone(),
                line: self.line,
                field: field.clone(),
                text: beginning(data),
            }),
        }
    }
}

/// What an error shows of a line.
fn beginning(data: &[u8]) -> String {
    String::from_utf8_lossy(data).chars().take(80).collect()
}
