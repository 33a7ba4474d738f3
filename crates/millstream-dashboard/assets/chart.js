// Timelines and histograms, drawn by uPlot. Arrow keys go from batch to batch; what is under the cursor is told in words too.

import { element } from "./live.js";
import { timeOfDay } from "./words.js";

const HEIGHT = 130;
const BINS = 12;
const charts = new Set();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Colours of both schemes stand in one value, which a canvas does not take. */
const resolved = (name) => {
  const probe = element("span", { hidden: "" });
  probe.style.color = colour(name);
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.rebuild()));

class Chart {
  constructor(id, label) {
    this.label = label;
    this.plot = element("div", { class: "plot" });
    this.caption = element("figcaption", { "aria-live": "polite" });
    this.figure = element("figure", { id, role: "group", tabindex: "0", "aria-label": label }, this.plot, this.caption);
    this.data = null;
    this.uplot = null;
    charts.add(this);
    new ResizeObserver(() => this.uplot?.setSize({ width: this.plot.clientWidth, height: HEIGHT })).observe(this.plot);
    this.figure.addEventListener("keydown", (event) => this.move(event));
  }

  draw(data) {
    this.data = data;
    if (this.uplot) this.uplot.setData(data);
    else this.rebuild();
  }

  rebuild() {
    this.uplot?.destroy();
    if (!this.data) return;
    const size = { width: this.plot.clientWidth, height: HEIGHT };
    this.uplot = new uPlot({ ...size, legend: { show: false }, ...this.options() }, this.data, this.plot);
  }

  move(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.uplot || !this.data[0].length) return;
    event.preventDefault();
    const last = this.data[0].length - 1;
    const now = this.uplot.cursor.idx ?? (step > 0 ? -1 : last + 1);
    const index = Math.min(Math.max(now + step, 0), last);
    this.uplot.setCursor({ left: this.uplot.valToPos(this.data[0][index], "x"), top: 1 });
  }

  axes(xFormat, yFormat) {
    const line = { stroke: resolved("--line"), width: 1 };
    const axis = { stroke: resolved("--quiet"), font: "12px system-ui", grid: line, ticks: line };
    const format = (words) => (_, ticks) => ticks.map(words);
    return [{ ...axis, size: 26, values: format(xFormat), space: 80 }, { ...axis, size: 62, values: format(yFormat), space: 30 }];
  }

  series() {
    return { stroke: resolved("--series"), fill: resolved("--series-fill"), width: 1.5 };
  }
}

/** Values by batch times, from 0 up, with a dashed line at `limit`. */
export class Timeline extends Chart {
  constructor(id, label, { words, axisWords, limit }) {
    super(id, label);
    Object.assign(this, { words, axisWords, limit });
  }

  update(times, values) {
    const known = values.filter((value) => value !== null);
    const seconds = times.map((ms) => ms / 1000);
    this.draw(this.limit === undefined ? [seconds, values] : [seconds, values, values.map(() => this.limit)]);
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const summary = known.length
      ? `last ${this.words(known.at(-1))}, mean ${this.words(mean)}, highest ${this.words(Math.max(...known))}`
      : "no values yet";
    this.figure.setAttribute("aria-label", `${this.label} by batch: ${summary}`);
  }

  options() {
    const limit = { stroke: resolved("--limit"), width: 1, dash: [4, 4], points: { show: false } };
    return {
      cursor: { y: false, sync: { key: "batches" }, drag: { setScale: false, x: false } },
      scales: { y: { range: (_, __, highest) => [0, (highest || 1) * 1.1] } },
      axes: this.axes((seconds) => timeOfDay(Math.round(seconds * 1000)), this.axisWords),
      series: [{}, this.series(), ...(this.limit === undefined ? [] : [limit])],
      hooks: { setCursor: [(uplot) => this.tell(uplot.cursor.idx)] },
    };
  }

  tell(index) {
    const value = index === null || index === undefined ? null : this.data[1][index];
    const text = value === null || value === undefined ? "" : `${timeOfDay(Math.round(this.data[0][index] * 1000))}: ${this.words(value)}`;
    if (this.caption.textContent !== text) this.caption.textContent = text;
  }
}

/** How many batches had which values. */
export class Histogram extends Chart {
  constructor(id, label, { words, axisWords }) {
    super(id, label);
    Object.assign(this, { words, axisWords });
  }

  update(values) {
    const known = values.filter((value) => value !== null);
    const lowest = known.length ? Math.min(...known) : 0;
    this.width = known.length && Math.max(...known) > lowest ? (Math.max(...known) - lowest) / BINS : 1;
    const counts = new Array(BINS).fill(0);
    for (const value of known) counts[Math.min(BINS - 1, Math.floor((value - lowest) / this.width))] += 1;
    this.draw([counts.map((_, bin) => lowest + (bin + 0.5) * this.width), counts]);
    const fullest = counts.indexOf(Math.max(...counts));
    const summary = known.length ? `most often from ${this.range(fullest)}` : "no values yet";
    this.figure.setAttribute("aria-label", `${this.label}, number of batches: ${summary}`);
  }

  range(bin) {
    const from = this.data[0][bin] - this.width / 2;
    return `${this.words(from)} to ${this.words(from + this.width)}`;
  }

  options() {
    return {
      cursor: { y: false, drag: { setScale: false, x: false } },
      scales: {
        x: { time: false, range: (_, lowest, highest) => [lowest - this.width / 2, highest + this.width / 2] },
        y: { range: (_, __, most) => [0, most || 1] },
      },
      axes: this.axes(this.axisWords, (number) => (Number.isInteger(number) ? String(number) : "")),
      series: [{}, { ...this.series(), paths: uPlot.paths.bars({ size: [0.9] }), points: { show: false } }],
      hooks: { setCursor: [(uplot) => this.tell(uplot.cursor.idx)] },
    };
  }

  tell(bin) {
    const text = bin === null || bin === undefined ? "" : `${this.range(bin)}: ${this.data[1][bin]} batches`;
    if (this.caption.textContent !== text) this.caption.textContent = text;
  }
}
