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

// On paper folds are open, and a figure that would be too small on one sheet goes over several, each of which begins with
// the end of the one before. Lengths are in widths of the figure.
const SMALL = 1.6, SHEET = 1.2, AGAIN = 0.06, restored = [];
const onSheets = image => {
  const length = image.naturalHeight / image.naturalWidth, count = Math.ceil((length - AGAIN) / (SHEET - AGAIN));
  if (!(length > SMALL) || image.currentSrc !== image.src) return;
  const piece = (length + (count - 1) * AGAIN) / count;
  const pieces = Array.from({ length: count }, (_, at) => {
    const frame = document.createElement("div"), copy = image.cloneNode();
    frame.className = "piece";
    frame.style.aspectRatio = `1 / ${piece}`;
    copy.style.marginTop = `${-100 * at * (piece - AGAIN)}%`;
    if (at) copy.alt = "";
    frame.append(copy);
    return frame;
  });
  const whole = image.closest("picture") ?? image;
  whole.replaceWith(...pieces);
  restored.push(() => { pieces[0].before(whole); pieces.forEach(frame => frame.remove()); });
};
addEventListener("beforeprint", () => {
  if (restored.length) return;
  for (const fold of document.querySelectorAll("details:not([open])")) {
    fold.open = true;
    restored.push(() => { fold.open = false; });
  }
  document.querySelectorAll("figure img").forEach(onSheets);
});
addEventListener("afterprint", () => restored.splice(0).forEach(restore => restore()));
