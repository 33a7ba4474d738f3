use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::{AwsSettings, now_ms};
use millstream_lease::StoreError;

type Item = HashMap<String, AttributeValue>;

const KEY: &str = "Migration3.0";
/// Entries of the history that are kept (KCL `MigrationState`).
const HISTORY: usize = 10;

/// The row that says how far the migration is.
pub(super) struct MigrationRow {
    client: Client,
    /// The lease table; of the KCL 3.0 to 3.4 the table beside it.
    table: String,
    key: &'static str,
    item: Item,
}

impl MigrationRow {
    /// None: the application was never of the KCL 2 and 3.
    pub(super) async fn find(settings: &AwsSettings, application: &str) -> Result<Option<Self>, StoreError> {
        let mut config = Builder::from(&settings.load().await);
        if let Some(endpoint) = settings.dynamodb_endpoint_effective() {
            config = config.endpoint_url(endpoint);
        }
        let client = Client::from_conf(config.build());
        let places = [(application.to_owned(), "leaseKey"), (format!("{application}-CoordinatorState"), "key")];
        for (table, key) in places {
            let get = client.get_item().table_name(&table).key(key, text(KEY)).consistent_read(true);
            match get.send().await {
                Ok(answer) => {
                    if let Some(item) = answer.item {
                        return Ok(Some(Self { client, table, key, item }));
                    }
                }
                Err(error) if error.code() == Some("ResourceNotFoundException") => {}
                Err(error) => return Err(failed(&table, "GetItem", &error)),
            }
        }
        Ok(None)
    }

    /// `cv`: the state.
    pub(super) fn state(&self) -> &str {
        self.text("cv")
    }

    /// Who has written it.
    pub(super) fn modified_by(&self) -> &str {
        self.text("mb")
    }

    /// When, in milliseconds since the epoch.
    pub(super) fn modified_ms(&self) -> Option<i64> {
        self.item.get("mts")?.as_n().ok()?.parse().ok()
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    fn text(&self, name: &str) -> &str {
        self.item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
    }

    /// Writes the next state, where the row still has the one that was seen. `false`: it has another one.
    pub(super) async fn change(&self, state: &str) -> Result<bool, StoreError> {
        let kept =
            ["cv", "mb", "mts"].iter().filter_map(|name| Some(((*name).to_owned(), self.item.get(*name)?.clone())));
        let before = self.item.get("h").and_then(|history| history.as_l().ok()).cloned().unwrap_or_default();
        let mut history = vec![AttributeValue::M(kept.collect())];
        history.extend(before);
        history.truncate(HISTORY);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(self.key, text(KEY))
            .condition_expression("cv = :seen")
            .update_expression("SET cv = :state, mts = :now, mb = :me, h = :history")
            .expression_attribute_values(":seen", text(self.state()))
            .expression_attribute_values(":state", text(state))
            .expression_attribute_values(":now", AttributeValue::N(now_ms().to_string()))
            .expression_attribute_values(":me", text("millstream leases migrate"))
            .expression_attribute_values(":history", AttributeValue::L(history));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(failed(&self.table, "UpdateItem", &error)),
            },
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn failed<E, R>(table: &str, operation: &'static str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let table = table.to_owned();
    let message = error.message().map_or_else(|| DisplayErrorContext(error).to_string(), str::to_owned);
    match error.code() {
        Some("AccessDeniedException") => StoreError::AccessDenied { table, operation, message },
        Some(code) => StoreError::Service { table, operation, code: code.to_owned(), message },
        None => StoreError::Unreachable { table, endpoint: "DynamoDB".to_owned(), message },
    }
}
