//! HTTP/2 on the same port as HTTP/1.1.

use std::pin::pin;
use std::time::Duration;

use crate::support::{Client, EAST};
use bytes::Bytes;
use futures::poll;
use h2::client::{ResponseFuture, SendRequest};
use hyper::Request;
use millstream_local::{Fault, FaultKind, LocalConfig, LocalService};
use serde_json::{Value, json};
use tokio::net::TcpStream;

const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0";

async fn connect(endpoint: &str) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).await.unwrap();
    let (requests, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    requests
}

async fn begin(requests: &SendRequest<Bytes>, operation: &str, body: Bytes) -> Result<ResponseFuture, h2::Error> {
    let request = Request::post("http://localhost/")
        .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-date", "20260102T000000Z")
        .header("authorization", AUTHORIZATION)
        .body(())
        .unwrap();
    let (answer, mut upload) = requests.clone().ready().await?.send_request(request, false)?;
    upload.send_data(body, true)?;
    Ok(answer)
}

/// The status and the answer, or that the stream was reset.
async fn call(requests: &SendRequest<Bytes>, operation: &str, body: Bytes) -> Result<(u16, Value), h2::Error> {
    let (head, mut body) = begin(requests, operation, body).await?.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok((head.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
}

#[tokio::test]
async fn requests_of_one_connection_do_not_wait_for_each_other() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let requests = connect(&service.endpoint()).await;
    let create = Bytes::from(json!({"StreamName": "s", "ShardCount": 1}).to_string());
    assert_eq!(call(&requests, "CreateStream", create).await.unwrap(), (200, Value::Null));
    // Larger than the window that a client begins with.
    let data = base64_simd::STANDARD.encode_to_string(vec![7; 1024 * 1024]);
    let put = Bytes::from(json!({"StreamName": "s", "PartitionKey": "k", "Data": data}).to_string());
    let fault = Fault {
        operation: Some("ListStreams".to_owned()),
        times: Some(1),
        ..Fault::new(FaultKind::Latency(Duration::from_secs(600)))
    };
    service.faults().inject(fault);
    let slow = begin(&requests, "ListStreams", Bytes::from_static(b"{}")).await.unwrap();
    for _ in 0..8 {
        let (status, answer) = call(&requests, "PutRecord", put.clone()).await.unwrap();
        assert_eq!((status, &answer["ShardId"]), (200, &json!("shardId-000000000000")));
    }
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    let iterator = client.iterator("s", "shardId-000000000000", "TRIM_HORIZON").await;
    let read = Bytes::from(json!({"ShardIterator": iterator}).to_string());
    let (_, answer) = call(&requests, "GetRecords", read).await.unwrap();
    assert_eq!(answer["Records"].as_array().unwrap().len(), 8);
    assert!(poll!(pin!(slow)).is_pending());
}

#[tokio::test]
async fn a_dropped_connection_is_a_reset_stream_and_the_end_is_announced() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let requests = connect(&service.endpoint()).await;
    let fault =
        Fault { operation: Some("ListStreams".to_owned()), times: Some(1), ..Fault::new(FaultKind::DropConnection) };
    service.faults().inject(fault);
    let list = || call(&requests, "ListStreams", Bytes::from_static(b"{}"));
    assert!(list().await.unwrap_err().is_reset());
    assert_eq!(list().await.unwrap().0, 200);
    service.shutdown().await;
    assert!(list().await.is_err());
}
