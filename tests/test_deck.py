"""The deck's program, word for word."""

from __future__ import annotations

import queue
import subprocess
import threading

from conftest import MILLSTREAM, REGION, ROOT, Service, environment, stop, wait_until

PACKAGE = "org.apache.spark:spark-streaming-kinesis-asl_2.11:2.2.0"
PROGRAM = ROOT / "examples" / "deck" / "kinesis_wordcount.py"


def test_the_decks_program_counts_words(service: Service, app: str) -> None:
    stream = service.stream(2)
    command = [str(MILLSTREAM), "submit", "--packages", PACKAGE, str(PROGRAM), app, stream, service.endpoint, REGION]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
    try:
        kinesis = service.client("kinesis")
        for key in ("a", "b"):
            kinesis.put_record(StreamName=stream, PartitionKey=key, Data=b"to be or not to be")
        seen: list[str] = []

        def counted() -> bool:
            while not lines.empty():
                seen.append(lines.get().rstrip("\n"))
            totals: dict[str, int] = {}
            for line in seen:
                if line.startswith("('"):
                    word, count = line.strip("()").split(", ")
                    totals[word.strip("'")] = totals.get(word.strip("'"), 0) + int(count)
            return totals == {"to": 4, "be": 4, "or": 2, "not": 2}

        wait_until("the words are counted", counted, 20)
        assert "-" * 43 in seen
        assert any(line.startswith("Time: ") for line in seen)
    finally:
        stop(process)
    assert process.stderr is not None
    errors = process.stderr.read()
    assert errors.count(PACKAGE) == 1, "one line says that the package is built in"
    assert "Traceback" not in errors


def test_a_package_that_is_not_built_in_is_refused() -> None:
    done = subprocess.run(
        [str(MILLSTREAM), "submit", "--packages", "org.example:other:1.0", str(PROGRAM)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=20,
    )
    assert done.returncode == 1
    assert "org.example:other:1.0" in done.stderr
