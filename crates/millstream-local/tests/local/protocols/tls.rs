//! TLS on the same port.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Request;
use millstream_local::{LocalConfig, LocalService};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{Client, EAST};

async fn connect(service: &LocalService, ca_pem: &str, name: &str, alpn: &[u8]) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let socket = TcpStream::connect(service.tls_endpoint().strip_prefix("https://").unwrap()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), socket).await
}

#[tokio::test]
async fn one_port_serves_with_tls_and_without() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        let mut stream = connect(&service, service.ca_pem(), name, b"http/1.1").await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"status":"running"}"#), "{answer}");
    }
    assert!(connect(&service, service.ca_pem(), "example.com", b"http/1.1").await.is_err());

    let stream = connect(&service, service.ca_pem(), "localhost", b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let health = Request::get("https://localhost/health").body(()).unwrap();
    let (answer, _) = requests.ready().await.unwrap().send_request(health, true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), Bytes::from_static(br#"{"status":"running"}"#));

    let mut plain = Client::connect(&service.endpoint(), EAST).await;
    plain.ok("ListStreams", json!({})).await;
    // No TLS after all, and nothing at all: neither keeps the service from ending.
    let address = service.endpoint().strip_prefix("http://").unwrap().to_owned();
    let mut wrong = TcpStream::connect(&address).await.unwrap();
    wrong.write_all(&[0x16, 3, 1, 0, 4, 255, 0, 0, 0]).await.unwrap();
    wrong.read_to_end(&mut Vec::new()).await.ok();
    let _silent = TcpStream::connect(&address).await.unwrap();
    plain.ok("ListStreams", json!({})).await;
    service.shutdown().await;
}

#[tokio::test]
async fn the_certificate_is_kept_and_its_authority_is_in_a_file() {
    let home = tempfile::tempdir().unwrap();
    let config = LocalConfig { data_dir: Some(home.path().to_owned()), ..LocalConfig::default() };
    let service = LocalService::start(config.clone()).await.unwrap();
    let ca_path = service.ca_path().unwrap().to_owned();
    let trusted = std::fs::read_to_string(&ca_path).unwrap();
    assert_eq!(trusted, service.ca_pem());
    service.shutdown().await;
    let service = LocalService::start(config.clone()).await.unwrap();
    connect(&service, &trusted, "localhost", b"h2").await.unwrap();
    service.shutdown().await;

    std::fs::write(ca_path.with_file_name("server.pem"), "nonsense").unwrap();
    let error = LocalService::start(config).await.unwrap_err().to_string();
    assert!(
        error.contains("server.pem is damaged: ") && error.ends_with("; remove it to have a new one made"),
        "{error}"
    );
    let other = LocalService::start(LocalConfig::default()).await.unwrap();
    assert_eq!(other.ca_path(), None);
    assert!(connect(&other, &trusted, "localhost", b"h2").await.is_err());
}
