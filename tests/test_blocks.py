"""Blocks of records as a task on another machine reads them, out of an aggregated record of the local service."""

from __future__ import annotations

import struct
import time

import pytest

from conftest import REGION, Service
from millstream._millstream import Block, KinesisWriter
from millstream.kinesis_client import ClientSettings, Range, client_of

WORDS = [b"to", b"", b"be", b"or not", b"\xff\x00", b"tobe"]


@pytest.fixture
def block(service: Service) -> Block:
    """The records with sub-sequence numbers 1 to 4, which a range cuts out of an aggregated record of six."""
    settings = ClientSettings(region=REGION, endpoint=service.endpoint, access_key="test", secret="test")
    stream, client = service.stream(1), client_of(settings)
    writer = KinesisWriter(client, stream, True, 1_000_000)
    writer.put(WORDS, [f"k{number}" for number in range(6)], [None] * 6)
    writer.flush()
    (shard,) = client.list_shards(stream)
    (whole,) = client.read_between(stream, shard, None, time.time_ns() // 1_000_000)
    assert whole.last is not None
    assert len(whole) == 6 and whole.last.endswith(":5"), "an aggregated record"
    sequence = whole.last.split(":")[0]
    (part,) = Range(shard, f"{sequence}:1", f"{sequence}:4", 4).read(settings, stream)
    return part


def test_a_part_of_a_block_gives_its_own_data_without_a_copy(block: Block) -> None:
    offsets, data = block.data_buffers()
    ends = struct.unpack("=5i", offsets)
    assert ends == (0, 0, 2, 8, 10)
    assert len(data) == 10
    assert bytes(data) == b"".join(WORDS[1:5]), "not what lies beside it"
    assert block.data_list() == WORDS[1:5]


def test_what_refers_to_data_keeps_them(block: Block) -> None:
    view = memoryview(block.data_buffers()[1])
    del block
    assert view.readonly
    assert view[2:8] == b"or not"


def test_data_are_not_to_be_written_to(block: Block) -> None:
    with pytest.raises((BufferError, TypeError)):
        struct.pack_into("B", block.data_buffers()[1], 0, 1)


def test_texts_of_a_part_are_its_own(block: Block) -> None:
    offsets, keys = block.partition_key_buffers()
    assert struct.unpack("=5i", offsets) == (0, 2, 4, 6, 8)
    assert keys == b"k1k2k3k4"
