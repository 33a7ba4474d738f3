// The page of all streams, and of the metrics that were put.

import { Rates, ask, regularly } from "./service.js";
import { Table } from "./table.js";
import { amount, count, timeOfDay } from "./words.js";

const place = (name) => document.getElementById(name);
const rates = new Rates();

const streams = new Table(place("streams"), [
  {
    title: "Stream", kind: "whole", value: (stream) => stream.name,
    cell: (stream) => ({
      text: stream.name,
      href: `/_millstream/pages/stream?region=${encodeURIComponent(stream.region)}&name=${encodeURIComponent(stream.name)}`,
    }),
  },
  { title: "Region", kind: "whole", value: (stream) => stream.region, cell: (stream) => stream.region },
  { title: "Status", value: (stream) => stream.status, cell: (stream) => stream.status },
  { title: "Mode", value: (stream) => stream.mode, cell: (stream) => stream.mode },
  { title: "Open shards", kind: "number", value: (stream) => stream.open_shards, cell: (stream) => count(stream.open_shards) },
  { title: "Consumers", kind: "number", value: (stream) => stream.consumers, cell: (stream) => count(stream.consumers) },
  rate("Records/s in", "records_in", amount),
  rate("kB/s in", "bytes_in", (bytes) => amount(bytes / 1000)),
  rate("Records/s out", "records_out", amount),
  rate("kB/s out", "bytes_out", (bytes) => amount(bytes / 1000)),
], [0, 1]);

const metrics = new Table(place("metrics"), [
  { title: "Received", kind: "whole", value: (metric) => metric.received_ms, cell: (metric) => timeOfDay(metric.received_ms), first: -1 },
  { title: "Namespace", value: (metric) => metric.namespace, cell: (metric) => metric.namespace },
  { title: "Metric", value: (metric) => metric.name, cell: (metric) => metric.name },
  { title: "Dimensions", kind: "data", value: (metric) => metric.dimensions, cell: (metric) => metric.dimensions },
  { title: "Samples", kind: "number", value: (metric) => metric.count, cell: (metric) => amount(metric.count) },
  { title: "Sum", kind: "number", value: (metric) => metric.sum, cell: (metric) => amount(metric.sum) },
  { title: "Unit", value: (metric) => metric.unit, cell: (metric) => metric.unit },
]);

function rate(title, name, words) {
  const value = (stream) => rates.of(stream, name);
  return { title, kind: "number", value, cell: (stream) => (value(stream) === null ? "-" : words(value(stream))) };
}

regularly(async () => {
  const [status, put] = await Promise.all([ask("status"), ask("metrics")]);
  rates.next(status);
  const open = status.subscriptions === 1 ? "1 open subscription" : `${count(status.subscriptions)} open subscriptions`;
  place("summary").textContent = status.streams.length ? `${count(status.streams.length)} streams, ${open}.` : "There is no stream.";
  streams.update("All streams", status.streams);
  metrics.update("CloudWatch metrics received", put.metrics);
});
