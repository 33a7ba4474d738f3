use millstream_lease::{LeaseStore, StoreError};

use super::finding::Finding;
use super::place::Place;

const CHECK: &str = "leases";

/// The application's table.
pub(super) async fn check(place: &Place) -> Option<Finding> {
    let application = place.application.as_deref()?;
    match place.store.scan().await {
        Ok(leases) => {
            let active = leases.iter().filter(|lease| !lease.is_ended()).count();
            let free = leases.iter().filter(|lease| !lease.is_ended() && lease.actual_owner().is_none()).count();
            let found = format!(
                "{application} has {} leases, {active} of shards to read, {free} of these without owner",
                leases.len()
            );
            Some(if free > 0 {
                Finding::doubtful(CHECK, found, "start workers, or more of them: nobody reads these shards now")
            } else {
                Finding::well(CHECK, found)
            })
        }
        Err(StoreError::TableMissing { .. }) => Some(Finding::well(
            CHECK,
            format!(
                "{application} has no table yet; its first worker makes it (dynamodb:CreateTable, dynamodb:DescribeTable)"
            ),
        )),
        Err(error @ StoreError::BadItem { .. }) => {
            Some(Finding::wrong(CHECK, error.to_string(), "give the application a name of its own, or mend the row"))
        }
        // Told of by the permissions.
        Err(StoreError::AccessDenied { .. }) => None,
        Err(error) => Some(Finding::unknown(CHECK, error.to_string())),
    }
}
