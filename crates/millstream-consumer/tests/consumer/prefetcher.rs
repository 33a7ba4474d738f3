//! Reading ahead of an engine with offsets of its own, on a Kinesis in memory, under tokio's paused clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{CutLimits, Places, PrefetchConfig, Prefetcher, Retrieval, Take, Taken, TakenRange};
use millstream_kinesis::testing::FakeKinesis;
use millstream_kinesis::{
    Checkpoint, InitialPosition, Kinesis, PollOptions, PutEntry, RangeReader, RecordBlock, ShardId, ShardRange, now_ms,
    read_range,
};
use tokio::time::sleep;

const STREAM: &str = "orders";

fn shard(number: u32) -> ShardId {
    ShardId::from(format!("shardId-{number:012}"))
}

fn from_the_oldest() -> Places {
    Places { initial: InitialPosition::TrimHorizon, latest_since_ms: None, shards: BTreeMap::new() }
}

fn put(fake: &FakeKinesis, shard: &ShardId, words: std::ops::Range<u32>) {
    for word in words {
        fake.put(STREAM, shard, PutEntry::new("key", word.to_string()));
    }
}

async fn start(fake: &Arc<FakeKinesis>, places: &Places) -> Prefetcher {
    let config = PrefetchConfig {
        stream: STREAM.to_owned(),
        retrieval: Retrieval::Polling,
        poll: PollOptions::default(),
        buffer_bytes: 64 << 20,
        shard_sync_ms: 1_000,
    };
    Prefetcher::start(fake.clone(), config, places).await.unwrap()
}

fn at_most(records: u64) -> Take {
    let limits = CutLimits { records, ..CutLimits::default() };
    Take { limits, keep_bytes: 1 << 20, gather: Duration::ZERO, wait: Duration::from_secs(3_600), looks_ahead: false }
}

