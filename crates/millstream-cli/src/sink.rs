//! Where records are put, by `put` and `replay`.

use std::sync::Arc;

use millstream_kinesis::kpl::AggregatingProducer;
use millstream_kinesis::{AwsKinesis, Kinesis, Producer, ProducerError, PutEntry};

use crate::aws::AwsArgs;
use crate::error::CliError;

/// Puts records into a stream, in order. One that is not accepted is put again, ten times in a row at most.
pub(crate) struct Sink {
    producer: Kind,
    /// Records that were put.
    pub(crate) records: u64,
    /// Of these (or of aggregates), how many were put more than once because they were not accepted.
    pub(crate) again: u64,
}

enum Kind {
    Plain(Producer),
    Aggregating(AggregatingProducer),
}

impl Sink {
    pub(crate) async fn connect(aws: &AwsArgs, stream: &str, aggregate: bool) -> Result<Self, CliError> {
        let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&aws.settings()).await?);
        let producer = if aggregate {
            Kind::Aggregating(AggregatingProducer::new(kinesis, stream))
        } else {
            Kind::Plain(Producer::new(kinesis, stream))
        };
        Ok(Self { producer, records: 0, again: 0 })
    }

    pub(crate) async fn put(&mut self, entries: Vec<PutEntry>) -> Result<(), CliError> {
        let count = entries.len() as u64;
        let put = match &mut self.producer {
            Kind::Plain(producer) => producer.put_all(entries).await,
            Kind::Aggregating(producer) => producer.put_all(entries).await,
        };
        let done = put.map_err(|error| self.after_all(error))?;
        self.records += count;
        self.again += done.retried;
        Ok(())
    }

    /// The error counts what was put before, too; of aggregates that did not all come through, nothing.
    fn after_all(&self, mut error: ProducerError) -> CliError {
        let (ProducerError::Call { done, .. } | ProducerError::Rejected { done, .. }) = &mut error;
        if let Kind::Aggregating(_) = self.producer {
            done.records = 0;
        }
        done.records += self.records;
        error.into()
    }

    /// What was done, for people.
    pub(crate) fn summary(&self, stream: &str) -> String {
        let again = if self.again == 0 { String::new() } else { format!(" ({} were put again)", self.again) };
        format!("{} records put into {stream}{again}", self.records)
    }
}
