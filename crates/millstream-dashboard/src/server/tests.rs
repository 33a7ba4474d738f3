#![allow(clippy::unwrap_used)]
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use millstream_engine::BatchListener;

use super::*;
use crate::History;
use crate::testing::{application, batch};

const TOKEN: &str = "sixteen bytes or more";

fn start(config: &DashboardConfig) -> (Dashboard, Arc<Feed>) {
    let feed = Arc::new(Feed::new(History::new(application(), 10)));
    (Dashboard::start(config, Arc::clone(&feed), Vec::new()).unwrap(), feed)
}

fn any_port() -> DashboardConfig {
    DashboardConfig { port: 0, ..DashboardConfig::default() }
}

fn connect(dashboard: &Dashboard, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(dashboard.address).unwrap();
    write!(stream, "{request}\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

/// The whole answer.
fn ask(dashboard: &Dashboard, request: &str) -> String {
    let mut answer = String::new();
    connect(dashboard, &format!("{request} HTTP/1.1\r\nConnection: close")).read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn pages_are_served_until_the_dashboard_is_dropped() {
    let (dashboard, _feed) = start(&any_port());
    assert_eq!(dashboard.url(), format!("http://127.0.0.1:{}", dashboard.address.port()));
    let front = ask(&dashboard, "GET /");
    assert!(front.starts_with("HTTP/1.1 302") && front.contains("location: /streaming/"), "{front}");
    for page in ["/streaming/", "/streaming/batch/?id=1", "/shards/"] {
        let page = ask(&dashboard, &format!("GET {page}"));
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("<!DOCTYPE html>"), "{page}");
        assert!(page.contains("default-src 'none'"), "{page}");
        for file in page.split("/static/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(ask(&dashboard, &format!("GET /static/{file}")).starts_with("HTTP/1.1 200"), "{file}");
        }
    }
    assert!(ask(&dashboard, "GET /api/v1/applications/local-1").contains("\"id\":\"local-1\""));
    assert!(ask(&dashboard, "GET /api/v1/applications/local%2D1").contains("\"id\":\"local-1\""));
    assert!(ask(&dashboard, "GET /metrics").contains("spark_streaming_driver_waitingBatches"));
    assert!(ask(&dashboard, "GET /api/v1/applications/other").starts_with("HTTP/1.1 404"));
    assert!(ask(&dashboard, "GET /other").starts_with("HTTP/1.1 404"));
    assert!(ask(&dashboard, "POST /streaming/").starts_with("HTTP/1.1 405"));
    let address = dashboard.address;
    drop(dashboard);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_page_of_batches_is_told_what_happens() {
    let (dashboard, feed) = start(&any_port());
    let mut lines = BufReader::new(connect(&dashboard, "GET /events/streaming HTTP/1.1")).lines().map(Result::unwrap);
    let mut next = || lines.find(|line| line.starts_with("data: ")).unwrap();
    assert!(next().contains("\"application\""));
    feed.batch_submitted(&batch(1000, [3, 4]));
    assert!(next().contains("[[1000,\"QUEUED\",[3,4]"));
    // A page that is open does not hold up the end.
    drop(dashboard);
}

#[test]
fn a_taken_port_is_passed_over() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (dashboard, _feed) = start(&DashboardConfig { port, ..DashboardConfig::default() });
    assert_ne!(dashboard.address.port(), port);
    let feed = Arc::new(Feed::new(History::new(application(), 10)));
    let config = DashboardConfig { port, retries: 0, ..DashboardConfig::default() };
    let error = Dashboard::start(&config, feed, Vec::new()).err().unwrap();
    assert!(error.to_string().contains(&format!("{port} and the 0 after it can't be had")), "{error}");
}

#[test]
fn other_machines_need_a_token() {
    let everywhere = DashboardConfig { host: Ipv4Addr::UNSPECIFIED.into(), ..any_port() };
    assert!(matches!(everywhere.check(), Err(DashboardError::NoToken { .. })));
    let with_token = |token: &str| DashboardConfig { token: Some(token.to_owned()), ..everywhere.clone() };
    assert!(matches!(with_token("short").check(), Err(DashboardError::ShortToken)));
    assert!(!format!("{:?}", with_token(TOKEN)).contains(TOKEN));

    let (dashboard, _feed) = start(&with_token(TOKEN));
    let refused = ask(&dashboard, "GET /streaming/");
    assert!(refused.starts_with("HTTP/1.1 401") && !refused.contains(TOKEN), "{refused}");
    assert!(ask(&dashboard, "GET /metrics").starts_with("HTTP/1.1 401"));
    let bearer = format!("GET /metrics HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}");
    let mut answer = String::new();
    connect(&dashboard, &bearer).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let welcome = ask(&dashboard, "GET /streaming/batch/?id=7&token=sixteen+bytes+or+more");
    assert!(welcome.starts_with("HTTP/1.1 303"), "{welcome}");
    assert!(welcome.contains("location: /streaming/batch/?id=7\r\n") && welcome.contains("HttpOnly"), "{welcome}");
}

#[test]
fn another_name_for_this_machine_is_refused() {
    let (dashboard, _feed) = start(&any_port());
    let mut stream = TcpStream::connect(dashboard.address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}
