"""The pages of the local service in a real browser: `make test-browser`."""

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
from selenium.webdriver.support.ui import Select, WebDriverWait

from conftest import PICTURES
from millstream.testing import LocalKinesis, local_kinesis

HARMFUL = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"


class Pages:
    """What a person does with the pages."""

    def __init__(self, browser: webdriver.Chrome, kinesis: LocalKinesis) -> None:
        self.browser, self.kinesis = browser, kinesis
        self.client = boto3.client("kinesis", **kinesis.client_settings)

    def open(self, path: str) -> None:
        self.browser.get(self.kinesis.endpoint + path)
        self.until("state", "live")

    def text(self, id: str) -> str:
        return self.browser.find_element(By.ID, id).text

    def until(self, id: str, *wanted: str) -> None:
        """Waits until these words are in an element."""
        is_there = lambda _: all(part in self.text(id) for part in wanted)  # noqa: E731
        WebDriverWait(self.browser, 20).until(is_there, f"{wanted} in {id}")

    def type(self, form: str, **fields: str) -> None:
        for name, text in fields.items():
            field = self.browser.find_element(By.CSS_SELECTOR, f"#{form} [name={name}]")
            field.clear()
            field.send_keys(text)

    def press(self, selector: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def check(self, picture: str) -> None:
        """Nothing came from elsewhere, nothing that was put is markup, no serious fault of accessibility, no error."""
        assert not self.browser.find_elements(By.CSS_SELECTOR, "td script, td img, dd img")
        assert "taken over" not in self.browser.title
        names = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        loaded = self.browser.execute_script(names)
        assert all(name.startswith(self.kinesis.endpoint) for name in loaded), loaded
        axe = Axe(self.browser)
        axe.inject()
        found = [fault for fault in axe.run()["violations"] if fault["impact"] in ("serious", "critical")]
        assert found == [], [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]
        assert self.browser.get_log("browser") == []
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(PICTURES / f"local-{picture}.png"))

    def answer(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.kinesis.endpoint}/_millstream/{path}") as answer:
            return json.load(answer)


@pytest.fixture
def kinesis() -> Iterator[LocalKinesis]:
    with local_kinesis(streams={"orders": 2, "clicks": 1}) as kinesis:
        yield kinesis


@pytest.fixture
def pages(browser: webdriver.Chrome, kinesis: LocalKinesis) -> Pages:
    return Pages(browser, kinesis)


def test_streams_and_metrics_are_shown_as_they_come(pages: Pages) -> None:
    metric = {"MetricName": HARMFUL, "Value": 1.0}
    cloudwatch = boto3.client("cloudwatch", **pages.kinesis.client_settings)
    cloudwatch.put_metric_data(Namespace="my-app", MetricData=[metric])
    pages.open("/")
    pages.until("streams", "orders", "clicks", "ACTIVE", "PROVISIONED")
    pages.until("summary", "2 streams", "0 open subscriptions")
    pages.until("metrics", "my-app", HARMFUL)
    pages.client.create_stream(StreamName="later", ShardCount=1)
    pages.until("streams", "later")
    pages.check("streams")
    next(link for link in pages.browser.find_elements(By.TAG_NAME, "a") if link.text == "orders").click()
    pages.until("name", "orders")


def test_a_stream_shows_lineage_consumers_and_records_taken_apart(pages: Pages) -> None:
    client = pages.client
    client.put_record(StreamName="orders", PartitionKey=HARMFUL, Data=HARMFUL.encode())
    client.put_record(StreamName="orders", PartitionKey="key", Data=b'{"order": 7}')
    client.put_record(StreamName="orders", PartitionKey="key", Data=b"\xff\xfe")
    arn = client.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    client.register_stream_consumer(StreamARN=arn, ConsumerName="counts")
    client.split_shard(StreamName="orders", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    pages.open("/_millstream/pages/stream?region=us-east-1&name=orders")
    pages.until("facts", "ACTIVE", "3 open, 4 in all", "24 h")
    pages.until("shards", "shardId-000000000003", "closed", "open")
    pages.until("consumers", "counts", "ACTIVE")
    pages.until("records", HARMFUL, "json", '{"order": 7}', "binary", "ff fe")
    drawn = pages.browser.find_elements(By.CSS_SELECTOR, "#lineage rect")
    assert [rect.get_attribute("class") for rect in drawn] == ["ended", "own", "own", "own"]
    pages.check("stream")

    client.delete_stream(StreamName="orders", EnforceConsumerDeletion=True)
    pages.until("missing", "There is no stream orders")


def test_a_record_is_put_by_hand(pages: Pages) -> None:
    pages.open("/_millstream/pages/stream?region=us-east-1&name=clicks")
    pages.type("put", partition_key="by hand", data="a record\nof two lines")
    pages.press("#put button")
    pages.until("put-answer", "Put into shardId-000000000000")
    pages.until("records", "by hand", "a record")
    assert pages.answer("records/us-east-1/clicks")["records"][0]["data"].splitlines() == ["a record", "of two lines"]
    pages.check("put")
    pages.type("put", explicit_hash_key=str(2**128))
    pages.press("#put button")
    pages.until("put-answer", "Exception")


def test_faults_are_injected_shown_and_removed(pages: Pages) -> None:
    pages.open("/_millstream/pages/faults")
    pages.until("summary", "No fault is in force")
    Select(pages.browser.find_element(By.NAME, "kind")).select_by_value("error")
    pages.type("inject", operation="PutRecord", stream="clicks", times="2", code="KMSThrottlingException", status="400")
    pages.press("#inject button")
    pages.until("faults", "error: KMSThrottlingException (400)", "PutRecord", "clicks")
    assert pages.answer("faults")["faults"][0]["fault"]["times"] == 2
    Select(pages.browser.find_element(By.NAME, "kind")).select_by_value("latency")
    pages.type("inject", operation="", stream="", times="", milliseconds="1")
    pages.press("#inject button")
    pages.until("faults", "latency: 1 ms", "for ever")
    pages.check("faults")
    pages.press("#faults tbody button")
    WebDriverWait(pages.browser, 20).until(lambda _: len(pages.answer("faults")["faults"]) == 1)
    pages.press("#clear")
    pages.until("summary", "No fault is in force")
    assert pages.answer("faults")["faults"] == []
