use std::time::Instant;

use millstream_kinesis::KinesisError;
use millstream_lease::{LeaseStore, StoreError};

use super::finding::Finding;
use super::place::Place;
use crate::error::CliError;
use crate::hint::hint;

/// Whether both services answer, whatever they say.
pub(super) async fn check(place: &mut Place) -> Vec<Finding> {
    let asked = Instant::now();
    let kinesis = match place.kinesis.list_streams().await {
        Err(error @ KinesisError::Unreachable { .. }) => unreachable("kinesis", error.into()),
        answer => {
            place.kinesis_answers = true;
            let streams = answer.map(|names| format!(", {} streams", names.len())).unwrap_or_default();
            Finding::well("kinesis", format!("answers in {} ms{streams}", asked.elapsed().as_millis()))
        }
    };
    let asked = Instant::now();
    let dynamodb = match place.store.sessions().await {
        Err(error @ StoreError::Unreachable { .. }) => unreachable("dynamodb", error.into()),
        _ => {
            place.dynamodb_answers = true;
            Finding::well("dynamodb", format!("answers in {} ms", asked.elapsed().as_millis()))
        }
    };
    vec![kinesis, dynamodb]
}

fn unreachable(check: &'static str, error: CliError) -> Finding {
    let mend = hint(&error).unwrap_or_else(|| {
        "check --endpoint-url and --region, proxies, and in a VPC the endpoints of the service".to_owned()
    });
    Finding::wrong(check, error.to_string(), mend)
}
