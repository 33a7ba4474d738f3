//! The sessions of all workers, in one row of the lease table: an attribute a worker, so that one request shows a sign of life
//! and hears of all others.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{Item, LEASE_KEY, number, text};
use super::{DynamoDbLeaseStore, StoreError};
use crate::{SessionAnswer, SessionWrite, Sessions};

/// Not a shard's id, and no worker's name that anybody has.
const KEY: &str = "millstreamSessions";
const KIND: &str = "MILLSTREAM_SESSIONS";
const CHANGES: &str = "changes";
/// Of the attribute of a worker.
const PREFIX: &str = "session:";

fn from_item(item: &Item) -> Sessions {
    let version = |(name, value): (&String, &AttributeValue)| {
        Some((name.strip_prefix(PREFIX)?.to_owned(), value.as_s().ok()?.clone()))
    };
    let changes = item.get(CHANGES).and_then(|changes| changes.as_n().ok()?.parse().ok());
    Sessions { versions: item.iter().filter_map(version).collect(), changes: changes.unwrap_or(0) }
}

impl DynamoDbLeaseStore {
    pub(super) async fn read_sessions(&self) -> Result<Sessions, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key(LEASE_KEY, text(KEY)).consistent_read(true);
        let answer = get.send().await.map_err(|error| self.error("GetItem", &error))?;
        Ok(answer.item().map(from_item).unwrap_or_default())
    }

    pub(super) async fn change_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        let (worker, mut update) = match write {
            SessionWrite::Begin { worker, .. } => (worker, "SET #worker = :version, entityType = :kind".to_owned()),
            SessionWrite::Beat { worker, .. } => (worker, "SET #worker = :version".to_owned()),
            SessionWrite::End { worker, .. } => (worker, "REMOVE #worker".to_owned()),
        };
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(LEASE_KEY, text(KEY))
            .expression_attribute_names("#worker", format!("{PREFIX}{worker}"))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let SessionWrite::Begin { version, .. } | SessionWrite::Beat { version, .. } = write {
            request = request.expression_attribute_values(":version", text(version));
        }
        match write {
            SessionWrite::Begin { .. } => request = request.expression_attribute_values(":kind", text(KIND)),
            SessionWrite::Beat { seen, .. } | SessionWrite::End { seen, .. } => {
                request =
                    request.condition_expression("#worker = :seen").expression_attribute_values(":seen", text(seen));
            }
        }
        if write.tells() {
            update += " ADD changes :one";
            request = request.expression_attribute_values(":one", number(1));
        }
        match request.update_expression(update).send().await {
            Ok(answer) => {
                let sessions = answer.attributes.as_ref().map(from_item).unwrap_or_default();
                Ok(SessionAnswer { is_done: true, sessions })
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let sessions = refused.item().map(from_item).unwrap_or_default();
                    Ok(SessionAnswer { is_done: write.was_done(&sessions), sessions })
                }
                _ => Err(self.error("UpdateItem", &error)),
            },
        }
    }
}
