//! Leases in Postgres: a real server in a temporary folder, on a socket of its own (`make test-postgres`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use millstream_kinesis::{Checkpoint, HashKeyRange, Shard};
use millstream_lease::store::conformance;
use millstream_lease::{Lease, LeaseStore, PostgresLeaseStore, StoreError, StoreUrl};
use tempfile::TempDir;

/// A Postgres server that ends with this value.
struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        if is_root() {
            let given = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
            assert!(given.success(), "the folder can't be given to the user postgres");
        }
        let made =
            command("initdb").arg("-D").arg(&data).args(["-A", "trust", "-U", "postgres", "-N"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = command("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-c", "listen_addresses="]);
        let process = server.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let server = Server { process, folder };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while let Err(error) = server.store("start").ensure().await {
            assert!(tokio::time::Instant::now() < deadline, "the server did not start: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    fn url(&self) -> String {
        format!("postgresql:///postgres?user=postgres&host={}", self.folder.path().display())
    }

    fn store(&self, application: &str) -> PostgresLeaseStore {
        PostgresLeaseStore::new(&self.url(), application).unwrap()
    }

    /// Ends all connections, as a restart of the server does.
    fn drop_connections(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'millstream'";
        let psql = command("psql").args(["-U", "postgres", "-c", sql, "-h"]).arg(self.folder.path()).output().unwrap();
        assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An immediate stop: what is in the folder goes with it.
        let pid = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
        let _ = self.process.wait();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

/// A program of Postgres; it refuses to run as root.
fn command(program: &str) -> Command {
    let path = installed(program);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(path).current_dir("/");
    command
}

/// Debian keeps the server's programs out of the PATH.
fn installed(program: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.unwrap().path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let found = folders.iter().map(|folder| folder.join(program)).find(|path| Path::exists(path));
    found.unwrap_or_else(|| panic!("`{program}` is not installed: apt-get install postgresql"))
}

fn lease(key: &str) -> Lease {
    let hash_range = HashKeyRange::ALL;
    let shard = Shard { id: key.into(), parents: Vec::new(), hash_range, first: 1u128.into(), last: None };
    Lease::of_shard(&shard, Checkpoint::TrimHorizon)
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_in_postgres() {
    let server = Server::start().await;
    conformance::run(&server.store("application")).await;
    several_workers_never_both_succeed(&server).await;
    applications_do_not_see_each_other(&server).await;
    a_lost_connection_is_made_anew(&server).await;
    what_is_wrong_is_told(&server).await;
}

async fn several_workers_never_both_succeed(server: &Server) {
    server.store("raced").create(&lease("s")).await.unwrap();
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let store = server.store("raced");
            tokio::spawn(async move {
                let worker = format!("w{worker}");
                let mut taken = 0;
                for _ in 0..50 {
                    let seen = store.get("s").await.unwrap().unwrap();
                    taken += u64::from(store.take(&seen, &worker).await.unwrap().is_some());
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.unwrap();
    }
    assert_eq!(server.store("raced").get("s").await.unwrap().unwrap().counter, taken, "a write was lost");
}

async fn applications_do_not_see_each_other(server: &Server) {
    server.store("one").create(&lease("s")).await.unwrap();
    assert!(server.store("other").scan().await.unwrap().is_empty());
    let url: StoreUrl = server.url().parse().unwrap();
    assert_eq!(url.open("one").await.unwrap().scan().await.unwrap(), [lease("s")]);
}

async fn a_lost_connection_is_made_anew(server: &Server) {
    let store = server.store("lost");
    store.create(&lease("s")).await.unwrap();
    server.drop_connections();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while let Err(error) = store.scan().await {
        assert!(error.is_retryable() && tokio::time::Instant::now() < deadline, "{error}");
    }
    assert_eq!(store.scan().await.unwrap(), [lease("s")]);
}

async fn what_is_wrong_is_told(server: &Server) {
    let missing = server.url().replace("user=postgres", "user=nobody&password=hidden");
    let error = PostgresLeaseStore::new(&missing, "a").unwrap().ensure().await.unwrap_err();
    assert!(matches!(error, StoreError::Credentials { .. }), "{error:?}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    let error =
        PostgresLeaseStore::new("postgresql://a:hidden@127.0.0.1:9/d", "a").unwrap().ensure().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("postgresql://127.0.0.1:9/d"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
}
