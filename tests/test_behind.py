"""A program that is far behind: its memory does not grow, and nothing is dropped."""

from __future__ import annotations

import time
from pathlib import Path

from conftest import PROGRAMS, REGION, Programs, Service

#: 288 MB, as of ten minutes at 0.5 MB/s, for a budget of 8 MiB.
RECORDS, RECORD_BYTES, BUDGET_MIB = 28_800, 10_000, 8
#: One answer of Kinesis may have 10 MB; it is there as text, decoded, and as strings of Python, and what is freed stays
#: with the allocator's threads.
MOST_GROWTH_MIB = 150


def fill(service: Service, stream: str) -> None:
    """Puts the records, in requests as large as they may be."""
    kinesis = service.client("kinesis")
    data = b"x" * RECORD_BYTES
    for start in range(0, RECORDS, 480):
        records = [{"Data": data, "PartitionKey": str(number)} for number in range(start, start + 480)]
        assert kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"] == 0


def resident_mib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 >> 20


def test_memory_is_flat_however_far_behind(service: Service, programs: Programs, app: str, tmp_path: Path) -> None:
    small, large, go = service.stream(4), service.stream(4), tmp_path / "go"
    service.client("kinesis").put_record(StreamName=small, PartitionKey="key", Data=b"x")
    fill(service, large)
    budget = {"millstream__bufferMiB": str(BUDGET_MIB)}

    def start(stream: str) -> tuple[int, list[str]]:
        """The program on a stream, held at its first batch: its process, and what it says."""
        arguments = f"{app}-{stream}", stream, service.endpoint, REGION, str(go)
        process = programs.submit(PROGRAMS / "behind.py", *arguments, **budget)
        assert process.stdout is not None
        return process.pid, process.stdout  # type: ignore[return-value]

    _, out = start(small)
    least = int(next(line for line in out if line.startswith("held")).split()[2])
    pid, out = start(large)
    next(line for line in out if line.startswith("held"))
    until = time.monotonic() + 3
    while time.monotonic() < until:
        assert resident_mib(pid) <= least + MOST_GROWTH_MIB, "reading pauses while the batch is held"
        time.sleep(0.1)
    go.touch()
    said = [0, 0, 0]
    while said[0] < RECORDS:
        said = list(map(int, next(iter(out)).split()))
        assert said[2] <= least + MOST_GROWTH_MIB, f"at {said[0]} records it holds {said[2]} MiB, {least} with one"
    assert said[:2] == [RECORDS, RECORDS * RECORD_BYTES]
    print(f"{least} MiB with one record, at most {said[2]} MiB with {RECORDS * RECORD_BYTES >> 20} MiB waiting")
