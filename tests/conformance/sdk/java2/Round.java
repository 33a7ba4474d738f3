// The round with the AWS SDK for Java 2 (CBOR): create, put, read by all iterator types, split, merge, subscribe with the
// async client over HTTP/2, delete. Prints `ok STEP` for each step whose outcome was as expected, and `done`.

import java.math.BigInteger;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.retry.RetryPolicy;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.services.kinesis.model.Record;

public class Round {
    static final String HALF = BigInteger.ONE.shiftLeft(127).toString();
    static final String QUARTER = BigInteger.ONE.shiftLeft(126).toString();
    static final String LOW = "shardId-000000000000";
    static final String HIGH = "shardId-000000000001";
    static final String STREAM = "java2-" + UUID.randomUUID().toString().substring(0, 8);
    static KinesisAsyncClient kinesis;

    record Read(List<Record> records, GetRecordsResponse last) {
        String text() {
            return texts(records);
        }
    }

    static String texts(List<Record> records) {
        return records.stream().map(r -> r.data().asUtf8String()).collect(Collectors.joining());
    }

    static void ok(String step, Object found, Object expected) {
        if (!expected.equals(found)) {
            throw new AssertionError(step + ": found " + found + ", expected " + expected);
        }
        System.out.println("ok " + step);
    }

    static String put(String data, String hashKey) {
        return kinesis.putRecord(r -> r.streamName(STREAM).partitionKey("key").explicitHashKey(hashKey)
                .data(SdkBytes.fromUtf8String(data))).join().sequenceNumber();
    }

    static String iterator(String shard, String kind, Consumer<GetShardIteratorRequest.Builder> start) {
        return kinesis.getShardIterator(r -> start.accept(r.streamName(STREAM).shardId(shard).shardIteratorType(kind)))
                .join().shardIterator();
    }

    static Read read(String shard, String kind, Consumer<GetShardIteratorRequest.Builder> start) {
        return drain(iterator(shard, kind, start));
    }

    static Read all(String shard) {
        return read(shard, "TRIM_HORIZON", r -> {});
    }

    /** Records up to the tip of the shard, and the last answer. */
    static Read drain(String first) {
        List<Record> records = new ArrayList<>();
        GetRecordsResponse answer = null;
        for (String iterator = first; iterator != null; iterator = answer.nextShardIterator()) {
            String at = iterator;
            answer = kinesis.getRecords(r -> r.shardIterator(at).limit(2)).join();
            records.addAll(answer.records());
            if (answer.records().isEmpty() && answer.millisBehindLatest() == 0) {
                break;
            }
        }
        return new Read(records, answer);
    }

    static void waitUntilActive() {
        kinesis.waiter().waitUntilStreamExists(r -> r.streamName(STREAM)).join();
    }

    static PutRecordsRequestEntry entry(String data, String hashKey) {
        return PutRecordsRequestEntry.builder().partitionKey("key").explicitHashKey(hashKey)
                .data(SdkBytes.fromUtf8String(data)).build();
    }

    static void subscribe(String streamArn, List<String> children) throws Exception {
        String consumer = kinesis.registerStreamConsumer(r -> r.streamARN(streamArn).consumerName("fan-out")).join()
                .consumer().consumerARN();
        List<Record> pushed = new ArrayList<>();
        List<String> ended = new ArrayList<>();
        var visitor = SubscribeToShardResponseHandler.Visitor.builder().onSubscribeToShardEvent(event -> {
            pushed.addAll(event.records());
            event.childShards().forEach(child -> ended.add(child.shardId()));
        }).build();
        kinesis.subscribeToShard(
                r -> r.consumerARN(consumer).shardId(LOW).startingPosition(p -> p.type("TRIM_HORIZON")),
                SubscribeToShardResponseHandler.builder().subscriber(visitor).build()).get(30, TimeUnit.SECONDS);
        ok("subscribe", texts(pushed) + ended, "abc" + children);
        kinesis.deregisterStreamConsumer(r -> r.consumerARN(consumer)).join();
    }

    public static void main(String[] arguments) throws Exception {
        kinesis = KinesisAsyncClient.builder()
                .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL")))
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2))
                .overrideConfiguration(c -> c.retryPolicy(RetryPolicy.none()))
                .build();
        kinesis.createStream(r -> r.streamName(STREAM).shardCount(2)).join();
        waitUntilActive();
        var summary = kinesis.describeStreamSummary(r -> r.streamName(STREAM)).join().streamDescriptionSummary();
        ok("create", summary.openShardCount(), 2);

        String latest = iterator(LOW, "LATEST", r -> {});
        String first = put("a", "0");
        Thread.sleep(20); // arrival times are in milliseconds: the next record has a later one
        var answer = kinesis.putRecords(r -> r.streamName(STREAM)
                .records(entry("b", "1"), entry("c", "1"), entry("z", HALF))).join();
        ok("put", answer.records().stream().map(PutRecordsResultEntry::shardId).toList(), List.of(LOW, LOW, HIGH));

        Read all = all(LOW);
        ok("TRIM_HORIZON", all.text(), "abc");
        ok("sequence numbers", all.records().get(0).sequenceNumber(), first);
        String second = all.records().get(1).sequenceNumber();
        ok("AT_SEQUENCE_NUMBER", read(LOW, "AT_SEQUENCE_NUMBER", r -> r.startingSequenceNumber(second)).text(), "bc");
        ok("AFTER_SEQUENCE_NUMBER", read(LOW, "AFTER_SEQUENCE_NUMBER", r -> r.startingSequenceNumber(second)).text(), "c");
        Instant time = all.records().get(1).approximateArrivalTimestamp();
        ok("AT_TIMESTAMP", read(LOW, "AT_TIMESTAMP", r -> r.timestamp(time)).text(), "bc");
        ok("LATEST", drain(latest).text(), "abc");

        kinesis.splitShard(r -> r.streamName(STREAM).shardToSplit(LOW).newStartingHashKey(QUARTER)).join();
        waitUntilActive();
        Read split = all(LOW);
        List<String> children = split.last().childShards().stream().map(ChildShard::shardId).toList();
        ok("split", split.text() + children, "abc[shardId-000000000002, shardId-000000000003]");
        boolean above = new BigInteger(put("d", QUARTER)).compareTo(new BigInteger(second)) > 0;
        ok("a child begins above its parent", above, true);

        kinesis.mergeShards(r -> r.streamName(STREAM).shardToMerge(children.get(1)).adjacentShardToMerge(HIGH)).join();
        waitUntilActive();
        String merged = "shardId-000000000004";
        put("e", QUARTER);
        ok("merge", all(children.get(1)).text() + all(merged).text(), "de");
        var open = kinesis.listShards(r -> r.streamName(STREAM).shardFilter(f -> f.type("AT_LATEST"))).join().shards();
        ok("list", open.stream().map(Shard::shardId).toList(), List.of(children.get(0), merged));

        subscribe(summary.streamARN(), children);

        kinesis.deleteStream(r -> r.streamName(STREAM)).join();
        kinesis.waiter().waitUntilStreamNotExists(r -> r.streamName(STREAM)).join();
        System.out.println("ok delete");
        System.out.println("done");
        kinesis.close();
    }
}
