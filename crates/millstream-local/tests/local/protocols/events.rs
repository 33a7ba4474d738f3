//! A client of event streams.

use bytes::Bytes;
use h2::RecvStream;
use hyper::Request;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::support::{CBOR, cbor};

const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0";

/// The answer of a SubscribeToShard.
pub(crate) struct Events {
    connection: Connection,
    received: Vec<u8>,
}

enum Connection {
    Http1(BufStream<TcpStream>),
    Http2(RecvStream),
}

/// The connection ended before the answer did.
#[derive(Debug)]
pub(crate) struct Broken;

pub(crate) struct Message {
    /// The event or exception type.
    pub(crate) kind: String,
    pub(crate) content_type: String,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

impl Events {
    pub(crate) async fn http1(endpoint: &str, format: &str, request: &Value) -> Self {
        let mut stream = BufStream::new(TcpStream::connect(address(endpoint)).await.unwrap());
        let body = encoded(format, request);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Kinesis_20131202.SubscribeToShard\r\nContent-Type: {format}\r\n\
             X-Amz-Date: 20260102T000000Z\r\nAuthorization: {AUTHORIZATION}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        stream.flush().await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).await.unwrap(), 0);
        }
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/vnd.amazon.eventstream\r\n"), "{head}");
        assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
        Self { connection: Connection::Http1(stream), received: Vec::new() }
    }

    pub(crate) async fn http2(endpoint: &str, format: &str, request: &Value) -> Self {
        let (requests, connection) =
            h2::client::handshake(TcpStream::connect(address(endpoint)).await.unwrap()).await.unwrap();
        tokio::spawn(connection);
        let head = Request::post("http://localhost/")
            .header("x-amz-target", "Kinesis_20131202.SubscribeToShard")
            .header("content-type", format)
            .header("x-amz-date", "20260102T000000Z")
            .header("authorization", AUTHORIZATION)
            .body(())
            .unwrap();
        let (answer, mut upload) = requests.ready().await.unwrap().send_request(head, false).unwrap();
        upload.send_data(Bytes::from(encoded(format, request)), true).unwrap();
        let (head, body) = answer.await.unwrap().into_parts();
        assert_eq!(
            (head.status.as_u16(), head.headers["content-type"].as_bytes()),
            (200, &b"application/vnd.amazon.eventstream"[..])
        );
        Self { connection: Connection::Http2(body), received: Vec::new() }
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Broken> {
        loop {
            if let Some(message) = self.message() {
                return Ok(Some(message));
            }
            let more = match &mut self.connection {
                Connection::Http1(stream) => chunk(stream).await.ok_or(Broken)?,
                Connection::Http2(body) => match body.data().await {
                    None => Vec::new(),
                    Some(data) => {
                        let data = data.map_err(|_| Broken)?;
                        body.flow_control().release_capacity(data.len()).unwrap();
                        data.to_vec()
                    }
                },
            };
            if more.is_empty() {
                assert!(self.received.is_empty(), "the stream ends in the middle of a message");
                return Ok(None);
            }
            self.received.extend_from_slice(&more);
        }
    }

    /// The next message, which has to be an event with records or without.
    pub(crate) async fn event(&mut self) -> Value {
        let message = self.next().await.unwrap().expect("an event");
        assert_eq!(message.kind, "SubscribeToShardEvent", "{}", String::from_utf8_lossy(&message.payload));
        message.json()
    }

    fn message(&mut self) -> Option<Message> {
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
        let length = usize::try_from(number(self.received.get(..4)?)).unwrap();
        let whole: Vec<u8> = self.received.get(..length)?.to_vec();
        self.received.drain(..length);
        assert_eq!(number(&whole[8..12]), crc32fast::hash(&whole[..8]));
        assert_eq!(number(&whole[length - 4..]), crc32fast::hash(&whole[..length - 4]));
        let payload_at = 12 + usize::try_from(number(&whole[4..8])).unwrap();
        let mut headers = &whole[12..payload_at];
        let mut message = Message {
            kind: String::new(),
            content_type: String::new(),
            payload: whole[payload_at..length - 4].to_vec(),
        };
        while let [name_length, rest @ ..] = headers {
            let (name, rest) = rest.split_at(usize::from(*name_length));
            assert_eq!(rest[0], 7, "a string");
            let (value, rest) = rest[3..].split_at(usize::from(u16::from_be_bytes([rest[1], rest[2]])));
            let value = String::from_utf8(value.to_vec()).unwrap();
            match name {
                b":message-type" => assert!(value == "event" || value == "exception"),
                b":event-type" | b":exception-type" => message.kind = value,
                b":content-type" => message.content_type = value,
                _ => panic!("the header {}", String::from_utf8_lossy(name)),
            }
            headers = rest;
        }
        Some(message)
    }
}

fn address(endpoint: &str) -> &str {
    endpoint.strip_prefix("http://").unwrap()
}

fn encoded(format: &str, request: &Value) -> Vec<u8> {
    if format == CBOR { cbor::encode(request) } else { request.to_string().into_bytes() }
}

/// A chunk of a body; the last is empty. `None` if the connection ends before.
async fn chunk(stream: &mut BufStream<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let length = usize::from_str_radix(line.strip_suffix("\r\n")?, 16).unwrap();
    let mut bytes = vec![0; length + 2];
    stream.read_exact(&mut bytes).await.ok()?;
    bytes.truncate(length);
    Some(bytes)
}
