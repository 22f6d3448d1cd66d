// The first view: quality against cost, what quantization costs, and all runs as a table.

function compareView() {
  const now = settings();
  if (!now.slice) return [notFinished(), nothing()];
  return [notFinished(), ...firstRun(),
    el("div", { class: "controls" }, caseChoice(now), metricChoice(now),
      now.axis && choice("Cost", now.usable.map((axis) => [axis.key, axis.label]), now.axis.key, (key) => settle({ cost: key })),
      ...(page.content.runs.length > 1 ? [
        buttons("Pareto front of", [["FP32", "FP32"], ["quantized", "quantized"]], now.front, (front) => settle({ front })),
        filterField(now.text), seedsChoice(now)] : [])),
    now.rows.length ? null : el("p", { class: "notice" }, "No run passes the filter."),
    el("div", { class: "grid" }, now.axis && now.rows.length ? scatterCard(now) : null, now.rows.length ? dropCard(now) : null),
    runsCard(now)];
}

const blanksOf = ({ metric }) => ({ metric: metric.key, metric_title: metric.label, least_range: metric.least_range, format: `.${metric.decimals}f` });

function scatterCard(now) {
  const { axis, metric, slice, rows } = now;
  const points = axis.kind === "npu" ? slice.reference_points.filter((point) => point.metric === metric.key) : [];
  const values = { ...blanksOf(now), x: axis.key, xq: axis.quantized_key, x_title: axis.label, x_scale: axis.kind === "quality" ? "linear" : "log",
    sign: metric.higher_is_better ? "1" : "-1", front: now.front };
  const words = [`${slice.title}, protocol ${slice.protocol}.`,
    "Circles are FP32 nets, diamonds quantized nets; a line joins the two forms of one net.", rows.length > 1 ? "The dashed line is the Pareto front." : "",
    points.length ? "Hollow diamonds are published results, measured on phones: compare their order, not their values." : "",
    page.content.axis_notes[axis.key] ?? (axis.key.startsWith("estimate_") ? "The compiler estimates them, for chips that no phone has." : ""),
    axis.kind === "cpu" ? "Measured on the machine of each run." : ""];
  return card([el("h2", {}, `${metric.label} against ${axis.label}`)],
    chart("quality_latency", values, { rows, reference_points: points, bicubic: slice.bicubic_lines[metric.key] }, { onpick: (datum) => datum.id && open(datum) }),
    familyLegend(rows), el("p", { class: "note" }, words.filter(Boolean).join(" ")));
}

const open = (row) => { location.hash = link("run", row.id); };

function dropCard(now) {
  const rows = now.rows.filter((row) => typeof row[`drop_${now.metric.key}`] === "number");
  const body = rows.length
    ? chart("drops", blanksOf(now), { rows }, { tall: true, onpick: (datum) => datum.id && open(datum) })
    : el("p", { class: "faint" }, "None of these runs was quantized.");
  return card("Lost by quantization", body,
    el("p", { class: "note" }, "How much worse the quantized simulation is than FP32; whiskers are one standard deviation over seeds."));
}

/** Stages that any row has this metric of, in the order of the way to the phone. */
function stagesOf(rows, metric) {
  const order = ["float", "simulated", "onnxruntime", "htp_v69", "htp_v73"];
  const ending = `_${metric.key}`;
  const found = new Set(rows.flatMap((row) => Object.keys(row)).filter((key) => key.endsWith(ending))
    .map((key) => key.slice(0, -ending.length)).filter((stage) => stage !== "bicubic" && stage !== "drop"));
  return [...found].sort((a, b) => (order.indexOf(a) + 1 || 99) - (order.indexOf(b) + 1 || 99));
}

const STAGE_NAMES = { float: "FP32", simulated: "quantized", onnxruntime: "ONNX Runtime", htp_v69: "HTP v69", htp_v73: "HTP v73" };

