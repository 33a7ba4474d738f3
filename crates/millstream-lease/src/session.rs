//! Signs of life of workers that do not renew each lease: one for all leases of a worker, in one row of the table
//! (`docs/adr/0016-one-sign-of-life-a-worker.md`).

use std::collections::BTreeMap;

/// The sessions of an application's workers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// By worker: another version at each sign of life.
    pub versions: BTreeMap<String, String>,
    /// Grows when leases have changed hands, and at the beginning and the end of a session.
    pub changes: u64,
}

/// A change of one worker's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionWrite {
    /// Begins a session; an earlier one of a worker of this name is over with it.
    Begin {
        /// The worker.
        worker: String,
        /// The first version, never used before.
        version: String,
    },
    /// A sign of life, where the version is still `seen`.
    Beat {
        /// The worker.
        worker: String,
        /// Its last version.
        seen: String,
        /// Its next one.
        version: String,
        /// Whether leases have changed hands by this worker.
        tells: bool,
    },
    /// Ends a session whose version is `seen`: the writer's own, or that of a worker which has shown no sign of life since.
    End {
        /// The worker.
        worker: String,
        /// Its last version.
        seen: String,
    },
}

/// What became of a [`SessionWrite`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionAnswer {
    /// `false`: the version was not the one that was seen. Nothing was written.
    pub is_done: bool,
    /// As they are now.
    pub sessions: Sessions,
}

impl SessionWrite {
    /// For stores that can look at the sessions and change them in one step; the DynamoDB store has the same as expressions.
    pub(crate) fn apply(&self, sessions: &mut Sessions) -> bool {
        let has_met = match self {
            SessionWrite::Begin { worker, version } => {
                sessions.versions.insert(worker.clone(), version.clone());
                true
            }
            SessionWrite::Beat { worker, seen, version, .. } => {
                let stored = sessions.versions.get_mut(worker).filter(|stored| *stored == seen);
                stored.map(|stored| stored.clone_from(version)).is_some()
            }
            SessionWrite::End { worker, seen } => {
                let is_met = sessions.versions.get(worker) == Some(seen);
                if is_met {
                    sessions.versions.remove(worker);
                }
                is_met
            }
        };
        sessions.changes += u64::from(has_met && self.tells());
        has_met || self.was_done(sessions)
    }

    /// Whether the others are to look at the leases.
    pub(crate) fn tells(&self) -> bool {
        !matches!(self, SessionWrite::Beat { tells: false, .. })
    }

    /// Whether a refused sign of life was written already, by a request whose answer was lost on the way.
    pub(crate) fn was_done(&self, sessions: &Sessions) -> bool {
        matches!(self, SessionWrite::Beat { worker, version, .. } if sessions.versions.get(worker) == Some(version))
    }
}
