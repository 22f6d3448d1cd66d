// Elements, numbers and the address: what all views are made with. Text becomes text nodes only, never markup.

/** Put a value together from the one before and what differs, as `delta` of run_deltas.py says it. */
function patched(old, delta) {
  if (!delta) return old;
  const [kind, parts, gone = []] = delta;
  if (kind === "=") return parts;
  const made = kind === "#" ? [...old] : { ...old };
  for (const key of gone) delete made[key];
  for (const [key, part] of Object.entries(parts)) made[key] = patched(old[key], part);
  return made;
}

/** The content of a page with whole runs, which it holds as differences. */
function unpacked(content) {
  let before = null;
  return { ...content, runs: content.runs.map((run) => (before = patched(before, run))) };
}

const embeddedText = (name) => document.getElementById(name).textContent;
const page = { content: unpacked(JSON.parse(embeddedText("content"))), pictures: JSON.parse(embeddedText("pictures")) };

/** Make an element: attributes, `on<event>` listeners, `data` and `style` mappings; children are nodes or texts. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(made.style, value);
    else if (name === "data") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A number with some decimals, large ones in groups of three; what is no number as it is. */
function number(value, decimals = 2) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  const shown = value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return /^-[0.]*$/.test(shown) ? shown.slice(1) : shown;  // what rounds to zero has no sign
}

/** A number of unknown kind in at most four digits. */
function plainNumber(value) {
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

const chip = (status) => el("span", { class: `chip ${status}` }, status);

/** A choice: options are [value, text] pairs. */
function choice(title, options, value, onchange) {
  const made = el("select", { onchange: () => onchange(made.value), "aria-label": title },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", {}, title, made);
}

/** Buttons of which one is pressed. */
function buttons(title, options, value, onchange) {
  return el("div", { class: "field" }, title, el("div", { class: "group", role: "group", "aria-label": title },
    options.map(([key, text]) => el("button", { type: "button", "aria-pressed": String(key === value),
      onclick: () => onchange(key) }, text))));
}

const card = (title, ...children) => el("section", { class: "card" },
  el("header", {}, ...(Array.isArray(title) ? title : [el("h2", {}, title)])), ...children);

// The address holds what is shown, so that it can be sent to others: #/view/argument?name=value
function address() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const [, view = "", ...rest] = path.split("/");
  let argument = rest.join("/");
  try { argument = decodeURIComponent(argument); } catch { /* a torn link is shown as it is */ }
  return { view: view || "compare", argument, values: new URLSearchParams(query) };
}

/** The address of a view; settings that are empty are left out. */
function link(view, argument = "", values = {}) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null));
  const path = argument ? `${view}/${encodeURIComponent(argument)}` : view;
  return `#/${path}${query.size ? `?${query}` : ""}`;
}

/** Change settings in the address and show the view again; `quiet` only notes them. */
function settle(changes, quiet = false) {
  const { view, argument, values } = address();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") values.delete(name); else values.set(name, value);
  }
  history.replaceState(null, "", link(view, argument, Object.fromEntries(values)));
  if (!quiet) show();
}
