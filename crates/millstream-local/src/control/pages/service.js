// What all pages ask the service, and how.

import { get, say } from "./live.js";

/** The JSON of a path of the service's own interface. */
export const ask = (path) => get(`/_millstream/${path}`);

/** Sends JSON to such a path; throws the service's words where it refuses. */
export async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`/_millstream/${path}`, { method, headers, body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

/** Does something once a second, never twice at a time; says in the page whether the service answers. Returns what does it at once. */
export function regularly(work) {
  let running = null;
  const once = async () => {
    try {
      await work();
      say("live", "good");
    } catch {
      say("the service does not answer; this is as it was", "bad");
    }
  };
  const now = () => (running ??= once().finally(() => { running = null; }));
  now();
  setInterval(now, 1000);
  return now;
}

/** What went in and out of streams in a second, of two answers of `status`. */
export class Rates {
  constructor() {
    this.before = null;
    this.now = null;
  }

  next(status) {
    [this.before, this.now] = [this.now, status];
    document.getElementById("version").textContent = status.version;
  }

  /** Of a stream and one of its counts; none before the second answer. */
  of(stream, count) {
    const old = this.before?.streams.find((other) => other.name === stream.name && other.region === stream.region);
    const seconds = this.before ? (this.now.now_ms - this.before.now_ms) / 1000 : 0;
    return old && seconds > 0 ? Math.max(0, stream[count] - old[count]) / seconds : null;
  }
}

/** Shows what came of the work behind a form's button. */
export async function answering(output, work) {
  try {
    output.textContent = await work();
    output.className = "good";
  } catch (error) {
    output.textContent = error.message;
    output.className = "bad";
  }
}
