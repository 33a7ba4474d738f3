//! Records as they stand in answers, kept for those who read them again: the applications of a stream read the same newest
//! records one after the other, and what has been written for one is sent to the next from where it stands.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::format::Format;

/// Bytes kept, of all blocks together: a full answer in each format.
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// What room is counted in.
const UNIT: usize = 1024;
/// Fewer frames are copied into an answer as quickly as they are sent by themselves.
const WORTHWHILE_BYTES: usize = 32 * 1024;

/// Consecutive records as they stand in answers of one format.
#[derive(Debug)]
pub(crate) struct Passage {
    /// Each record with what separates it from one before it.
    pub(crate) bytes: Bytes,
    /// Bytes of data and keys.
    pub(crate) size: usize,
    /// Index and arrival of the last record.
    pub(crate) last: (u64, u64),
}

/// Those of one block.
#[derive(Debug)]
pub(super) struct Passages {
    room: Room,
    made: Mutex<Made>,
}

/// What there is room for.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

#[derive(Debug, Default)]
struct Made {
    /// Whoever reads the records first may be the only one: nothing is kept for that one.
    has_been_read: bool,
    /// What was written once took more room than there was.
    is_too_large: bool,
    passages: Vec<(Format, Arc<Passage>, OwnedSemaphorePermit)>,
}

impl Passages {
    pub(super) fn new(room: Room) -> Self {
        Self { room, made: Mutex::default() }
    }

    /// The passage in a format, which is written at the second time that one is asked for, if there is room for it.
    pub(super) fn get(
        &self,
        format: Format,
        frame_bytes: usize,
        write: impl FnOnce() -> Passage,
    ) -> Option<Arc<Passage>> {
        if frame_bytes < WORTHWHILE_BYTES {
            return None;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut made.has_been_read, true) {
            return None;
        }
        if let Some((_, passage, _)) = made.passages.iter().find(|(of, ..)| *of == format) {
            return Some(Arc::clone(passage));
        }
        if made.is_too_large {
            return None;
        }
        // No format makes frames smaller by much.
        let mut permit = self.room.take(frame_bytes)?;
        let passage = Arc::new(write());
        let Some(more) = self.room.take(passage.bytes.len().saturating_sub(frame_bytes)) else {
            made.is_too_large = true;
            return None;
        };
        permit.merge(more);
        made.passages.push((format, Arc::clone(&passage), permit));
        Some(passage)
    }
}

impl Room {
    fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(units).ok()
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(KEPT_BYTES / UNIT)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn passage(bytes: usize) -> Passage {
        Passage { bytes: vec![0; bytes].into(), size: 1, last: (1, 0) }
    }

    #[test]
    fn what_is_read_again_is_written_once_for_each_format() {
        let passages = Passages::new(Room::default());
        let mut written = 0;
        let mut get = |format| {
            let found = passages.get(format, WORTHWHILE_BYTES, || {
                written += 1;
                passage(written)
            });
            found.map(|passage| passage.bytes.len())
        };
        let formats = [Format::Json11, Format::Json11, Format::Cbor11, Format::Json11, Format::Cbor11];
        assert_eq!(formats.map(&mut get), [None, Some(1), Some(2), Some(1), Some(2)]);
    }

    #[test]
    fn few_frames_are_not_kept() {
        let passages = Passages::new(Room::default());
        for _ in 0..3 {
            assert!(passages.get(Format::Json11, WORTHWHILE_BYTES - 1, || passage(1)).is_none());
        }
    }

    #[test]
    fn what_there_is_no_room_for_is_written_once_and_not_kept_and_room_comes_back() {
        let room = Room::default();
        let mut written = 0;
        let mut read = |passages: &Passages, bytes| {
            let mut kept = [false; 3];
            for kept in &mut kept {
                let write = || {
                    written += 1;
                    passage(bytes)
                };
                *kept = passages.get(Format::Json11, WORTHWHILE_BYTES, write).is_some();
            }
            (kept[2], std::mem::take(&mut written))
        };
        let [first, second] = [Passages::new(room.clone()), Passages::new(room.clone())];
        assert_eq!(read(&first, KEPT_BYTES - WORTHWHILE_BYTES), (true, 1));
        assert_eq!(read(&second, 2 * WORTHWHILE_BYTES), (false, 1));
        assert_eq!(read(&Passages::new(room.clone()), WORTHWHILE_BYTES), (true, 1));
        assert_eq!(read(&Passages::new(room.clone()), WORTHWHILE_BYTES), (true, 1));
        drop(first);
        assert_eq!(read(&Passages::new(room), 2 * WORTHWHILE_BYTES), (true, 1));
    }
}
