use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::Builder;
use millstream_kinesis::{AwsKinesis, AwsSettings};
use millstream_lease::DynamoDbLeaseStore;

use crate::aws::AwsArgs;
use crate::error::CliError;

/// What is looked at.
pub(super) struct Place {
    pub(super) stream: Option<String>,
    pub(super) application: Option<String>,
    pub(super) settings: AwsSettings,
    pub(super) kinesis: AwsKinesis,
    /// For calls that only this command makes.
    pub(super) client: Client,
    /// The application's table; without an application, one that is not there.
    pub(super) store: DynamoDbLeaseStore,
    pub(super) kinesis_answers: bool,
    pub(super) dynamodb_answers: bool,
}

/// Not an application's name that anybody has.
const NO_TABLE: &str = "millstream-doctor-asks-for-no-table";

impl Place {
    /// Calls nothing yet.
    pub(super) async fn of(
        stream: Option<String>,
        application: Option<String>,
        aws: &AwsArgs,
    ) -> Result<Self, CliError> {
        let settings = aws.settings();
        let mut config = Builder::from(&settings.load().await);
        config.set_endpoint_url(settings.kinesis_endpoint.clone());
        let table = application.as_deref().unwrap_or(NO_TABLE);
        Ok(Self {
            kinesis: AwsKinesis::connect(&settings).await?,
            client: Client::from_conf(config.build()),
            store: DynamoDbLeaseStore::connect(&settings, table).await,
            stream,
            application,
            settings,
            kinesis_answers: false,
            dynamodb_answers: false,
        })
    }
}
