//! One keep-alive connection, requests prepared beforehand, answers read into one buffer: the client costs next to nothing.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Connection {
    address: String,
    stream: TcpStream,
    /// The server closes after each answer, as moto's does.
    closes: bool,
    buffer: Vec<u8>,
}

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Cbor,
}

/// A whole request, ready to be sent any number of times.
pub fn request(operation: &str, format: Format, body: &[u8]) -> Vec<u8> {
    let kind = if format == Format::Json { "json" } else { "cbor" };
    let mut request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: Kinesis_20131202.{operation}\r\n\
         Content-Type: application/x-amz-{kind}-1.1\r\nX-Amz-Date: 20260102T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/kinesis/aws4_request, \
         SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

impl Connection {
    pub fn open(address: &str) -> Result<Self> {
        let stream = connect(address)?;
        Ok(Self { address: address.to_owned(), stream, closes: false, buffer: vec![0; 1024 * 1024] })
    }

    /// Sends a request and gives the whole answer.
    pub fn call(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        self.exchange(request, &mut |bytes| body.extend_from_slice(bytes))?;
        Ok(body)
    }

    /// Sends a request and gives the length of the answer, which is not kept.
    pub fn discard(&mut self, request: &[u8]) -> Result<usize> {
        let mut length = 0;
        self.exchange(request, &mut |bytes| length += bytes.len())?;
        Ok(length)
    }

    /// Sends a request and gives what comes of the answer, until it ends.
    pub fn exchange(&mut self, request: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<()> {
        if self.closes {
            self.stream = connect(&self.address)?;
        }
        self.stream.write_all(request)?;
        let mut filled = 0;
        let head = loop {
            let count = self.stream.read(&mut self.buffer[filled..])?;
            if count == 0 {
                return Err(Error::other("the server closed the connection"));
            }
            filled += count;
            if let Some(at) = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let headers = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let ok = headers.split(' ').nth(1) == Some("200");
        self.closes = headers.contains("\r\nconnection: close");
        let named = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
        if !ok {
            let text = String::from_utf8_lossy(&self.buffer[..filled]).into_owned();
            return Err(Error::other(text));
        }
        if let Some(length) = named("content-length:").and_then(|length| length.parse::<usize>().ok()) {
            take(&self.buffer[head..filled]);
            let mut left = length - (filled - head);
            while left > 0 {
                let count = self.stream.read(&mut self.buffer)?;
                if count == 0 {
                    return Err(Error::other("the answer is cut off"));
                }
                take(&self.buffer[..count]);
                left -= count;
            }
            return Ok(());
        }
        self.chunked(head, filled, take)
    }

    /// Chunks, without copying what is in them.
    fn chunked(&mut self, head: usize, filled: usize, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let (mut at, mut filled) = (head, filled);
        loop {
            let line = loop {
                if let Some(end) = self.buffer[at..filled].windows(2).position(|bytes| bytes == b"\r\n") {
                    break &self.buffer[at..at + end];
                }
                (at, filled) = self.more(at, filled)?;
            };
            let text = String::from_utf8_lossy(line).into_owned();
            let size = usize::from_str_radix(text.split(';').next().unwrap_or_default(), 16).map_err(Error::other)?;
            at += line.len() + 2;
            let mut left = size;
            while left > 0 {
                if at == filled {
                    (at, filled) = self.more(at, filled)?;
                }
                let count = left.min(filled - at);
                take(&self.buffer[at..at + count]);
                at += count;
                left -= count;
            }
            while filled - at < 2 {
                (at, filled) = self.more(at, filled)?;
            }
            at += 2;
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// Reads on; what is left from `at` on comes to the front of the buffer. The new place and end.
    fn more(&mut self, at: usize, filled: usize) -> Result<(usize, usize)> {
        self.buffer.copy_within(at..filled, 0);
        let kept = filled - at;
        let count = self.stream.read(&mut self.buffer[kept..])?;
        if count == 0 {
            return Err(Error::other("the answer is cut off"));
        }
        Ok((0, kept + count))
    }
}

fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
