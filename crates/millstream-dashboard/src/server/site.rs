//! What is at which path.

use std::sync::Arc;

use hyper::header::{ALLOW, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use millstream_engine::now_ms;
use tokio::sync::mpsc;

use super::guard::{Guard, Verdict};
use super::reply::{Content, events, redirect, reply, text};
use crate::board::Board;
use crate::feed::Feed;
use crate::{assets, live, metrics, rest};

/// What is served. It is only read: no request changes anything.
pub(super) struct Site {
    feed: Arc<Feed>,
    board: Arc<Board>,
    guard: Guard,
}

impl Site {
    pub(super) fn new(feed: Arc<Feed>, board: Arc<Board>, guard: Guard) -> Self {
        Self { feed, board, guard }
    }

    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<Content> {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        match self.guard.judge(request.headers(), query) {
            Verdict::Allowed => {}
            Verdict::Welcome(cookie) => return welcome(path, query, cookie),
            Verdict::Unknown => return unknown(),
            Verdict::WrongHost => {
                let why = "This dashboard is asked for by another name than this machine's. Open it as http://localhost, or set a \
                           token (spark.millstream.ui.token).\n";
                return text(StatusCode::FORBIDDEN, why);
            }
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "The dashboard is only read.\n");
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        self.page(request, path, query).await
    }

    async fn page<B>(&self, request: &Request<B>, path: &str, query: &str) -> Response<Content> {
        let decoded: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [] => redirect(StatusCode::FOUND, "/streaming/"),
            ["api", "v1", rest @ ..] => match rest::answer(&self.feed, &self.board, rest, query, now_ms()).await {
                Ok(value) => reply(StatusCode::OK, "application/json", value.to_string()),
                Err(rest::NotFound(why)) => text(StatusCode::NOT_FOUND, why),
            },
            ["metrics"] | ["metrics", "prometheus"] => {
                let snapshot = self.board.look().await;
                let metrics = metrics::answer(&self.feed.history(), &snapshot);
                reply(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics)
            }
            ["events", "streaming"] => {
                let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
                let (page, told) = mpsc::channel(1);
                tokio::spawn(live::tell_batches(Arc::clone(&self.feed), live::Page::of_event_id(last), now_ms, page));
                events(told)
            }
            ["events", "shards"] => {
                let (page, told) = mpsc::channel(1);
                tokio::spawn(live::tell_shards(Arc::clone(&self.board), page));
                events(told)
            }
            other => match assets::find(other) {
                Some(asset) => reply(StatusCode::OK, asset.content_type, asset.content),
                None => text(
                    StatusCode::NOT_FOUND,
                    format!("There is no {path} here. The pages: /streaming/ and /shards/.\n"),
                ),
            },
        }
    }
}

/// Percent signs are taken for what they stand for; a plus is one.
fn decode(part: &str) -> String {
    let with_plus = part.replace('+', "%2B");
    form_urlencoded::parse(with_plus.replace('=', "%3D").replace('&', "%26").as_bytes())
        .map(|(name, _)| name.into_owned())
        .next()
        .unwrap_or_default()
}

/// To the same page without the token, which stays in a cookie and not in the browser's history.
fn welcome(path: &str, query: &str, cookie: HeaderValue) -> Response<Content> {
    let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "token");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    // One slash: two would be another host.
    let path = path.trim_start_matches('/');
    let to = if query.is_empty() { format!("/{path}") } else { format!("/{path}?{query}") };
    let mut response = redirect(StatusCode::SEE_OTHER, &to);
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

fn unknown() -> Response<Content> {
    let how = "This dashboard asks for a token. Open it once with ?token=… at the end of the address, or send the header\n\
               Authorization: Bearer …. The token is what the program has set as spark.millstream.ui.token.\n";
    let mut response = text(StatusCode::UNAUTHORIZED, how);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
