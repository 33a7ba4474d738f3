// The page of one batch: what it read, what its output operations did.

import { element, get, live } from "./live.js";
import { Table } from "./table.js";
import { dateTime, duration, records } from "./words.js";

const id = new URLSearchParams(location.search).get("id") ?? "";
const place = (name) => document.getElementById(name);

const operations = new Table(place("operations"), [
  { title: "Output op id", kind: "number", value: (op) => op.outputOpId, cell: (op) => op.outputOpId },
  { title: "Description", value: (op) => op.description, cell: (op) => op.description },
  { title: "Duration", kind: "number", value: (op) => op.duration ?? null, cell: (op) => duration(op.duration) },
  { title: "Status", value: status, cell: (op) => ({ text: status(op), kind: op.failureReason ? "bad" : "" }) },
]);

function status(op) {
  if (op.failureReason) return "failed";
  if (op.endTime) return "succeeded";
  return op.startTime ? "running" : "not begun";
}

let shown = "";
async function show(application) {
  const base = `/api/v1/applications/${encodeURIComponent(application)}/streaming/batches/${encodeURIComponent(id)}`;
  let batch, ops, inputs;
  try {
    [batch, ops, inputs] = await Promise.all([get(base), get(`${base}/operations`), get(`${base}/inputs`)]);
  } catch (error) {
    place("missing").hidden = false;
    place("missing").textContent = `${error.message}: it is not kept any more, or there was none.`;
    return;
  }
  // A page that is read is not to be put together anew under the reader.
  const now = JSON.stringify([batch, ops, inputs]);
  if (now === shown) return;
  shown = now;
  place("missing").hidden = true;
  place("time").textContent = dateTime(batch.batchId);
  document.title = `Batch ${dateTime(batch.batchId)} – millstream`;
  const facts = [
    ["Status", batch.firstFailureReason ? "failed" : batch.status.toLowerCase()],
    ["Batch duration", duration(batch.batchDuration)],
    ["Input data size", records(batch.inputSize)],
    ["Scheduling delay", duration(batch.schedulingDelay)],
    ["Processing time", duration(batch.processingTime)],
    ["Total delay", duration(batch.totalDelay)],
  ];
  place("facts").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  operations.update("Output operations", ops);
  const errors = ops.filter((op) => op.failureReason).map((op) => [`Error of ${op.description}`, op.failureReason]);
  if (!errors.length && batch.firstFailureReason) errors.push(["Error", batch.firstFailureReason]);
  place("errors").replaceChildren(...errors.flatMap(([title, text]) => [element("h2", {}, title), element("pre", { tabindex: "0" }, text)]));
  place("inputs").replaceChildren(...inputs.flatMap(input));
}

function input({ streamId, streamName, numRecords, origins }) {
  const made = [element("h3", {}, `${streamName ?? `input ${streamId}`}: ${records(numRecords)}`)];
  if (origins === null) made.push(element("p", { class: "quiet" }, "Where they came from is kept of the newest batches only."));
  else if (origins.length) {
    const lines = origins.map((line) => element("li", {}, line));
    made.push(element("ol", { class: "ranges", tabindex: "0", "aria-label": `Ranges of ${streamName}` }, ...lines));
  }
  return made;
}

let application = null;
live("/events/streaming", (data) => {
  application = data.application ?? application;
  place("name").textContent = application.name;
  const isChanged = data.batches.some((row) => String(row[0]) === id);
  if (data.application || isChanged) show(application.id);
});
