"""The status page of the local service in a real browser: `make test-browser`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from millstream.testing import LocalKinesis, local_kinesis

HARMFUL = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"


@pytest.fixture
def kinesis() -> Iterator[LocalKinesis]:
    with local_kinesis(streams={"orders": 2, "clicks": 1}) as kinesis:
        yield kinesis


def test_the_page_shows_what_happens_and_takes_data_as_text(kinesis: LocalKinesis, browser: webdriver.Chrome) -> None:
    client = boto3.client("kinesis", **kinesis.client_settings)
    client.put_record(StreamName="orders", PartitionKey=HARMFUL, Data=HARMFUL.encode())
    metric = {"MetricName": HARMFUL, "Value": 1.0}
    boto3.client("cloudwatch", **kinesis.client_settings).put_metric_data(Namespace="my-app", MetricData=[metric])

    browser.get(kinesis.endpoint)

    def text(id: str) -> str:
        return browser.find_element(By.ID, id).text

    def until(id: str, *wanted: str) -> None:
        WebDriverWait(browser, 20).until(lambda _: all(part in text(id) for part in wanted), f"{wanted} in {id}")

    until("streams", "orders", "clicks", "ACTIVE", "PROVISIONED")
    until("state", "2 streams", "0 open subscriptions")
    until("metrics", "my-app", HARMFUL)
    next(button for button in browser.find_elements(By.TAG_NAME, "button") if button.text == "orders").click()
    until("records", HARMFUL, "shardId-0000")
    until("shards", "shardId-000000000000", "shardId-000000000001", "open")
    # What comes later shows by itself.
    for number in range(5):
        client.put_record(StreamName="orders", PartitionKey="key", Data=f"record {number}".encode())
    until("records", "record 4")

    assert browser.title == "millstream local"
    assert not browser.find_elements(By.CSS_SELECTOR, "td script, td img")
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith(kinesis.endpoint) for name in loaded), loaded
    errors = [line for line in browser.get_log("browser") if "favicon" not in json.dumps(line)]
    assert errors == []
    browser.save_screenshot("target/status-page.png")
    with urllib.request.urlopen(f"{kinesis.endpoint}/_millstream/status") as answer:
        assert json.load(answer)["streams"][1]["records_in"] == 6
