// The Streaming page: whether the program keeps up.

import { Histogram, Timeline } from "./chart.js";
import { element, live } from "./live.js";
import { Table } from "./table.js";
import { amount, count, dateTime, duration, shortAmount, shortDuration } from "./words.js";

const [TIME, STATUS, RECORDS, SCHEDULING, PROCESSING, TOTAL, , DONE, FAILED, OPERATIONS, ERROR] = Array(11).keys();
const times = { words: duration, axisWords: shortDuration };
const rates = { words: (rate) => `${amount(rate)} records/s`, axisWords: shortAmount };

const batches = new Map();
let application = null, told = null, ahead = 0, isDrawn = true, figures = null;

const records = (row) => row[RECORDS].reduce((sum, number) => sum + number, 0);
const status = (row) => (row[ERROR] ? `failed: ${row[ERROR]}` : row[STATUS].toLowerCase());
const time = (field) => (row) => row[field];
const columns = [
  {
    title: "Batch time", kind: "whole", first: -1, value: (row) => row[TIME],
    cell: (row) => ({ text: dateTime(row[TIME]), href: `/streaming/batch/?id=${row[TIME]}` }),
  },
  { title: "Records", kind: "number", value: records, cell: (row) => count(records(row)) },
  { title: "Scheduling delay", kind: "number", value: time(SCHEDULING), cell: (row) => duration(row[SCHEDULING]) },
  { title: "Processing time", kind: "number", value: time(PROCESSING), cell: (row) => duration(row[PROCESSING]) },
];
const outcome = [
  {
    title: "Output ops: succeeded/total", kind: "number", value: (row) => row[DONE],
    cell: (row) => `${row[DONE]}/${row[OPERATIONS]}${row[FAILED] ? ` (${row[FAILED]} failed)` : ""}`,
  },
  { title: "Status", value: status, cell: (row) => ({ text: status(row), kind: row[ERROR] ? "bad" : "" }) },
];
const delay = { title: "Total delay", kind: "number", value: time(TOTAL), cell: (row) => duration(row[TOTAL]) };
const section = (id) => document.getElementById(id);
const running = new Table(section("running"), [...columns, ...outcome], [0, -1]);
const waiting = new Table(section("waiting"), [...columns, ...outcome], [0, -1]);
const completed = new Table(section("completed"), [...columns, delay, ...outcome], [0, -1]);

/** A row of the page: words, a timeline and a histogram of one figure. */
class Figure {
  constructor(parent, id, title, kind, level = "h2") {
    this.words = element("div");
    this.timeline = new Timeline(`${id}-timeline`, title, kind);
    this.histogram = new Histogram(`${id}-histogram`, title, kind);
    const heading = element("div", {}, element(level, {}, title), this.words);
    this.row = element("div", { class: "figure" }, heading, this.timeline.figure, this.histogram.figure);
    parent.append(this.row);
  }

  update(rows, value, ...words) {
    const values = rows.map(value);
    this.timeline.update(rows.map((row) => row[TIME]), values);
    this.histogram.update(values);
    const line = (text) => element("p", { class: text.kind ?? "quiet" }, text.text ?? text);
    this.words.replaceChildren(...words.filter(Boolean).map(line));
  }
}

function build() {
  const parent = document.getElementById("figures");
  parent.replaceChildren();
  const limited = { ...times, limit: told.statistics.batchDuration };
  const input = new Figure(parent, "all-stream-records", "Input rate", rates);
  const inputs = element("div", { id: "inputs", hidden: "" });
  const toggle = element("button", { type: "button", "aria-expanded": "false", "aria-controls": "inputs" }, "Show each input");
  toggle.onclick = () => {
    inputs.hidden = !inputs.hidden;
    toggle.setAttribute("aria-expanded", String(!inputs.hidden));
    toggle.textContent = inputs.hidden ? "Show each input" : "Hide inputs";
    draw();
  };
  input.row.after(inputs);
  input.row.firstChild.append(toggle);
  figures = {
    input,
    inputs: told.receivers.map(({ streamId, streamName }) =>
      new Figure(inputs, `stream-${streamId}-records`, streamName, rates, "h3")),
    scheduling: new Figure(parent, "scheduling-delay", "Scheduling delay", limited),
    processing: new Figure(parent, "processing-time", "Processing time", limited),
    total: new Figure(parent, "total-delay", "Total delay", limited),
  };
}

