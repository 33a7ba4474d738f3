// An application of the Kinesis Client Library (3.x): prints `seen SHARD DATA` for each record that it processes, in its
// order, and checkpoints after each batch. Arguments: stream, application, `polling` or `fan-out`. Ends with its input.

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.*;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class Consumer {
    static class Processor implements ShardRecordProcessor {
        private String shard;

        public void initialize(InitializationInput input) {
            shard = input.shardId();
            print("began " + shard);
        }

        public void processRecords(ProcessRecordsInput input) {
            for (KinesisClientRecord record : input.records()) {
                print("seen " + shard + " " + StandardCharsets.UTF_8.decode(record.data().duplicate()));
            }
            try {
                input.checkpointer().checkpoint();
            } catch (Exception failed) {
                print("failed " + failed);
            }
        }

        public void leaseLost(LeaseLostInput input) {
            print("lost " + shard);
        }

        public void shardEnded(ShardEndedInput input) {
            try {
                input.checkpointer().checkpoint();
                print("ended " + shard);
            } catch (Exception failed) {
                print("failed " + failed);
            }
        }

        public void shutdownRequested(ShutdownRequestedInput input) {
            try {
                input.checkpointer().checkpoint();
            } catch (Exception failed) {
                print("failed " + failed);
            }
        }
    }

    static synchronized void print(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] arguments) throws Exception {
        String stream = arguments[0];
        String application = arguments[1];
        URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
        KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(
                KinesisAsyncClient.builder().endpointOverride(endpoint));
        DynamoDbAsyncClient dynamodb = DynamoDbAsyncClient.builder().endpointOverride(endpoint).build();
        CloudWatchAsyncClient cloudwatch = CloudWatchAsyncClient.builder().endpointOverride(endpoint).build();
        var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        var configs = new ConfigsBuilder(new SingleStreamTracker(stream, start), application, kinesis, dynamodb,
                cloudwatch, "worker-" + UUID.randomUUID(), Processor::new);

        // Its clocks, as quick as a stream of a few seconds wants them.
        var leases = configs.leaseManagementConfig().failoverTimeMillis(2000).shardSyncIntervalMillis(1000);
        leases.leaseAssignmentIntervalMillis(1000L);
        leases.workerUtilizationAwareAssignmentConfig().inMemoryWorkerMetricsCaptureFrequencyMillis(200)
                .workerMetricsReporterFreqInMillis(500);
        var coordinator = configs.coordinatorConfig().parentShardPollIntervalMillis(200)
                .shardConsumerDispatchPollIntervalMillis(200);
        var retrieval = configs.retrievalConfig();
        if (arguments[2].equals("polling")) {
            retrieval.retrievalSpecificConfig(new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(200));
        } else {
            retrieval.retrievalSpecificConfig(
                    new FanOutConfig(kinesis).streamName(stream).applicationName(application));
        }
        var scheduler = new Scheduler(configs.checkpointConfig(), coordinator, leases, configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()), configs.processorConfig(), retrieval);
        Thread thread = new Thread(scheduler);
        thread.setDaemon(true);
        thread.start();
        while (System.in.read() >= 0) {
        }
        scheduler.startGracefulShutdown().get();
        System.exit(0);
    }
}
