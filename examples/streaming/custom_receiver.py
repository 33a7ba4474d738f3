"""Counts the lines that a command prints, with a receiver of its own: millstream submit custom_receiver.py COMMAND...

When the command ends it is started again, after spark.streaming.receiverRestartDelay.
"""

import subprocess
import sys
import threading

from pyspark import SparkContext
from pyspark.streaming import Receiver, StreamingContext


class CommandReceiver(Receiver):
    """The lines of a command's standard output."""

    def __init__(self, command):
        super().__init__()
        self.command = command

    def onStart(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout,))
        self.reader.start()

    def onStop(self):
        self.process.terminate()
        self.reader.join()
        self.process.wait()

    def read(self, lines):
        self.storeAll(line.rstrip("\n") for line in lines)
        if not self.isStopped():
            self.restart("the command has ended")


if __name__ == "__main__":
    ssc = StreamingContext(SparkContext(appName="CustomReceiver"), 1)
    ssc.receiverStream(CommandReceiver(sys.argv[1:])).countByValue().pprint()
    ssc.start()
    ssc.awaitTermination()
