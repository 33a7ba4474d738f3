//! Leases in an SQLite file, by several connections as by several processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use millstream_kinesis::{Checkpoint, HashKeyRange, Shard};
use millstream_lease::store::conformance;
use millstream_lease::{Lease, LeaseStore, SqliteLeaseStore, StoreError, StoreUrl};

fn lease(key: &str) -> Lease {
    let hash_range = HashKeyRange::ALL;
    let shard = Shard { id: key.into(), parents: Vec::new(), hash_range, first: 1u128.into(), last: None };
    Lease::of_shard(&shard, Checkpoint::TrimHorizon)
}

async fn open(folder: &Path, application: &str) -> SqliteLeaseStore {
    let store = SqliteLeaseStore::open(folder.join("leases.db"), application).await.unwrap();
    store.ensure().await.unwrap();
    store
}

#[tokio::test]
async fn it_keeps_every_promise_of_a_lease_store() {
    let folder = tempfile::tempdir().unwrap();
    conformance::run(&open(folder.path(), "application").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_connections_only_one_succeeds_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "a").await.create(&lease("s")).await.unwrap();
    let workers = ["first", "second"].map(|worker| {
        let folder = folder.path().to_owned();
        tokio::spawn(async move {
            let store = open(&folder, "a").await;
            let mut taken = 0;
            for _ in 0..100 {
                let seen = store.get("s").await.unwrap().unwrap();
                // A look and a write of the other between them: one of the two is refused.
                if let Some(lease) = store.take(&seen, worker).await.unwrap() {
                    assert_eq!((lease.counter, lease.owner.as_deref()), (seen.counter + 1, Some(worker)));
                    taken += 1;
                }
            }
            taken
        })
    });
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.unwrap();
    }
    let stored = open(folder.path(), "a").await.get("s").await.unwrap().unwrap();
    assert_eq!(stored.counter, taken, "a write was lost");
}

#[tokio::test]
async fn applications_in_one_file_do_not_see_each_other_and_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), "a").await.create(&lease("s")).await.unwrap();
    let other = open(folder.path(), "b").await;
    assert!(other.scan().await.unwrap().is_empty());
    assert!(other.take(&lease("s"), "w").await.unwrap().is_none());
    let url: StoreUrl = format!("sqlite://{}", folder.path().join("leases.db").display()).parse().unwrap();
    assert_eq!(url.open("a").await.unwrap().scan().await.unwrap(), [lease("s")]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leases.db");
    std::fs::write(&path, "this is a text, and long enough not to be taken for an empty database").unwrap();
    for (path, said) in
        [(path.as_path(), "not a database"), (&folder.path().join("missing/leases.db"), "unable to open")]
    {
        let error = SqliteLeaseStore::open(path, "a").await.expect_err("it was opened");
        assert!(matches!(error, StoreError::BadFile { .. }) && !error.is_retryable(), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(said) && text.contains(&path.display().to_string()), "{text}");
    }
}
