import java.lang.reflect.Field;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
 * `account:stream:epoch`, with commas between them. Then settings: `until=DATA` checkpoints behind the record with that
 * data alone, and ends there as if it was killed; `prepare=DATA` does so before that checkpoint is written, with the state
 * `prepared at DATA`; `stuck=DATA` does not come back from that record, nor from a later one. Any other is one of
 * the coordinator's or the leases' configuration, such as `failoverTimeMillis=3000`.
 */
public class Worker {
    static Map<String, String> settings;

    public static void main(String[] args) throws Exception {
        settings = Arrays.stream(args).skip(5).map(setting -> setting.split("=", 2))
                .collect(Collectors.toMap(setting -> setting[0], setting -> setting[1]));
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
                set(configs.coordinatorConfig().parentShardPollIntervalMillis(500)),
                set(configs.leaseManagementConfig().failoverTimeMillis(Long.parseLong(args[4]))),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling.idleTimeBetweenReadsInMillis(250)))
            .run();
    }

    /** What the arguments say of a configuration's fields; by reflection, since not each version has them all. */
    static <C> C set(C config) throws ReflectiveOperationException {
        for (Field field : config.getClass().getDeclaredFields()) {
            String value = settings.get(field.getName());
            if (field.getName().equals("gracefulLeaseHandoffConfig")) {
                field.setAccessible(true);
                set(field.get(config));
            }
            if (value == null) {
                continue;
            }
            field.setAccessible(true);
            Class<?> type = field.getType();
            field.set(config, type == long.class ? Long.valueOf(value)
                    : type == int.class ? Integer.valueOf(value)
                    : type == boolean.class ? Boolean.valueOf(value)
                    : type.getMethod("valueOf", String.class).invoke(null, value));
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
            if (input.pendingCheckpointSequenceNumber() != null) {
                say("pending " + input.pendingCheckpointSequenceNumber().sequenceNumber() + " "
                        + new String(input.pendingCheckpointState(), StandardCharsets.UTF_8));
            }
        }

        public void processRecords(ProcessRecordsInput input) {
            for (KinesisClientRecord record : input.records()) {
                String data = StandardCharsets.UTF_8.decode(record.data()).toString();
                say("record " + shard + " " + data);
                if (data.equals(settings.get("until"))) {
                    checkpoint(() -> input.checkpointer().checkpoint(record.sequenceNumber(), record.subSequenceNumber()));
                    Runtime.getRuntime().halt(0);
                }
                if (data.equals(settings.get("prepare"))) {
                    byte[] state = ("prepared at " + data).getBytes(StandardCharsets.UTF_8);
                    checkpoint(() -> input.checkpointer().prepareCheckpoint(record.sequenceNumber(), state));
                    Runtime.getRuntime().halt(0);
                }
                if (Integer.parseInt(data) >= Integer.parseInt(settings.getOrDefault("stuck", "" + Integer.MAX_VALUE))) {
                    say("stuck " + shard);
                    checkpoint(() -> Thread.sleep(Long.MAX_VALUE));
                }
            }
            if (!settings.containsKey("until") && !settings.containsKey("prepare") && !input.records().isEmpty()) {
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
