//! What every lease store must do, as one suite: run it on a new store of each kind.
#![allow(clippy::unwrap_used)]

use millstream_kinesis::{Checkpoint, HashKey, HashKeyRange, ShardId};

use super::{LeaseStore, RenewOutcome};
use crate::{Lease, SessionAnswer, SessionWrite, Throughput};

/// Runs the whole suite; panics at the first thing that is not as it must be. Works on leases named `conformance-*`,
/// and leaves some behind.
pub async fn run(store: &dyn LeaseStore) {
    store.ensure().await.unwrap();
    store.ensure().await.unwrap();
    a_lease_is_read_back_as_created(store).await;
    a_second_creation_changes_nothing(store).await;
    only_the_newest_counter_renews(store).await;
    one_of_two_takers_succeeds(store).await;
    checkpoints_are_fenced(store).await;
    a_checkpoint_ends_a_prepared_one(store).await;
    a_checkpoint_is_prepared_by_the_holder_alone(store).await;
    the_reader_tells_its_throughput(store).await;
    the_end_of_a_shard_names_its_children(store).await;
    a_handoff_leaves_the_lease_to_the_old_owner_until_it_is_complete(store).await;
    only_one_worker_can_ask(store).await;
    what_was_asked_for_can_be_withdrawn(store).await;
    a_taken_lease_cannot_be_handed_over(store).await;
    a_release_does_not_undo_a_request(store).await;
    an_answer_lost_on_the_way_is_no_loss(store).await;
    a_deleted_lease_is_gone(store).await;
    a_reset_takes_the_lease_from_its_reader(store).await;
    a_session_lasts_until_it_is_ended(store).await;
    a_renewal_tells_what_became_of_a_handoff(store).await;
}

fn lease(name: &str) -> Lease {
    Lease {
        key: format!("conformance-{name}"),
        owner: None,
        checkpoint_owner: None,
        counter: 0,
        owner_switches: 0,
        checkpoint: Checkpoint::TrimHorizon,
        latest_since_ms: None,
        pending_checkpoint: None,
        pending_state: None,
        parents: Vec::new(),
        children: Vec::new(),
        hash_range: Some(HashKeyRange { start: HashKey::new(1), end: HashKey::MAX }),
        throughput: None,
    }
}

fn at(sequence: &str, sub: u64) -> Checkpoint {
    Checkpoint::from_parts(sequence, sub).unwrap()
}

async fn stored(store: &dyn LeaseStore, lease: &Lease) -> Lease {
    store.get(&lease.key).await.unwrap().unwrap()
}

/// A lease that `worker` has just taken.
async fn taken(store: &dyn LeaseStore, name: &str, worker: &str) -> Lease {
    let lease = lease(name);
    assert!(store.create(&lease).await.unwrap());
    store.take(&lease, worker).await.unwrap().unwrap()
}

async fn a_lease_is_read_back_as_created(store: &dyn LeaseStore) {
    let long = "49680485150637352251675723497566702559855099864716148738";
    let checkpoints = [
        Checkpoint::TrimHorizon,
        Checkpoint::Latest,
        Checkpoint::AtTimestamp,
        Checkpoint::ShardEnd,
        at(long, 0),
        at(long, u64::from(u32::MAX)),
    ];
    for (number, checkpoint) in checkpoints.into_iter().enumerate() {
        let name =
            if number == 3 { "123456789012:orders:1700000000:shard-3".to_owned() } else { format!("created-{number}") };
        let parents: [ShardId; 2] = ["a".into(), "b".into()];
        let lease = Lease {
            checkpoint,
            pending_checkpoint: Some(at("7", 1)),
            pending_state: (number % 2 == 0).then(|| vec![0, 159, number as u8]),
            latest_since_ms: (number == 1).then_some(1_795_421_671_032),
            parents: parents[..number % 3].to_vec(),
            children: parents[..number % 2].to_vec(),
            throughput: Some(Throughput::measured(number as u64 * 1_000_003, 3_333)),
            hash_range: lease("").hash_range.filter(|_| number > 0),
            ..lease(&name)
        };
        assert!(store.create(&lease).await.unwrap());
        assert_eq!(stored(store, &lease).await, lease);
        assert!(store.scan().await.unwrap().contains(&lease));
    }
}

