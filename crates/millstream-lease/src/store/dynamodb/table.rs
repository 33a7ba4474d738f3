//! The lease table itself.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate, IndexStatus,
    KeySchemaElement, KeyType, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    TableDescription, TableStatus,
};
use tokio::time::{Instant, sleep};

use super::item::LEASE_KEY;
use super::{DynamoDbLeaseStore, StoreError};
use crate::fleet::Index;

/// A local table is there at once, one on AWS after some seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(120);

/// The index by which workers of the KCL 3 find their leases.
const OWNERS: &str = "LeaseOwnerToLeaseKeyIndex";
const OWNER: &str = "leaseOwner";

impl DynamoDbLeaseStore {
    /// Creates the table where it is missing, checks that it is a lease table, and waits until it is usable.
    pub(super) async fn ensure_table(&self) -> Result<(), StoreError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let status = match self.describe().await? {
                None => {
                    self.create_table().await?;
                    "CREATING".to_owned()
                }
                Some(table) => {
                    self.check_keys(&table)?;
                    match table.table_status {
                        Some(TableStatus::Active | TableStatus::Updating) => return Ok(()),
                        status => status.map_or("in no known state".to_owned(), |status| status.to_string()),
                    }
                }
            };
            if start.elapsed() >= PATIENCE {
                let (table, waited_s) = (self.table.clone(), PATIENCE.as_secs());
                return Err(StoreError::TableNotActive { table, status, waited_s });
            }
            tracing::debug!(table = self.table, status, "waiting for the lease table");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn describe(&self) -> Result<Option<TableDescription>, StoreError> {
        match self.client.describe_table().table_name(&self.table).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) => match error.as_service_error() {
                Some(DescribeTableError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(self.error("DescribeTable", &error)),
            },
        }
    }

    async fn create_table(&self) -> Result<(), StoreError> {
        let key = KeySchemaElement::builder().attribute_name(LEASE_KEY).key_type(KeyType::Hash);
        let attribute = AttributeDefinition::builder().attribute_name(LEASE_KEY).attribute_type(ScalarAttributeType::S);
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| {
            self.service_error("CreateTable", "invalid request", &error.to_string())
        };
        let created = self
            .client
            .create_table()
            .table_name(&self.table)
            .key_schema(key.build().map_err(invalid)?)
            .attribute_definitions(attribute.build().map_err(invalid)?)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match created {
            Ok(_) => {
                tracing::info!(table = self.table, "created the lease table");
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                // Another worker was faster.
                Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
                _ => Err(self.error("CreateTable", &error)),
            },
        }
    }

    /// Whether the index of owners is there.
    pub(super) async fn index(&self) -> Result<Index, StoreError> {
        Ok(self.describe().await?.as_ref().map_or(Index::Missing, index_of))
    }

    /// Makes the index of owners. `false`: there is one. It can be used some minutes later.
    pub(super) async fn make_index(&self) -> Result<bool, StoreError> {
        let Some(table) = self.describe().await?.filter(|table| index_of(table) == Index::Missing) else {
            return Ok(false);
        };
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| {
            self.service_error("UpdateTable", "invalid request", &error.to_string())
        };
        let key = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let attribute = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let mut index = CreateGlobalSecondaryIndexAction::builder()
            .index_name(OWNERS)
            .key_schema(key(OWNER, KeyType::Hash).map_err(invalid)?)
            .key_schema(key(LEASE_KEY, KeyType::Range).map_err(invalid)?)
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
        let billing = table.billing_mode_summary().and_then(|billing| billing.billing_mode());
        if billing != Some(&BillingMode::PayPerRequest)
            && let Some(capacity) = table.provisioned_throughput()
        {
            // As much as the table has, as the KCL does.
            let capacity = ProvisionedThroughput::builder()
                .read_capacity_units(capacity.read_capacity_units().unwrap_or(1).max(1))
                .write_capacity_units(capacity.write_capacity_units().unwrap_or(1).max(1));
            index = index.provisioned_throughput(capacity.build().map_err(invalid)?);
        }
        let index = GlobalSecondaryIndexUpdate::builder().create(index.build().map_err(invalid)?).build();
        let request = self.client.update_table().table_name(&self.table).global_secondary_index_updates(index);
        let request = request
            .attribute_definitions(attribute(LEASE_KEY).map_err(invalid)?)
            .attribute_definitions(attribute(OWNER).map_err(invalid)?);
        match request.send().await {
            Ok(_) => {
                tracing::info!(table = self.table, index = OWNERS, "makes the index of owners");
                Ok(true)
            }
            // Another worker was faster.
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(false),
            Err(error) => Err(self.error("UpdateTable", &error)),
        }
    }

    fn check_keys(&self, table: &TableDescription) -> Result<(), StoreError> {
        let found = keys(table);
        let expected = format!("the partition key `{LEASE_KEY}` (S)");
        if found == expected {
            return Ok(());
        }
        Err(StoreError::WrongTable { table: self.table.clone(), found, expected })
    }
}

fn index_of(table: &TableDescription) -> Index {
    let index = table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(OWNERS));
    match index.map(|index| index.index_status()) {
        None => Index::Missing,
        Some(Some(IndexStatus::Active)) => Index::Active,
        Some(_) => Index::Building,
    }
}

/// The key schema, for people.
fn keys(table: &TableDescription) -> String {
    let types = table.attribute_definitions();
    let describe = |key: &KeySchemaElement| {
        let role = if key.key_type == KeyType::Hash { "partition" } else { "sort" };
        let name = &key.attribute_name;
        let kind = types.iter().find(|definition| definition.attribute_name == *name);
        let kind = kind.map_or("?", |definition| definition.attribute_type.as_str());
        format!("the {role} key `{name}` ({kind})")
    };
    table.key_schema().iter().map(describe).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_keys_of_a_table_of_another_kind_are_told() {
        let key = |name: &str, kind: KeyType| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let attribute = |name: &str, kind: ScalarAttributeType| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
        };
        let table = TableDescription::builder()
            .key_schema(key("user", KeyType::Hash))
            .key_schema(key("time", KeyType::Range))
            .attribute_definitions(attribute("time", ScalarAttributeType::N))
            .attribute_definitions(attribute("user", ScalarAttributeType::S))
            .build();
        assert_eq!(keys(&table), "the partition key `user` (S) and the sort key `time` (N)");
    }
}
