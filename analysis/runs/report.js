// A click on a head of a table sorts its rows: numbers by value, words by the alphabet, a second click the other way.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead?.rows[0]?.cells ?? []], body = table.tBodies[0];
  if (!body || body.rows.length < 3) continue;
  heads.forEach((head, at) => {
    if (head.querySelector("a")) return;
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      const text = row => row.cells[at]?.textContent.trim().replace("−", "-") ?? "";
      const value = row => parseFloat(text(row).replace(/,/g, "").replace(/^[<>+]/, ""));
      const rows = [...body.rows];
      const numeric = rows.some(row => !isNaN(value(row))) && head.classList.contains("num");
      // What is not a number stands last in either direction.
      const order = (a, b) => !numeric ? text(a).localeCompare(text(b)) : value(a) - value(b);
      rows.sort((a, b) => numeric && isNaN(value(a)) - isNaN(value(b)) || (up ? order(a, b) : order(b, a)));
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...rows);
    });
  });
}
