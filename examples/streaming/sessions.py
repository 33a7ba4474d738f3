"""Tells when a word of a socket's lines is heard first, how often it was, and when it has not been heard for a while.

Usage: millstream submit sessions.py HOST PORT DIRECTORY [SECONDS]. DIRECTORY keeps the counts from run to run.
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StateSpec, StreamingContext


def follow(time, word, one, state):
    """Called for each word, and for those that have not been heard for too long."""
    if state.isTimingOut():
        return f"{word}: silent after {state.get()}"
    heard = (state.getOption() or 0) + one
    state.update(heard)
    return f"{word}: first heard" if heard == 1 else None


def new_context(host, port, silent_s):
    ssc = StreamingContext(SparkContext(appName="Sessions"), 1)
    words = ssc.socketTextStream(host, port).flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
    followed = words.mapWithState(StateSpec.function(follow).timeout(silent_s))
    followed.pprint()
    followed.stateSnapshots().pprint()
    return ssc


if __name__ == "__main__":
    host, port, directory, *seconds = sys.argv[1:]
    silent_s = float(seconds[0]) if seconds else 60
    ssc = StreamingContext.getOrCreate(directory, lambda: new_context(host, int(port), silent_s))
    ssc.start()
    ssc.awaitTermination()
