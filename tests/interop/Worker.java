import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
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
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.*;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.FormerStreamsLeasesDeletionStrategy;
import software.amazon.kinesis.processor.MultiStreamTracker;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.processor.StreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Java KCL: prints each record as `record SHARD DATA`, checkpoints after each batch.
 * Arguments: endpoint, application, stream, worker id, failover time in milliseconds. Several streams are given as
 * `account:stream:epoch`, with commas between them. With one more argument, if it is not `-`, it checkpoints behind the
 * record with that data alone, and ends there as if it was killed. One more is the client version of a worker of the KCL 3.
 */
public class Worker {
    static String last;

    public static void main(String[] args) throws Exception {
        last = args.length > 5 && !args[5].equals("-") ? args[5] : null;
        URI endpoint = URI.create(args[0]);
        String application = args[1], stream = args[2], worker = args[3];
        KinesisAsyncClient kinesis = at(endpoint, KinesisAsyncClient.builder()).build();
        DynamoDbAsyncClient dynamo = at(endpoint, DynamoDbAsyncClient.builder()).build();
        CloudWatchAsyncClient cloudWatch = at(endpoint, CloudWatchAsyncClient.builder()).build();
        InitialPositionInStreamExtended start =
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        boolean isOne = !stream.contains(":");
        StreamTracker tracker = isOne ? new SingleStreamTracker(stream, start) : new Several(stream, start);
        ConfigsBuilder configs =
                new ConfigsBuilder(tracker, application, kinesis, dynamo, cloudWatch, worker, Processor::new);
        PollingConfig polling = isOne ? new PollingConfig(stream, kinesis) : new PollingConfig(kinesis);
        new Scheduler(
                configs.checkpointConfig(),
                deployed(configs.coordinatorConfig().parentShardPollIntervalMillis(500), args),
                configs.leaseManagementConfig().failoverTimeMillis(Long.parseLong(args[4])),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling.idleTimeBetweenReadsInMillis(250)))
            .run();
    }

    /** By reflection: the KCL 2 knows of no other version. */
    static CoordinatorConfig deployed(CoordinatorConfig config, String[] args) throws ReflectiveOperationException {
        if (args.length > 6) {
            Class<?> version = Class.forName(CoordinatorConfig.class.getName() + "$ClientVersionConfig");
            Object wanted = version.getMethod("valueOf", String.class).invoke(null, args[6]);
            CoordinatorConfig.class.getMethod("clientVersionConfig", version).invoke(config, wanted);
        }
        return config;
    }

    static <B extends AwsClientBuilder<B, ?>> B at(URI endpoint, B builder) {
        return builder.endpointOverride(endpoint).region(Region.US_EAST_1).credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")));
    }

    /** Several streams, for good. */
    static class Several implements MultiStreamTracker {
        final List<StreamConfig> configs;

        Several(String streams, InitialPositionInStreamExtended start) {
            configs = Arrays.stream(streams.split(","))
                    .map(stream -> new StreamConfig(StreamIdentifier.multiStreamInstance(stream), start))
                    .collect(Collectors.toList());
        }

        public List<StreamConfig> streamConfigList() {
            return configs;
        }

        public FormerStreamsLeasesDeletionStrategy formerStreamsLeasesDeletionStrategy() {
            return new FormerStreamsLeasesDeletionStrategy.NoLeaseDeletionStrategy();
        }
    }

    interface Write {
        void run() throws Exception;
    }

    static class Processor implements ShardRecordProcessor {
        String shard;

        public void initialize(InitializationInput input) {
            shard = input.shardId();
            say("initialize " + shard);
        }

        public void processRecords(ProcessRecordsInput input) {
            for (KinesisClientRecord record : input.records()) {
                String data = StandardCharsets.UTF_8.decode(record.data()).toString();
                say("record " + shard + " " + data);
                if (data.equals(last)) {
                    checkpoint(() -> input.checkpointer().checkpoint(record.sequenceNumber(), record.subSequenceNumber()));
                    Runtime.getRuntime().halt(0);
                }
            }
            if (last == null && !input.records().isEmpty()) {
                checkpoint(() -> input.checkpointer().checkpoint());
            }
        }

        public void leaseLost(LeaseLostInput input) {
            say("lease-lost " + shard);
        }

        public void shardEnded(ShardEndedInput input) {
            checkpoint(() -> input.checkpointer().checkpoint());
            say("shard-ended " + shard);
        }

        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(() -> input.checkpointer().checkpoint());
            say("shutdown-requested " + shard);
        }

        void checkpoint(Write write) {
            try {
                write.run();
            } catch (Exception error) {
                say("failed " + shard + " " + error);
            }
        }
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
