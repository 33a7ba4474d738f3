use millstream_kinesis::KinesisError;

use super::finding::Finding;
use super::place::Place;

const CHECK: &str = "stream";

/// Whether it is there, and what it is like.
pub(super) async fn check(place: &Place) -> Option<Finding> {
    let stream = place.stream.as_deref()?;
    match place.kinesis.describe_stream(stream).await {
        Ok(found) => {
            let told = format!(
                "{stream} is {}, {}, {} open shards, keeps records for {} h",
                found.status, found.mode, found.open_shards, found.retention_hours
            );
            Some(match found.status.as_str() {
                "ACTIVE" | "UPDATING" => Finding::well(CHECK, told),
                _ => Finding::wrong(CHECK, told, "wait until it is ACTIVE"),
            })
        }
        Err(KinesisError::StreamNotFound { region, .. }) => Some(Finding::wrong(
            CHECK,
            format!("{stream} is not in {region}"),
            match place.kinesis.list_streams().await {
                Ok(names) if names.is_empty() => {
                    "there are no streams there: is it the right region and account?".to_owned()
                }
                Ok(names) => {
                    format!("it may be another region or account, or one of these is meant: {}", names.join(", "))
                }
                Err(_) => "check the name, the region and the account".to_owned(),
            },
        )),
        // Told of by the permissions.
        Err(KinesisError::AccessDenied { .. }) => None,
        Err(error) => Some(Finding::unknown(CHECK, error.to_string())),
    }
}
