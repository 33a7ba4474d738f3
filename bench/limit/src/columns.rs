//! Records as flat columns, as Arrow keeps them.

use std::borrow::Cow;
use std::error::Error;

use serde::Deserialize;

use crate::answers::Written;

/// Texts or bytes, one after the other, and where each ends.
#[derive(Debug, Default)]
struct Flat {
    bytes: Vec<u8>,
    ends: Vec<i64>,
}

impl Flat {
    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as i64);
    }
}

/// The records of an answer.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    data: Flat,
    keys: Flat,
    sequences: Flat,
    arrivals: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a, Data> {
    #[serde(borrow = "'a")]
    records: Vec<Record<'a, Data>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a, Data> {
    data: Data,
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
    sequence_number: &'a str,
    approximate_arrival_timestamp: f64,
}

impl Columns {
    pub(crate) fn parse(written: Written, answer: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut columns = Columns::default();
        columns.data.bytes.reserve(answer.len());
        match written {
            Written::Cbor => {
                for record in written.parse::<Answer<'_, &[u8]>>(answer)?.records {
                    columns.data.push(record.data);
                    columns.push(&record.partition_key, record.sequence_number, record.approximate_arrival_timestamp);
                }
            }
            Written::Json => {
                for record in written.parse::<Answer<'_, &str>>(answer)?.records {
                    base64_simd::STANDARD.decode_append(record.data, &mut columns.data.bytes)?;
                    columns.data.ends.push(columns.data.bytes.len() as i64);
                    columns.push(&record.partition_key, record.sequence_number, record.approximate_arrival_timestamp);
                }
            }
        }
        Ok(columns)
    }

    fn push(&mut self, key: &str, sequence: &str, arrival: f64) {
        self.keys.push(key.as_bytes());
        self.sequences.push(sequence.as_bytes());
        self.arrivals.push(arrival);
    }

    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }
}
