"""Worker processes of whole programs: what they find of the program, and how they end with it."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
from processes import Submitter, is_running, wait_for

MAIN = """\
import os, sys
from dataclasses import dataclass
from collections import namedtuple
from pyspark import SparkContext
import beside

Pair = namedtuple("Pair", "a b")

@dataclass
class Point:
    x: int
    def moved(self):
        return Point(self.x + STEP)

STEP = 10
print("main runs", flush=True)
sc = SparkContext(appName="tests")
points = sc.parallelize([Point(1), Point(2)], 2).map(lambda p: p.moved()).map(lambda p: (p.x % 2, p))
print(points.groupByKey(2).mapValues(list).collect(), [isinstance(p, Point) for _, p in points.collect()])
print(sc.parallelize([Pair(1, 2)], 1).map(lambda p: p._replace(b=beside.twice(p.b))).collect())
sc.parallelize([1], 1).foreach(lambda n: print("printed in", "a worker" if os.getpid() != MAIN else "main"))
print("after", flush=True)
"""


def test_functions_and_classes_of_the_program_are_found(submit: Submitter) -> None:
    submit.program("def twice(n):\n    return 2 * n\n", "beside.py")
    done = submit("--master", "local[2]", submit.program(f"import os\nMAIN = os.getpid()\n{MAIN}"))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "main runs",
        "[(0, [Point(x=12)]), (1, [Point(x=11)])] [True, True]",
        "[Pair(a=1, b=4)]",
        "printed in a worker",
        "after",
    ]


BUSY = """\
import os, sys, time
from pyspark import SparkContext

def work(n):
    print("worker", os.getpid(), flush=True)
    {busy}

sc = SparkContext(appName="tests")
sc.parallelize([1, 2], 2).foreach(work)
"""


@pytest.mark.parametrize("busy", ["time.sleep(600)", "while True: pass"])
def test_workers_die_with_a_program_that_is_killed(submit: Submitter, busy: str) -> None:
    program = submit.start("--master", "local[2]", submit.program(BUSY.format(busy=busy)))
    workers = read_workers(program)
    assert all(map(is_running, workers))
    program.kill()
    program.wait()
    wait_for(lambda: not any(map(is_running, workers)))


STREAM = """\
import os, time
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

def work(n):
    print("worker", os.getpid(), flush=True)
    time.sleep(600)

ssc = StreamingContext(SparkContext(appName="tests"), 0.05)
ssc.queueStream([[1, 2]]).map(work).foreachRDD(lambda rdd: rdd.count())
ssc.start()
ssc.awaitTermination()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_batch_that_takes_long(submit: Submitter, number: signal.Signals) -> None:
    program = submit.start("--master", "local[2]", submit.program(STREAM))
    workers = read_workers(program)
    began = time.monotonic()
    program.send_signal(number)
    assert program.wait(20) == 128 + number
    assert time.monotonic() - began < 5
    assert not any(map(is_running, workers))


@pytest.mark.parametrize("busy", ["time.sleep(600)", "while True: pass"])
def test_ctrl_c_stops_the_program_and_its_workers_at_once(submit: Submitter, busy: str) -> None:
    program = submit.start("--master", "local[2]", submit.program(BUSY.format(busy=busy)))
    workers = read_workers(program)
    began = time.monotonic()
    program.send_signal(signal.SIGINT)
    assert program.wait(10) == 128 + signal.SIGINT
    assert time.monotonic() - began < 3
    assert not any(map(is_running, workers))
    assert program.stderr is not None
    assert program.stderr.read() == ""


def read_workers(program: subprocess.Popen[str]) -> list[int]:
    assert program.stdout is not None
    return [int(program.stdout.readline().split()[1]) for _ in range(2)]
