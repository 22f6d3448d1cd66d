// Training curves of all runs, and quality against sparsity for those that were pruned.

function curveNames(runs) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.curves ?? {})))];
  const rank = (name) => (name.startsWith("val/psnr") ? 0 : name.startsWith("val/") ? 1 : name === "train/loss" ? 2 : 3);
  return names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function pointsOf(runs, name) {
  return runs.flatMap((run) => (run.curves?.[name] ?? []).map(([at, value]) =>
    ({ id: run.id, group: run.id, label: run.label, family: run.family, at, value })));
}

function curveChart(runs, name, scale) {
  const title = name.replace(/_db$/, " (dB)").replace("val/", "validation ").replace("train/", "training ").replaceAll("_", " ");
  const points = pointsOf(runs, name).filter((point) => scale !== "log" || point.value > 0);
  return chart("training_curves", { curve_title: title, y_scale: scale, format: ".4~g" }, { points });
}

function trainingView() {
  const { values } = address();
  const text = values.get("filter") ?? "";
  const runs = page.content.runs.filter((run) => passes(run, text) && Object.keys(run.curves ?? {}).length);
  const names = curveNames(page.content.runs);
  if (!names.length) {
    return [el("p", { class: "empty" }, "No run has curves in CSV files. logger=csv, the default, writes them; TensorBoard and W&B show their own curves.")];
  }
  const name = names.includes(values.get("curve")) ? values.get("curve") : names[0];
  const scale = values.get("y") ?? (name.includes("loss") ? "log" : "linear");
  return [el("div", { class: "controls" },
    choice("Curve", names.map((each) => [each, each]), name, (curve) => settle({ curve, y: "" })),
    buttons("Axis", [["linear", "linear"], ["log", "logarithmic"]], scale, (y) => settle({ y })), filterField(text)),
  card(name, runs.length ? curveChart(runs, name, scale) : el("p", { class: "faint" }, "No run passes the filter."), familyLegend(runs)),
  card("Runs", table([
    { key: "label", heading: "run", node: (run) => nameCell({ ...run, status: run.status === "finished" ? null : run.status }) },
    { key: "last", heading: "iteration", number: true, decimals: 0 }, { key: "value", heading: "last value", number: true },
    { key: "best", heading: name.includes("psnr") || name.includes("ssim") ? "highest" : "lowest", number: true },
  ], runs.filter((run) => run.curves[name]?.length).map((run) => summary(run, name)),
  { name: "Curves", kind: "runs", sort: values.get("sort") ?? "-value", onsort: (sort) => settle({ sort }),
    rowAttributes: (run) => ({ onmouseenter: () => highlight(run.id), onmouseleave: () => highlight("") }) }))];
}

function summary(run, name) {
  const values = run.curves[name].map(([, value]) => value);
  const [last, value] = run.curves[name].at(-1);
  return { ...run, last, value, best: /psnr|ssim/.test(name) ? Math.max(...values) : Math.min(...values) };
}

function pruningView() {
  const { rounds } = page.content;
  if (!rounds.length) return [el("p", { class: "empty" }, "No run reports a sparsity with its PSNR.")];
  return [card("PSNR against sparsity", chart("sparsity", { metric_title: "PSNR (dB)", format: ".2f" }, { rounds }),
    familyLegend(rounds), el("p", { class: "note" }, "The dashed line is the first round of each run, its densest net."))];
}

function publishedView() {
  const { tables, pairs } = page.content;
  if (!tables.length) return [el("p", { class: "empty" }, "No finished run has a published counterpart yet.")];
  const titles = tables.map((each) => each.title);
  const title = titles.includes(address().values.get("table")) ? address().values.get("table") : titles[0];
  const shown = tables.find((each) => each.title === title);
  const points = pairs.filter((pair) => pair.table_title === title);
  const notes = [];  // long texts stand under the table, once each
  const brief = (text) => {
    if (text.length <= 36) return text;
    if (!notes.includes(text)) notes.push(text);
    return el("abbr", { title: text }, `[${notes.indexOf(text) + 1}]`);
  };
  const columns = shown.columns.map(({ heading, number: isNumber }, index) => ({ key: String(index), heading, number: isNumber,
    text: (row) => sortable(row[index], isNumber), node: (row) => brief(row[index]) }));
  const rows = table(columns, shown.rows, { sort: address().values.get("sort") ?? "", onsort: (sort) => settle({ sort }), name: title });
  return [el("div", { class: "controls" }, choice("Table", titles.map((each) => [each, each]), title, (table) => settle({ table, sort: "" }))),
    points.length ? card([el("h2", {}, "Ours and published")],
      chart("beside_published", { metric_title: title.includes("SSIM") ? "SSIM" : "PSNR (dB)", format: title.includes("SSIM") ? ".4f" : ".2f" },
        { pairs: points.map((pair) => ({ ...pair, name: `${pair.name} | ${pair.source} ${pair.table}` })) }),
      el("p", { class: "note" }, "Filled: ours. Hollow: published. Length and data of the trainings differ; see the table.")) : null,
    card(title, rows, notes.map((note, index) => el("p", { class: "note" }, `[${index + 1}] ${note}`)),
      shown.notes.map((note) => el("p", { class: "note" }, note)))];
}

/** The number that a formatted text begins with, for sorting. */
function sortable(text, isNumber) {
  const value = parseFloat(text.replaceAll(",", ""));
  return isNumber && !Number.isNaN(value) ? value : text;
}
