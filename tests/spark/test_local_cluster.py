"""`local-cluster[N,C,M]`: executors in processes of their own, without a master to be started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from structured import Program, assert_reads_what_is_put, options

from tests.conftest import REGION, ROOT, Feed, Service, wait_until

if TYPE_CHECKING:
    from applications import Applications

MASTER = "local-cluster[2,1,1024]"


def test_the_decks_program_counts(applications: Applications, service: Service, app: str) -> None:
    stream = service.stream(2)
    program = ROOT / "examples" / "deck" / "kinesis_wordcount.py"
    arguments = (app, stream, service.endpoint, REGION)
    application = applications.run(MASTER, program, *arguments, millstream__cluster__carriedKiB="0")
    service.client("kinesis").put_record(StreamName=stream, PartitionKey="a", Data=b"to be or not to be")
    wait_until("the words are counted", lambda: "('to', 2)" in application.said(), 180)


def test_structured_streaming_reads_what_was_put(service: Service, tmp_path: Path) -> None:
    stream = service.stream(2)
    assert_reads_what_is_put(
        Program(MASTER, tmp_path / "program", options(service, stream, inlineBytes=0)), Feed(service, stream, keys=10)
    )
