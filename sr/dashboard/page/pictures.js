// Pictures of one test image by two nets: slider, side by side, difference, blocks, or all nets at once.

const SHARED_NAMES = { nearest: "LR (nearest)", bicubic: "bicubic", hr: "HR (truth)" };
const MODES = [["slider", "Slider"], ["side", "Side by side"], ["difference", "Difference"], ["blocks", "Blocks"], ["all", "All"]];

const LIMITS = [1, 2, 4, 8, 16, 32, 64];  // ends of a map's scale, in bytes

const hasPictures = (id) => page.pictures.some((entry) => entry.layers.some((layer) => layer.run === id));
const layersOfRun = (id) => [...new Set(page.pictures.flatMap((entry) => entry.layers.filter((layer) => layer.run === id)
  .map((layer) => `${layer.run}|${layer.column}`)))];

function layerName(key) {
  if (SHARED_NAMES[key]) return SHARED_NAMES[key];
  const [id, column] = key.split("|");
  const run = page.content.runs.find((each) => each.id === id);
  return `${run?.label ?? id} · ${column === "float" ? "FP32" : column}`;
}

/** All layers of an entry, {key: URL}: what all runs share, then each run's, those of the filter only. */
function layersOf(entry, text = "") {
  const own = entry.layers.filter((layer) => {
    const run = page.content.runs.find((each) => each.id === layer.run) ?? {};
    return passes({ ...run, scheme: layer.column }, text);
  });
  return { ...entry.shared, ...Object.fromEntries(own.map((layer) => [`${layer.run}|${layer.column}`, layer.url])) };
}

const decoded = new Map();

/** A layer as {canvas, y}: decoded once. */
function decode(url) {
  if (!decoded.has(url)) {
    decoded.set(url, (async () => {
      const image = new Image();
      image.src = url;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      return { canvas, y: luma(context.getImageData(0, 0, canvas.width, canvas.height)) };
    })());
  }
  return decoded.get(url);
}

let lens = null;  // survives a change of layers and of mode, so that the same place is compared

function lensFor(entry) {
  const { values } = address();
  const at = [values.get("x"), values.get("y"), values.get("zoom")].map((value) => (value === null ? NaN : Number(value)));
  const [x, y, zoom] = at;
  if (lens?.entry === entry.id && (Number.isNaN(x) || Math.abs(lens.x - x) < 1)) lens.listeners = [];
  else {
    lens = new Lens(entry.size, at.every(Number.isFinite) ? { x, y, zoom } : spotLens(entry, 0));
    lens.entry = entry.id;
  }
  let timer;
  lens.listeners.push(() => {
    clearTimeout(timer);
    timer = setTimeout(() => settle({ x: lens.x.toFixed(1), y: lens.y.toFixed(1), zoom: lens.zoom.toFixed(2) }, true), 200);
  });
  return lens;
}

/** The lens on one of the spots where the runs differ most. */
function spotLens(entry, index) {
  const [x, y, side] = entry.spots[index] ?? [0, 0, Math.min(...entry.size)];
  return { x: x + side / 2, y: y + side / 2, zoom: Math.min(...entry.size) / (1.5 * side) };
}

