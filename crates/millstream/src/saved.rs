//! The states of a context, as the engine's recovery log writes and reads them: JSON under the names of their operators.

use crate::lock::lock;
use millstream_engine::{BoxError, SavedState, States};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A state that outlives its process.
pub(crate) trait Saved: Send {
    /// What the last batch has changed, at first everything.
    fn changes(&mut self) -> Result<Vec<u8>, BoxError>;

    /// Everything.
    fn all(&mut self) -> Result<Vec<u8>, BoxError>;

    /// Goes on from what [`Saved::all`] and then [`Saved::changes`] gave, in order.
    fn restore(&mut self, saved: Vec<Vec<u8>>) -> Result<(), BoxError>;
}

/// A state with its name.
type Named = (String, Arc<Mutex<dyn Saved>>);

/// All states of a context.
#[derive(Clone, Default)]
pub(crate) struct SavedStates(Arc<Mutex<Vec<Named>>>);

impl SavedStates {
    /// Names a state: its kind, and which of its kind it is in the order of the program.
    pub(crate) fn add(&self, kind: &str, state: Arc<Mutex<dyn Saved>>) {
        let mut states = lock(&self.0);
        let number =
            1 + states.iter().filter(|(name, _)| name.rsplit_once(' ').is_some_and(|(of, _)| of == kind)).count();
        states.push((format!("{kind} {number}"), state));
    }

    fn ask(&self, ask: impl Fn(&mut dyn Saved) -> Result<Vec<u8>, BoxError>) -> Result<Vec<SavedState>, BoxError> {
        let states = lock(&self.0);
        let saved = states.iter().map(|(name, state)| {
            let bytes =
                ask(&mut *lock(state)).map_err(|error| format!("the state of `{name}` can't be saved: {error}"))?;
            Ok(SavedState { name: name.clone(), bytes })
        });
        saved.collect()
    }
}

impl States for SavedStates {
    fn restore(&mut self, saved: Vec<SavedState>) -> Result<(), BoxError> {
        let mut pieces: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for SavedState { name, bytes } in saved {
            pieces.entry(name).or_default().push(bytes);
        }
        for (name, state) in lock(&self.0).iter() {
            if let Some(pieces) = pieces.remove(name) {
                let restored = lock(state).restore(pieces);
                restored.map_err(|error| format!("the saved state of `{name}` can't be read: {error}"))?;
            }
        }
        for name in pieces.keys() {
            tracing::warn!(name, "the program has no such state any more: it is dropped");
        }
        Ok(())
    }

    fn changes(&mut self) -> Result<Vec<SavedState>, BoxError> {
        self.ask(|state| state.changes())
    }

    fn all(&mut self) -> Result<Vec<SavedState>, BoxError> {
        self.ask(|state| state.all())
    }
}

pub(crate) fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, BoxError> {
    Ok(serde_json::to_vec(value)?)
}

pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BoxError> {
    Ok(serde_json::from_slice(bytes)?)
}
