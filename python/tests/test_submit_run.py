"""Programs run by `submit`, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from processes import Submitter

from millstream.cli import main

CONTEXT = "from pyspark import SparkContext, SparkConf\nsc = SparkContext()\n"


def test_a_program_finds_what_spark_submit_gives_it(submit: Submitter) -> None:
    (submit.directory / "beside.py").write_text("value = 'beside'\n")
    (submit.directory / "more").mkdir()
    (submit.directory / "more" / "added.py").write_text("value = 'added'\n")
    program = submit.program(
        "import sys, added, beside, __main__\n"
        "from pyspark import SparkConf, SparkContext\n"
        "sc = SparkContext()\n"
        "print(__name__, sys.argv[1:], sys.argv[0] == __file__, __main__.sc is sc, added.value, beside.value)\n"
        "print(sc.master, sc.appName, sc.defaultParallelism, SparkConf().get('k'))\n"
    )
    done = submit(
        "--master", "local[7]", "--name", "named", "--conf", "k=v", "--py-files", "more/added.py", program, "a", "--b"
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "__main__ ['a', '--b'] True True added beside\nlocal[7] named 7 v\n"
    assert done.returncode == 0


def test_what_the_program_says_goes_over_the_flags(submit: Submitter) -> None:
    program = submit.program("from pyspark import SparkContext\nprint(SparkContext('local[2]', 'own'))\n")
    done = submit("--master", "local[7]", "--name", "named", program)
    assert done.stdout == "<SparkContext master=local[2] appName=own>\n"


def test_every_name_of_pyspark_can_be_imported(submit: Submitter) -> None:
    program = submit.program(
        "import pyspark, pyspark.streaming.kinesis\n"
        "from pyspark import RDD, Accumulator, AccumulatorParam, Broadcast, SparkConf, SparkContext, StorageLevel\n"
        "from pyspark.accumulators import Accumulator\n"
        "from pyspark.broadcast import Broadcast\n"
        "from pyspark.conf import SparkConf\n"
        "from pyspark.context import SparkContext as Again\n"
        "from pyspark.errors import IllegalArgumentException, PySparkException\n"
        "from pyspark.rdd import RDD, portable_hash\n"
        "from pyspark.resultiterable import ResultIterable\n"
        "from pyspark.storagelevel import StorageLevel\n"
        "from pyspark.streaming import DStream, StreamingContext\n"
        "from pyspark.streaming.context import StreamingContext\n"
        "from pyspark.streaming.dstream import DStream\n"
        "from pyspark.streaming.kinesis import KinesisUtils, InitialPositionInStream, MetricsLevel, utf8_decoder\n"
        "import millstream\n"
        "assert SparkContext is Again is millstream.SparkContext is pyspark.SparkContext\n"
        "print(pyspark.__version__.split('+')[0])\n"
        "try:\n    import pyspark.ml\nexcept ImportError as error:\n    print(error)\n"
    )
    done = submit(program)
    assert done.stderr == ""
    version, missing = done.stdout.splitlines()
    assert version == "4.3.0"
    assert missing.startswith(
        "pyspark.ml is not in Millstream, which provides pyspark, pyspark.sql, pyspark.streaming and "
    )


def test_pyspark_names_are_nowhere_but_in_submit() -> None:
    code = (
        "import sys\n"
        "import millstream.streaming.kinesis, millstream.submit.launch\n"
        "assert not any('Spark' in type(finder).__name__ for finder in sys.meta_path)\n"
        "assert 'pyspark' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


FAILURES = {
    "a function of the program": (
        CONTEXT + "def divide(x):\n    return 1 / x\nsc.parallelize([0]).map(divide).collect()\n",
        ["Traceback (most recent call last):", "line 5, in <module>", "line 4, in divide", "ZeroDivisionError"],
        ["millstream/", "fused loop"],
    ),
    "a cause": (
        CONTEXT + "try:\n    sc.emptyRDD().first()\nexcept ValueError as e:\n    raise KeyError('k') from e\n",
        ["ValueError: RDD is empty", "direct cause", "line 6, in <module>", "KeyError: 'k'"],
        ["millstream/"],
    ),
    "an argument": (
        CONTEXT + "\nsc.setLogLevel('LOUD')\n",
        ["millstream: IllegalArgumentException: requirement failed: Supplied level LOUD", "program.py:4"],
        ["Traceback", "millstream/context.py"],
    ),
    "a method that is not there": (
        CONTEXT + "sc.sequenceFile('x')\n",
        ["millstream: PySparkNotImplementedError: SparkContext.sequenceFile is not implemented", "program.py:3"],
        ["Traceback"],
    ),
    "a syntax error": ("def\n", ["Error: cannot read", "invalid syntax"], ["Traceback"]),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_program_shows_its_own_frames_and_exits_with_1(submit: Submitter, name: str) -> None:
    text, expected, unwanted = FAILURES[name]
    done = submit(submit.program(text))
    assert done.returncode == 1
    assert done.stdout == ""
    for part in expected:
        assert part in done.stderr
    for part in unwanted:
        assert part not in done.stderr, done.stderr


def test_exit_codes_pass_through(submit: Submitter) -> None:
    assert submit(submit.program("import sys\nsys.exit(7)\n")).returncode == 7
    assert submit(submit.program("raise KeyboardInterrupt\n")).returncode == 130
    refused = submit("--master", "mesos://host", submit.program("print('ran')"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: master 'mesos://host' cannot be served")


def test_the_package_is_named_in_one_line(submit: Submitter) -> None:
    coordinate = "org.apache.spark:spark-streaming-kinesis-asl_2.11:2.2.0"
    done = submit("--packages", coordinate, submit.program(""))
    assert done.stderr == f"millstream: {coordinate} is built in: nothing to download\n"


STREAMING = """
import atexit, sys
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

