use millstream_kinesis::{Checkpoint, HashKeyRange, InitialPosition, Shard, ShardId};
use millstream_lease::fleet::{Fleet, FleetWorker, Index, LeaderLock, Metric, Utilisation};
use millstream_lease::migration::{ClientVersion, TableMigration, TableStatus};
use millstream_lease::{Lease, SessionAnswer, Sessions, StreamStart};

/// The value of `name=value`.
pub(super) fn value<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let mut pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

pub(super) fn checkpoint(text: &str) -> Checkpoint {
    text.parse().expect("a checkpoint")
}

pub(super) fn initial(text: &str) -> InitialPosition {
    match text {
        "TRIM_HORIZON" => InitialPosition::TrimHorizon,
        "LATEST" => InitialPosition::Latest,
        "AT_TIMESTAMP" => InitialPosition::AtTimestamp(1_000),
        _ => panic!("what is `{text}`?"),
    }
}

pub(super) fn shards(list: Option<&str>) -> Vec<ShardId> {
    list.into_iter().flat_map(|list| list.split(',')).map(ShardId::from).collect()
}

/// `[refused] changes=3 w1=1-0 w2=x`
pub(super) fn sessions(words: &[&str]) -> SessionAnswer {
    let pairs = words.iter().filter_map(|word| word.split_once('=')).filter(|(name, _)| *name != "changes");
    let versions = pairs.map(|(worker, version)| (worker.to_owned(), version.to_owned())).collect();
    let changes = value(words, "changes").expect("changes=").parse().expect("a number");
    SessionAnswer { is_done: !words.contains(&"refused"), sessions: Sessions { versions, changes } }
}

/// `1:orders:7 [initial=LATEST]`
pub(super) fn stream(line: &str) -> (String, StreamStart) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let initial = value(&words, "initial").map_or(InitialPosition::TrimHorizon, initial);
    (words[0].to_owned(), StreamStart { initial, latest_since_ms: None })
}

/// `s0 open|closed [parents=a,b]`
pub(super) fn shard(line: &str) -> Shard {
    let words: Vec<&str> = line.split_whitespace().collect();
    Shard {
        id: words[0].into(),
        parents: shards(value(&words, "parents")),
        hash_range: HashKeyRange::ALL,
        first: 1u128.into(),
        last: match words[1] {
            "open" => None,
            "closed" => Some(9u128.into()),
            other => panic!("`{other}` is neither open nor closed"),
        },
    }
}

/// `s0 [owner=w1] [reader=w2] [counter=3] [at=TRIM_HORIZON] [parents=a,b] [children=c,d] [kbps=1.5]`
pub(super) fn lease(line: &str) -> Lease {
    let words: Vec<&str> = line.split_whitespace().collect();
    let owned = |name| value(&words, name).map(str::to_owned);
    Lease {
        key: words[0].to_owned(),
        owner: owned("owner"),
        checkpoint_owner: owned("reader"),
        counter: value(&words, "counter").map_or(0, |counter| counter.parse().expect("a counter")),
        owner_switches: 0,
        checkpoint: checkpoint(value(&words, "at").unwrap_or("TRIM_HORIZON")),
        latest_since_ms: None,
        pending_checkpoint: None,
        pending_state: None,
        parents: shards(value(&words, "parents")),
        children: shards(value(&words, "children")),
        hash_range: Some(HashKeyRange::ALL),
        throughput: value(&words, "kbps").map(|kbps| kbps.parse().expect("a throughput")),
    }
}

/// `C=40/80`: the value of a metric and its limit.
pub(super) fn utilisation(words: &[&str]) -> Utilisation {
    let metric = |text: &str| {
        let (value, limit) = text.split_once('/').expect("value/limit");
        Metric { value: value.parse().expect("a value"), limit: limit.parse().expect("a limit") }
    };
    value(words, "C").map(|text| ("C".to_owned(), metric(text))).into_iter().collect()
}

/// `[version=CLIENT_VERSION_3X] [index=building|active] [tables=three|INIT|DEPLOYED|PENDING|COMPLETE for=7 entries=1]
/// [leader=java-1 lock=v1 [released]]`, and lines `java-1 age=5 [ours] [support=0] [beside] [C=40/80 | failing]`
pub(super) fn fleet(words: &[&str], workers: &[&str]) -> Fleet {
    let worker = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        FleetWorker {
            id: words[0].to_owned(),
            age_s: value(&words, "age").expect("age=").parse().expect("seconds"),
            is_ours: words.contains(&"ours"),
            support: value(&words, "support").map_or(1, |code| code.parse().expect("a support code")),
            is_in_legacy_table: words.contains(&"beside"),
            utilisation: (!words.contains(&"failing")).then(|| utilisation(&words)),
        }
    };
    let tables = value(words, "tables");
    let status = tables.and_then(|tables| TableStatus::of(&format!("TABLE_MIGRATION_STATUS_{tables}")));
    let number = |name: &str| value(words, name).map_or(0, |number| number.parse().expect("a number"));
    Fleet {
        workers: workers.iter().map(worker).collect(),
        client_version: value(words, "version").map(ClientVersion::of),
        index: match value(words, "index") {
            Some("active") => Index::Active,
            Some(_) => Index::Building,
            None => Index::Missing,
        },
        lock: value(words, "leader").map(|owner| LeaderLock {
            owner: owner.to_owned(),
            version: value(words, "lock").expect("lock=").to_owned(),
            duration_ms: 120_000,
            is_released: words.contains(&"released"),
        }),
        has_legacy_tables: tables.is_some(),
        table_migration: status.map(|status| TableMigration { status, age_s: number("for") }),
        legacy_entries: number("entries") as usize,
    }
}
