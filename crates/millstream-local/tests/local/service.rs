//! What is common to all operations: health, authentication, regions, faults, DynamoDB on the same port, the end.

use std::time::{Duration, Instant};

use millstream_local::{Fault, FaultKind, LocalConfig, LocalError, LocalService};
use serde_json::{Value, json};

use crate::support::{Client, EAST};

const SIGNED: &str = "X-Amz-Date: 20260102T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=K/20260102/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0\r\n";

async fn service() -> (LocalService, Client) {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let client = Client::connect(&service.endpoint(), EAST).await;
    (service, client)
}

#[tokio::test]
async fn health_is_answered_and_other_methods_are_refused() {
    let (service, mut client) = service().await;
    let health = client.send("GET", "/health", "", "").await.unwrap();
    assert_eq!((health.status, health.body.as_slice()), (200, br#"{"status":"running"}"#.as_slice()));
    for method in ["PUT", "GET", "DELETE", "OPTIONS"] {
        let refused = client.send(method, "/", "", "").await.unwrap();
        assert_eq!(refused.status, 403);
        assert!(String::from_utf8_lossy(&refused.body).contains("<AccessDeniedException>"));
    }
    service.shutdown().await;
}

#[tokio::test]
async fn a_request_is_checked_as_at_aws_before_its_operation() {
    let (_service, mut client) = service().await;
    let target = "X-Amz-Target: Kinesis_20131202.ListStreams\r\n";
    let json = "Content-Type: application/x-amz-json-1.1\r\n";
    let other = "X-Amz-Target: Other_1.ListStreams\r\n";
    let fly = "X-Amz-Target: Kinesis_20131202.Fly\r\n";
    let token = "Authorization: Bearer token\r\n";
    let cases = [
        (format!("{json}{SIGNED}"), "{}", "UnknownOperationException"),
        (format!("{other}{json}{SIGNED}"), "{}", "UnknownOperationException"),
        (format!("{fly}{json}{SIGNED}"), "{}", "UnknownOperationException"),
        (format!("{fly}{json}"), "{", "SerializationException"),
        (format!("{target}{json}"), "", "SerializationException"),
        (format!("{target}{json}"), "[]", "SerializationException"),
        (format!("{target}{json}"), "{}", "MissingAuthenticationTokenException"),
        (format!("{target}{json}{token}"), "{}", "IncompleteSignatureException"),
        (format!("{target}{json}{SIGNED}"), "{", "SerializationException"),
    ];
    for (headers, body, exception) in cases {
        let answer = client.send("POST", "/", &headers, body).await.unwrap();
        assert_eq!((answer.status, answer.error().0.as_str()), (400, exception), "{headers} {body}");
        assert!(answer.headers.contains("x-amzn-requestid: "), "{}", answer.headers);
        assert!(answer.headers.contains("content-type: application/x-amz-json-1.1"), "{}", answer.headers);
    }
}

#[tokio::test]
async fn a_request_of_no_known_media_type_is_answered_as_at_aws() {
    let (_service, mut client) = service().await;
    let target = "X-Amz-Target: Kinesis_20131202.ListStreams\r\n";
    let old = "Content-Type: application/json; charset=utf-8\r\n";
    let queue = "X-Amz-Target: Kinesis_20131202.CreateQueue\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let old_error =
        |code: &str| format!("{{\"Output\":{{\"__type\":\"com.amazon.coral.service#{code}\"}},\"Version\":\"1.0\"}}");
    let cases = [
        (format!("{target}{SIGNED}"), "{}", 404, "<UnknownOperationException/>\n".to_owned()),
        (format!("{target}{old}"), "{}", 404, old_error("UnknownOperationException")),
        (format!("{target}{old}"), "hello", 400, old_error("SerializationException")),
        // In CBOR, as everything that nothing else is asked for.
        (target.to_owned(), "", 400, "\u{a1}f__typevSerializationException".to_owned()),
    ];
    for (headers, body, status, expected) in cases {
        let answer = client.send("POST", "/", &headers, body).await.unwrap();
        let found: String = answer.body.iter().copied().map(char::from).collect();
        let found = found.trim_start_matches('\u{bf}').trim_end_matches('\u{ff}').to_owned();
        assert_eq!(
            (answer.status, found.as_str()),
            (status, expected.trim_start_matches('\u{a1}')),
            "{headers} {body}"
        );
    }
    for media_type in ["", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        let denied = client.send("POST", "/", &format!("{media_type}{SIGNED}"), "{}").await.unwrap();
        assert!(denied.status == 403 && denied.body.starts_with(b"<AccessDeniedException>"), "{media_type}");
    }
    let (_, message) = client.send("POST", "/", queue, "{}").await.unwrap().error();
    assert!(message.starts_with("CreateQueue is not supported by this service"), "{message}");
}

#[tokio::test]
async fn pages_of_other_sites_may_call_the_api_and_nothing_else() {
    let (_service, mut client) = service().await;
    let asked = "Origin: https://example.com\r\nAccess-Control-Request-Headers: a, b\r\n\
                 Access-Control-Request-Method: POST\r\n";
    let preflight = client.send("OPTIONS", "/", asked, "").await.unwrap();
    assert_eq!((preflight.status, preflight.body.len()), (200, 0));
    for header in [
        "access-control-allow-origin: *",
        "access-control-allow-headers: a, b",
        "access-control-allow-methods: post",
        "access-control-max-age: 172800",
    ] {
        assert!(preflight.headers.contains(header), "{}", preflight.headers);
    }
    let headers = format!(
        "Origin: x\r\nX-Amz-Target: Kinesis_20131202.ListStreams\r\nContent-Type: application/x-amz-json-1.1\r\n{SIGNED}"
    );
    let answer = client.send("POST", "/", &headers, "{}").await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains("access-control-expose-headers: x-amzn-requestid,"), "{}", answer.headers);
    let refused = client.send("OPTIONS", "/_millstream/faults", asked, "").await.unwrap();
    assert_eq!(refused.status, 405);
    assert!(!refused.headers.contains("access-control"), "{}", refused.headers);
}

#[tokio::test]
async fn a_stream_exists_in_its_region_alone() {
    let (service, mut east) = service().await;
    let mut west = Client::connect(&service.endpoint(), "eu-west-1").await;
    east.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 1})).await;
    let (exception, message) = west.fails("DescribeStream", json!({"StreamName": "orders"})).await;
    assert_eq!(exception, "ResourceNotFoundException");
    assert_eq!(message, "Stream orders under account 000000000000 not found.");
    west.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    let summary = west.ok("DescribeStreamSummary", json!({"StreamName": "orders"})).await;
    let arn = summary["StreamDescriptionSummary"]["StreamARN"].clone();
    assert_eq!(arn, json!("arn:aws:kinesis:eu-west-1:000000000000:stream/orders"));
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], json!(2));
    assert_eq!(west.ok("ListShards", json!({"StreamARN": arn})).await["Shards"].as_array().unwrap().len(), 2);
    assert_eq!(east.fails("ListShards", json!({"StreamARN": arn})).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn faults_apply_to_what_they_name_and_end() {
    let (service, mut client) = service().await;
    for stream in ["orders", "clicks"] {
        client.ok("CreateStream", json!({"StreamName": stream, "ShardCount": 1})).await;
    }
    let fault = |operation: &str, stream: Option<&str>, kind| Fault {
        operation: Some(operation.to_owned()),
        stream: stream.map(str::to_owned),
        times: Some(1),
        ..Fault::new(kind)
    };
    let throttled = FaultKind::Error {
        code: "ProvisionedThroughputExceededException".to_owned(),
        status: 400,
        message: "Rate exceeded".to_owned(),
    };
    let iterator = client.iterator("orders", "shardId-000000000000", "LATEST").await;
    let other = client.iterator("clicks", "shardId-000000000000", "LATEST").await;
    service.faults().inject(fault("GetRecords", Some("orders"), throttled.clone()));
    client.ok("GetRecords", json!({"ShardIterator": other})).await;
    let error = client.fails("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(error, ("ProvisionedThroughputExceededException".to_owned(), "Rate exceeded".to_owned()));
    client.ok("GetRecords", json!({"ShardIterator": iterator})).await;

    service.faults().inject(fault("ListTables", None, throttled));
    assert_eq!(client.dynamodb("ListTables", json!({})).await.0, 400);
    assert_eq!(client.dynamodb("ListTables", json!({})).await.0, 200);

    service.faults().inject(fault("ListStreams", None, FaultKind::Latency(Duration::from_millis(80))));
    let start = Instant::now();
    client.ok("ListStreams", json!({})).await;
    assert!(start.elapsed() >= Duration::from_millis(80));

    service.faults().inject(fault("ListStreams", None, FaultKind::DropConnection));
    assert!(client.try_kinesis("ListStreams", "{}").await.is_none());
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("ListStreams", json!({})).await;
}

/// A call of the service's own interface: the status and the JSON.
async fn control(client: &mut Client, method: &str, path: &str, body: &str) -> (u16, Value) {
    let json = "Content-Type: application/json\r\n";
    let answer = client.send(method, &format!("/_millstream/{path}"), json, body).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn faults_are_injected_over_http() {
    let (service, mut client) = service().await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 2})).await;
    let fault =
        r#"{"kind": "expired_iterator", "operation": "GetRecords", "shard": "shardId-000000000001", "times": 2}"#;
    assert_eq!(control(&mut client, "POST", "faults", fault).await, (200, json!({"id": 1})));
    let spared = client.iterator("orders", "shardId-000000000000", "LATEST").await;
    let struck = client.iterator("orders", "shardId-000000000001", "LATEST").await;
    client.ok("GetRecords", json!({"ShardIterator": spared})).await;
    let error = client.fails("GetRecords", json!({"ShardIterator": struck})).await;
    assert_eq!(error.0, "ExpiredIteratorException");
    let (_, listed) = control(&mut client, "GET", "faults", "").await;
    assert_eq!((&listed["faults"][0]["used"], &listed["faults"][0]["fault"]["times"]), (&json!(1), &json!(1)));
    assert_eq!(listed["faults"][0]["fault"]["code"], json!("ExpiredIteratorException"));
    assert_eq!(control(&mut client, "DELETE", "faults/1", "").await.0, 200);
    assert_eq!(control(&mut client, "DELETE", "faults/1", "").await.0, 404);
    client.ok("GetRecords", json!({"ShardIterator": struck})).await;

    control(&mut client, "POST", "faults", r#"{"kind": "throttle", "stream": "orders"}"#).await;
    let put = json!({"StreamName": "orders", "PartitionKey": "k", "Data": ""});
    assert_eq!(client.fails("PutRecord", put.clone()).await.0, "ProvisionedThroughputExceededException");
    assert_eq!(control(&mut client, "DELETE", "faults", "").await, (200, json!({})));
    client.ok("PutRecord", put).await;
    assert_eq!(control(&mut client, "PUT", "faults", r#"{"seed": 7}"#).await, (200, json!({"seed": 7})));
    assert!(service.faults().list().is_empty());
}

#[tokio::test]
async fn the_clock_is_put_ahead_over_http() {
    let (_service, mut client) = service().await;
    let (_, before) = control(&mut client, "GET", "clock", "").await;
    let (status, after) = control(&mut client, "POST", "clock", r#"{"advance_seconds": 3600}"#).await;
    let passed = after["now_ms"].as_u64().unwrap() - before["now_ms"].as_u64().unwrap();
    assert_eq!((status, (3_600_000..3_660_000).contains(&passed)), (200, true), "{passed}");
    for body in ["{}", r#"{"advance_seconds": -1}"#, r#"{"advance_seconds": 999999999999}"#] {
        assert_eq!(control(&mut client, "POST", "clock", body).await.0, 400, "{body}");
    }
    assert_eq!(control(&mut client, "DELETE", "clock", "").await.0, 405);
}

#[tokio::test]
async fn a_fault_of_no_sense_is_refused_with_its_reason() {
    let (_service, mut client) = service().await;
    for (body, reason) in [
        ("{", "no JSON"),
        ("{}", "missing field `kind`"),
        (r#"{"kind": "melt"}"#, "unknown variant `melt`"),
        (r#"{"kind": "throttle", "opration": "GetRecords"}"#, "unknown field `opration`"),
        (r#"{"kind": "error"}"#, "needs \"code\""),
        (r#"{"kind": "latency"}"#, "needs \"milliseconds\""),
        (r#"{"kind": "throttle", "probability": 2}"#, "from 0 to 1"),
    ] {
        let (status, answer) = control(&mut client, "POST", "faults", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(reason), "{body}: {answer}");
    }
    assert_eq!(control(&mut client, "PATCH", "faults", "").await.0, 405);
    assert_eq!(control(&mut client, "GET", "nothing", "").await.0, 404);
    // What a page of another site can send without being asked first.
    let plain = "Content-Type: text/plain\r\n";
    let answer = client.send("POST", "/_millstream/faults", plain, r#"{"kind": "throttle"}"#).await.unwrap();
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn a_truncated_answer_ends_with_the_connection_in_the_middle() {
    let (service, mut client) = service().await;
    let fault = FaultKind::Truncate { after: 5 };
    service.faults().inject(Fault { operation: Some("ListStreams".to_owned()), ..Fault::new(fault) });
    let answer = client.raw("Kinesis_20131202.ListStreams", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // In chunks, without the one that ends them.
    assert!(answer.ends_with("\r\n\r\n5\r\n{\"Str\r\n"), "{answer}");
}

#[tokio::test]
async fn a_large_answer_comes_in_pieces_and_may_be_truncated_too() {
    let (service, mut client) = service().await;
    client.ok("CreateStream", json!({"StreamName": "orders", "ShardCount": 1})).await;
    let data = "A".repeat(1 << 20);
    for key in ["one", "two"] {
        client.ok("PutRecord", json!({"StreamName": "orders", "PartitionKey": key, "Data": data})).await;
    }
    let iterator = client.iterator("orders", "shardId-000000000000", "TRIM_HORIZON").await;
    let request = json!({"ShardIterator": iterator});
    let answer = client.kinesis("GetRecords", &request.to_string()).await;
    assert!(answer.headers.contains("transfer-encoding: chunked"), "{}", answer.headers);
    let read: Value = serde_json::from_slice(&answer.body).unwrap();
    let keys: Vec<_> = read["Records"].as_array().unwrap().iter().map(|record| &record["PartitionKey"]).collect();
    assert_eq!(keys, ["one", "two"]);
    assert_eq!(read["Records"][1]["Data"], json!(data));
    service.faults().inject(Fault::new(FaultKind::Truncate { after: 700_000 }));
    let answer = client.raw("Kinesis_20131202.GetRecords", &request.to_string()).await;
    assert!(answer.ends_with("A\r\n") && answer.len() < 701_000, "{}", answer.len());
}

#[tokio::test]
async fn two_servers_do_not_share_a_port_or_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config.clone()).await.unwrap();
    let error = LocalService::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, LocalError::DataDirInUse { .. }), "{error}");
    let port = service.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let error = LocalService::start(LocalConfig { port, ..LocalConfig::default() }).await.unwrap_err();
    assert!(matches!(error, LocalError::Listen { .. }), "{error}");
    service.shutdown().await;
    LocalService::start(config).await.unwrap().shutdown().await;
}
