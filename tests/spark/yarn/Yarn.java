import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/**
 * A YARN of one machine: a resource manager and a node manager in this process, containers in processes of their own, as always.
 * Arguments: the directory that clients get for HADOOP_CONF_DIR, and one for the containers. Runs until its input ends.
 */
public class Yarn {
    public static void main(String[] arguments) throws Exception {
        Configuration config = new YarnConfiguration();
        config.set("fs.defaultFS", "file:///");
        config.setInt("yarn.scheduler.minimum-allocation-mb", 128);
        config.setInt("yarn.nodemanager.resource.memory-mb", 8192);
        config.setInt("yarn.nodemanager.resource.cpu-vcores", 8);
        config.setBoolean("yarn.nodemanager.vmem-check-enabled", false);
        config.setBoolean("yarn.nodemanager.pmem-check-enabled", false);
        // A disk that is nearly full is no reason to have no node.
        config.set("yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", "100");
        config.setInt("yarn.nodemanager.delete.debug-delay-sec", 600);
        config.set("yarn.scheduler.capacity.root.queues", "default");
        config.set("yarn.scheduler.capacity.root.default.capacity", "100");
        config.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1.0");
        System.setProperty("test.build.data", arguments[1]);
        System.setProperty("test.build.dir", arguments[1]);
        MiniYARNCluster cluster = new MiniYARNCluster("yarn", 1, 1, 1);
        cluster.init(config);
        cluster.start();
        if (!cluster.waitForNodeManagersToConnect(30_000)) {
            throw new IllegalStateException("the node manager does not connect");
        }
        try (OutputStream file = new FileOutputStream(Path.of(arguments[0], "yarn-site.xml").toFile())) {
            cluster.getConfig().writeXml(file);
        }
        System.out.println("ready");
        while (System.in.read() >= 0) {}
        cluster.stop();
        System.exit(0);
    }
}
