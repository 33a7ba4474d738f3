// The page of one stream: its shards, its consumers, its newest records, and a record to put by hand.

import { draw } from "./lineage.js";
import { element } from "./live.js";
import { Rates, answering, ask, regularly, send } from "./service.js";
import { Table } from "./table.js";
import { amount, count, dateTime, timeOfDay } from "./words.js";

const place = (name) => document.getElementById(name);
const wanted = new URLSearchParams(location.search);
const [region, name] = [wanted.get("region") ?? "", wanted.get("name") ?? ""];
const path = `${encodeURIComponent(region)}/${encodeURIComponent(name)}`;
const rates = new Rates();

place("name").textContent = name;
document.title = `${name} – millstream local`;

const shards = new Table(place("shards"), [
  { title: "Shard", kind: "whole", value: (shard) => shard.shardId, cell: (shard) => shard.shardId },
  {
    title: "Parents", value: (shard) => shard.parentShardIds.join(),
    cell: (shard) => shard.parentShardIds.map((id) => id.replace("shardId-", "")).join(", ") || "-",
  },
  { title: "State", value: (shard) => state(shard), cell: (shard) => state(shard) },
  { title: "First hash key", kind: "data", value: (shard) => BigInt(shard.startingHashKey), cell: (shard) => shard.startingHashKey },
  { title: "Last hash key", kind: "data", value: (shard) => BigInt(shard.endingHashKey), cell: (shard) => shard.endingHashKey },
]);

const consumers = new Table(place("consumers"), [
  { title: "Consumer", kind: "whole", value: (consumer) => consumer.name, cell: (consumer) => ({ text: consumer.name, title: consumer.arn }) },
  { title: "Status", value: (consumer) => consumer.status, cell: (consumer) => consumer.status },
  { title: "Registered", kind: "whole", value: (consumer) => consumer.created_ms, cell: (consumer) => dateTime(consumer.created_ms) },
  {
    title: "Subscriptions", kind: "number", value: (consumer) => consumer.subscriptions.length,
    cell: (consumer) => ({ text: count(consumer.subscriptions.length), title: consumer.subscriptions.join(", ") }),
  },
], [0, 1]);

const records = new Table(place("records"), [
  { title: "Arrived", kind: "whole", value: (record) => record.arrival_ms, cell: (record) => timeOfDay(record.arrival_ms), first: -1 },
  { title: "Shard", kind: "whole", value: (record) => record.shard, cell: (record) => record.shard.replace("shardId-", "") },
  { title: "Partition key", kind: "data", value: (record) => record.partition_key, cell: (record) => record.partition_key ?? "-" },
  { title: "Bytes", kind: "number", value: (record) => record.bytes, cell: (record) => count(record.bytes) },
  { title: "What", value: (record) => record.kind, cell: (record) => what(record) },
  { title: "Data", kind: "data", value: (record) => record.data, cell: (record) => record.data },
]);

const state = (shard) => (shard.isClosed ? "closed" : "open");

function what(record) {
  if (record.inner_kind !== undefined) return `↑ ${record.inner_kind}`;
  return record.kind === "aggregated" ? `${count(record.records)} aggregated` : record.kind;
}

/** The records, with those of an aggregated one below it. */
const apart = (all) => all.flatMap((record) => [record, ...(record.inside ?? []).map((inside) => ({ ...record, ...inside }))]);

function shown({ ShardId, ParentShardId, AdjacentParentShardId, HashKeyRange, SequenceNumberRange }) {
  return {
    shardId: ShardId,
    parentShardIds: [ParentShardId, AdjacentParentShardId].filter(Boolean),
    startingHashKey: HashKeyRange.StartingHashKey,
    endingHashKey: HashKeyRange.EndingHashKey,
    isClosed: SequenceNumberRange.EndingSequenceNumber !== undefined,
  };
}

function facts(stream) {
  const flow = (records, bytes) => {
    const [perSecond, kilobytes] = [rates.of(stream, records), rates.of(stream, bytes)];
    const now = perSecond === null ? "" : `, ${amount(perSecond)} records/s, ${amount(kilobytes / 1000)} kB/s`;
    return `${count(stream[records])} records${now}`;
  };
  const all = [
    ["Region", stream.region], ["Status", stream.status], ["Mode", stream.mode], ["Retention", `${stream.retention_hours} h`],
    ["Shards", `${count(stream.open_shards)} open, ${count(stream.shards)} in all`],
    ["In", flow("records_in", "bytes_in")], ["Out", flow("records_out", "bytes_out")],
  ];
  place("facts").replaceChildren(...all.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]));
}

const again = regularly(async () => {
  const status = await ask("status");
  rates.next(status);
  const stream = status.streams.find((other) => other.name === name && other.region === region);
  place("missing").hidden = stream !== undefined;
  place("missing").textContent = `There is no stream ${name} in ${region}.`;
  if (!stream) return;
  const answers = await Promise.all(["shards", "consumers", "records"].map((part) => ask(`${part}/${path}`)));
  const [listed, registered, newest] = answers;
  const all = listed.shards.map(shown).reverse();
  facts(stream);
  draw(place("lineage"), all, (shard) => (shard.isClosed ? "ended" : "own"), (shard) => `${shard.shardId}: ${state(shard)}`);
  place("lineage").setAttribute("aria-label", `Lineage of ${count(all.length)} shards; the table below has the same.`);
  const left = listed.left_out ? `, and ${count(listed.left_out)} older` : "";
  shards.update(`Shards (${count(all.length)}${left})`, all);
  consumers.update("Consumers with enhanced fan-out", registered.consumers);
  records.update("Newest records", apart(newest.records));
});

place("put").onsubmit = (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const record = Object.fromEntries([...form].filter(([field, value]) => value !== "" || field === "data"));
  answering(place("put-answer"), async () => {
    const put = await send("POST", `put/${path}`, record);
    again();
    return `Put into ${put.ShardId} as ${put.SequenceNumber}.`;
  });
};
