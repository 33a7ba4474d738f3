// The page of the faults in force, and of the one to inject.

import { answering, ask, regularly, send } from "./service.js";
import { Table } from "./table.js";
import { count } from "./words.js";

const place = (name) => document.getElementById(name);
const form = place("inject");
const NUMBERS = ["times", "probability", "status", "milliseconds", "after"];

const any = (name) => ({ title: name[0].toUpperCase() + name.slice(1), value: (row) => row.fault[name] ?? null, cell: (row) => row.fault[name] ?? "any" });

const faults = new Table(place("faults"), [
  { title: "Kind", value: (row) => row.fault.kind, cell: (row) => details(row.fault) },
  any("operation"),
  any("stream"),
  any("shard"),
  { title: "Probability", kind: "number", value: (row) => row.fault.probability, cell: (row) => row.fault.probability },
  { title: "Left", kind: "number", value: (row) => row.fault.times ?? null, cell: (row) => (row.fault.times === undefined ? "for ever" : count(row.fault.times)) },
  { title: "Used", kind: "number", value: (row) => row.used, cell: (row) => count(row.used) },
  { title: "Remove", value: (row) => row.id, cell: (row) => ({ text: "Remove", action: () => send("DELETE", `faults/${row.id}`).then(again) }) },
]);

function details({ kind, code, status, milliseconds, after }) {
  if (code !== undefined) return `${kind}: ${code} (${status})`;
  if (milliseconds !== undefined) return `${kind}: ${count(milliseconds)} ms`;
  return after === undefined ? kind : `${kind}: after ${count(after)}`;
}

const again = regularly(async () => {
  const [{ version }, { faults: all }] = await Promise.all([ask("status"), ask("faults")]);
  place("version").textContent = version;
  place("summary").textContent = all.length ? "Requests that match fail as is said here. A fault that is used up goes." : "No fault is in force.";
  place("clear").hidden = all.length === 0;
  faults.update("In force", all);
});

/** Shows the fields of the chosen kind. */
function choose() {
  for (const label of form.querySelectorAll("[data-of]")) {
    label.hidden = !label.dataset.of.split(" ").includes(form.elements.kind.value);
  }
}

form.elements.kind.onchange = choose;
choose();

form.onsubmit = (event) => {
  event.preventDefault();
  const fault = {};
  for (const [name, value] of new FormData(form)) {
    const label = form.elements[name].closest("label");
    if (value !== "" && !label.hidden) fault[name] = NUMBERS.includes(name) ? Number(value) : value;
  }
  answering(place("inject-answer"), async () => {
    const { id } = await send("POST", "faults", fault);
    again();
    return `Injected as number ${id}.`;
  });
};

place("clear").onclick = () => send("DELETE", "faults").then(again);
