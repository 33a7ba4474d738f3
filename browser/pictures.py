"""Makes the pictures of the documentation anew (`make pictures`): two programs share a stream whose load varies."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import chromium
from selenium.webdriver.support.ui import WebDriverWait

from millstream.testing import LocalKinesis, local_kinesis

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "docs" / "img"
AIRPORTS = ("ATL", "BOS", "DEN", "FLL", "LAX", "MCO", "MIA", "ORD", "SEA", "SFO")
SECONDS, PORT = 60, 4140


def start(kinesis: LocalKinesis, directory: str, port: int) -> subprocess.Popen[bytes]:
    conf = [f"--conf=spark.ui.port={port}", "--conf=spark.app.id=local-1"]
    submit = [str(Path(sys.executable).parent / "millstream"), "submit", "--master", "local", *conf, "flights.py"]
    return subprocess.Popen([*submit, kinesis.endpoint], cwd=directory, env=kinesis.environment)


def put(client: Any, lines: list[str]) -> None:
    for first in range(0, len(lines), 500):
        records = [{"Data": line.encode(), "PartitionKey": line} for line in lines[first : first + 500]]
        client.put_records(StreamName="flights", Records=records)


def feed(client: Any) -> None:
    """A minute of flights; after a third a shard is split, after two thirds two are merged."""
    shards = client.list_shards(StreamName="flights")["Shards"]
    first, last = (int(shards[0]["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
    began = time.monotonic()
    for step in range(SECONDS * 4):
        count = int(900 + 700 * math.sin(step / 14) + 150 * math.sin(step * 1.7))
        put(client, [f"{AIRPORTS[(step * 7 + number) % 10]} {step}-{number}" for number in range(count)])
        if step == SECONDS * 4 // 3:
            middle = str((first + last) // 2 + 1)
            client.split_shard(StreamName="flights", ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=middle)
        if step == SECONDS * 8 // 3:
            ends = (shards[index]["ShardId"] for index in (2, 3))
            client.merge_shards(StreamName="flights", ShardToMerge=next(ends), AdjacentShardToMerge=next(ends))
        time.sleep(max(0.0, began + step / 4 - time.monotonic()))


def failed_batch(port: int) -> str | None:
    url = f"http://127.0.0.1:{port}/api/v1/applications/local-1/streaming/batches?status=completed"
    with urllib.request.urlopen(url) as answer:
        return next((str(batch["batchId"]) for batch in json.load(answer) if "firstFailureReason" in batch), None)


def main() -> None:
    browser = chromium.start()
    IMAGES.mkdir(exist_ok=True)

    def picture(name: str, port: int, path: str, height: int) -> None:
        browser.set_window_size(1180, height)
        browser.get(f"http://127.0.0.1:{port}{path}")
        live = "return document.getElementById('state').textContent === 'live'"
        WebDriverWait(browser, 20).until(lambda _: browser.execute_script(live))
        # Speeds are known with the second look.
        time.sleep(2.5)
        browser.save_screenshot(str(IMAGES / f"{name}.png"))

    with TemporaryDirectory() as directory, local_kinesis(streams={"flights": 4}) as kinesis:
        # The path of the program is in the pictures.
        shutil.copy(HERE / "flights.py", directory)
        programs = [start(kinesis, directory, port) for port in (PORT, PORT + 1)]
        try:
            client = boto3.client("kinesis", **kinesis.client_settings)
            feed(client)
            picture("streaming", PORT, "/streaming/", 1150)
            picture("shards", PORT, "/shards/", 1200)
            region, port = kinesis.client_settings["region_name"], int(kinesis.endpoint.rsplit(":", 1)[1])
            picture("local-stream", port, f"/_millstream/pages/stream?region={region}&name=flights", 1150)
            dark = [{"name": "prefers-color-scheme", "value": "dark"}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
            picture("streaming-dark", PORT, "/streaming/", 1150)
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
            put(client, ["    nowhere"])
            found = WebDriverWait(browser, 20).until(
                lambda _: next(((port, id) for port in (PORT, PORT + 1) if (id := failed_batch(port))), None)
            )
            picture("batch", found[0], f"/streaming/batch/?id={found[1]}", 900)
        finally:
            for program in programs:
                program.terminate()
                program.wait(timeout=30)
            browser.quit()


if __name__ == "__main__":
    main()
