"use strict";
// What a page without script lacks: tables that sort and filter, a switch for code, print of all.
(() => {
  const MANY = 10;
  const compareTexts = new Intl.Collator("en", { numeric: true }).compare;
  const isMissing = (text) => text === "" || text === "–";

  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  }

  // A cell's value: the unrounded number where the page gives it, else what it says.
  function read(row, column) {
    const cell = row.cells[column];
    return cell ? (cell.dataset.value ?? cell.textContent.trim()) : "";
  }

  function compare(a, b) {
    const numbers = [a, b].map((text) => Number(text.replaceAll(",", "")));
    return numbers.some(Number.isNaN) ? compareTexts(a, b) : numbers[0] - numbers[1];
  }

  // Rows without a value stay last in both directions; equal rows keep the order of the page.
  function sort(rows, column, direction) {
    return rows
      .map((row) => [read(row, column), row])
      .sort(([a], [b]) => {
        if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
        return direction === "descending" ? compare(b, a) : compare(a, b);
      })
      .map(([, row]) => row);
  }

  function addSorting(table, body, rows) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", "", { type: "button", class: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "none" };
        const direction = next[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (direction !== "none") head.setAttribute("aria-sort", direction);
        body.append(...(direction === "none" ? rows : sort(rows, column, direction)));
      });
    });
  }

  function addFilter(table, rows, number) {
    const id = `filter-${number}`;
    const label = make("label", `Filter rows of ${table.caption?.textContent ?? "the table"}`, { for: id });
    const input = make("input", "", { type: "search", id, autocomplete: "off" });
    const status = make("span", `${rows.length} rows`, { role: "status" });
    const tools = make("p", "", { class: "tools" });
    tools.append(label, " ", input, " ", status);
    (table.closest(".table") ?? table).before(tools);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      const shown = rows.filter((row) => !row.hidden).length;
      status.textContent = `${shown} of ${rows.length} rows shown`;
    });
  }

  document.querySelectorAll("table").forEach((table, number) => {
    const body = table.tBodies[0];
    const rows = body ? [...body.rows] : [];
    if (!table.tHead || rows.length < 3) return;
    addSorting(table, body, rows);
    if (rows.length > MANY) addFilter(table, rows, number);
  });

  const code = [...document.querySelectorAll("details.code")];
  if (code.length) {
    const button = make("button", "Show code", { type: "button", "aria-pressed": "false" });
    const tools = make("p", "", { class: "tools" });
    tools.append(button);
    document.querySelector("main").prepend(tools);
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(open));
      code.forEach((part) => { part.open = open; });
    });
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
})();