function picturesView() {
  if (!page.pictures.length) return [el("p", { class: "empty" }, "No run has left pictures. The stage `images` of a run writes them.")];
  const { values } = address();
  const entry = page.pictures.find((each) => each.id === values.get("image")) ?? page.pictures[0];
  const text = values.get("filter") ?? "";
  const keys = Object.keys(layersOf(entry));
  const [a, b] = chosenLayers(entry, keys, values);
  const mode = MODES.some(([key]) => key === values.get("mode")) ? values.get("mode") : "slider";
  const options = keys.map((key) => [key, layerName(key)]);
  const limit = Number(values.get("limit")) || 0;
  lensFor(entry);
  return [
    page.content.omitted ? el("p", { class: "notice" }, page.content.omitted) : null,
    el("div", { class: "thumbs", role: "group", "aria-label": "Test images" }, page.pictures.map((each) =>
      el("button", { type: "button", "aria-pressed": String(each === entry), onclick: () => settle({ image: each.id, x: "", y: "", zoom: "" }) },
        el("img", { src: each.shared.hr, alt: "" }), el("span", {}, `${each.set} ${each.image}`)))),
    el("div", { class: "controls" },
      mode === "all" ? null : choice("A", options, a, (key) => settle({ a: key })),
      mode === "all" ? null : choice("B", options, b, (key) => settle({ b: key })),
      mode === "all" ? null : el("button", { type: "button", title: "Exchange A and B", onclick: () => settle({ a: b, b: a }) }, "Swap"),
      buttons("View", MODES, mode, (key) => settle({ mode: key, limit: "" })),
      mode === "difference" || mode === "blocks" ? choice("Scale ends at", [["0", "automatic"], ...LIMITS.map((value) => [String(value), `${value} LSB`])],
        String(limit), (value) => settle({ limit: value })) : null,
      buttons("Where the runs differ most", [...entry.spots.map((_, index) => [index, String(index + 1)]), [-1, "whole"]], null,
        (index) => lens.move(index < 0 ? { zoom: 1 } : spotLens(entry, index))),
      mode === "all" ? filterField(text) : null),
    mode === "all" ? sheet(entry, layersOf(entry, text)) : stage(entry, { a, b, mode, limit }),
    el("p", { class: "keys" }, "Drag moves, wheel or two fingers zoom, double click zooms in. Keys: ", el("kbd", {}, "Tab"), " to the picture, then arrows, ",
      el("kbd", {}, "+"), " ", el("kbd", {}, "-"), " ", el("kbd", {}, "0"), "; on the slider's handle, left and right. ",
      `Shown: ${entry.size.join(" x ")} pixels of ${entry.set} ${entry.image} from (${entry.origin.join(", ")}), x${entry.scale}.`),
  ];
}

/** A layer of the run that scored best on this set, else the first. */
function bestLayer(entry) {
  const { rows = [], metrics = [] } = page.content.slices.find((slice) => slice.set === entry.set && slice.scale === entry.scale) ?? {};
  const score = (layer) => rows.find((row) => row.id === layer.run)?.[`float_${metrics[0]?.key}`] ?? -Infinity;
  return entry.layers.reduce((best, layer) => (best && score(best) >= score(layer) ? best : layer), null);
}

/** A and B: as the address says, else the best run's FP32 and its quantized net. */
function chosenLayers(entry, keys, values) {
  const first = bestLayer(entry);
  const own = entry.layers.filter((layer) => layer.run === first?.run).map((layer) => `${layer.run}|${layer.column}`);
  const b = keys.includes(values.get("b")) ? values.get("b") : own.at(-1) ?? "hr";
  const a = keys.includes(values.get("a")) ? values.get("a") : (own[0] && own[0] !== b ? own[0] : "hr");
  return [a, b];
}

/** The large picture of A and B. */
function stage(entry, { a, b, mode, limit }) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const tags = ["a", "b"].map((side) => el("span", { class: `tag ${side}` }));
  const box = el("div", { class: "viewer", tabindex: "0", role: "img", "aria-label": `${layerName(a)} against ${layerName(b)}`, data: { mode } }, canvas, tags);
  const scale = el("div", { class: "scalebar" });
  const facts = el("p", { class: "note", "aria-live": "polite" });
  const view = { split: Number(address().values.get("split")) || 0.5 };
  let paint = () => {};
  const handle = mode === "slider" ? sliderHandle(box, view, () => paint()) : null;
  if (handle) box.append(handle);
  const urls = layersOf(entry);
  Promise.all([a, b, "hr"].map((key) => decode(urls[key]))).then(([first, second, truth]) => {
    const shown = twoPictures(entry, { first, second, truth, mode, limit });
    tags[0].textContent = mode === "difference" ? `|${layerName(a)} - ${layerName(b)}|` : layerName(a);
    tags[1].textContent = layerName(b);
    tags[1].hidden = mode === "difference";
    if (shown.legend) { scale.append(...shown.legend); box.append(scale); }
    facts.replaceChildren(...[[a, first], [b, second]].map(([key, layer], index) => el("div", {},
      `${"AB"[index]}  ${layerName(key)}: PSNR-Y ${number(psnr(layer.y, truth.y), 2)} dB in this window`
      + (shown.scores ? `, block pattern ${number(shown.scores[index], 2)} LSB` : ""))));
    paint = () => paintTwo(canvas, shown, mode, view.split);
    lens.listeners.push(paint);
    watchSize(box, () => { lens.fit(box.clientWidth / (mode === "side" || mode === "blocks" ? 2 : 1), box.clientHeight); paint(); });
    box.dataset.ready = "true";
  }, (error) => { facts.textContent = `A picture could not be decoded: ${error.message}`; });
  steer(box, lens);
  return el("div", {}, box, facts);
}