/// Takes until `records` have come.
async fn take_all(prefetcher: &Prefetcher, records: usize) -> (Vec<String>, Taken) {
    let mut words = Vec::new();
    loop {
        let taken = prefetcher.take(&at_most(u64::MAX)).await.unwrap();
        words.extend(taken.ranges.iter().flat_map(|taken| &taken.blocks).flat_map(words_of));
        if words.len() >= records {
            return (words, taken);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn words_of(block: &RecordBlock) -> Vec<String> {
    block.data().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

async fn again(fake: &Arc<FakeKinesis>, range: &ShardRange) -> Vec<String> {
    let shards = fake.list_shards(STREAM).await.unwrap();
    let read = read_range(fake.clone(), range, &shards, PollOptions::default()).await.unwrap();
    assert_eq!(read.missing, 0);
    read.blocks.iter().flat_map(words_of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_described_by_its_ranges_and_the_next_one_begins_behind_it() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, &shard(0), 0..10);
    let first = start(&fake, &from_the_oldest()).await;
    let (words, taken) = take_all(&first, 10).await;
    assert_eq!(again(&fake, &taken.ranges[0].range).await, words);
    assert_eq!(taken.places[&shard(0)], Checkpoint::At(taken.ranges[0].range.to.clone()));
    drop(first);
    put(&fake, &shard(0), 10..20);
    let second = start(&fake, &Places { shards: taken.places, ..from_the_oldest() }).await;
    let (words, _) = take_all(&second, 10).await;
    assert_eq!(words, (10..20).map(|word| word.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_bytes_to_keep_leaves_the_ranges() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, &shard(0), 0..10);
    let prefetcher = start(&fake, &from_the_oldest()).await;
    let taken = loop {
        let taken = prefetcher.take(&Take { keep_bytes: 1_600, ..at_most(u64::MAX) }).await.unwrap();
        if !taken.ranges.is_empty() {
            break taken;
        }
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((taken.ranges[0].range.records, taken.ranges[0].bytes), (10, 10));
    assert!(taken.ranges[0].blocks.is_empty());
    assert_eq!(again(&fake, &taken.ranges[0].range).await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_ended_shard_gives_way_to_its_children_also_after_a_restart() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    put(&fake, &shard(0), 0..10);
    let children = fake.split(STREAM, &shard(0));
    put(&fake, &children[0], 10..15);
    put(&fake, &children[1], 15..20);
    let first = start(&fake, &from_the_oldest()).await;
    let taken = loop {
        let taken = first.take(&at_most(4)).await.unwrap();
        if !taken.ranges.is_empty() {
            break taken;
        }
        sleep(Duration::from_millis(100)).await;
    };
    drop(first);
    // In the middle of the parent.
    assert_eq!(taken.ranges[0].range.records, 4);
    let second = start(&fake, &Places { shards: taken.places, ..from_the_oldest() }).await;
    let (words, taken) = take_all(&second, 16).await;
    assert_eq!(words[..6], ["4", "5", "6", "7", "8", "9"], "the parent comes first");
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), 16);
    assert_eq!(words.len(), 16);
    assert!(taken.places.get(&shard(0)).is_none_or(|at| *at == Checkpoint::ShardEnd));
    drop(second);
    let third = start(&fake, &Places { shards: taken.places, ..from_the_oldest() }).await;
    put(&fake, &children[0], 20..21);
    assert_eq!(take_all(&third, 1).await.0, ["20"], "nothing comes again");
}

#[tokio::test(start_paused = true)]
async fn up_to_a_moment_everything_is_taken_in_slices_and_nothing_that_comes_later() {
    let fake = FakeKinesis::with_stream(STREAM, 2);
    fake.set_clock_ms(now_ms() - 1_000);
    put(&fake, &shard(0), 0..10);
    put(&fake, &shard(1), 10..15);
    fake.split(STREAM, &shard(1));
    put(&fake, &shard(2), 15..20);
    let prefetcher = start(&fake, &from_the_oldest()).await;
    prefetcher.stop_at(now_ms()).await.unwrap();
    fake.set_clock_ms(now_ms() + 60_000);
    put(&fake, &shard(0), 20..30);
    let mut words = Vec::new();
    loop {
        let taken = prefetcher.take(&at_most(3)).await.unwrap();
        assert!(taken.ranges.iter().map(|taken| taken.range.records).sum::<u64>() <= 3);
        words.extend(taken.ranges.iter().flat_map(|taken| &taken.blocks).flat_map(words_of));
        if taken.ranges.is_empty() {
            assert!(taken.is_at_goal);
            break;
        }
    }
    words.sort_by_key(|word| word.parse::<u32>().unwrap());
    assert_eq!(words, (0..20).map(|word| word.to_string()).collect::<Vec<_>>());
    assert!(prefetcher.take(&at_most(3)).await.unwrap().is_at_goal);
}

#[tokio::test(start_paused = true)]
async fn of_an_empty_stream_the_end_is_found() {
    let fake = FakeKinesis::with_stream(STREAM, 3);
    let prefetcher = start(&fake, &from_the_oldest()).await;
    prefetcher.stop_at(now_ms()).await.unwrap();
    assert!(prefetcher.take(&at_most(1)).await.unwrap().is_at_goal);
}

#[tokio::test(start_paused = true)]
async fn latest_is_the_moment_of_the_offset_and_shards_that_are_gone_are_named() {
    let fake = FakeKinesis::with_stream(STREAM, 1);
    let since = now_ms();
    fake.set_clock_ms(since - 10);
    put(&fake, &shard(0), 0..5);
    fake.set_clock_ms(since + 10);
    put(&fake, &shard(0), 5..10);
    let latest = Places {
        initial: InitialPosition::Latest,
        latest_since_ms: Some(since),
        shards: [(shard(7), Checkpoint::TrimHorizon), (shard(8), Checkpoint::ShardEnd)].into(),
    };
    let prefetcher = start(&fake, &latest).await;
    assert_eq!(prefetcher.lost(), [shard(7)]);
    assert_eq!(take_all(&prefetcher, 5).await.0, ["5", "6", "7", "8", "9"]);
}

/// Takes of one prefetcher after the other until nothing is left; the words of all ranges, read again, by shard, and how many
/// batches ended ahead of what was read.
async fn taken_ahead(fake: &Arc<FakeKinesis>) -> (BTreeMap<ShardId, Vec<String>>, usize) {
    let (mut words, mut ahead) = (BTreeMap::<_, Vec<String>>::new(), 0);
    let (mut places, until_ms) = (from_the_oldest(), now_ms());
    loop {
        let prefetcher = start(fake, &places).await;
        prefetcher.stop_at(until_ms).await.unwrap();
        loop {
            let take = Take { keep_bytes: 0, looks_ahead: true, ..at_most(u64::MAX) };
            let taken = prefetcher.take(&take).await.unwrap();
            for TakenRange { range, is_counted, .. } in &taken.ranges {
                let make = if *is_counted { RangeReader::again } else { RangeReader::through };
                let mut reader = make(fake.clone(), range, None, PollOptions::default());
                while let Some(block) = reader.next().await.unwrap() {
                    words.entry(range.shard.clone()).or_default().extend(words_of(&block));
                }
                assert_eq!(reader.missing(), 0, "{range}");
            }
            places.shards = taken.places;
            if taken.is_ahead {
                ahead += 1;
                break;
            }
            if taken.is_at_goal {
                return (words, ahead);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn far_behind_ends_are_found_ahead_and_nothing_is_left_out_or_there_twice() {
    let fake = FakeKinesis::with_stream(STREAM, 2);
    fake.set_page(7);
    let begin_ms = now_ms() - 400_000;
    let mut expected = BTreeMap::<_, Vec<String>>::new();
    for second in 0..100_u32 {
        // In the midst nothing comes for a while.
        fake.set_clock_ms(begin_ms + i64::from(second) * 1_000 + if second > 60 { 200_000 } else { 0 });
        // Shard 1 is split into 2 and 3; shard 0 goes on.
        let shard = if second % 2 == 0 { shard(0) } else { shard(if second < 50 { 1 } else { 2 + second / 2 % 2 }) };
        put(&fake, &shard, second * 20..second * 20 + 20);
        expected.entry(shard).or_default().extend((second * 20..second * 20 + 20).map(|word| word.to_string()));
        if second == 49 {
            fake.split(STREAM, &ShardId::from("shardId-000000000001"));
        }
    }
    fake.set_clock_ms(now_ms() + 1_000);
    let (words, ahead) = taken_ahead(&fake).await;
    assert_eq!(words, expected);
    assert!(ahead >= 3, "{ahead} ends were found ahead");
}
