"""The processing times of batches, by a listener; runs unchanged on PySpark and on Millstream."""

import sys
import threading

from pyspark.streaming import StreamingListener


class BatchTimes(StreamingListener):
    """The seconds that each of the first batches was processed."""

    def __init__(self, batches):
        self.batches = batches
        self.seconds = []
        self.done = threading.Event()

    def onBatchCompleted(self, batchCompleted):
        if len(self.seconds) < self.batches:
            info = batchCompleted.batchInfo()
            self.seconds.append((info.processingEndTime() - info.processingStartTime()) / 1000)
        else:
            self.done.set()


def timed(ssc, batches):
    """Runs a context until one batch more than `batches` is done; the seconds of these."""
    times = BatchTimes(batches)
    ssc.addStreamingListener(times)
    ssc.start()
    run_until(ssc, times.done)
    return times.seconds


def run_until(ssc, done):
    """Waits for an event while a started context runs."""
    while not done.wait(0.1):
        if ssc.awaitTerminationOrTimeout(0.1):
            sys.exit("the stream ended early")