function draw() {
  isDrawn = true;
  const { statistics, receivers } = told;
  const rows = [...batches.values()].sort((left, right) => left[TIME] - right[TIME]);
  const seconds = statistics.batchDuration / 1000;
  const mean = (ms) => (ms === undefined ? "No batch has ended yet" : `Mean: ${duration(ms)}`);
  figures.input.update(rows, (row) => records(row) / seconds,
    statistics.numReceivers ? `Receivers: ${statistics.numActiveReceivers} / ${statistics.numReceivers} active` : null,
    `Mean: ${amount(statistics.avgInputRate)} records/s`);
  if (!document.getElementById("inputs").hidden) {
    receivers.forEach((receiver, input) => figures.inputs[input].update(rows, (row) => row[RECORDS][input] / seconds,
      activity(receiver.isActive),
      `Mean: ${amount(receiver.avgEventRate)} records/s`,
      receiver.lastErrorMessage ? { text: `${receiver.lastErrorTime}: ${receiver.lastErrorMessage}`, kind: "bad" } : null));
  }
  figures.scheduling.update(rows, (row) => row[SCHEDULING], mean(statistics.avgSchedulingDelay));
  figures.processing.update(rows, (row) => row[PROCESSING], mean(statistics.avgProcessingTime),
    statistics.avgProcessingTime > statistics.batchDuration
      ? { text: "longer than the batch interval: the program does not keep up", kind: "bad" } : null);
  figures.total.update(rows, (row) => row[TOTAL], mean(statistics.avgTotalDelay));
  const of = (status) => rows.filter((row) => row[STATUS] === status);
  const ended = of("COMPLETED");
  running.update(`Running batches (${of("PROCESSING").length})`, of("PROCESSING"));
  waiting.update(`Waiting batches (${of("QUEUED").length})`, of("QUEUED"));
  completed.update(`Completed batches (last ${count(ended.length)} out of ${count(statistics.numTotalCompletedBatches)})`, ended);
  performance.mark("drawn");
}

/** Of an input that has no receiver nothing is said. */
function activity(isActive) {
  if (isActive === undefined) return null;
  return isActive ? { text: "active", kind: "good" } : { text: "not active", kind: "bad" };
}

function summarise() {
  if (!told) return;
  const { statistics } = told;
  const passed = Date.now() + ahead - application.startTime;
  document.getElementById("summary").textContent =
    `Running batches of ${duration(statistics.batchDuration)} for ${duration(Math.max(0, passed))} since ${dateTime(application.startTime - (application.startTime % 1000))} ` +
    `(${count(statistics.numTotalCompletedBatches)} completed batches, ${count(statistics.numProcessedRecords)} records)`;
}

live("/events/streaming", (data) => {
  const isAnew = data.application !== undefined;
  told = data;
  ahead = data.now - Date.now();
  if (isAnew) {
    application = data.application;
    batches.clear();
    document.getElementById("name").textContent = application.name;
    document.title = `${application.name} – Streaming – millstream`;
  }
  for (const row of data.batches) batches.set(row[TIME], row);
  forget(new Set(data.open));
  if (isAnew) build();
  summarise();
  if (isDrawn) {
    isDrawn = false;
    requestAnimationFrame(draw);
  }
});
setInterval(summarise, 1000);

/** Keeps what the program keeps: batches that it has given up unfinished, and the oldest, go. */
function forget(open) {
  for (const [id, row] of batches) if (row[STATUS] !== "COMPLETED" && !open.has(id)) batches.delete(id);
  const ended = [...batches.keys()].filter((id) => !open.has(id)).sort((left, right) => left - right);
  for (const id of ended.slice(0, Math.max(0, ended.length - application.retainedBatches))) batches.delete(id);
}
