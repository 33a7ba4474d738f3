//! DynamoDB: what the embedded engine does for leases, and what is added to it.

use std::time::Duration;

use millstream_local::{LocalConfig, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST};

#[tokio::test]
async fn conditions_hold_over_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config.clone()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    assert_eq!(client.dynamodb("CreateTable", table("leases")).await.0, 200);
    let (status, error) = client.dynamodb("CreateTable", table("leases")).await;
    assert_eq!((status, error["__type"].as_str().unwrap().ends_with("#ResourceInUseException")), (400, true));
    let renew = |counter: u64| {
        json!({
            "TableName": "leases",
            "Key": {"leaseKey": {"S": "shardId-000000000000"}},
            "UpdateExpression": "SET leaseCounter = :next",
            "ConditionExpression": "leaseCounter = :seen OR attribute_not_exists(leaseKey)",
            "ExpressionAttributeValues": {
                ":seen": {"N": counter.to_string()},
                ":next": {"N": (counter + 1).to_string()},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    };
    assert_eq!(client.dynamodb("UpdateItem", renew(0)).await.0, 200);
    assert_eq!(client.dynamodb("UpdateItem", renew(1)).await.0, 200);
    let (status, error) = client.dynamodb("UpdateItem", renew(1)).await;
    assert_eq!(status, 400);
    assert!(error["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException"), "{error}");
    assert_eq!(error["Item"]["leaseCounter"], json!({"N": "2"}));
    // KCL 1.x still uses the conditions of before expressions.
    let legacy = |seen: &str| {
        json!({
            "TableName": "leases",
            "Key": {"leaseKey": {"S": "shardId-000000000000"}},
            "AttributeUpdates": {"leaseOwner": {"Action": "PUT", "Value": {"S": "me"}}},
            "Expected": {"leaseCounter": {"Value": {"N": seen}}},
        })
    };
    assert_eq!(client.dynamodb("UpdateItem", legacy("7")).await.0, 400);
    assert_eq!(client.dynamodb("UpdateItem", legacy("2")).await.0, 200);
    let (_, error) = client.dynamodb("RestoreTableToPointInTime", json!({})).await;
    assert!(error["__type"].as_str().unwrap().ends_with("#UnknownOperationException"));

    service.shutdown().await;
    let service = LocalService::start(config).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let (_, scan) = client.dynamodb("Scan", json!({"TableName": "leases"})).await;
    assert_eq!(scan["Items"][0]["leaseOwner"], json!({"S": "me"}));
}

fn table(name: &str) -> Value {
    json!({
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "leaseKey", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

async fn recovery(client: &mut Client, operation: &str, request: Value) -> Value {
    let (status, answer) = client.dynamodb(operation, request).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["ContinuousBackupsDescription"]["ContinuousBackupsStatus"], "ENABLED");
    answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].clone()
}

fn switch(name: &str, enabled: bool) -> Value {
    json!({"TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}})
}

#[tokio::test]
async fn continuous_backups_are_kept_with_their_table_over_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config.clone()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    for name in ["leases", "others"] {
        assert_eq!(client.dynamodb("CreateTable", table(name)).await.0, 200);
    }
    let off = json!({"PointInTimeRecoveryStatus": "DISABLED"});
    let leases = json!({"TableName": "leases"});
    assert_eq!(recovery(&mut client, "DescribeContinuousBackups", leases.clone()).await, off);
    let on = recovery(&mut client, "UpdateContinuousBackups", switch("leases", true)).await;
    assert_eq!((&on["PointInTimeRecoveryStatus"], &on["RecoveryPeriodInDays"]), (&json!("ENABLED"), &json!(35)));
    assert_eq!(on["EarliestRestorableDateTime"], on["LatestRestorableDateTime"]);
    service.shutdown().await;

    let service = LocalService::start(config).await.unwrap();
    service.clock().advance(Duration::from_secs(36 * 86_400));
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let arn = json!({"TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/leases"});
    let later = recovery(&mut client, "DescribeContinuousBackups", arn).await;
    let time = |value: &Value| value.as_f64().unwrap();
    let (earliest, latest) = (time(&later["EarliestRestorableDateTime"]), time(&later["LatestRestorableDateTime"]));
    assert!((latest - earliest - (35.0 * 86_400.0 - 300.0)).abs() < 0.1, "{later}");
    assert!(earliest > time(&on["EarliestRestorableDateTime"]) + 86_000.0, "{later}");
    assert_eq!(recovery(&mut client, "DescribeContinuousBackups", json!({"TableName": "others"})).await, off);

    assert_eq!(client.dynamodb("DeleteTable", leases.clone()).await.0, 200);
    assert_eq!(client.dynamodb("CreateTable", table("leases")).await.0, 200);
    assert_eq!(recovery(&mut client, "DescribeContinuousBackups", leases.clone()).await, off);
    recovery(&mut client, "UpdateContinuousBackups", switch("leases", true)).await;
    assert_eq!(recovery(&mut client, "UpdateContinuousBackups", switch("leases", false)).await, off);
}

#[tokio::test]
async fn continuous_backups_of_no_table_or_of_no_sense_are_refused() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    assert_eq!(client.dynamodb("CreateTable", table("leases")).await.0, 200);
    let days = |days: i64| {
        json!({"TableName": "leases", "PointInTimeRecoverySpecification":
            {"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": days}})
    };
    for (request, exception, message) in [
        (switch("nothing", true), "TableNotFoundException", "Table not found: nothing"),
        (json!({"TableName": "leases"}), "ValidationException", "'pointInTimeRecoverySpecification'"),
        (days(0), "ValidationException", "greater than or equal to 1"),
        (days(36), "ValidationException", "less than or equal to 35"),
        (
            json!({"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}),
            "ValidationException",
            "'TableName' is required",
        ),
    ] {
        let (status, error) = client.dynamodb("UpdateContinuousBackups", request.clone()).await;
        assert_eq!(status, 400, "{request}");
        assert!(error["__type"].as_str().unwrap().ends_with(&format!("#{exception}")), "{request}: {error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{request}: {error}");
    }
    let (status, limits) = client.dynamodb("DescribeLimits", json!({})).await;
    assert_eq!((status, &limits["TableMaxReadCapacityUnits"]), (200, &json!(40_000)));
}
