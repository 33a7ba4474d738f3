//! `KinesisInput`: a Kinesis stream as `createStream` describes it.

use std::collections::HashMap;
use std::time::Duration;

use millstream::kinesis::{KinesisInput as Input, KinesisSource, Metrics};
use millstream_consumer::MetricsLevel;
use millstream_engine::BoxError;
use millstream_kinesis::{AwsSettings, CredentialsSource, InitialPosition};
use millstream_lease::migration::{MigrationConfig, UnknownClientVersion};
use millstream_lease::{Heartbeat, InvalidStoreUrl};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::block::Block;
use crate::conf::Conf;
use crate::dataset::PyDataset;
use crate::error;

/// What metrics are told apart by.
const DIMENSIONS: [&str; 4] = ["Operation", "ShardId", "StreamId", "WorkerIdentifier"];

/// A Kinesis stream as an input of an engine. Nothing is asked of AWS before the engine starts.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct KinesisInput {
    input: Input,
    make: Py<PyAny>,
}

impl KinesisInput {
    /// What is read, and how.
    pub(crate) fn input(&self) -> &Input {
        &self.input
    }

    /// The source for an engine; `make` is called with each batch's blocks.
    pub(crate) fn source(&self, py: Python<'_>) -> KinesisSource<PyDataset> {
        let make = self.make.clone_ref(py);
        KinesisSource::new(self.input.clone(), move |blocks| {
            Python::attach(|py| {
                let blocks = PyList::new(py, blocks.into_iter().map(Block::new))?;
                make.bind(py).call1((blocks,)).map(PyDataset::new)
            })
            .map_err(|error: PyErr| BoxError::from(error))
        })
    }
}

#[pymethods]
impl KinesisInput {
    /// `conf`: the program's settings, of which those under `spark.millstream.` are read here. `batch_interval_s`: none where
    /// records are not cut into batches.
    #[new]
    #[pyo3(signature = (*, app, stream, endpoint, region, initial, checkpoint_interval_s, batch_interval_s, access_key, secret,
        role_arn, session_name, external_id, conf, make))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of createStream, all named")]
    fn new(
        py: Python<'_>,
        app: String,
        stream: String,
        endpoint: String,
        region: String,
        initial: &str,
        checkpoint_interval_s: f64,
        batch_interval_s: Option<f64>,
        access_key: Option<String>,
        secret: Option<String>,
        role_arn: Option<String>,
        session_name: Option<String>,
        external_id: Option<String>,
        conf: HashMap<String, String>,
        make: Py<PyAny>,
    ) -> PyResult<Self> {
        let position = initial_position(initial);
        let initial =
            position.ok_or_else(|| error::illegal_argument(py, format!("'{initial}' is not an initial position")))?;
        let conf = Conf::new(conf);
        let invalid = |message: String| error::illegal_argument(py, message);
        let aws = AwsSettings {
            region,
            kinesis_endpoint: Some(endpoint),
            dynamodb_endpoint: conf.endpoint("spark.millstream.dynamodb.endpoint").map_err(invalid)?,
            cloudwatch_endpoint: conf.endpoint("spark.millstream.cloudwatch.endpoint").map_err(invalid)?,
            credentials: credentials(access_key, secret, None, role_arn, session_name, external_id),
        };
        let mut input = Input::new(app, stream, aws, initial);
        if let Some(url) = conf.text("spark.millstream.leaseStore") {
            input.lease_store = Some(url.parse().map_err(|error: InvalidStoreUrl| invalid(error.to_string()))?);
        }
        match conf.text("spark.millstream.heartbeat") {
            None | Some("lease") => {}
            Some("worker") => input.consumer.lease.heartbeat = Heartbeat::Worker,
            Some(other) => {
                return Err(invalid(format!("spark.millstream.heartbeat={other} is neither lease nor worker")));
            }
        }
        input.metrics = metrics(&conf).map_err(invalid)?;
        migration(&conf, &mut input.consumer.lease.migration).map_err(invalid)?;
        match conf.text("spark.millstream.retrieval") {
            None | Some("polling") => {}
            Some("fanOut") => input.use_fan_out(conf.text("spark.millstream.consumerName").map(str::to_owned)),
            Some(other) => {
                return Err(invalid(format!("spark.millstream.retrieval={other} is neither polling nor fanOut")));
            }
        }
        let consumer = &mut input.consumer;
        consumer.lease.checkpoint_interval_ms =
            Duration::try_from_secs_f64(checkpoint_interval_s).map_or(u64::MAX, millis);
        consumer.poll.cut_every = batch_interval_s.and_then(|interval| Duration::try_from_secs_f64(interval).ok());
        if let Some(failover) = conf.duration("spark.millstream.failoverTime").map_err(invalid)? {
            consumer.lease.failover_ms = millis(failover);
        }
        if let Some(interval) = conf.duration("spark.millstream.leaseScanInterval").map_err(invalid)? {
            consumer.lease.scan_interval_ms = millis(interval);
        }
        if let Some(interval) = conf.duration("spark.millstream.kinesis.readInterval").map_err(invalid)? {
            consumer.poll.min_interval = interval;
            consumer.poll.idle_interval = interval;
        }
        if let Some(limit) = conf.number("spark.millstream.kinesis.maxRecords", 1..=10_000).map_err(invalid)? {
            consumer.poll.limit = limit;
        }
        if let Some(mebibytes) = conf.number("spark.millstream.bufferMiB", 1..=2_048).map_err(invalid)? {
            consumer.buffer_bytes = mebibytes << 20;
        }
        if let Some(fails) = conf.boolean("spark.millstream.failOnDataLoss").map_err(invalid)? {
            input.consumer.fail_on_data_loss = fails;
        }
        Ok(Self { input, make })
    }
}

