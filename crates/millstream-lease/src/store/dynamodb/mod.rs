//! Leases in a DynamoDB table, as the KCL keeps them.

mod errors;
mod expressions;
mod fleet;
mod item;
mod lock;
mod migration;
mod sessions;
mod table;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use millstream_kinesis::{AwsSettings, Checkpoint, ShardId};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::rows::Change;
use super::{FleetStore, LeaseStore, RenewOutcome, StoreError};
use crate::{Lease, SessionAnswer, SessionWrite, Sessions};
use expressions::{IS_GONE_OR_UNMOVED, KEY_IS_NEW, Update};
use item::{Item, LEASE_KEY, from_item, is_lease, key_attribute, number, to_item};

/// An answer must come well before a lease expires, so that a retry still helps.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Leases in DynamoDB: the table, attributes and conditions of the Java KCL, so that a fleet can be mixed.
///
/// Attributes it does not know stay as they are; rows of another `entityType` (KCL 3.5) are left alone.
#[derive(Debug, Clone)]
pub struct DynamoDbLeaseStore {
    client: Client,
    table: String,
    endpoint: String,
    /// Whether it was said that this worker may not read the tables of KCL 3.0 to 3.4: once is enough.
    has_told_of_denial: Arc<AtomicBool>,
    /// Who writes to a row at this moment.
    writers: Arc<Semaphore>,
}

/// Rows are written by so many calls at a time, each of which keeps a connection: a worker takes a thousand leases at once.
/// Enough to renew them in a second if an answer takes 250 ms.
const MAX_WRITERS: usize = 256;

impl DynamoDbLeaseStore {
    /// A store on the table of this name, by convention the application's. Calls nothing yet: see [`LeaseStore::ensure`].
    pub async fn connect(settings: &AwsSettings, table: impl Into<String>) -> Self {
        let shared = settings.load().await;
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
        let mut config = aws_sdk_dynamodb::config::Builder::from(&shared).timeout_config(timeouts);
        let endpoint = match settings.dynamodb_endpoint_effective() {
            Some(url) => {
                config = config.endpoint_url(&url);
                url
            }
            None => match shared.region() {
                Some(region) => format!("the endpoint of region {region}"),
                None => "an unknown region".to_owned(),
            },
        };
        let client = Client::from_conf(config.build());
        let writers = Arc::new(Semaphore::new(MAX_WRITERS));
        DynamoDbLeaseStore { client, table: table.into(), endpoint, has_told_of_denial: Arc::default(), writers }
    }

    /// Waits until it is this call's turn; over when the permit is dropped. There is one always: nobody closes the semaphore.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.writers.acquire().await.ok()
    }

    /// Changes a row under a condition.
    async fn update(&self, key: &str, update: Update) -> Result<Change, StoreError> {
        let _turn = self.turn().await;
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(LEASE_KEY, key_attribute(key))
            .condition_expression(update.condition)
            .update_expression(update.update)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, attribute) in update.names {
            request = request.expression_attribute_names(name, attribute);
        }
        for (name, value) in update.values {
            request = request.expression_attribute_values(name, value);
        }
        match request.send().await {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                Ok(Change::Done(from_item(&self.table, &item)?))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Change::Refused(self.lease(refused.item())?))
                }
                _ => Err(self.error("UpdateItem", &error)),
            },
        }
    }

    fn lease(&self, item: Option<&Item>) -> Result<Option<Lease>, StoreError> {
        item.filter(|item| is_lease(item)).map(|item| from_item(&self.table, item)).transpose()
    }
}

#[async_trait]
impl LeaseStore for DynamoDbLeaseStore {
    async fn ensure(&self) -> Result<(), StoreError> {
        self.ensure_table().await
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        let mut leases = Vec::new();
        let mut start = None;
        loop {
            // Consistent: a table that seems empty gets leases at the initial position.
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| self.error("Scan", &error))?;
            for item in page.items() {
                leases.extend(self.lease(Some(item))?);
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(leases);
            }
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(LEASE_KEY, key_attribute(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.error("GetItem", &error))?;
        self.lease(answer.item())
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        let _turn = self.turn().await;
        let created = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(lease)))
            .condition_expression(KEY_IS_NEW)
            .send()
            .await;
        match created {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(self.error("PutItem", &error)),
            },
        }
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        Ok(self.update(&held.key, Update::renew(held)).await?.renewed(held))
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.update(&seen.key, Update::take(seen, me)).await?.taken(seen, me))
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        let Some(update) = Update::request_handoff(seen, me) else {
            return Ok(false);
        };
        Ok(self.update(&seen.key, update).await?.is_done())
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        let Some(update) = Update::complete_handoff(held) else {
            return Ok(false);
        };
        Ok(self.update(&held.key, update).await?.is_done())
    }

    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError> {
        let Some(update) = Update::withdraw_handoff(seen) else {
            return Ok(false);
        };
        Ok(self.update(&seen.key, update).await?.is_done())
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        let Some(update) = Update::release(held) else {
            return Ok(false);
        };
        Ok(self.update(&held.key, update).await?.is_done())
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        let update = Update::checkpoint(held, checkpoint, children);
        Ok(self.update(&held.key, update).await?.checkpointed(held, checkpoint))
    }

    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError> {
        let update = Update::prepare(held, pending, state);
        Ok(self.update(&held.key, update).await?.prepared(held, pending))
    }

    async fn reset(&self, seen: &Lease, to: &Lease) -> Result<bool, StoreError> {
        Ok(self.update(&seen.key, Update::reset(seen, to)).await?.is_done())
    }

    fn fleet(&self) -> Option<&dyn FleetStore> {
        Some(self)
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        self.read_sessions().await
    }

    async fn write_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        self.change_session(write).await
    }

    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError> {
        let _turn = self.turn().await;
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(LEASE_KEY, key_attribute(&seen.key))
            .condition_expression(IS_GONE_OR_UNMOVED)
            .expression_attribute_values(":counter", number(seen.counter))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(self.error("DeleteItem", &error)),
            },
        }
    }
}
