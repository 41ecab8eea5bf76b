"use strict";
// Filters and sorts the overview. The page says all of it without this.
(() => {
  const table = document.getElementById("overview");
  const tools = document.getElementById("tools");
  if (!table || !tools) return;
  const parts = [...table.tBodies];
  const total = parts.reduce((sum, part) => sum + part.rows.length, 0);
  // A page of a thousand runs opens before anybody filters it.
  let known;
  const rows = () => {
    known ??= parts.flatMap((part) => [...part.rows]).map((row) => {
      const link = row.querySelector("a");
      const article = link && document.getElementById(link.hash.slice(1));
      return { row, article, verdict: row.dataset.verdict, text: row.textContent.toLowerCase() };
    });
    return known;
  };
  const text = document.getElementById("text");
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("shown");
  // A part out of view keeps the room of its rows, so one without any must go.
  const fold = () => parts.forEach((part) => { part.hidden = [...part.rows].every((row) => row.hidden); });
  const say = (count) => { shown.textContent = `${count} of ${total} shown`; };
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows()) {
      const keep = (!verdict.value || one.verdict === verdict.value) && words.every((word) => one.text.includes(word));
      one.row.hidden = !keep;
      if (one.article) one.article.hidden = !keep;
      count += keep ? 1 : 0;
    }
    fold();
    say(count);
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
    const keyed = rows().map((one) => [key(one), one]);
    keyed.sort(([a], [b]) => (numeric ? a - b || 0 : a.localeCompare(b, "en", { numeric: true })));
    if (down) keyed.reverse();
    // Each part keeps its size, so that what is out of view stays cheap.
    const sizes = parts.map((part) => part.rows.length);
    const sorted = keyed.map(([, one]) => one.row);
    parts.forEach((part, index) => part.append(...sorted.splice(0, sizes[index])));
    fold();
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
  say(total);
})();
