// A table that sorts by its headings: columns are {key, heading, number, decimals, sign, text(row), node(row), better}.

function table(columns, rows, { sort = "", onsort = null, name = "", rowAttributes = () => ({}), kind = "" } = {}) {
  const [key, direction] = [sort.replace(/^-/, ""), sort.startsWith("-") ? -1 : 1];
  const by = columns.find((column) => column.key === key);
  const ordered = by ? [...rows].sort((a, b) => compared(valueOf(by, a), valueOf(by, b), direction)) : rows;
  const best = new Map(columns.filter((column) => column.better).map((column) => [column.key, bestOf(column, rows)]));
  const heading = (column) => {
    const sorted = column.key === key ? (direction > 0 ? "ascending" : "descending") : null;
    // Numbers begin with the largest, texts with A; a second press turns the order round.
    const next = sorted ? (direction > 0 ? `-${column.key}` : column.key) : (column.number ? `-${column.key}` : column.key);
    return el("th", { class: column.number ? "number" : null, scope: "col", "aria-sort": sorted },
      onsort ? el("button", { type: "button", title: column.title, onclick: () => onsort(next) }, column.heading) : column.heading);
  };
  return scrolled(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
    el("table", { class: kind }, el("thead", {}, el("tr", {}, columns.map(heading))),
      el("tbody", {}, ordered.map((row) => el("tr", rowAttributes(row), columns.map((column) => cell(column, row, best))))))));
}

/** Show by shadows and by a line that a table goes on to the right or to the left. */
function scrolled(inner) {
  const hint = el("p", { class: "scrollhint", hidden: true }, "The table is wider than the page: scroll it sideways →");
  const outer = el("div", { class: "scrolled" }, inner);
  const tell = () => {
    const beyond = inner.scrollWidth - inner.clientWidth;
    outer.classList.toggle("more-left", inner.scrollLeft > 1);
    outer.classList.toggle("more-right", beyond - inner.scrollLeft > 1);
    hint.hidden = beyond <= 1;
  };
  inner.addEventListener("scroll", tell, { passive: true });
  watchSize(inner, tell);
  return el("div", {}, outer, hint);
}

// Numbers that JSON lacks: a set's PSNR is infinite where an output equals its reference.
const NOT_IN_JSON = { inf: Infinity, "-inf": -Infinity, nan: null };

function valueOf(column, row) {
  const value = column.text ? column.text(row) : row[column.key];
  return column.number && Object.hasOwn(NOT_IN_JSON, value) ? NOT_IN_JSON[value] : value;
}

/** What is missing goes last in either direction. */
function compared(a, b, direction) {
  const [noA, noB] = [a, b].map((value) => value === null || value === undefined || value === "");
  if (noA || noB) return noA - noB;
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  return direction * String(a).localeCompare(String(b), "en", { numeric: true });
}

function bestOf(column, rows) {
  const values = rows.filter((row) => row.family !== "baseline").map((row) => row[column.key]).filter((value) => typeof value === "number");
  if (values.length < 2) return null;
  return column.better > 0 ? Math.max(...values) : Math.min(...values);
}

function cell(column, row, best) {
  const value = valueOf(column, row);
  const classes = [column.number && "number", column.wrap && "wrap",
    best.has(column.key) && value !== undefined && value === best.get(column.key) && "best"].filter(Boolean).join(" ");
  if (column.node) return el("td", { class: classes }, column.node(row));
  if (!column.number || typeof value !== "number") return el("td", { class: classes }, value ?? "");
  const spread = row[`${column.key}_std`];
  const sign = column.sign && value > 0 ? "+" : "";
  return el("td", { class: classes }, sign + (column.decimals === undefined ? plainNumber(value) : number(value, column.decimals)),
    typeof spread === "number" ? el("span", { class: "pm" }, `± ${number(spread, column.decimals ?? 2)}`) : null);
}
