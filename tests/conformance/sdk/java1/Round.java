// The round with the AWS SDK for Java 1 (CBOR): create, put, read by all iterator types, split, merge, delete. It has no
// SubscribeToShard. Prints `ok STEP` for each step whose outcome was as expected, and `done`.

import com.amazonaws.ClientConfiguration;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.AmazonKinesisClientBuilder;
import com.amazonaws.services.kinesis.model.*;
import com.amazonaws.services.kinesis.model.Record;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

public class Round {
    static final String HALF = BigInteger.ONE.shiftLeft(127).toString();
    static final String QUARTER = BigInteger.ONE.shiftLeft(126).toString();
    static final String LOW = "shardId-000000000000";
    static final String HIGH = "shardId-000000000001";
    static final String STREAM = "java1-" + UUID.randomUUID().toString().substring(0, 8);
    static AmazonKinesis kinesis;

    record Read(List<Record> records, GetRecordsResult last) {
        String text() {
            return records.stream().map(r -> StandardCharsets.UTF_8.decode(r.getData().duplicate()).toString())
                    .collect(Collectors.joining());
        }
    }

    static void ok(String step, Object found, Object expected) {
        if (!expected.equals(found)) {
            throw new AssertionError(step + ": found " + found + ", expected " + expected);
        }
        System.out.println("ok " + step);
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    static String put(String data, String hashKey) {
        return kinesis.putRecord(new PutRecordRequest().withStreamName(STREAM).withPartitionKey("key")
                .withExplicitHashKey(hashKey).withData(bytes(data))).getSequenceNumber();
    }

    static GetShardIteratorRequest place(String shard, String kind) {
        return new GetShardIteratorRequest().withStreamName(STREAM).withShardId(shard).withShardIteratorType(kind);
    }

    static Read read(GetShardIteratorRequest place) {
        return drain(kinesis.getShardIterator(place).getShardIterator());
    }

    /** Records up to the tip of the shard, and the last answer. */
    static Read drain(String iterator) {
        List<Record> records = new ArrayList<>();
        GetRecordsResult answer = null;
        while (iterator != null) {
            answer = kinesis.getRecords(new GetRecordsRequest().withShardIterator(iterator).withLimit(2));
            records.addAll(answer.getRecords());
            iterator = answer.getNextShardIterator();
            if (answer.getRecords().isEmpty() && answer.getMillisBehindLatest() == 0) {
                break;
            }
        }
        return new Read(records, answer);
    }

    static void waitUntilActive() throws InterruptedException {
        for (int tries = 0; tries < 200; tries++) {
            if (kinesis.describeStream(STREAM).getStreamDescription().getStreamStatus().equals("ACTIVE")) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("the stream does not become ACTIVE");
    }

    public static void main(String[] arguments) throws Exception {
        kinesis = AmazonKinesisClientBuilder.standard()
                .withClientConfiguration(new ClientConfiguration().withMaxErrorRetry(0))
                .withEndpointConfiguration(new EndpointConfiguration(System.getenv("AWS_ENDPOINT_URL"), "us-east-1"))
                .build();
        kinesis.createStream(STREAM, 2);
        waitUntilActive();
        var summary = kinesis.describeStreamSummary(new DescribeStreamSummaryRequest().withStreamName(STREAM))
                .getStreamDescriptionSummary();
        ok("create", summary.getOpenShardCount(), 2);

        String latest = kinesis.getShardIterator(place(LOW, "LATEST")).getShardIterator();
        String first = put("a", "0");
        Thread.sleep(20); // arrival times are in milliseconds: the next record has a later one
        List<PutRecordsRequestEntry> entries = List.of(
                new PutRecordsRequestEntry().withPartitionKey("key").withExplicitHashKey("1").withData(bytes("b")),
                new PutRecordsRequestEntry().withPartitionKey("key").withExplicitHashKey("1").withData(bytes("c")),
                new PutRecordsRequestEntry().withPartitionKey("key").withExplicitHashKey(HALF).withData(bytes("z")));
        var answer = kinesis.putRecords(new PutRecordsRequest().withStreamName(STREAM).withRecords(entries));
        ok("put", answer.getRecords().stream().map(PutRecordsResultEntry::getShardId).toList(), List.of(LOW, LOW, HIGH));

        Read all = read(place(LOW, "TRIM_HORIZON"));
        ok("TRIM_HORIZON", all.text(), "abc");
        ok("sequence numbers", all.records().get(0).getSequenceNumber(), first);
        String second = all.records().get(1).getSequenceNumber();
        ok("AT_SEQUENCE_NUMBER", read(place(LOW, "AT_SEQUENCE_NUMBER").withStartingSequenceNumber(second)).text(), "bc");
        ok("AFTER_SEQUENCE_NUMBER", read(place(LOW, "AFTER_SEQUENCE_NUMBER").withStartingSequenceNumber(second)).text(), "c");
        Date time = all.records().get(1).getApproximateArrivalTimestamp();
        ok("AT_TIMESTAMP", read(place(LOW, "AT_TIMESTAMP").withTimestamp(time)).text(), "bc");
        ok("LATEST", drain(latest).text(), "abc");

        kinesis.splitShard(STREAM, LOW, QUARTER);
        waitUntilActive();
        Read split = read(place(LOW, "TRIM_HORIZON"));
        List<String> children = split.last().getChildShards().stream().map(ChildShard::getShardId).toList();
        ok("split", split.text() + children, "abc[shardId-000000000002, shardId-000000000003]");
        boolean above = new BigInteger(put("d", QUARTER)).compareTo(new BigInteger(second)) > 0;
        ok("a child begins above its parent", above, true);

        kinesis.mergeShards(STREAM, children.get(1), HIGH);
        waitUntilActive();
        String merged = "shardId-000000000004";
        put("e", QUARTER);
        ok("merge", read(place(children.get(1), "TRIM_HORIZON")).text() + read(place(merged, "TRIM_HORIZON")).text(), "de");
        var open = kinesis.listShards(new ListShardsRequest().withStreamName(STREAM)
                .withShardFilter(new ShardFilter().withType("AT_LATEST"))).getShards();
        ok("list", open.stream().map(Shard::getShardId).toList(), List.of(children.get(0), merged));

        kinesis.deleteStream(STREAM);
        try {
            for (int tries = 0; tries < 200; tries++) {
                kinesis.describeStream(STREAM);
                Thread.sleep(100);
            }
        } catch (ResourceNotFoundException missing) {
            ok("delete", missing.getErrorMessage(), "Stream " + STREAM + " under account 000000000000 not found.");
        }
        System.out.println("done");
    }
}
