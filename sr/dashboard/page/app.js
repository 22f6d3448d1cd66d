// The frame: heading, views by address, colours, and, where the page is served, news of the runs.

const VIEWS = { compare: ["Compare", compareView], pictures: ["Pictures", picturesView], training: ["Training", trainingView],
  published: ["Published", publishedView], pruning: ["Pruning", pruningView], run: [null, runView] };

function head() {
  const { view, values } = address();
  const kept = Object.fromEntries(["case", "metric", "filter", "seeds"].filter((name) => values.get(name)).map((name) => [name, values.get(name)]));
  const states = page.content.runs.reduce((sum, run) => ({ ...sum, [run.status]: (sum[run.status] ?? 0) + 1 }), {});
  const shown = Object.entries(VIEWS).filter(([name, [title]]) => title && (name !== "pruning" || page.content.rounds.length));
  document.getElementById("top").replaceChildren(el("div", { class: "bar" },
    el("span", { class: "name", title: page.content.title }, page.content.title || "sr"),
    el("span", { class: "chips" }, Object.entries(states).flatMap(([status, count]) => [el("span", { class: `chip ${status}` }, `${count} ${status}`), " "])),
    el("span", { class: "grow" }),
    el("span", { class: `live${live.lost ? " lost" : ""}`, hidden: !live.on, title: live.on ? "This page is served and follows its runs" : "" }, live.lost ? "server gone" : "live"),
    el("span", { class: "faint small" }, page.content.made),
    el("button", { type: "button", id: "theme", "aria-label": "Dark or light", onclick: turnTheme }, look() === "dark" ? "Light" : "Dark"),
    el("nav", { "aria-label": "Views" }, shown.map(([name, [title]]) =>
      el("a", { href: link(name, "", kept), "aria-current": name === view ? "page" : null }, title)))));
}

/** Draw what the address says. */
function show() {
  const { view, argument } = address();
  const [, draw] = VIEWS[view] ?? VIEWS.compare;
  const focus = document.activeElement;
  const place = focus?.id === "filter" ? [focus.selectionStart, focus.selectionEnd] : null;
  const again = focus?.getAttribute?.("aria-label");
  forgetCharts();
  head();
  const main = document.getElementById("main");
  main.style.minHeight = `${main.offsetHeight}px`;  // the page must not jump while charts are drawn
  let parts;
  try {
    parts = draw(argument);
  } catch (error) {
    parts = [el("p", { class: "notice bad" }, `This view could not be drawn: ${error.message}`)];
    console.error(error);
  }
  main.replaceChildren(...parts.filter(Boolean));
  setTimeout(() => { main.style.minHeight = ""; }, 400);
  document.title = `${view === "run" ? argument : VIEWS[view]?.[0] ?? "Compare"} - ${page.content.title || "sr"}`;
  if (place) { const field = document.getElementById("filter"); field?.focus(); field?.setSelectionRange(...place); }
  else if (again) [...main.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label") === again)?.focus({ preventScroll: true });
}

function remembered(value) {
  try {
    if (value) localStorage.setItem("sr-theme", value);
    return localStorage.getItem("sr-theme");
  } catch { return null; }  // a page opened from a file may keep nothing
}

function turnTheme() {
  document.documentElement.dataset.theme = remembered(look() === "dark" ? "light" : "dark") ?? (look() === "dark" ? "light" : "dark");
  show();
}

// A served page asks for news; a page that was opened as a file is as it was written.
const live = { on: Boolean(page.content.refresh_s), lost: false, tags: {} };

async function news() {
  try {
    const changed = (await Promise.all(["content", "pictures"].map(async (name) => {
      const answer = await fetch(`${name}.json`, { headers: live.tags[name] ? { "If-None-Match": live.tags[name] } : {}, cache: "no-store" });
      if (answer.status === 304) return false;
      if (!answer.ok) throw new Error(String(answer.status));
      const first = !live.tags[name];
      live.tags[name] = answer.headers.get("ETag");
      const text = await answer.text();
      const found = JSON.parse(text);
      const same = first && JSON.stringify(found) === JSON.stringify(JSON.parse(embeddedText(name)));
      page[name] = name === "content" ? unpacked(found) : found;
      return !same;
    }))).some(Boolean);
    const back = live.lost;
    live.lost = false;
    if (changed) show(); else if (back) head();
  } catch {
    if (!live.lost) { live.lost = true; head(); }
  }
  setTimeout(news, 1000 * page.content.refresh_s);
}

document.documentElement.dataset.theme = remembered() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (!remembered()) { document.documentElement.dataset.theme = event.matches ? "dark" : "light"; show(); }
});
addEventListener("hashchange", () => { scrollTo(0, 0); show(); });
show();
if (live.on) setTimeout(news, 1000 * page.content.refresh_s);