async fn a_second_creation_changes_nothing(store: &dyn LeaseStore) {
    let first = taken(store, "twice", "a").await;
    assert!(!store.create(&lease("twice")).await.unwrap());
    assert_eq!(stored(store, &first).await, first);
}

async fn only_the_newest_counter_renews(store: &dyn LeaseStore) {
    let held = taken(store, "renewed", "a").await;
    let RenewOutcome::Renewed { counter } = store.renew(&held).await.unwrap() else {
        panic!("the owner could not renew");
    };
    assert_eq!(counter, held.counter + 1);
    let held = Lease { counter, ..held };
    let other = store.take(&held, "b").await.unwrap().unwrap();
    assert_eq!(other.owner_switches, held.owner_switches + 1);
    let outcome = store.renew(&held).await.unwrap();
    assert_eq!(outcome, RenewOutcome::Lost { current: Some(other) });
    let outcome = store.renew(&lease("missing")).await.unwrap();
    assert_eq!(outcome, RenewOutcome::Lost { current: None });
}

async fn one_of_two_takers_succeeds(store: &dyn LeaseStore) {
    let free = lease("raced");
    store.create(&free).await.unwrap();
    let first = store.take(&free, "a").await.unwrap().unwrap();
    assert_eq!((first.owner.as_deref(), first.counter), (Some("a"), 1));
    assert_eq!(store.take(&free, "b").await.unwrap(), None);
    assert_eq!(store.take(&lease("missing"), "b").await.unwrap(), None);
    assert!(store.get(&lease("missing").key).await.unwrap().is_none(), "taking made a lease");
}

async fn checkpoints_are_fenced(store: &dyn LeaseStore) {
    let held = taken(store, "fenced", "a").await;
    let counter = store.checkpoint(&held, &at("10", 3), &[]).await.unwrap().unwrap();
    let seen = stored(store, &held).await;
    assert_eq!((seen.counter, &seen.checkpoint), (counter, &at("10", 3)));
    assert_eq!((seen.owner_switches, &seen.pending_checkpoint), (0, &None));
    assert!(seen.children.is_empty() && seen.hash_range == held.hash_range);
    let other = store.take(&seen, "b").await.unwrap().unwrap();
    let held = Lease { counter, ..held };
    assert_eq!(store.checkpoint(&held, &at("11", 0), &[]).await.unwrap(), None);
    assert_eq!(stored(store, &held).await, other);
}

async fn a_checkpoint_is_prepared_by_the_holder_alone(store: &dyn LeaseStore) {
    let held = taken(store, "preparing", "w1").await;
    let counter = store.prepare(&held, &at("9", 2), Some(b"state")).await.unwrap();
    assert_eq!(counter, Some(held.counter + 1));
    let seen = stored(store, &held).await;
    assert_eq!((&seen.checkpoint, &seen.pending_checkpoint), (&held.checkpoint, &Some(at("9", 2))));
    assert_eq!(seen.pending_state.as_deref(), Some(b"state".as_slice()));
    assert_eq!(store.prepare(&held, &at("9", 2), None).await.unwrap(), counter, "the answer was lost on the way");
    let taker = store.take(&seen, "w2").await.unwrap().unwrap();
    assert_eq!(store.prepare(&seen, &at("10", 0), None).await.unwrap(), None, "not the holder any more");
    assert!(store.prepare(&taker, &at("10", 0), None).await.unwrap().is_some());
    let seen = stored(store, &held).await;
    assert_eq!((seen.pending_checkpoint, seen.pending_state), (Some(at("10", 0)), None));
}

