// Figures as people read them.

/** A time in ms, as `2 min 3 s` or `969 ms`; a dash for none. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "-";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const units = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000], ["ms", 1]];
  const parts = [];
  for (const [unit, size] of units) {
    const whole = Math.floor(ms / size);
    if (whole > 0 && parts.length < 2) parts.push(`${whole} ${unit}`);
    else if (parts.length) break;
    ms -= whole * size;
  }
  return parts.join(" ");
}

/** A time in ms, short, for axes. */
export function shortDuration(ms) {
  if (ms >= 3_600_000) return `${trimmed(ms / 3_600_000)} h`;
  if (ms >= 60_000) return `${trimmed(ms / 60_000)} min`;
  if (ms >= 1000) return `${trimmed(ms / 1000)} s`;
  return `${trimmed(ms)} ms`;
}

/** A whole number with its thousands apart. */
export const count = (number) => Math.round(number).toLocaleString("en");

/** So many records. */
export const records = (number) => `${count(number)} ${number === 1 ? "record" : "records"}`;

/** A number that is large or small, such as a rate. */
export function amount(number) {
  if (number === null || number === undefined) return "-";
  return number.toLocaleString("en", { maximumFractionDigits: number < 100 ? 2 : 0 });
}

/** A number, short, for axes. */
export function shortAmount(number) {
  if (number >= 1e9) return `${trimmed(number / 1e9)} G`;
  if (number >= 1e6) return `${trimmed(number / 1e6)} M`;
  if (number >= 1e3) return `${trimmed(number / 1e3)} k`;
  return trimmed(number);
}

/** Date and time of day, in the reader's time zone. */
export function dateTime(ms) {
  const date = new Date(ms);
  const two = (number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("/");
  return `${day} ${timeOfDay(ms)}`;
}

/** The time of day, with the milliseconds where there are some. */
export function timeOfDay(ms) {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const text = parts.map((number) => String(number).padStart(2, "0")).join(":");
  return ms % 1000 ? `${text}.${String(ms % 1000).padStart(3, "0")}` : text;
}

function trimmed(number) {
  return String(Number(number.toPrecision(3)));
}