function runsCard(now) {
  const { metric, slice, axis } = now;
  const better = metric.higher_is_better ? 1 : -1;
  const rows = [...now.rows, ...idleRows(slice, now.text)];
  const others = slice.metrics.filter((each) => each !== metric);
  const columns = [
    { key: "label", heading: "run", node: nameCell },
    now.rows.some((row) => row.num_seeds > 1) && { key: "num_seeds", heading: "seeds", number: true, decimals: 0 },
    ...stagesOf(now.rows, metric).map((stage) => ({ key: `${stage}_${metric.key}`, heading: STAGE_NAMES[stage] ?? stage.replaceAll("_", " "),
      title: metric.label, number: true, decimals: metric.decimals, better })),
    { key: `drop_${metric.key}`, heading: "lost", title: "How much worse than FP32 the quantized net is", number: true, decimals: metric.decimals },
    ...others.map((each) => ({ key: `float_${each.key}`, heading: each.label.replace(" (dB)", ""), number: true,
      decimals: each.decimals, better: each.higher_is_better ? 1 : -1 })),
    ...now.usable.filter((each) => each.kind !== "quality").flatMap(costColumns),
    { key: "sparsity", heading: "sparsity", number: true }, { key: "scheme", heading: "scheme" },
    { key: "iterations", heading: "iterations", number: true, decimals: 0 },
    { key: "iterations_per_second", heading: "it/s", number: true, decimals: 1 },
  ].filter((column) => column && (column.node || rows.some((row) => row[column.key] !== undefined && row[column.key] !== null)));
  const sort = address().values.get("sort") || (better > 0 ? "-" : "") + `float_${metric.key}`;
  return card([el("h2", {}, "Runs"), el("span", { class: "faint small" }, `${metric.label}, ${slice.title}, protocol ${slice.protocol}`),
    el("span", { class: "grow" }), el("span", { class: "faint small" }, counted(now))],
  table(columns, rows, { sort, onsort: (key) => settle({ sort: key }), name: "Runs", kind: "runs",
    rowAttributes: (row) => ({ class: row.status ? "idle" : null, data: { group: row.group ?? "", id: row.id },
      onmouseenter: () => row.group && highlight(row.group), onmouseleave: () => highlight("") }) }),
  axis ? null : el("p", { class: "note" }, "No costs were measured."));
}

function costColumns(axis) {
  const short = { estimate: axis.label.replace(/^HTP estimate of the compiler, /, "estimate "), trainable_parameters: "parameters", parameters: "all parameters", macs_g: "GMAC",
    activation_kib: "activ. KiB", latency_torch_cpu_ms: "CPU ms, PyTorch", latency_onnxruntime_cpu_ms: "CPU ms, ORT" };
  const of = (key) => ({ key, heading: short[key] ?? (axis.kind === "npu" ? short.estimate : key.replaceAll("_", " ")), title: axis.label,
    number: true, decimals: axis.decimals, better: -1 });
  return axis.quantized_key === axis.key ? [of(axis.key)] : [of(axis.key), of(axis.quantized_key)];
}

function nameCell(row) {
  const several = row.num_seeds > 1 ? ` (${row.num_seeds} seeds)` : "";
  return el("span", { class: "runname" }, dot(row.family),
    el("span", { class: "text" }, el("a", { href: link("run", row.id), title: `${row.id}${several}` }, row.label)),
    row.status ? el("span", { style: { marginLeft: "8px" } }, chip(row.status)) : null);
}

/** Runs without a report, where they belong to the case or do not say to which. */
const idleRows = (slice, text) => page.content.runs
  .filter((run) => run.status !== "finished" && (!run.protocol || (run.protocol === slice.protocol && Number(run.scale) === slice.scale)))
  .map((run) => ({ id: run.id, label: run.label, run: run.run, experiment: run.experiment, family: run.family, status: run.status }))
  .filter((row) => passes(row, text));

function counted({ rows, all }) {
  const part = rows.length === all.length ? `${all.length}` : `${rows.length} of ${all.length}`;
  return `${part} ${all.length === 1 ? "row" : "rows"}`;
}

/** What is not finished, and why. */
function notFinished() {
  const bad = page.content.runs.filter((run) => run.status === "failed" || run.status === "broken");
  if (!bad.length) return null;
  return el("details", { class: "notice bad", open: bad.length <= 3 },
    el("summary", {}, `${bad.length} ${bad.length === 1 ? "run" : "runs"} failed or cannot be read`),
    el("ul", {}, bad.map((run) => el("li", {}, el("a", { href: link("run", run.id) }, run.label), ` (${run.status}): ${clipped(run.error)}`))));
}

const clipped = (text) => (text.length > 300 ? `${text.slice(0, 300)} ...` : text);

const nothing = () => el("p", { class: "empty" }, page.content.runs.length
  ? "No run is finished yet. Each appears here once it is finished."
  : `No runs under ${page.content.title || "this folder"}. "python -m sr.run" makes one.`);