async fn a_checkpoint_ends_a_prepared_one(store: &dyn LeaseStore) {
    let (pending_checkpoint, pending_state) = (Some(at("9", 1)), Some(b"prepared".to_vec()));
    let prepared = Lease { pending_checkpoint, pending_state, ..lease("prepared") };
    assert!(store.create(&prepared).await.unwrap());
    let held = store.take(&prepared, "a").await.unwrap().unwrap();
    assert_eq!(
        (&held.pending_checkpoint, &held.pending_state),
        (&prepared.pending_checkpoint, &prepared.pending_state)
    );
    store.checkpoint(&held, &at("9", 1), &[]).await.unwrap().unwrap();
    let seen = stored(store, &held).await;
    assert_eq!((seen.pending_checkpoint, seen.pending_state), (None, None));
}

async fn the_reader_tells_its_throughput(store: &dyn LeaseStore) {
    let mut held = taken(store, "measured", "a").await;
    held.throughput = Some(Throughput::measured(5_000, 3_300));
    let RenewOutcome::Renewed { counter } = store.renew(&held).await.unwrap() else {
        panic!("the owner could not renew");
    };
    assert_eq!(stored(store, &held).await.throughput, held.throughput);
    let next = Lease { counter, throughput: Some(Throughput::measured(1, 3_300)), ..held };
    store.checkpoint(&next, &at("10", 0), &[]).await.unwrap().unwrap();
    let seen = stored(store, &next).await;
    assert_eq!(seen.throughput, next.throughput);
    let other = store.take(&seen, "b").await.unwrap().unwrap();
    assert_eq!(other.throughput, next.throughput, "the next owner begins with what is known");
}

async fn the_end_of_a_shard_names_its_children(store: &dyn LeaseStore) {
    let held = taken(store, "ended", "a").await;
    let children: [ShardId; 2] = ["c".into(), "d".into()];
    store.checkpoint(&held, &Checkpoint::ShardEnd, &children).await.unwrap().unwrap();
    let seen = stored(store, &held).await;
    assert_eq!((seen.checkpoint, seen.children.as_slice()), (Checkpoint::ShardEnd, &children[..]));
}

async fn a_handoff_leaves_the_lease_to_the_old_owner_until_it_is_complete(store: &dyn LeaseStore) {
    let mut held = taken(store, "handed", "a").await;
    assert!(store.request_handoff(&held, "b").await.unwrap());
    let asked = stored(store, &held).await;
    assert_eq!((asked.owner.as_deref(), asked.checkpoint_owner.as_deref()), (Some("b"), Some("a")));
    assert_eq!(asked.counter, held.counter, "a request must not fence the reader");

    let RenewOutcome::HandoffRequested { lease } = store.renew(&held).await.unwrap() else {
        panic!("a renewal must tell of the request");
    };
    assert_eq!(lease, asked);
    held = lease;
    let RenewOutcome::Renewed { counter } = store.renew(&held).await.unwrap() else {
        panic!("the old owner must be able to renew while it finishes");
    };
    held.counter = counter;
    held.counter = store.checkpoint(&held, &at("20", 0), &[]).await.unwrap().unwrap();
    assert!(store.complete_handoff(&held).await.unwrap());
    let seen = stored(store, &held).await;
    assert_eq!((seen.owner.as_deref(), seen.checkpoint_owner.as_deref()), (Some("b"), None));
    assert!(seen.counter > held.counter, "a completed handoff must fence the old owner");
    assert_eq!(store.checkpoint(&held, &at("30", 0), &[]).await.unwrap(), None);
    assert!(!store.complete_handoff(&held).await.unwrap());
}

async fn only_one_worker_can_ask(store: &dyn LeaseStore) {
    let held = taken(store, "asked", "a").await;
    assert!(store.request_handoff(&held, "b").await.unwrap());
    assert!(!store.request_handoff(&held, "c").await.unwrap());
    assert!(!store.request_handoff(&lease("created-1"), "c").await.unwrap(), "nobody owns it");
}

async fn what_was_asked_for_can_be_withdrawn(store: &dyn LeaseStore) {
    let held = taken(store, "withdrawn", "a").await;
    assert!(!store.withdraw_handoff(&held).await.unwrap(), "nobody asked");
    assert!(store.request_handoff(&held, "b").await.unwrap());
    let asked = stored(store, &held).await;
    assert!(store.withdraw_handoff(&asked).await.unwrap());
    assert_eq!(stored(store, &held).await, held, "the old owner notices nothing");
    assert!(!store.complete_handoff(&asked).await.unwrap());
    assert!(matches!(store.renew(&held).await.unwrap(), RenewOutcome::Renewed { .. }));
}

