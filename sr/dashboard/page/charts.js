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

/** Wait until an element has a width, without which Vega's label transform fails: a busy machine lays out late. */
async function laidOut(box) {
  while (box.isConnected && !box.clientWidth) await new Promise(requestAnimationFrame);
}

/** Draw a specification; names that it lists are put where they cover nothing (see labels.py). */
async function embed(box, spec, options) {
  await laidOut(box);
  const { view } = await window.vegaEmbed(box, spec, options);
  if (!spec.usermeta?.labels) return view;
  // Vega's label transform fails at marks of which there is none: only a first drawing tells which those are.
  const there = view.scenegraph().root.items[0].items.filter((mark) => mark.items.length).map((mark) => mark.name);
  view.finalize();
  return (await window.vegaEmbed(box, spec, { ...options, patch: place(spec.usermeta.labels, there) })).view;
}

/** Change what a specification compiles to so that Vega seeks the places of names. */
function place(labels, there) {
  const size = "[width, height]";
  return (vega) => {
    for (const { text, at, anchors, offset } of labels) {
      const mark = vega.marks.find((each) => each.name === `${text}_marks`);
      const before = vega.marks.slice(0, vega.marks.indexOf(mark))
        .filter((each) => ["symbol", "text"].includes(each.type) && there.includes(each.name));
      const { x, y, dx, dy, align, baseline, opacity = { value: 1 }, ...kept } = mark.encode.update;
      kept.fillOpacity = opacity;  // by opacity the transform hides what finds no place
      mark.from = { data: `${at}_marks` };  // a datum is now a mark, which has a datum of its own
      mark.encode = { update: JSON.parse(JSON.stringify(kept).replace(/\bdatum\b/g, "datum.datum")) };
      // Places are sought again whenever `size` is made anew, so it looks at the scales, which zooming changes.
      mark.transform = [{ type: "label", size: { signal: `domain('x') && domain('y') ? ${size} : ${size}` },
        anchor: anchors, offset: [offset], avoidMarks: before.map((each) => each.name) }];
    }
    return vega;
  };
}

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
      const view = await embed(box, spec, { actions: false, logLevel: 1, renderer: "svg", config, tooltip: showTooltip });
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
