//! The body of an answer: all at once, or piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::reply::Dropped;

/// What follows the head of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it; empty once it has been sent.
    Whole(Bytes),
    /// Pieces of an answer that is sent while it is written. An empty one ends it; without that it has failed.
    Growing(mpsc::Receiver<Bytes>),
    /// Pieces, until the sender is gone. What the client has not yet taken waits in the channel, and the sender with it.
    Pieces {
        /// Where they come from.
        from: mpsc::Receiver<Bytes>,
        /// When the connection is dropped, if a fault says so.
        drop: Option<DropAfter>,
    },
}

/// After which pieces a connection is dropped.
#[derive(Debug)]
pub(crate) struct DropAfter {
    left: usize,
    /// The pieces before it are let out first.
    linger: Option<Pin<Box<Sleep>>>,
}

/// How long the pieces before a drop may take to the client.
const LINGER: Duration = Duration::from_millis(50);

impl DropAfter {
    pub(crate) fn new(pieces: usize) -> Self {
        Self { left: pieces, linger: None }
    }

    /// Ready when the last piece has had its time.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER))).as_mut().poll(context)
    }
}

impl Body {
    /// The same, ended after so many bytes without what it should have ended with. Nothing is done to an event stream.
    pub(crate) async fn truncated(self, after: usize) -> Self {
        let bytes = match self {
            Self::Whole(bytes) => bytes,
            Self::Growing(mut from) => {
                let mut bytes = Vec::new();
                while let Some(piece) = from.recv().await {
                    bytes.extend_from_slice(&piece);
                }
                bytes.into()
            }
            Self::Pieces { .. } => return self,
        };
        let (sender, from) = mpsc::channel(1);
        // The channel takes one piece; that it is not the whole answer shows by the connection's end.
        let _ = sender.try_send(bytes.slice(..after.min(bytes.len())));
        Self::Pieces { from, drop: Some(DropAfter::new(1)) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Growing(from) => from.poll_recv(context).map(|piece| match piece {
                Some(piece) if piece.is_empty() => None,
                Some(piece) => Some(Ok(Frame::data(piece))),
                None => Some(Err(Dropped)),
            }),
            Self::Pieces { drop: Some(after), .. } if after.left == 0 => {
                after.poll_linger(context).map(|()| Some(Err(Dropped)))
            }
            Self::Pieces { from, drop } => from.poll_recv(context).map(|piece| {
                if let Some(after) = drop {
                    after.left -= 1;
                }
                piece.map(|piece| Ok(Frame::data(piece)))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Growing(_) | Self::Pieces { .. } => SizeHint::default(),
        }
    }
}
