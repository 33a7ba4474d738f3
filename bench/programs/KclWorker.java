import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.*;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Java KCL with its defaults, which says what `telling.py` says.
 * Arguments: endpoint, application, stream, retrieval, milliseconds between reads, timed.
 */
public class KclWorker {
    static boolean timed;

    public static void main(String[] args) {
        URI endpoint = URI.create(args[0]);
        String application = args[1], stream = args[2];
        timed = args[5].equals("timed");
        KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(at(endpoint, KinesisAsyncClient.builder()));
        DynamoDbAsyncClient dynamo = at(endpoint, DynamoDbAsyncClient.builder()).build();
        CloudWatchAsyncClient cloudWatch = at(endpoint, CloudWatchAsyncClient.builder()).build();
        SingleStreamTracker tracker = new SingleStreamTracker(stream,
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON));
        ConfigsBuilder configs = new ConfigsBuilder(tracker, application, kinesis, dynamo, cloudWatch,
                UUID.randomUUID().toString(), Processor::new);
        var retrieval = configs.retrievalConfig();
        if (args[3].equals("polling")) {
            retrieval.retrievalSpecificConfig(new PollingConfig(stream, kinesis)
                    .maxRecords(10_000).idleTimeBetweenReadsInMillis(Long.parseLong(args[4])));
        }
        Scheduler scheduler = new Scheduler(configs.checkpointConfig(), configs.coordinatorConfig(),
                configs.leaseManagementConfig(), configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()), configs.processorConfig(), retrieval);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                scheduler.startGracefulShutdown().get();
            } catch (Exception error) {
                System.err.println(error);
            }
        }));
        scheduler.run();
    }

    static <B extends AwsClientBuilder<B, ?>> B at(URI endpoint, B builder) {
        builder.endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("local", "local")));
        return builder;
    }

    static class Processor implements ShardRecordProcessor {
        String shard;

        public void initialize(InitializationInput input) {
            shard = input.shardId();
            say("ready " + shard);
        }

        public void processRecords(ProcessRecordsInput input) {
            if (input.records().isEmpty()) {
                return;
            }
            long now = System.currentTimeMillis() * 1_000_000L;
            int count = 0;
            long size = 0;
            StringBuilder latencies = new StringBuilder();
            for (var record : input.records()) {
                count++;
                size += record.data().remaining();
                if (timed) {
                    long put = Long.parseLong(StandardCharsets.US_ASCII.decode(record.data()).toString());
                    latencies.append(latencies.length() == 0 ? "" : ",").append((now - put) / 1e6);
                }
            }
            say("records " + shard + " " + count + " " + size + " " + latencies);
            checkpoint(input.checkpointer());
        }

        public void leaseLost(LeaseLostInput input) {}

        public void shardEnded(ShardEndedInput input) {
            checkpoint(input.checkpointer());
        }

        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
        }

        static void checkpoint(RecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
            } catch (ShutdownException | InvalidStateException error) {
                System.err.println(error);
            }
        }
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