async fn a_taken_lease_cannot_be_handed_over(store: &dyn LeaseStore) {
    let held = taken(store, "too-late", "a").await;
    assert!(store.request_handoff(&held, "b").await.unwrap());
    let held = stored(store, &held).await;
    let other = store.take(&held, "b").await.unwrap().unwrap();
    assert_eq!(other.checkpoint_owner, None);
    assert!(!store.complete_handoff(&held).await.unwrap());
    assert!(matches!(store.renew(&held).await.unwrap(), RenewOutcome::Lost { .. }));
}

async fn a_release_does_not_undo_a_request(store: &dyn LeaseStore) {
    let held = taken(store, "released", "a").await;
    assert!(store.release(&held).await.unwrap());
    let free = stored(store, &held).await;
    assert_eq!((free.owner.as_deref(), free.counter), (None, held.counter + 1));
    assert!(!store.release(&held).await.unwrap());

    let held = store.take(&free, "a").await.unwrap().unwrap();
    assert!(store.request_handoff(&held, "b").await.unwrap());
    assert!(!store.release(&held).await.unwrap());
    assert_eq!(stored(store, &held).await.owner.as_deref(), Some("b"));
}

/// The request was carried out, its answer did not arrive, and it is sent again.
async fn an_answer_lost_on_the_way_is_no_loss(store: &dyn LeaseStore) {
    let held = taken(store, "retried", "a").await;
    assert_eq!(store.renew(&held).await.unwrap(), RenewOutcome::Renewed { counter: 2 });
    assert_eq!(store.renew(&held).await.unwrap(), RenewOutcome::Renewed { counter: 2 });
    let held = Lease { counter: 2, ..held };
    assert_eq!(store.checkpoint(&held, &at("5", 0), &[]).await.unwrap(), Some(3));
    assert_eq!(store.checkpoint(&held, &at("5", 0), &[]).await.unwrap(), Some(3));
    assert_eq!(store.checkpoint(&held, &at("6", 0), &[]).await.unwrap(), None);
}

async fn a_deleted_lease_is_gone(store: &dyn LeaseStore) {
    let held = taken(store, "deleted", "a").await;
    let stale = Lease { counter: held.counter - 1, ..held.clone() };
    assert!(!store.delete(&stale).await.unwrap(), "it has moved on since it was seen");
    assert_eq!(stored(store, &held).await, held);
    assert!(store.delete(&held).await.unwrap());
    assert!(store.delete(&held).await.unwrap());
    assert!(store.get(&held.key).await.unwrap().is_none());
    assert_eq!(store.checkpoint(&held, &at("1", 0), &[]).await.unwrap(), None);
    assert!(store.get(&held.key).await.unwrap().is_none(), "a checkpoint made a lease");
}