/// What is reported to CloudWatch.
fn metrics(conf: &Conf) -> Result<Option<Metrics>, String> {
    let level = match conf.text("spark.millstream.metricsLevel") {
        None | Some("NONE") => return Ok(None),
        Some("SUMMARY") => MetricsLevel::Summary,
        Some("DETAILED") => MetricsLevel::Detailed,
        Some(other) => {
            return Err(format!("spark.millstream.metricsLevel={other} is neither NONE, SUMMARY nor DETAILED"));
        }
    };
    let key = "spark.millstream.metricsEnabledDimensions";
    let dimensions = conf.text(key).filter(|text| text.trim() != "ALL").map(|text| {
        let named = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let unknown = named.clone().find(|name| !DIMENSIONS.contains(name));
        match unknown {
            None => Ok(named.map(str::to_owned).collect()),
            Some(name) => Err(format!("{key}: `{name}` is none of {}", DIMENSIONS.join(", "))),
        }
    });
    Ok(Some(Metrics { level, dimensions: dimensions.transpose()? }))
}

/// What a program is deployed for, where its fleet moves from KCL 2 to 3 or to one table.
fn migration(conf: &Conf, migration: &mut MigrationConfig) -> Result<(), String> {
    let key = "spark.millstream.clientVersionConfig";
    let client_version = conf.text(key).map(str::parse).transpose();
    migration.client_version = client_version.map_err(|error: UnknownClientVersion| format!("{key}: {error}"))?;
    migration.moves_to_lease_table = conf.boolean("spark.millstream.migrateAllEntitiesToLeaseTable")?;
    let key = "spark.millstream.tableMigrationCompleteBakeTime";
    if let Some(bake_time) = conf.duration(key)? {
        let seconds = bake_time.as_secs();
        if !(3_600..=604_800).contains(&seconds) {
            return Err(format!("{key} is to be from 1h to 168h, not {seconds} s"));
        }
        migration.complete_after_s = seconds;
    }
    Ok(())
}

/// `TRIM_HORIZON`, `LATEST`, or `AT_TIMESTAMP 1700000000000`: in milliseconds since the epoch.
pub(crate) fn initial_position(text: &str) -> Option<InitialPosition> {
    match text {
        "TRIM_HORIZON" => Some(InitialPosition::TrimHorizon),
        "LATEST" => Some(InitialPosition::Latest),
        other => {
            let millis = other.strip_prefix("AT_TIMESTAMP ")?.parse().ok()?;
            Some(InitialPosition::AtTimestamp(millis))
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The keys given, or what the environment has; with a role, those of the role.
pub(crate) fn credentials(
    access_key: Option<String>,
    secret: Option<String>,
    session_token: Option<String>,
    role_arn: Option<String>,
    session_name: Option<String>,
    external_id: Option<String>,
) -> CredentialsSource {
    let base = match (access_key, secret) {
        (Some(access_key), Some(secret_key)) => CredentialsSource::Static { access_key, secret_key, session_token },
        _ => CredentialsSource::Default,
    };
    match (role_arn, session_name) {
        (Some(role_arn), Some(session_name)) => {
            CredentialsSource::AssumeRole { role_arn, session_name, external_id, base: Box::new(base) }
        }
        _ => base,
    }
}
