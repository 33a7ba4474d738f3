use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::AwsSettings;
use millstream_lease::StoreError;

type Item = HashMap<String, AttributeValue>;

const KEY: &str = "Migration3.0";

/// The row that says how far the migration is, as it was read.
pub(super) struct MigrationRow {
    /// The lease table; of the KCL 3.0 to 3.4 the table beside it.
    table: String,
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
                        return Ok(Some(Self { table, item }));
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
