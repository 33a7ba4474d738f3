import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import com.amazonaws.services.kinesis.metrics.impl.NullMetricsFactory;
import com.amazonaws.services.kinesis.model.Record;
import java.nio.charset.StandardCharsets;

/**
 * A worker of the Java KCL 1, as Spark's connector has it: prints each record as `record SHARD DATA`, checkpoints after each
 * batch. Arguments: endpoint, application, stream, worker id, failover time in milliseconds.
 */
public class OldWorker {
    public static void main(String[] args) {
        KinesisClientLibConfiguration config = new KinesisClientLibConfiguration(args[1], args[2],
                new AWSStaticCredentialsProvider(new BasicAWSCredentials("test", "test")), args[3])
            .withKinesisEndpoint(args[0])
            .withDynamoDBEndpoint(args[0])
            .withRegionName("us-east-1")
            .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
            .withFailoverTimeMillis(Long.parseLong(args[4]))
            .withIdleTimeBetweenReadsInMillis(250)
            .withParentShardPollIntervalMillis(500);
        new Worker.Builder()
            .recordProcessorFactory(Processor::new)
            .config(config)
            .metricsFactory(new NullMetricsFactory())
            .build()
            .run();
    }

    interface Write {
        void run() throws Exception;
    }

    static class Processor implements IRecordProcessor {
        String shard;

        public void initialize(InitializationInput input) {
            shard = input.getShardId();
            say("initialize " + shard);
        }

        public void processRecords(ProcessRecordsInput input) {
            for (Record record : input.getRecords()) {
                say("record " + shard + " " + StandardCharsets.UTF_8.decode(record.getData()));
            }
            if (!input.getRecords().isEmpty()) {
                checkpoint(input.getCheckpointer());
            }
        }

        public void shutdown(ShutdownInput input) {
            say("shutdown " + shard + " " + input.getShutdownReason());
            if (input.getShutdownReason() == ShutdownReason.TERMINATE) {
                checkpoint(input.getCheckpointer());
            }
        }

        void checkpoint(IRecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
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
