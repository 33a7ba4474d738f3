//! What tests of the lease table share.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use millstream_lease::DynamoDbLeaseStore;
use millstream_local::{LocalConfig, LocalService};

use crate::support;

pub(crate) const TABLE: &str = "application";

/// A lease table of its own.
pub(crate) struct Table {
    pub(crate) service: LocalService,
    pub(crate) store: DynamoDbLeaseStore,
    pub(crate) client: Client,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let settings = support::settings(&service);
        let store = DynamoDbLeaseStore::connect(&settings, TABLE).await;
        let config = settings.load().await.into_builder().endpoint_url(service.endpoint()).build();
        Self { service, store, client: Client::new(&config) }
    }

    pub(crate) async fn item(&self, key: &str) -> HashMap<String, AttributeValue> {
        self.find(TABLE, "leaseKey", key).await.expect("an item")
    }

    pub(crate) async fn find(&self, table: &str, name: &str, key: &str) -> Option<HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(key.to_owned());
        self.client.get_item().table_name(table).key(name, key).send().await.unwrap().item
    }

    pub(crate) async fn put(&self, table: &str, texts: &[(&str, &str)], numbers: &[(&str, u64)]) {
        let texts = texts.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
        let numbers = numbers.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::N(value.to_string())));
        let item = texts.chain(numbers).collect();
        self.client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    pub(crate) async fn create(&self, table: &str, key: &str) {
        let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash).build().unwrap();
        let create = self.client.create_table().table_name(table).key_schema(key);
        let create = create.attribute_definitions(attribute.build().unwrap());
        create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    }
}

pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
