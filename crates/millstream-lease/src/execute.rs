use crate::fleet::Fleet;
use crate::{Action, Event, LeaseStore, RenewOutcome, StoreError};

/// What came of an action on the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For the coordinator.
    pub event: Event,
    /// Why the action failed, if it did. The coordinator tries again; where [`StoreError::is_retryable`] says that this
    /// won't help, the driver should end.
    pub error: Option<StoreError>,
}

impl Answer {
    fn failed(error: StoreError, event: impl FnOnce(String) -> Event) -> Self {
        Answer { event: event(error.to_string()), error: Some(error) }
    }
}

/// Carries out one action on the store and returns its answer. `None`: the action is not one of the store.
///
/// Actions of one step may run at the same time: the coordinator has at most one under way for each lease.
pub async fn execute(store: &dyn LeaseStore, worker_id: &str, action: &Action) -> Option<Answer> {
    let (key, answer) = match action {
        Action::Scan => {
            return Some(match store.scan().await {
                Ok(leases) => Answer { event: Event::Scanned(leases), error: None },
                Err(error) => {
                    tracing::warn!(%error, "cannot scan the lease table");
                    Answer::failed(error, |reason| Event::ScanFailed { reason })
                }
            });
        }
        Action::Create(lease) => (&lease.key, {
            let created = store.create(lease).await;
            created.map(|_| Event::Created { key: lease.key.clone() })
        }),
        Action::Renew(lease) => (&lease.key, {
            let renewed = store.renew(lease).await;
            renewed.map(|outcome| renewal(&lease.key, outcome))
        }),
        Action::Take(lease) => (&lease.key, {
            let taken = store.take(lease, worker_id).await;
            taken.map(|taken| taken.map_or_else(|| refused(&lease.key), Event::Taken))
        }),
        Action::Assign { lease, to } => (&lease.key, {
            let assigned = store.take(lease, to).await;
            assigned.map(|assigned| assigned.map_or_else(|| refused(&lease.key), Event::Taken))
        }),
        Action::RequestHandoff { lease, to } => (&lease.key, {
            let asked = store.request_handoff(lease, to).await;
            accepted(asked, &lease.key, |key| Event::HandoffAsked { key })
        }),
        Action::CompleteHandoff(lease) => (&lease.key, {
            let completed = store.complete_handoff(lease).await;
            accepted(completed, &lease.key, |key| Event::HandedOver { key })
        }),
        Action::WithdrawHandoff(lease) => (&lease.key, {
            let withdrawn = store.withdraw_handoff(lease).await;
            accepted(withdrawn, &lease.key, |key| Event::HandoffWithdrawn { key })
        }),
        Action::Release(lease) => (&lease.key, {
            let released = store.release(lease).await;
            accepted(released, &lease.key, |key| Event::Released { key })
        }),
        Action::Delete(lease) => (&lease.key, {
            let deleted = store.delete(lease).await;
            accepted(deleted, &lease.key, |key| Event::Deleted { key })
        }),
        Action::WriteCheckpoint { lease, checkpoint, children } => (&lease.key, {
            let written = store.checkpoint(lease, checkpoint, children).await;
            moved(written, &lease.key, |key, counter| Event::Checkpointed { key, counter })
        }),
        Action::Prepare { lease, pending, state } => (&lease.key, {
            let prepared = store.prepare(lease, pending, state.as_deref()).await;
            moved(prepared, &lease.key, |key, counter| Event::Prepared { key, counter })
        }),
        Action::WriteSession(write) => {
            return Some(match store.write_session(write).await {
                Ok(answer) => Answer { event: Event::SessionWritten(answer), error: None },
                Err(error) => {
                    tracing::warn!(%error, "a sign of life could not be written");
                    Answer::failed(error, |reason| Event::SessionFailed { reason })
                }
            });
        }
        Action::LookAtFleet | Action::Report(_) | Action::Retire(_) | Action::Migrate { .. } => {
            return Some(Answer { event: attend(store, worker_id, action).await, error: None });
        }
        Action::TakeLead { .. } | Action::KeepLead { .. } | Action::Resign { .. } => {
            return Some(Answer { event: lead(store, worker_id, action).await, error: None });
        }
        Action::ListShards { .. } | Action::StartReading { .. } | Action::StopReading { .. } | Action::Done => {
            return None;
        }
    };
    Some(match answer {
        Ok(event) => Answer { event, error: None },
        Err(error) => {
            tracing::warn!(lease = key, %error, "an operation on a lease failed");
            Answer::failed(error, |reason| Event::Failed { key: key.clone(), reason })
        }
    })
}