/** What is drawn for a mode: canvases left and right, and the legend of a map. */
function twoPictures(entry, { first, second, truth, mode, limit }) {
  const [width, height] = entry.size;
  const bar = (stops, ends) => [el("i", { style: { background: gradient(stops) } }), el("span", {}, ends.map((text) => el("b", {}, text)))];
  if (mode === "difference") {
    const apart = first.y.map((value, index) => Math.abs(value - second.y[index]));
    const end = limit || fittingLimit([apart]);
    return { left: differenceMap(apart, width, height, end), legend: bar(CIVIDIS, ["0", `${end} LSB of luma`]) };
  }
  if (mode === "blocks") {
    const patterns = [first, second].map((layer) => blockPattern(layer.y, truth.y, width, height, entry.block));
    const end = limit || fittingLimit(patterns);
    const [left, right] = patterns.map((pattern) => patternMap(pattern, width, height, end));
    return { left, right, legend: bar(ORANGE_TO_VIOLET, [`-${end}`, "0", `${end} LSB`]), scores: patterns.map(rms) };
  }
  return { left: first.canvas, right: second.canvas };
}

/** The first end of a scale that all but one value in 200 are within. */
function fittingLimit(maps) {
  const strong = Math.max(...maps.map((map) => [...map].map(Math.abs).sort((a, b) => a - b)[Math.floor(map.length * 0.995)]));
  return LIMITS.find((limit) => limit >= strong) ?? LIMITS.at(-1);
}

function paintTwo(canvas, { left, right }, mode, split) {
  if (mode === "difference") return through(lens, canvas, left);
  if (mode === "slider") { through(lens, canvas, left, 0, split); return through(lens, canvas, right, split, 1); }
  through(lens, canvas, left, 0, 0.5, 0.25);
  return through(lens, canvas, right, 0.5, 1, 0.75);
}

/** Call at once, and whenever the size of an element changes. */
function watchSize(element, call) {
  const observer = new ResizeObserver(() => (element.isConnected ? call() : observer.disconnect()));
  observer.observe(element);
}

/** A divider: drag it, or move it with the arrow keys; its place is kept in the address under `name`. */
function sliderHandle(box, view, paint, { label = "Divider between A and B", limits = () => [0, 1], name = "split" } = {}) {
  const handle = el("div", { class: "handle", role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" });
  const place = (split) => {
    const [least, most] = limits();
    view.split = Math.min(Math.max(split, least), most);
    handle.style.left = `${100 * view.split}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(100 * view.split)));
    paint();
  };
  const share = (event) => { const { left, width } = box.getBoundingClientRect(); return (event.clientX - left) / width; };
  const note = () => name && settle({ [name]: view.split.toFixed(3) }, true);
  let held = false;
  handle.addEventListener("pointerdown", (event) => { held = true; handle.setPointerCapture(event.pointerId); event.stopPropagation(); });
  handle.addEventListener("pointermove", (event) => { if (held) { place(share(event)); event.stopPropagation(); } });
  for (const end of ["pointerup", "pointercancel"]) handle.addEventListener(end, () => { if (held) note(); held = false; });
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    place(view.split + step);
    note();
  });
  place(view.split);
  return handle;
}

/** Every net at the same place, LR first and HR last. */
function sheet(entry, urls) {
  const keys = Object.keys(urls).filter((key) => key !== "hr").concat("hr");
  return el("div", { class: "sheet" }, keys.map((key) => {
    const canvas = el("canvas", { "aria-hidden": "true" });
    const box = el("div", { class: "viewer", tabindex: "0", role: "img", "aria-label": layerName(key) }, canvas);
    const score = el("span", { class: "faint" });
    steer(box, lens);
    Promise.all([decode(urls[key]), decode(urls.hr)]).then(([layer, truth]) => {
      const paint = () => through(lens, canvas, layer.canvas);
      lens.listeners.push(paint);
      watchSize(box, () => { lens.fit(box.clientWidth, box.clientHeight); paint(); });
      if (key !== "hr") score.textContent = `${number(psnr(layer.y, truth.y), 2)} dB `;
      box.dataset.ready = "true";
    });
    const pick = (side) => el("button", { type: "button", "aria-label": `${layerName(key)} as ${side.toUpperCase()}`,
      onclick: () => settle({ [side]: key, mode: "slider" }) }, side.toUpperCase());
    return el("div", { class: "tile" }, box, el("footer", {}, el("b", { title: layerName(key) }, layerName(key)), el("span", {}, score, pick("a"), " ", pick("b"))));
  }));
}
