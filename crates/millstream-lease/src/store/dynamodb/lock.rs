//! The row by which one worker leads, as `AmazonDynamoDBLockClient` writes it.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use uuid::Uuid;

use super::fleet::{STATE, attribute};
use super::item::{ENTITY_TYPE, Item, text};
use super::{DynamoDbLeaseStore, StoreError};
use crate::fleet::{LOCK_DURATION_MS, Layout, LeaderLock};

pub(super) const LEADER: &str = "Leader";
const KIND: &str = "LEADER";
pub(super) const OWNER: &str = "ownerName";
const DURATION: &str = "leaseDuration";
const VERSION: &str = "recordVersionNumber";
const RELEASED: &str = "isReleased";

/// Why the lock is written.
pub(super) enum Claim<'a> {
    /// In place of what was seen.
    Take(Option<&'a LeaderLock>),
    /// As its holder, with its version.
    Keep(&'a str),
}

/// `None`: the row is not whole.
pub(super) fn from_item(item: &Item) -> Option<LeaderLock> {
    Some(LeaderLock {
        owner: attribute(item, OWNER)?.to_owned(),
        version: attribute(item, VERSION)?.to_owned(),
        duration_ms: attribute(item, DURATION)?.parse().ok()?,
        is_released: attribute(item, RELEASED).is_some(),
    })
}

impl DynamoDbLeaseStore {
    /// Writes the lock with a new version, which is returned; `None`: it is not as it was.
    pub(super) async fn claim(
        &self,
        worker: &str,
        claim: Claim<'_>,
        layout: Layout,
    ) -> Result<Option<String>, StoreError> {
        let (table, key) = self.place(layout.keeps_lock_beside(), STATE);
        let version = Uuid::new_v4().to_string();
        let mut request = self
            .client
            .update_item()
            .table_name(table)
            .key(key, text(LEADER))
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":me", text(worker))
            .expression_attribute_values(":version", text(&version))
            .expression_attribute_values(":duration", text(&LOCK_DURATION_MS.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut condition = match claim {
            Claim::Take(None) => "attribute_not_exists(#key)".to_owned(),
            _ => format!("attribute_exists(#key) AND {VERSION} = :seen"),
        };
        match claim {
            Claim::Take(None) => {}
            Claim::Take(Some(seen)) => {
                request = request.expression_attribute_values(":seen", text(&seen.version));
                if seen.is_released {
                    condition += &format!(" AND {RELEASED} = :released");
                    request = request.expression_attribute_values(":released", text("1"));
                }
            }
            Claim::Keep(held) => {
                condition += &format!(" AND {OWNER} = :me");
                request = request.expression_attribute_values(":seen", text(held));
            }
        }
        let mut update = format!("SET {OWNER} = :me, {VERSION} = :version, {DURATION} = :duration");
        if layout == Layout::OneTable {
            update += &format!(", {ENTITY_TYPE} = :kind");
            request = request.expression_attribute_values(":kind", text(KIND));
        }
        update += &format!(" REMOVE {RELEASED}");
        match request.condition_expression(condition).update_expression(update).send().await {
            Ok(_) => Ok(Some(version)),
            Err(error) => match error.as_service_error() {
                // The SDK has asked again after an answer that was lost.
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let current = refused.item().and_then(from_item);
                    Ok(current.filter(|current| current.version == version).map(|current| current.version))
                }
                _ => Err(self.error("UpdateItem", &error)),
            },
        }
    }

    /// Marks the lock as released, if it is still held with this version.
    pub(super) async fn give_back(&self, worker: &str, version: &str, layout: Layout) -> Result<(), StoreError> {
        let (table, key) = self.place(layout.keeps_lock_beside(), STATE);
        let released = self
            .client
            .update_item()
            .table_name(table)
            .key(key, text(LEADER))
            .update_expression(format!("SET {RELEASED} = :released"))
            .condition_expression(format!("{VERSION} = :version AND {OWNER} = :me"))
            .expression_attribute_values(":released", text("1"))
            .expression_attribute_values(":version", text(version))
            .expression_attribute_values(":me", text(worker))
            .send()
            .await;
        match released {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(self.error("UpdateItem", &error)),
            },
        }
    }
}
