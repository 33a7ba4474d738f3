"""Metrics that a program pushes to a collector of OpenTelemetry."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from conftest import MILLSTREAM, PROGRAMS, REGION, Feed, Ledger, Programs, Service, stop, wait_until

Labels = frozenset[tuple[str, str]]


class Collector:
    """Takes what is pushed to it, by HTTP and protobuf."""

    def __init__(self, status: int = 200) -> None:
        self.pushes: list[tuple[str, dict[str, str], ExportMetricsServiceRequest]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.pushes.append((self.path, dict(self.headers), ExportMetricsServiceRequest.FromString(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def resource(self) -> dict[str, str]:
        [of_resource] = self.pushes[-1][2].resource_metrics
        return {pair.key: pair.value.string_value for pair in of_resource.resource.attributes}

    def values(self, name: str) -> dict[Labels, float]:
        """The last push's values of a metric, by their labels."""
        if not self.pushes:
            return {}
        [of_resource] = self.pushes[-1][2].resource_metrics
        metrics = [metric for scope in of_resource.scope_metrics for metric in scope.metrics if metric.name == name]
        points = [point for metric in metrics for point in (*metric.sum.data_points, *metric.gauge.data_points)]
        labels = [frozenset((pair.key, pair.value.string_value) for pair in point.attributes) for point in points]
        return {of_point: point.as_double for of_point, point in zip(labels, points, strict=True)}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()


def start(
    programs: Programs, service: Service, app: str, stream: str, ledger: Ledger, to: Collector, **variables: str
) -> subprocess.Popen[str]:
    """A program without pages, which pushes its metrics."""
    return programs.start(
        str(MILLSTREAM), "submit", "--master=local[1]", "--conf=spark.ui.enabled=false",
        str(PROGRAMS / "ledger.py"), app, stream, service.endpoint, REGION, str(ledger.path),
        OTEL_EXPORTER_OTLP_ENDPOINT=to.endpoint, OTEL_EXPORTER_OTLP_HEADERS="api-key=secret", **variables,
    )  # fmt: skip


def test_all_metrics_are_pushed_also_without_pages(
    programs: Programs, service: Service, app: str, ledger: Ledger, collector: Collector
) -> None:
    stream = service.stream(2)
    more = {"OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    program = start(programs, service, app, stream, ledger, collector, **more)
    Feed(service, stream, keys=10).put(rounds=3)
    read = lambda: sum(collector.values("millstream_shard_records_total").values())  # noqa: E731
    wait_until("what was read is pushed", lambda: read() == 30, 30)
    assert {dict(labels)["stream"] for labels in collector.values("millstream_shard_records_total")} == {stream}
    assert set(collector.values("kcl_TotalLeases").values()) == {2.0}

    path, headers, _ = collector.pushes[-1]
    assert (path, headers["Api-Key" if "Api-Key" in headers else "api-key"]) == ("/v1/metrics", "secret")
    assert collector.resource()["deployment.environment.name"] == "test"
    assert collector.resource()["service.name"]
    stop(program)


def test_what_a_program_has_done_is_pushed_at_its_end(
    programs: Programs, service: Service, app: str, ledger: Ledger, collector: Collector
) -> None:
    stream = service.stream(1)
    program = start(programs, service, app, stream, ledger, collector, OTEL_SERVICE_NAME="orders")
    Feed(service, stream, keys=10).put(rounds=1)
    wait_until("all is processed", lambda: len(ledger.read()) == 10, 30)
    assert collector.pushes == [], "the first is due in a minute"
    stop(program)
    assert list(collector.values("spark_streaming_driver_totalProcessedRecords").values()) == [10.0]
    assert collector.resource()["service.name"] == "orders"


def test_a_collector_that_refuses_is_told_of_and_harms_nothing(
    programs: Programs, service: Service, app: str, ledger: Ledger
) -> None:
    refusing = Collector(status=403)
    stream = service.stream(1)
    program = start(programs, service, app, stream, ledger, refusing, OTEL_METRIC_EXPORT_INTERVAL="200")
    Feed(service, stream, keys=10).put(rounds=1)
    wait_until("all is processed", lambda: len(ledger.read()) == 10, 30)
    wait_until("metrics are refused", lambda: len(refusing.pushes) > 1, 30)
    program.terminate()
    output, _ = program.communicate(timeout=30)
    assert "the collector refuses metrics" in output and "403" in output
    assert "secret" not in output
    refusing.server.shutdown()
