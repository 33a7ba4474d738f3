"""The dashboard's pages in a real browser: `make test-browser`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from axe_selenium_python import Axe
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from conftest import PICTURES
from millstream import SparkConf, SparkContext
from millstream.streaming import StreamingContext
from millstream.streaming.kinesis import InitialPositionInStream, KinesisUtils
from millstream.testing import LocalKinesis, local_kinesis

HARMFUL = "<img src=x onerror=\"document.title = 'taken over'\">"
CHARTS = ["all-stream-records", "scheduling-delay", "processing-time", "total-delay"]
#: Drawn: some point of the canvas is not transparent.
IS_DRAWN = """
    const canvas = document.querySelector(`#${arguments[0]} canvas`);
    if (!canvas || !canvas.width) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, index) => index % 4 === 3 && value > 0);
"""


@pytest.fixture
def kinesis() -> Iterator[LocalKinesis]:
    with local_kinesis(streams={"flights": 4}) as kinesis:
        yield kinesis


def context(name: str, batch_s: float) -> StreamingContext:
    conf = SparkConf().set("spark.ui.port", "0").set("spark.millstream.failoverTime", "2s")
    return StreamingContext(SparkContext("local", name, conf=conf), batch_s)


def process(rdd: Any) -> None:
    for line in rdd.collect():
        if line == "fail":
            raise ValueError(f"this record can't be counted: {HARMFUL}")


@pytest.fixture
def program(kinesis: LocalKinesis) -> Iterator[StreamingContext]:
    """Reads a stream of four shards; a record `fail` makes its batch fail."""
    ssc = context("Flights by airport", 0.2)
    settings = kinesis.client_settings
    KinesisUtils.createStream(
        ssc, "flights-by-airport", "flights", settings["endpoint_url"], settings["region_name"],
        InitialPositionInStream.TRIM_HORIZON, 0.2,
        awsAccessKeyId=settings["aws_access_key_id"], awsSecretKey=settings["aws_secret_access_key"],
    ).foreachRDD(process)  # fmt: skip
    ssc.start()
    yield ssc
    ssc.stop()


class Pages:
    """A dashboard in a browser."""

    def __init__(self, browser: webdriver.Chrome, ssc: StreamingContext) -> None:
        url = ssc.sparkContext.uiWebUrl
        assert url is not None
        self.browser, self.url, self.app_id = browser, url, ssc.sparkContext.applicationId
        browser.set_window_size(1280, 1500)

    def open(self, path: str) -> None:
        self.browser.get(self.url + path)
        self.until("live", lambda: self.text("state") == "live")

    def rest(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/applications/{self.app_id}/{path}") as answer:
            return json.load(answer)

    def until(self, what: str, condition: Any) -> Any:
        return WebDriverWait(self.browser, 20, 0.05).until(lambda _: condition(), what)

    def text(self, id: str) -> str:
        return self.browser.find_element(By.ID, id).text

    def rows(self, id: str) -> list[list[str]]:
        """The cells of a table's rows, all of one moment."""
        rows: list[list[str]] = self.browser.execute_script(
            "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
            ".map((row) => [...row.cells].map((cell) => cell.textContent))",
            id,
        )
        return rows

    def button(self, name: str, within: str = "main") -> WebElement:
        buttons = self.browser.find_elements(By.CSS_SELECTOR, f"#{within} button")
        return next(button for button in buttons if button.text.strip(" ↕↑↓") == name)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(PICTURES / f"{name}.png"))

    def check(self) -> None:
        """Nothing is loaded from elsewhere, nothing failed, and axe-core finds no serious fault."""
        loaded = self.browser.execute_script("return performance.getEntriesByType('resource').map(({ name }) => name)")
        assert all(name.startswith(self.url) for name in loaded), loaded
        assert self.browser.get_log("browser") == []
        axe = Axe(self.browser)
        axe.inject()
        serious = [fault for fault in axe.run()["violations"] if fault["impact"] in ("serious", "critical")]
        assert serious == [], axe.report(serious)

    def emulate(self, command: str, **settings: Any) -> None:
        self.browser.execute_cdp_cmd(f"Emulation.{command}", settings)


