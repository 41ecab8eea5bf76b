"use strict";
// Filters and sorts the overview. The page says all of it without this.
(() => {
  const table = document.getElementById("overview");
  const tools = document.getElementById("tools");
  if (!table || !tools) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => {
    const link = row.querySelector("a");
    const article = link && document.getElementById(link.hash.slice(1));
    return { row, article, verdict: row.dataset.verdict, text: row.textContent.toLowerCase() };
  });
  const text = document.getElementById("text");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows) {
      const keep = (!verdict.value || one.verdict === verdict.value) && words.every((word) => one.text.includes(word));
      one.row.hidden = !keep;
      if (one.article) one.article.hidden = !keep;
      count += keep ? 1 : 0;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  const heads = [...table.tHead.rows[0].cells];
  const sort = (at) => {
    const head = heads[at];
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = head.dataset.sort === "number";
    const key = ({ row }) => {
      const cell = row.cells[at];
      if (!numeric) return cell.textContent.trim();
      return cell.dataset.value ? Number(cell.dataset.value) : Infinity;
    };
    const keyed = rows.map((one) => [key(one), one]);
    keyed.sort(([a], [b]) => (numeric ? a - b || 0 : a.localeCompare(b, "en", { numeric: true })));
    if (down) keyed.reverse();
    body.append(...keyed.map(([, one]) => one.row));
  };
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(at));
    head.replaceChildren(button);
  });
  tools.addEventListener("input", filter);
  tools.hidden = false;
  filter();
})();
