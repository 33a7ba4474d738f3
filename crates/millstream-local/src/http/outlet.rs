//! What lets a large answer be sent while it is written.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::Body;

/// Bytes that are worth sending by themselves: of fewer, to wake who sends them costs as much as to write them. A smaller
/// answer is sent whole, with its length.
const PIECE: usize = 1024 * 1024;
/// Pieces that may wait for the client: an answer of usual size, so that no thread waits for a slow one.
const AHEAD: usize = 32;
/// So few bytes are copied to be sent: their buffer is used on.
const COPIED: usize = 16 * 1024;
/// Buffers that are kept, 13 MB of them.
const SPARE: usize = 12;

/// Buffers of pieces that have been sent: to fill one again costs half of what filling a new one does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// Takes an answer piece by piece. For a thread beside the connections.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// To be given the body once there is a piece of it.
    body: Option<(oneshot::Sender<Body>, mpsc::Receiver<Bytes>)>,
    pieces: mpsc::Sender<Bytes>,
    buffers: Buffers,
}

/// A piece that gives its buffer back.
struct Piece {
    bytes: Vec<u8>,
    buffers: Buffers,
}

impl Outlet {
    /// The receiver has the body once it is too large to be sent whole; until then the answer is its writer's.
    pub(crate) fn new(buffers: Buffers) -> (Self, oneshot::Receiver<Body>) {
        let (begun, body) = oneshot::channel();
        let (pieces, from) = mpsc::channel(AHEAD);
        (Self { body: Some((begun, from)), pieces, buffers }, body)
    }

    /// Sends what has been written since the last piece, if it is worth it.
    pub(crate) fn flow(&mut self, written: &mut Vec<u8>) {
        if written.len() < PIECE {
            return;
        }
        self.send(written);
    }

    /// Sends what has been written, and behind it bytes that stand elsewhere.
    pub(crate) fn splice(&mut self, written: &mut Vec<u8>, bytes: Bytes) {
        self.send(written);
        self.send_piece(bytes);
    }

    fn send(&mut self, written: &mut Vec<u8>) {
        if written.len() < COPIED {
            self.send_piece(Bytes::copy_from_slice(written));
            written.clear();
        } else {
            let bytes = std::mem::replace(written, self.buffers.take());
            self.send_piece(Bytes::from_owner(Piece { bytes, buffers: self.buffers.clone() }));
        }
    }

    fn send_piece(&mut self, piece: Bytes) {
        // An empty one would be the end.
        if piece.is_empty() {
            return;
        }
        if let Some((begun, from)) = self.body.take() {
            // A client that is gone needs no answer; nor does it below.
            let _ = begun.send(Body::Growing(from));
        }
        let _ = self.pieces.blocking_send(piece);
    }

    /// Sends the last of it, if any has been sent before; gives it back otherwise.
    pub(crate) fn end(self, written: Vec<u8>) -> Vec<u8> {
        if self.body.is_some() {
            return written;
        }
        for piece in [Bytes::from(written), Bytes::new()] {
            let _ = self.pieces.blocking_send(piece);
        }
        Vec::new()
    }
}

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(PIECE + PIECE / 8))
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that had to grow for a large record is not kept.
        if spare.len() < SPARE && buffer.capacity() < 2 * PIECE {
            spare.push(buffer);
        }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http_body_util::BodyExt;

    use super::*;
    use crate::http::Dropped;

    /// Flows `pieces` pieces and gives what is left to be sent whole.
    fn write(outlet: &mut Outlet, pieces: usize) -> Vec<u8> {
        let mut written = Vec::new();
        for nth in 0..pieces {
            written.resize(PIECE, b'0' + nth as u8);
            outlet.flow(&mut written);
            assert!(written.is_empty());
        }
        written.extend_from_slice(b"the rest");
        written
    }

    fn gathered(body: Body) -> Result<Bytes, Dropped> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(body.collect()).map(http_body_util::Collected::to_bytes)
    }

    #[test]
    fn a_large_answer_is_all_of_its_pieces_and_a_small_one_its_writers() {
        let (mut outlet, mut body) = Outlet::new(Buffers::default());
        let rest = write(&mut outlet, 3);
        assert_eq!(outlet.end(rest), b"");
        let body = body.try_recv().unwrap();
        let all = gathered(body).unwrap();
        let expected = [vec![b'0'; PIECE], vec![b'1'; PIECE], vec![b'2'; PIECE], b"the rest".to_vec()].concat();
        assert!(all == expected, "{} bytes", all.len());

        let (mut outlet, mut body) = Outlet::new(Buffers::default());
        let rest = write(&mut outlet, 0);
        assert_eq!(outlet.end(rest), b"the rest");
        assert!(body.try_recv().is_err());
    }

    #[test]
    fn an_answer_that_is_given_up_does_not_look_whole() {
        let (mut outlet, mut body) = Outlet::new(Buffers::default());
        write(&mut outlet, 1);
        drop(outlet);
        assert!(gathered(body.try_recv().unwrap()).is_err());
    }
}
