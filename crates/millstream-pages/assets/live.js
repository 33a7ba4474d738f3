// What the program tells as it happens.

/** Says in the page how the connection is. Words that stay are not written again: a screen reader would read them. */
export function say(text, kind) {
  const state = document.getElementById("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = kind;
}

/** Calls `show` with each event's data; says in the page whether it is connected. The browser connects again by itself. */
export function live(path, show) {
  const events = new EventSource(path);
  events.onmessage = (event) => {
    show(JSON.parse(event.data));
    say("live", "good");
  };
  events.onerror = () => say("the program does not answer; this is as it was", "bad");
}

/** The answer of the REST interface; throws its words where there is none. */
export async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** An element with text and attributes. All that comes from the program goes into the page as text, never as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
