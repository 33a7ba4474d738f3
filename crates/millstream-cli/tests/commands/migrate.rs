//! `leases APP migrate`, on the rows that Java workers write.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use millstream_lease::LeaseStore;
use serde_json::Value;

use super::support::{Local, failed, json, printed, run};
use super::worker::{APPLICATION, store};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// The row as a worker of Java KCL 3 wrote it, in this table.
struct Row {
    client: Client,
    table: String,
    key: &'static str,
}

impl Row {
    async fn with(local: &Local, table: String, key: &'static str, state: &str) -> Self {
        let config = local.settings().load().await.into_builder().endpoint_url(&local.endpoint).build();
        let client = Client::new(&config);
        let first = AttributeValue::M(HashMap::from([("cv".to_owned(), text("CLIENT_VERSION_INIT"))]));
        let put = client.put_item().table_name(&table).item(key, text("Migration3.0")).item("cv", text(state));
        let put = put.item("mb", text("java-1")).item("mts", AttributeValue::N("1795421671032".to_owned()));
        put.item("h", AttributeValue::L(vec![first])).send().await.unwrap();
        Self { client, table, key }
    }

    async fn read(&self) -> HashMap<String, AttributeValue> {
        let get = self.client.get_item().table_name(&self.table).key(self.key, text("Migration3.0"));
        get.send().await.unwrap().item.unwrap()
    }

    async fn state(&self) -> String {
        self.read().await["cv"].as_s().unwrap().clone()
    }
}

fn migrate(local: &Local, options: &[&str]) -> std::process::Command {
    let mut command = local.command(&["leases", APPLICATION, "migrate"]);
    command.args(options);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_back_and_forward_again() {
    let local = Local::with("words:1");
    store(&local).await.ensure().await.unwrap();
    let row = Row::with(&local, APPLICATION.to_owned(), "leaseKey", "CLIENT_VERSION_3X_WITH_ROLLBACK").await;
    let told = json(migrate(&local, &["--output", "json"]));
    assert_eq!((&told[0]["state"], &told[0]["next"]), (&"CLIENT_VERSION_3X_WITH_ROLLBACK".into(), &Value::Null));
    assert!(printed(migrate(&local, &[])).contains("written  by java-1 in table app"));

    let plan = json(migrate(&local, &["--back", "--dry-run", "--output", "json"]));
    assert_eq!(plan[0]["next"], "CLIENT_VERSION_2X");
    let (code, _) = failed(migrate(&local, &["--back"]), "no\n");
    assert_eq!((code, row.state().await.as_str()), (Some(3), "CLIENT_VERSION_3X_WITH_ROLLBACK"));

    assert_eq!(run(migrate(&local, &["--back"]), "app\n").status.code(), Some(0));
    let item = row.read().await;
    assert_eq!((&item["cv"], &item["mb"]), (&text("CLIENT_VERSION_2X"), &text("millstream leases migrate")));
    let history = item["h"].as_l().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].as_m().unwrap()["cv"], text("CLIENT_VERSION_3X_WITH_ROLLBACK"));
    assert_eq!(history[0].as_m().unwrap()["mb"], text("java-1"));

    printed(migrate(&local, &["--forward", "--yes"]));
    assert_eq!(row.state().await, "CLIENT_VERSION_UPGRADE_FROM_2X");
    let (code, said) = failed(migrate(&local, &["--forward", "--yes"]), "");
    assert_eq!(code, Some(3));
    assert!(said.contains("goes forward by itself"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_of_the_three_tables_is_found() {
    let local = Local::with("words:1");
    store(&local).await.ensure().await.unwrap();
    let (code, said) = failed(migrate(&local, &[]), "");
    assert_eq!(code, Some(1));
    assert!(said.contains("not being migrated"), "{said}");

    let config = local.settings().load().await.into_builder().endpoint_url(&local.endpoint).build();
    let table = format!("{APPLICATION}-CoordinatorState");
    let key = KeySchemaElement::builder().attribute_name("key").key_type(KeyType::Hash).build().unwrap();
    let attribute = AttributeDefinition::builder().attribute_name("key").attribute_type(ScalarAttributeType::S);
    let create = Client::new(&config).create_table().table_name(&table).key_schema(key);
    let create = create.attribute_definitions(attribute.build().unwrap()).billing_mode(BillingMode::PayPerRequest);
    create.send().await.unwrap();
    let row = Row::with(&local, table, "key", "CLIENT_VERSION_UPGRADE_FROM_2X").await;
    let told = json(migrate(&local, &["--back", "--yes", "--output", "json"]));
    assert_eq!((&told[0]["table"], &told[0]["tables"]), (&"app-CoordinatorState".into(), &3.into()));
    assert_eq!(row.state().await, "CLIENT_VERSION_2X");
}