async fn a_session_lasts_until_it_is_ended(store: &dyn LeaseStore) {
    let text = |text: &str| text.to_owned();
    let write = async |write: SessionWrite| store.write_session(&write).await.unwrap();
    let begin = |worker: &str, version: &str| SessionWrite::Begin { worker: text(worker), version: text(version) };
    let beat = |seen: &str, version: &str, tells| {
        let (worker, seen, version) = (text("host-1:a.b"), text(seen), text(version));
        SessionWrite::Beat { worker, seen, version, tells }
    };
    let end = |worker: &str, seen: &str| SessionWrite::End { worker: text(worker), seen: text(seen) };
    let mine = |answer: &SessionAnswer| answer.sessions.versions.get("host-1:a.b").cloned();

    assert!(store.sessions().await.unwrap().versions.is_empty());
    assert!(!write(beat("1", "2", false)).await.is_done, "there is none");
    let begun = write(begin("host-1:a.b", "1")).await;
    assert!(begun.is_done && mine(&begun) == Some(text("1")), "{begun:?}");
    let other = write(begin("other", "x")).await;
    assert_eq!(other.sessions.versions.len(), 2);
    assert!(other.sessions.changes > begun.sessions.changes);

    let quiet = write(beat("1", "2", false)).await;
    assert!(quiet.is_done && quiet.sessions.changes == other.sessions.changes, "{quiet:?}");
    assert_eq!(write(beat("1", "2", false)).await, quiet, "the answer was lost on the way");
    let told = write(beat("2", "3", true)).await;
    assert_eq!(told.sessions.changes, quiet.sessions.changes + 1);
    assert!(!write(end("host-1:a.b", "2")).await.is_done, "it has shown a sign of life since");

    let ended = write(end("host-1:a.b", "3")).await;
    assert!(
        ended.is_done && mine(&ended).is_none() && ended.sessions.changes == told.sessions.changes + 1,
        "{ended:?}"
    );
    let late = write(beat("3", "4", true)).await;
    assert!(!late.is_done && late.sessions == ended.sessions, "an ended session does not go on: {late:?}");
    write(begin("host-1:a.b", "5")).await;
    write(begin("host-1:a.b", "6")).await;
    assert!(!write(beat("5", "7", false)).await.is_done, "a worker that was started again ends its own session");
    assert_eq!(store.sessions().await.unwrap().versions["host-1:a.b"], "6");
    assert!(write(end("host-1:a.b", "6")).await.is_done && write(end("other", "x")).await.is_done);
    assert!(store.sessions().await.unwrap().versions.is_empty());
    assert!(
        store.scan().await.unwrap().iter().all(|lease| lease.key.starts_with("conformance-")),
        "sessions are no leases"
    );
}

async fn a_renewal_tells_what_became_of_a_handoff(store: &dyn LeaseStore) {
    let mut held = taken(store, "wavering", "a").await;
    assert!(store.request_handoff(&held, "b").await.unwrap());
    held = stored(store, &held).await;
    assert!(store.withdraw_handoff(&held).await.unwrap());
    let outcome = store.renew(&held).await.unwrap();
    assert_eq!(outcome, RenewOutcome::HandoffWithdrawn { lease: stored(store, &held).await });
    let asked_again = stored(store, &held).await;
    assert!(store.request_handoff(&asked_again, "c").await.unwrap());
    let RenewOutcome::HandoffRequested { lease } = store.renew(&held).await.unwrap() else {
        panic!("a renewal must tell who is the next owner now");
    };
    assert_eq!((lease.owner.as_deref(), lease.counter), (Some("c"), held.counter + 1));
    assert!(store.complete_handoff(&lease).await.unwrap());
}

async fn a_reset_takes_the_lease_from_its_reader(store: &dyn LeaseStore) {
    let held = taken(store, "reset", "a").await;
    let counter = store.prepare(&held, &at("12", 0), Some(b"state")).await.unwrap().unwrap();
    let seen = Lease { counter, ..held.clone() };
    let beginning = lease("reset");
    assert!(!store.reset(&held, &beginning).await.unwrap(), "it was written to since");
    let latest = Lease { checkpoint: Checkpoint::Latest, latest_since_ms: Some(7), ..beginning.clone() };
    assert!(store.reset(&seen, &latest).await.unwrap());
    let free = stored(store, &seen).await;
    assert_eq!(free, Lease { counter: counter + 1, ..latest });
    assert!(matches!(store.renew(&seen).await.unwrap(), RenewOutcome::Lost { .. }));
    assert_eq!(store.checkpoint(&seen, &at("13", 0), &[]).await.unwrap(), None);

    let ended = Lease { checkpoint: Checkpoint::ShardEnd, children: vec!["b".into(), "c".into()], ..beginning.clone() };
    assert!(store.reset(&free, &ended).await.unwrap());
    let ended = Lease { counter: counter + 2, ..ended };
    assert_eq!(stored(store, &ended).await, ended);
    assert!(store.reset(&ended, &beginning).await.unwrap());
    assert_eq!(stored(store, &ended).await, Lease { counter: counter + 3, ..beginning });
}
