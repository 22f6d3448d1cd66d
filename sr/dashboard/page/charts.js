// Charts: the specifications come from sr/dashboard/charts.py; here their blanks are filled and they are drawn.

/** Put values into the blanks of a specification, as `filled` of charts.py does. */
function filled(spec, values) {
  const text = JSON.stringify(spec).replace(/"@{(\w+)}"/g, (all, name) => (name in values ? JSON.stringify(values[name]) : all));
  return JSON.parse(text.replace(/@{(\w+)}/g, (all, name) => (name in values ? JSON.stringify(String(values[name])).slice(1, -1) : all)));
}

const tooltip = el("div", { class: "tooltip", role: "status", hidden: true });
document.body.append(tooltip);

/** Show what a mark holds beside the pointer, as text. */
function showTooltip(handler, event, item, value) {
  const entries = value && typeof value === "object"
    ? Object.entries(value).filter(([, text]) => text !== "" && text !== "undefined" && text !== null && text !== "NaN") : [];
  tooltip.hidden = !entries.length;
  if (tooltip.hidden) return;
  tooltip.replaceChildren(el("dl", {}, entries.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, String(text))])));
  const { width, height } = tooltip.getBoundingClientRect();
  const left = event.clientX + 16 + width > innerWidth ? event.clientX - width - 12 : event.clientX + 16;
  tooltip.style.left = `${Math.max(8, left)}px`;
  tooltip.style.top = `${Math.max(8, Math.min(event.clientY + 14, innerHeight - height - 8))}px`;
}

const look = () => document.documentElement.dataset.theme;
let drawn = [];  // Vega views of the page that is shown

/** Draw a chart into a new element; `onpick` gets the data of a mark that is clicked. */
function chart(name, values, datasets, { onpick = null, tall = false } = {}) {
  const { blanks, config } = page.content.looks[look()];
  const box = el("div", { class: `chart${tall ? " tall" : ""}`, data: { chart: name } });
  const spec = filled(page.content.charts[name], { ...blanks, ...values });
  spec.datasets = datasets;
  if (matchMedia("(pointer: coarse)").matches) forgetZoom(spec);  // a finger on the chart scrolls the page
  requestAnimationFrame(async () => {
    if (!box.isConnected) return;
    try {
      const { view } = await window.vegaEmbed(box, spec, { actions: false, logLevel: 1, renderer: "svg", config, tooltip: showTooltip });
      drawn.push(view);
      box.dataset.ready = "true";
      if (onpick) view.addEventListener("click", (event, item) => item?.datum && onpick(item.datum));
    } catch (error) {
      box.replaceChildren(el("p", { class: "notice bad" }, `This chart could not be drawn: ${error.message}`));
    }
  });
  return box;
}

function forgetZoom(spec) {
  for (const layer of spec.layer ?? []) {
    layer.params = layer.params?.filter((parameter) => parameter.bind !== "scales");
    forgetZoom(layer);
  }
}

/** Let go of the charts of the view before. */
function forgetCharts() {
  drawn.forEach((view) => view.finalize());
  drawn = [];
  tooltip.hidden = true;
}

/** Make a group of runs stand out in every chart; empty for all alike. */
function highlight(group) {
  for (const view of drawn) {
    try { view.signal("hovered", group).runAsync(); } catch { /* a chart without runs has no such signal */ }
  }
}