def put(kinesis: LocalKinesis, *lines: str) -> None:
    """All into one shard: shards are read one after the other, and their records may come in two batches."""
    records = [{"Data": line.encode(), "PartitionKey": "key"} for line in lines]
    boto3.client("kinesis", **kinesis.client_settings).put_records(StreamName="flights", Records=records)


def test_the_streaming_page_agrees_with_rest(
    kinesis: LocalKinesis, program: StreamingContext, browser: webdriver.Chrome
) -> None:
    pages = Pages(browser, program)
    pages.open("/streaming/")
    for size in (50, 400, 200):
        put(kinesis, *["JFK"] * size)
        pages.until("the records are shown", lambda size=size: str(size) in [row[1] for row in pages.rows("completed")])
    pages.until("two pages of batches", lambda: "Page 1 of 2" in pages.text("completed"))
    for chart in CHARTS:
        for kind in ("timeline", "histogram"):
            pages.until(f"{chart} is drawn", lambda id=f"{chart}-{kind}": browser.execute_script(IS_DRAWN, id))

    # The newest on the second page do not change any more; times below a second are shown in ms.
    pages.button("Next", "completed").click()
    pages.until("the second page", lambda: "Page 2 of" in pages.text("completed"))
    links = browser.find_elements(By.CSS_SELECTOR, "#completed tbody a")
    shown = browser.execute_script(
        "return [...document.querySelectorAll('#completed tbody tr')]"
        ".map((row) => [row.querySelector('a').href, ...[...row.cells].map((cell) => cell.textContent)])"
    )
    assert links and shown
    for href, _, records, scheduling, processing, total, outputs, status in shown:
        batch = pages.rest(f"streaming/batches/{href.rpartition('=')[2]}")
        assert records == str(batch["inputSize"])
        times = [batch["schedulingDelay"], batch["processingTime"], batch["totalDelay"]]
        assert [scheduling, processing, total] == [f"{ms} ms" for ms in times]
        assert (outputs, status) == ("1/1", "completed")

    records = pages.button("Records", "completed")
    records.click()
    assert pages.rows("completed")[0][1] == "400"
    header = browser.find_element(By.CSS_SELECTOR, "#completed th[aria-sort='descending']")
    assert header.text.startswith("Records")
    records.click()
    assert pages.rows("completed")[0][1] == "0"

    statistics = pages.rest("streaming/statistics")
    summary = pages.text("summary")
    assert "Running batches of 200 ms" in summary and f"{statistics['numProcessedRecords']} records" in summary
    assert "1 / 1 active" in pages.text("figures")
    pages.button("Show each input").click()
    pages.until("the input's chart", lambda: browser.execute_script(IS_DRAWN, "stream-0-records-timeline"))
    assert "Kinesis stream flights" in pages.text("inputs")
    # By keyboard: from the newest batch to the left.
    chart = browser.find_element(By.ID, "all-stream-records-timeline")
    chart.send_keys(Keys.ARROW_LEFT)
    assert "records/s" in chart.find_element(By.TAG_NAME, "figcaption").text
    assert "highest 2,000 records/s" in chart.get_attribute("aria-label")
    pages.button("Hide inputs").click()
    pages.button("Batch time", "completed").click()
    pages.picture("streaming")
    pages.check()

    pages.emulate("setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(22, 24, 27)"
    pages.until("it is drawn anew", lambda: browser.execute_script(IS_DRAWN, "processing-time-timeline"))
    pages.picture("streaming-dark")
    pages.check()
    pages.emulate("setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    widths = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def test_an_error_is_shown_as_text_with_its_batch(
    kinesis: LocalKinesis, program: StreamingContext, browser: webdriver.Chrome
) -> None:
    pages = Pages(browser, program)
    pages.open("/streaming/")
    put(kinesis, "JFK", "LGA", "fail")
    failed = pages.until(
        "the failure is shown",
        lambda: [row for row in pages.rows("completed") if row[-1].startswith("failed: ValueError")],
    )
    assert HARMFUL in failed[0][-1]
    status = pages.button("Status", "completed")
    status.click()
    status.click()
    browser.find_element(By.CSS_SELECTOR, "#completed tbody a").click()
    pages.until("the batch's page", lambda: "Traceback" in pages.text("errors"))
    assert pages.text("errors").endswith(f"ValueError: this record can't be counted: {HARMFUL}")
    assert "in process" in pages.text("errors")
    assert pages.rows("operations")[0][-1] == "failed"
    assert "3 records" in pages.text("facts")
    assert "shardId-" in pages.text("inputs")
    assert "taken over" not in browser.title and not browser.find_elements(By.CSS_SELECTOR, "main img")
    pages.picture("batch")
    pages.check()

    pages.open("/streaming/batch/?id=1")
    pages.until("the batch is missing", lambda: "unknown batch: 1" in pages.text("missing"))


def test_the_shards_page_shows_lineage_and_owners(
    kinesis: LocalKinesis, program: StreamingContext, browser: webdriver.Chrome
) -> None:
    client = boto3.client("kinesis", **kinesis.client_settings)
    first = client.list_shards(StreamName="flights")["Shards"][0]
    start, end = (int(first["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
    middle = str((start + end) // 2 + 1)
    pages = Pages(browser, program)
    pages.open("/shards/")
    pages.until("four shards", lambda: len(pages.rows("shards")) == 4)
    pages.until("they are read", lambda: all(row[3] == "this program" for row in pages.rows("shards")))
    client.split_shard(StreamName="flights", ShardToSplit=first["ShardId"], NewStartingHashKey=middle)
    pages.until("the children are read", lambda: [row[2] for row in pages.rows("shards")].count("reading") == 5)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".lineage path")) == 2
    assert len(browser.find_elements(By.CSS_SELECTOR, ".lineage rect")) == 6
    put(kinesis, *["JFK"] * 300)
    pages.until("something is read", lambda: any(row[5] not in ("-", "0") for row in pages.rows("shards")))
    [worker] = [row for row in pages.rows("workers") if row[1] == "this program"]
    assert worker[2] == "5"
    leases = {lease["leaseKey"]: lease["state"] for lease in pages.rest("leases")}
    shown = {row[0]: row[2] for row in pages.rows("shards")}
    assert {shard: shown[shard] for shard in leases} == leases
    pages.picture("shards")
    pages.check()
    # What remains to be seen when the stream is gone, and then the program.
    client.delete_stream(StreamName="flights")
    pages.until("why nothing is read", lambda: "`flights`" in pages.text("lineages"))
    assert "Reading has ended" in pages.text("lineages") and len(pages.rows("shards")) >= 5
    program.stop(stopSparkContext=False)
    pages.until("it is told", lambda: "does not answer" in pages.text("state"))
    assert len(pages.rows("shards")) >= 5


def test_a_thousand_batches_are_there_at_once(browser: webdriver.Chrome) -> None:
    ssc = context("Empty batches", 0.01)
    ssc.queueStream([]).foreachRDD(lambda rdd: None)
    ssc.start()
    try:
        pages = Pages(browser, ssc)
        # The first page is on the browser: what it costs to start is not ours.
        pages.open("/streaming/")
        WebDriverWait(browser, 60).until(lambda _: len(pages.rest("streaming/batches")) >= 1000)
        drawn = []
        for _ in range(5):
            pages.open("/streaming/")
            mark = "return performance.getEntriesByName('drawn')[0]?.startTime"
            drawn.append(pages.until("it is drawn", lambda mark=mark: browser.execute_script(mark)))
        print(f"drawn after {sorted(drawn)} ms with 1,000 batches")
        assert "last 1,000 out of" in pages.text("completed")
        assert min(drawn) < 1000
    finally:
        ssc.stop()


def test_pages_without_batches_are_whole(browser: webdriver.Chrome) -> None:
    ssc = context("Nothing yet", 3600)
    ssc.queueStream([]).foreachRDD(lambda rdd: None)
    ssc.start()
    try:
        pages = Pages(browser, ssc)
        for path in ("/streaming/", "/shards/"):
            pages.open(path)
            assert "live" in pages.text("state")
            pages.check()
        assert "No Kinesis stream is read" in pages.text("summary")
    finally:
        ssc.stop()