stop = StreamingContext.stop
def told(self, stopSparkContext=True, stopGraceFully=False):
    print("stop", stopGraceFully, flush=True)
    stop(self, stopSparkContext, stopGraceFully)
StreamingContext.stop = told

ssc = StreamingContext(SparkContext(), 0.05)
ssc.queueStream([[1]]).foreachRDD(lambda rdd: print("batch", flush=True) if rdd.collect() else None)
ssc.start()
try:
    ssc.awaitTermination()
finally:
    print("finally", flush=True)
"""


@pytest.mark.parametrize("graceful", [False, True])
def test_sigterm_stops_the_streams(submit: Submitter, graceful: bool) -> None:
    conf = f"spark.streaming.stopGracefullyOnShutdown={str(graceful).lower()}"
    process = submit.start("--conf", conf, submit.program(STREAMING))
    assert process.stdout is not None
    assert process.stdout.readline() == "batch\n"
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate(timeout=60)
    assert out == f"finally\nstop {graceful}\n"
    assert error == ""
    assert process.returncode == 128 + signal.SIGTERM


#: A batch that goes on when it is asked to stop, so that the program's end has to wait.
BUSY = (
    STREAMING.partition("ssc = ")[0]
    + """
import threading, time
running = threading.Event()
def work(rdd):
    running.set()
    time.sleep(60)

ssc = StreamingContext(SparkContext(), 0.05)
ssc.queueStream([[1]]).foreachRDD(work)
ssc.start()
running.wait()
print("running", flush=True)
"""
)
ENDINGS = {
    "stopped at exit": ("ssc.awaitTermination()\n", 2),
    "stopped by the program": (
        "try:\n    ssc.awaitTermination()\nexcept KeyboardInterrupt:\n    ssc.stop(True, True)\n",
        2,
    ),
    "at exit already": ("", 1),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_ctrl_c_while_the_streams_stop_ends_the_process_at_once(submit: Submitter, ending: str) -> None:
    text, interrupts = ENDINGS[ending]
    process = submit.start(submit.program(BUSY + text))
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    if interrupts == 2:
        process.send_signal(signal.SIGINT)
    assert process.stdout.readline().startswith("stop ")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=5)
    assert error == ""
    assert process.returncode == -signal.SIGINT, "130 to a shell"


def test_two_quick_ctrl_c_leave_no_traceback(submit: Submitter) -> None:
    process = submit.start(submit.program(STREAMING))
    assert process.stdout is not None
    assert process.stdout.readline() == "batch\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert error == ""
    assert process.returncode in (130, -signal.SIGINT), "130 to a shell in both cases"


def test_one_ctrl_c_stops_the_streams(submit: Submitter) -> None:
    process = submit.start(submit.program(STREAMING))
    assert process.stdout is not None
    assert process.stdout.readline() == "batch\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (out, error, process.returncode) == ("finally\nstop False\n", "", 130)


def test_ctrl_c_is_ignored_where_the_shell_has_it_ignored(submit: Submitter) -> None:
    program = submit.program("import signal\nprint(signal.getsignal(signal.SIGINT).name)\n")
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; "$@"', "sh", *submit.command("submit", program)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("SIG_IGN\n", "")


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_reader_that_has_gone_is_no_failure(submit: Submitter, flag: str) -> None:
    process = submit.start(flag)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0


def test_a_program_that_ends_without_waiting_stops_its_streams(submit: Submitter) -> None:
    done = submit(submit.program(STREAMING.partition("try:")[0]))
    assert done.stdout.endswith("stop False\n")
    assert done.returncode == 0


def test_other_commands_are_the_native_command_lines(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "--help"]) == 0
    assert "--data-dir" in capfd.readouterr().out