/// What concerns a fleet of KCL workers. That it fails is no reason to end: leases are read without it, too.
async fn attend(store: &dyn LeaseStore, worker_id: &str, action: &Action) -> Event {
    let Some(fleet) = store.fleet() else {
        return Event::FleetSeen(Fleet::default());
    };
    match action {
        Action::Report(layout) => match fleet.report(worker_id, *layout).await {
            Ok(()) => Event::Reported,
            Err(error) => {
                tracing::warn!(%error, "a leader of KCL workers can't be told of this worker");
                Event::ReportFailed { reason: error.to_string() }
            }
        },
        Action::Retire(layout) => {
            if let Err(error) = fleet.retire(worker_id, *layout).await {
                tracing::warn!(%error, "this worker's row of metrics stays, and is outdated in a minute");
            }
            Event::Retired
        }
        Action::Migrate { step, layout } => {
            let taken = fleet.migrate(worker_id, *step, *layout).await;
            let is_done = taken.unwrap_or_else(|error| {
                tracing::warn!(%error, ?step, "a step of the fleet's migration failed: tried again at the next look");
                false
            });
            Event::Migrated { is_done }
        }
        _ => match fleet.look().await {
            Ok(fleet) => Event::FleetSeen(fleet),
            Err(error) => {
                tracing::warn!(%error, "cannot look for workers of the KCL");
                Event::FleetFailed { reason: error.to_string() }
            }
        },
    }
}

/// What concerns the leader's lock. That it fails is no reason to end, either.
async fn lead(store: &dyn LeaseStore, worker_id: &str, action: &Action) -> Event {
    let Some(fleet) = store.fleet() else {
        return Event::LeadRefused;
    };
    let claimed = match action {
        Action::TakeLead { seen, layout } => fleet.take_lead(worker_id, seen.as_ref(), *layout).await,
        Action::KeepLead { version, layout } => fleet.keep_lead(worker_id, version, *layout).await,
        Action::Resign { version, layout } => {
            if let Err(error) = fleet.resign(worker_id, version, *layout).await {
                tracing::warn!(%error, "the leader's lock could not be given back; it expires by itself");
            }
            return Event::Resigned;
        }
        _ => return Event::LeadRefused,
    };
    match claimed {
        Ok(Some(version)) => Event::LeadTaken { version },
        Ok(None) => Event::LeadRefused,
        Err(error) => {
            tracing::warn!(%error, "the leader's lock can't be written");
            Event::LeadFailed { reason: error.to_string() }
        }
    }
}

fn renewal(key: &str, outcome: RenewOutcome) -> Event {
    match outcome {
        RenewOutcome::Renewed { counter } => Event::Renewed { key: key.to_owned(), counter },
        RenewOutcome::HandoffRequested { lease } => Event::HandoffRequested { lease },
        RenewOutcome::HandoffWithdrawn { lease } => Event::NotWantedAnyMore { lease },
        RenewOutcome::Lost { .. } => refused(key),
    }
}

fn accepted(
    answer: Result<bool, StoreError>,
    key: &str,
    event: impl FnOnce(String) -> Event,
) -> Result<Event, StoreError> {
    answer.map(|is_accepted| if is_accepted { event(key.to_owned()) } else { refused(key) })
}

/// Of a write that moves the counter.
fn moved(
    answer: Result<Option<u64>, StoreError>,
    key: &str,
    event: impl FnOnce(String, u64) -> Event,
) -> Result<Event, StoreError> {
    answer.map(|counter| counter.map_or_else(|| refused(key), |counter| event(key.to_owned(), counter)))
}

fn refused(key: &str) -> Event {
    Event::Refused { key: key.to_owned() }
}
