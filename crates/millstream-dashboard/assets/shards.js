// The Shards page: who reads which shard, and how far.

import { draw, generations } from "./lineage.js";
import { element, get, live } from "./live.js";
import { Table } from "./table.js";
import { amount, count, duration } from "./words.js";

const place = (name) => document.getElementById(name);
const shards = new Map();
const drawings = new Map();
let streams = [];

const key = (shard) => `${shard.application}/${shard.stream}/${shard.shardId}`;
const reading = (name) => (shard) => shard.reading?.[name] ?? null;
const isOurs = (worker) => streams.some((stream) => stream.worker === worker);
const isOwn = (shard) => shard.owner !== null && isOurs(shard.owner);
const short = (name) => (name === null ? "-" : name.length > 18 ? `${name.slice(0, 8)}…${name.slice(-8)}` : name);

const workers = new Table(place("workers"), [
  { title: "Worker", kind: "data", value: (row) => row.worker, cell: (row) => row.worker },
  { title: "Whose", value: (row) => row.isOwn, cell: (row) => (row.isOwn ? "this program" : "") },
  { title: "Leases", kind: "number", value: (row) => row.leases, cell: (row) => count(row.leases) },
  { title: "Handed over to it", kind: "number", value: (row) => row.coming, cell: (row) => count(row.coming) },
], [2, -1]);

const table = new Table(place("shards"), [
  {
    title: "Shard", kind: "whole", value: (shard) => shard.shardId,
    cell: (shard) => ({ text: shard.shardId, title: shard.stream }),
  },
  {
    title: "Parents", value: (shard) => shard.parentShardIds.join(),
    cell: (shard) => shard.parentShardIds.map((id) => id.replace("shardId-", "")).join(", ") || "-",
  },
  {
    title: "State", value: (shard) => state(shard),
    cell: (shard) => ({ text: state(shard), kind: shard.lastError ? "bad" : "", title: shard.lastError ?? "" }),
  },
  {
    title: "Owner", kind: "whole", value: (shard) => shard.owner,
    cell: (shard) => ({ text: owner(shard), title: shard.owner ?? "" }),
  },
  {
    title: "Checkpoint", kind: "whole", value: (shard) => shard.checkpoint,
    cell: (shard) => ({ text: short(shard.checkpoint), title: shard.checkpoint ?? "" }),
  },
  figure("Records/s", "recordsPerSecond", amount),
  figure("kB/s", "bytesPerSecond", (bytes) => amount(bytes / 1000)),
  figure("Behind", "millisBehindLatest", duration),
  figure("Waiting", "queuedRecords", count),
  figure("Throttled", "throttledReads", count),
  figure("Read again", "recordsReadAgain", count),
]);

/** A column of what is known of the shards that are read here. */
function figure(title, name, words) {
  const value = reading(name);
  return { title, kind: "number", value, cell: (shard) => (value(shard) === null ? "-" : words(value(shard))) };
}

function state(shard) {
  if (shard.hasEnded) return "ended";
  if (shard.state === null) return "no lease yet";
  return shard.reading?.hasEnded && shard.state === "reading" ? "read to its end" : shard.state;
}

function owner(shard) {
  if (shard.owner === null) return "-";
  const name = isOwn(shard) ? "this program" : short(shard.owner);
  return shard.nextOwner === null ? name : `${name} → ${short(shard.nextOwner)}`;
}

function kind(shard) {
  if (shard.hasEnded || shard.state === null) return "ended";
  if (shard.owner === null) return "none";
  return isOwn(shard) ? "own" : "other";
}

function drawing(stream) {
  const name = `${stream.application}/${stream.stream}`;
  if (!drawings.has(name)) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "lineage");
    svg.setAttribute("role", "img");
    const words = element("p");
    const keys = [["own", "read by this program"], ["other", "read by another worker"], ["none", "read by nobody"], ["ended", "ended, or not begun"]];
    const entries = keys.flatMap(([kind, text]) => [element("span", { class: `key ${kind}` }), text]);
    const legend = element("p", { class: "quiet" }, ...entries);
    place("lineages").append(element("h2", {}, `Stream ${stream.stream}`), words, svg, legend);
    drawings.set(name, { svg, words });
  }
  return drawings.get(name);
}

function show() {
  const all = [...shards.values()].sort((left, right) => (key(left) < key(right) ? -1 : 1));
  for (const stream of streams) {
    const own = all.filter((shard) => shard.application === stream.application && shard.stream === stream.stream);
    const { svg, words } = drawing(stream);
    const open = own.filter((shard) => !shard.hasEnded);
    const behind = Math.max(0, ...own.map((shard) => shard.reading?.millisBehindLatest ?? 0));
    const text = `Application ${stream.application}: ${count(own.length)} shards, ${count(open.length)} not ended, ` +
      `${count(own.filter((shard) => shard.reading && !shard.reading.hasEnded).length)} read here, at most ${duration(behind)} behind.`;
    words.textContent = stream.isCurrent ? text : `${text} Reading has ended; this is as it was.`;
    words.className = stream.isCurrent ? "" : "bad";
    if (stream.error) words.append(` Last error: ${stream.error}`);
    const depth = new Set(generations(own).values()).size;
    svg.setAttribute("aria-label", `Lineage of ${own.length} shards in ${depth} generations; the table below has the same.`);
    draw(svg, own, kind, (shard) => `${shard.shardId}: ${state(shard)}, ${owner(shard)}`);
  }
  place("summary").hidden = streams.length > 0;
  workers.update("Workers", tally(all));
  table.update(`Shards (${count(all.length)})`, all);
}

function tally(all) {
  const rows = new Map();
  const row = (worker) => {
    if (!rows.has(worker)) rows.set(worker, { worker, isOwn: isOurs(worker), leases: 0, coming: 0 });
    return rows.get(worker);
  };
  for (const shard of all.filter((shard) => !shard.hasEnded)) {
    if (shard.owner !== null) row(shard.owner).leases += 1;
    if (shard.nextOwner !== null) row(shard.nextOwner).coming += 1;
  }
  return [...rows.values()];
}

get("/api/v1/applications").then(([application]) => {
  place("name").textContent = application.name;
  document.title = `${application.name} – Shards – millstream`;
});
live("/events/shards", (data) => {
  if (data.anew) shards.clear();
  streams = data.streams;
  for (const shard of data.shards) shards.set(key(shard), shard);
  for (const gone of data.gone) shards.delete(gone);
  show();
});
