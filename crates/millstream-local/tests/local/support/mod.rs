//! A plain HTTP client for the tests: one connection, requests as AWS SDKs send them.

pub(crate) mod cbor;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

pub(crate) const EAST: &str = "us-east-1";
pub(crate) const JSON: &str = "application/x-amz-json-1.1";
pub(crate) const CBOR: &str = "application/x-amz-cbor-1.1";

pub(crate) struct Client {
    connection: BufStream<TcpStream>,
    region: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(endpoint: &str, region: &str) -> Self {
        let address = endpoint.strip_prefix("http://").unwrap();
        let connection = BufStream::new(TcpStream::connect(address).await.unwrap());
        Self { connection, region: region.to_owned() }
    }

    /// A call that has to succeed; an empty answer is null.
    pub(crate) async fn ok(&mut self, operation: &str, request: Value) -> Value {
        let answer = self.kinesis(operation, &request.to_string()).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{operation} {request}: {text}");
        if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() }
    }

    /// A call that has to fail: the exception and the message.
    pub(crate) async fn fails(&mut self, operation: &str, request: Value) -> (String, String) {
        let answer = self.kinesis(operation, &request.to_string()).await;
        assert_ne!(answer.status, 200, "{operation} {request}");
        answer.error()
    }

    pub(crate) async fn kinesis(&mut self, operation: &str, body: &str) -> Answer {
        self.target(&format!("Kinesis_20131202.{operation}"), body).await
    }

    pub(crate) async fn dynamodb(&mut self, operation: &str, request: Value) -> (u16, Value) {
        let answer = self.target(&format!("DynamoDB_20120810.{operation}"), &request.to_string()).await;
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    pub(crate) async fn target(&mut self, target: &str, body: &str) -> Answer {
        self.send_as(JSON, target, body.as_bytes()).await
    }

    pub(crate) async fn send_as(&mut self, media_type: &str, target: &str, body: &[u8]) -> Answer {
        self.send("POST", "/", &self.headers(media_type, target), body).await.expect("an answer")
    }

    /// `None` if the server is gone.
    pub(crate) async fn try_kinesis(&mut self, operation: &str, body: &str) -> Option<Answer> {
        self.send("POST", "/", &self.headers(JSON, &format!("Kinesis_20131202.{operation}")), body).await
    }

    fn headers(&self, media_type: &str, target: &str) -> String {
        let region = &self.region;
        format!(
            "X-Amz-Target: {target}\r\nContent-Type: {media_type}\r\n\
             X-Amz-Date: 20260102T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=KEY/20260102/{region}/kinesis/aws4_request, \
             SignedHeaders=host, Signature=0\r\n"
        )
    }

    /// `None` if the connection is closed without an answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: impl AsRef<[u8]>,
    ) -> Option<Answer> {
        self.write(method, path, headers, body.as_ref()).await?;
        let mut headers = String::new();
        while !headers.ends_with("\r\n\r\n") {
            if self.connection.read_line(&mut headers).await.ok()? == 0 {
                return None;
            }
        }
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        let lower = headers.to_ascii_lowercase();
        let body = match lower.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            Some(length) => self.exactly(length.parse().unwrap()).await?,
            None => self.chunks().await?,
        };
        Some(Answer { status, headers: lower, body })
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.connection.read_exact(&mut bytes).await.ok()?;
        Some(bytes)
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).await.ok()?;
            let size = usize::from_str_radix(line.trim_end(), 16).ok()?;
            body.extend(self.exactly(size).await?);
            self.exactly(2).await?;
            if size == 0 {
                return Some(body);
            }
        }
    }

    /// All that comes back until the connection ends.
    pub(crate) async fn raw(&mut self, target: &str, body: &str) -> String {
        self.write("POST", "/", &self.headers(JSON, target), body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        self.connection.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn write(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<()> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.connection.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
        self.connection.flush().await.ok()
    }

    pub(crate) async fn put(&mut self, stream: &str, key: &str, data: &[u8]) -> (String, String) {
        let data = base64_simd::STANDARD.encode_to_string(data);
        let put = self.ok("PutRecord", json!({"StreamName": stream, "PartitionKey": key, "Data": data})).await;
        (word(&put["ShardId"]), word(&put["SequenceNumber"]))
    }

    pub(crate) async fn iterator(&mut self, stream: &str, shard: &str, kind: &str) -> String {
        let request = json!({"StreamName": stream, "ShardId": shard, "ShardIteratorType": kind});
        word(&self.ok("GetShardIterator", request).await["ShardIterator"])
    }

    /// All records of a shard from an iterator to the tip or the end, and the last answer.
    pub(crate) async fn drain(&mut self, mut iterator: String, limit: usize) -> (Vec<Value>, Value) {
        let mut records = Vec::new();
        loop {
            let mut read = self.ok("GetRecords", json!({"ShardIterator": iterator, "Limit": limit})).await;
            let page = read["Records"].as_array_mut().unwrap().split_off(0);
            assert!(page.len() <= limit);
            records.extend(page);
            match read["NextShardIterator"].as_str() {
                Some(next) if read["MillisBehindLatest"] != json!(0) => iterator = next.to_owned(),
                Some(_) | None => return (records, read),
            }
        }
    }
}

impl Answer {
    pub(crate) fn error(&self) -> (String, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let message = body.get("message").or(body.get("Message")).and_then(Value::as_str);
        (word(&body["__type"]), message.unwrap_or_default().to_owned())
    }
}

pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn data_of(record: &Value) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(record["Data"].as_str().unwrap()).unwrap()
}
