"use strict";
// Find, choose and order the reports of a batch; without script all are there, as in the batch.
(() => {
  const tools = document.getElementById("choose");
  if (!tools) return;
  const search = document.getElementById("search");
  const status = document.getElementById("status");
  const order = document.getElementById("order");
  const told = document.getElementById("told");
  const sets = [...document.querySelectorAll("[data-set]")];
  const main = document.getElementById("main");
  const groups = [...document.querySelectorAll("main > section")];

  function choose() {
    const words = search.value.toLowerCase().split(/\s+/);
    sets.forEach((set) => {
      const text = set.textContent.toLowerCase();
      const fits = !status.value || set.dataset.set.split(" ").includes(status.value);
      set.hidden = !fits || !words.every((word) => text.includes(word));
    });
    groups.forEach((group) => {
      if (!group.dataset.set) group.hidden = !group.querySelector("[data-set]:not([hidden])");
    });
    const shown = sets.filter((set) => !set.hidden).length;
    told.textContent = `${shown} of ${sets.length} reports shown`;
  }

  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const rank = (set) => (order.value === "worst" ? Number(set.dataset.rank) : 0);
  const name = (set) => (order.value === "name" ? set.dataset.name : "");
  const inOrder = (some) =>
    [...some].sort((a, b) => rank(a) - rank(b) || compare(name(a), name(b)));
  const within = (group) => sets.filter((set) => set === group || group.contains(set));

  function arrange() {
    const worst = (group) => Math.min(...within(group).map(rank));
    const title = (group) => (order.value === "name" ? group.querySelector("h2").textContent : "");
    [...groups]
      .sort((a, b) => worst(a) - worst(b) || compare(title(a), title(b)))
      .forEach((group) => main.append(group));
    groups.forEach((group) => {
      const table = group.querySelector(".sets");
      if (table) table.append(...inOrder(within(group)));
    });
    heads.forEach((head) => head.removeAttribute("aria-sort"));
  }

  // A column's button orders the sets by the figure: down, up, as it was. Nothing that holds the
  // focus is moved.
  const heads = [...document.querySelectorAll(".sets thead th")];
  heads.forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.querySelector("span").childNodes);
    head.querySelector("span").append(button);
    const column = head.cellIndex;
    const value = (set) => Number(set.rows[0].cells[column]?.dataset.value);
    button.addEventListener("click", () => {
      const next = { descending: "ascending", ascending: "" };
      const direction = next[head.getAttribute("aria-sort")] ?? "descending";
      const sign = direction === "ascending" ? 1 : -1;
      const table = head.closest("table");
      const ordered = inOrder(within(table));
      if (direction) {
        ordered.sort((a, b) => {
          if (column === 0) return sign * compare(a.dataset.name, b.dataset.name);
          const missing = Number.isNaN(value(a)) - Number.isNaN(value(b));
          return missing || sign * (value(a) - value(b)) || 0;
        });
      }
      table.append(...ordered);
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      if (direction) head.setAttribute("aria-sort", direction);
    });
  });

  search.addEventListener("input", choose);
  status.addEventListener("change", choose);
  order.addEventListener("change", arrange);
  tools.hidden = false;
  choose(); // a browser that comes back keeps what was typed
  arrange();
})();
