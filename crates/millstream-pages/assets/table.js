// A table that is sorted and paged. Cells are changed in place: a link that is made anew while it is pressed would miss the click.

import { element } from "./live.js";

const PAGE = 20;

export class Table {
  /**
   * columns: [{ title, value(row), cell(row), kind, first }]: what it is sorted by, and what is shown: a text or
   * { text, href, action, title, kind }; first: the direction of the first click, by default the largest numbers and the first words.
   * sort: [column, -1 or 1], or none for the order of the rows.
   */
  constructor(section, columns, sort = null) {
    this.section = section;
    this.columns = columns;
    this.sort = sort;
    this.page = 0;
    this.rows = [];
    this.heading = element("h2", { id: `${section.id}-heading` });
    this.body = element("tbody");
    this.headers = columns.map((column, index) => this.header(column, index));
    const table = element("table", { "aria-labelledby": this.heading.id },
      element("thead", {}, element("tr", {}, ...this.headers)), this.body);
    this.previous = this.button("Previous", -1);
    this.next = this.button("Next", 1);
    this.place = element("span", { class: "quiet" });
    this.pager = element("nav", { class: "pager", "aria-label": "Pages of the table" }, this.previous, this.place, this.next);
    const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": this.heading.id }, table);
    section.append(this.heading, scroll, this.pager);
  }

  header(column, index) {
    const button = element("button", { type: "button" }, column.title);
    button.onclick = () => {
      const descending = this.sort?.[0] === index ? -this.sort[1] : (column.first ?? (column.kind === "number" ? -1 : 1));
      this.sort = [index, descending];
      this.page = 0;
      this.show();
    };
    return element("th", { scope: "col", class: column.kind ?? "", "aria-sort": "none" }, button);
  }

  button(text, step) {
    const button = element("button", { type: "button" }, text);
    button.onclick = () => {
      this.page += step;
      this.show();
    };
    return button;
  }

  update(title, rows) {
    if (this.heading.textContent !== title) this.heading.textContent = title;
    this.rows = rows;
    this.show();
  }

  show() {
    const pages = Math.max(1, Math.ceil(this.rows.length / PAGE));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const shown = this.sorted().slice(this.page * PAGE, (this.page + 1) * PAGE);
    while (this.body.rows.length > shown.length) this.body.deleteRow(-1);
    shown.forEach((row, index) => this.fill(this.body.rows[index] ?? this.body.insertRow(), row));
    this.section.hidden = this.rows.length === 0;
    this.pager.hidden = pages === 1;
    this.place.textContent = `Page ${this.page + 1} of ${pages}`;
    this.previous.disabled = this.page === 0;
    this.next.disabled = this.page === pages - 1;
    this.headers.forEach((header, index) => {
      const direction = this.sort?.[0] === index ? this.sort[1] : 0;
      header.setAttribute("aria-sort", ["descending", "none", "ascending"][direction + 1]);
    });
  }

  sorted() {
    if (!this.sort) return this.rows;
    const [index, direction] = this.sort;
    const { value } = this.columns[index];
    const compare = (left, right) => {
      if (left === right) return 0;
      // What is not known comes last, whichever way.
      if (left === null || left === undefined) return 1;
      if (right === null || right === undefined) return -1;
      return left < right ? -direction : direction;
    };
    return [...this.rows].sort((left, right) => compare(value(left), value(right)));
  }

  fill(tr, row) {
    this.columns.forEach((column, index) => {
      const td = tr.cells[index] ?? tr.insertCell();
      const shown = column.cell(row);
      const cell = typeof shown === "object" ? shown : { text: shown };
      td.className = [column.kind, cell.kind].filter(Boolean).join(" ");
      td.title = cell.title ?? "";
      let holder = td;
      if (cell.href) {
        holder = td.querySelector("a") ?? td.appendChild(element("a"));
        if (holder.getAttribute("href") !== cell.href) holder.setAttribute("href", cell.href);
      } else if (cell.action) {
        holder = td.querySelector("button") ?? td.appendChild(element("button", { type: "button" }));
        holder.onclick = cell.action;
      }
      const text = String(cell.text);
      if (holder.textContent !== text) holder.textContent = text;
    });
  }
}
