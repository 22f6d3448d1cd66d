// What is shown: the case (protocol, set, scale), the metric, the cost, and which runs pass the filter.

/** The settings of the address with what they stand for. */
function settings() {
  const { values } = address();
  const { slices, axes } = page.content;
  const slice = slices.find((each) => each.id === values.get("case")) ?? fullest(slices);
  const metric = slice?.metrics.find((each) => each.key === values.get("metric")) ?? slice?.metrics[0];
  const usable = slice ? [...axes, ...perceptual(slice, metric)].filter((axis) => slice.rows.some((row) => row[axis.key] > 0 || row[axis.quantized_key] > 0)) : [];
  const filledBy = (axis) => slice.rows.filter((row) => row[axis.key] > 0).length;
  const axis = usable.find((each) => each.key === values.get("cost"))
    ?? usable.reduce((best, each) => (!best || filledBy(each) > filledBy(best) ? each : best), null);
  const fold = values.get("seeds") !== "apart";
  const rows = slice ? (fold ? slice.folded : slice.rows) : [];
  const text = values.get("filter") ?? "";
  return { slice, metric, axis, usable, fold, text, rows: rows.filter((row) => passes(row, text)), all: rows,
    front: values.get("front") ?? (axis?.kind === "npu" ? "quantized" : "FP32") };
}

/** Scores where less is better, as costs: PSNR against NIQE is the perception-distortion plane. */
const perceptual = (slice, metric) => slice.metrics.filter((each) => each !== metric && !each.higher_is_better)
  .map((each) => ({ key: `float_${each.key}`, quantized_key: `simulated_${each.key}`, label: each.label, kind: "quality", decimals: each.decimals }));

/** The case with most runs; of equal ones the last, as test sets are named from the easy to the telling one. */
const fullest = (slices) => slices.reduce((best, each) => (!best || each.rows.length >= best.rows.length ? each : best), null);

/** Whether a row passes: every word is in its names, or is a comparison such as params<50000. */
function passes(row, text) {
  const names = [row.label, row.run, row.experiment, row.family, row.scheme, row.status, row.precision]
    .filter(Boolean).join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => {
    const found = word.match(/^(-?)([\w.]+)([<>]=?)([-\d.e]+)$/);
    if (!found) return word.startsWith("-") && word.length > 1 ? !names.includes(word.slice(1)) : names.includes(word);
    const [, , name, sign, limit] = found;
    const key = Object.keys(row).find((each) => each === name) ?? Object.keys(row).find((each) =>
      typeof row[each] === "number" && each.includes(name) && !each.startsWith("bicubic") && !each.endsWith("_std"));
    const value = row[key];
    if (typeof value !== "number" || Number.isNaN(Number(limit))) return false;
    return { "<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit }[sign];
  });
}

/** A field to filter runs by; the view is drawn again when typing pauses, and the field keeps the focus. */
function filterField(text) {
  let timer;
  const field = el("input", { type: "search", value: text, placeholder: "e.g. quicksrnet parameters<50000", id: "filter",
    title: "All words must occur; -word must not; column<number and column>number compare",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => settle({ filter: field.value }), 180); } });
  return el("label", {}, "Filter runs", field);
}

/** The choices that most views begin with. */
function caseChoice({ slice }) {
  const options = page.content.slices.map((each) => [each.id, `${each.title} · protocol ${each.protocol}`]);
  return choice("Test set and protocol", options, slice.id, (id) => settle({ case: id }));
}

function metricChoice({ slice, metric }) {
  return choice("Quality", slice.metrics.map((each) => [each.key, each.label]), metric.key, (key) => settle({ metric: key }));
}

const seedsChoice = ({ fold }) => el("label", { class: "check" },
  el("input", { type: "checkbox", checked: fold, onchange: (event) => settle({ seeds: event.target.checked ? "" : "apart" }) }),
  "Fold seeds");

const color = (family) => {
  const { families, colors } = page.content.looks[look()].blanks;
  return colors[families.indexOf(family)] ?? "gray";
};
const dot = (family) => el("span", { class: "dot", style: { background: color(family) }, title: family, "aria-hidden": "true" });

/** Which colour is which net. */
const familyLegend = (rows) => el("div", { class: "legend" },
  page.content.families.filter((family) => rows.some((row) => row.family === family))
    .map((family) => el("span", {}, dot(family), family)));
