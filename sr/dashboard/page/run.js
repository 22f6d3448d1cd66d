// One run: its numbers, stages, certificate, curves, configuration.

function runView(id) {
  const run = page.content.runs.find((each) => each.id === id);
  const back = el("p", { class: "small" }, el("a", { href: link("compare") }, "All runs"));
  if (!run) return [back, el("p", { class: "empty" }, `This page has no run ${id}.`)];
  return [back,
    el("div", { class: "controls" }, el("div", {}, el("h1", {}, run.label), el("p", { class: "faint small" }, run.id)), chip(run.status),
      hasPictures(id) ? el("a", { href: link("pictures", "", { b: layersOfRun(id)[0] }) }, "its pictures") : null),
    run.error ? el("p", { class: `notice ${run.status === "running" ? "" : "bad"}` }, run.error) : null,
    scoresCard(run),
    el("div", { class: "grid even" }, figuresCard(run), stagesCard(run)),
    ...certificateCards(run), ...extraCards(run), ...ownCurves(run), perImageCard(run),
    el("div", { class: "grid even" }, configCard(run), provenanceCard(run))].filter(Boolean);
}

function scoresCard(run) {
  const rows = page.content.slices.flatMap((slice) => slice.rows.filter((row) => row.id === run.id).flatMap((row) =>
    slice.metrics.map((metric) => ({ case: `${slice.title}, protocol ${slice.protocol}`, metric: metric.label, decimals: metric.decimals,
      ...Object.fromEntries(["bicubic", ...stagesOf([row], metric), "drop"].map((stage) => [stage, row[`${stage}_${metric.key}`]])) }))));
  if (!rows.length) return null;
  const stages = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !["case", "metric", "decimals"].includes(key));
  const columns = [{ key: "case", heading: "test set" }, { key: "metric", heading: "metric" },
    ...stages.map((stage) => ({ key: stage, heading: stage === "drop" ? "lost" : STAGE_NAMES[stage] ?? stage, number: true,
      node: (row) => number(row[stage], row.decimals) }))];
  return card("Scores", table(columns, rows, { name: "Scores" }));
}

const facts = (entries) => el("dl", {}, entries.filter(([, value]) => value !== undefined && value !== null && value !== "")
  .flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));

function figuresCard(run) {
  if (!run.cost && !run.training) return null;
  const entries = Object.entries({ ...run.training, ...run.cost }).map(([name, value]) => {
    const median = value && typeof value === "object" ? value.median_ms : null;
    const spread = median ? `${plainNumber(median)} ms (${plainNumber(value.p10_ms)} to ${plainNumber(value.p90_ms)}, ${value.num_threads} threads)` : null;
    return [name.replaceAll("_", " "), spread ?? (typeof value === "object" && value ? JSON.stringify(value) : plainNumber(value ?? ""))];
  });
  return card("Training and cost", facts(entries));
}

function stagesCard(run) {
  const stages = Object.entries(run.stage_seconds ?? {});
  if (!stages.length) return null;
  const all = run.training?.seconds ? [["training", run.training.seconds], ...stages] : stages;
  return card("Stages", chart("stage_times", {}, { stages: all.map(([stage, seconds], order) => ({ stage, seconds, order })) }));
}

function certificateCards(run) {
  const { links, closeness, forms, rewrites, hexagon, files, ...rest } = run.export ?? {};
  const title = (name) => forms?.find?.((form) => form.name === name)?.title ?? name;
  const holds = (row) => el("span", { class: row.holds ? "holds" : "fails" }, row.holds ? "holds" : "FAILS");
  const cards = [];
  if (Array.isArray(links)) {
    cards.push(card("Certificate: each form against the one before", table([
      { key: "first", heading: "form", node: (row) => title(row.first) }, { key: "second", heading: "against", node: (row) => title(row.second) },
      { key: "largest_lsb", heading: "largest LSB", number: true }, { key: "max_lsb", heading: "bound", number: true },
      { key: "differing_share", heading: "differing pixels", number: true, node: (row) => `${number(100 * row.differing_share, 3)} %` },
      { key: "holds", heading: "", node: (row) => (row.max_lsb === null && row.max_share === null ? el("span", { class: "faint" }, "reported") : holds(row)) },
    ], links, { name: "Certificate" })));
  }
  if (Array.isArray(closeness) && closeness.length) {
    cards.push(card("Certificate: PSNR against the true images", table([
      { key: "first", heading: "form", node: (row) => title(row.first) }, { key: "second", heading: "against", node: (row) => title(row.second) },
      { key: "difference_db", heading: "difference dB", number: true, decimals: 4 }, { key: "max_db", heading: "bound", number: true },
      { key: "holds", heading: "", node: holds }], closeness, { name: "Closeness" })));
  }
  if (Array.isArray(forms)) cards.push(card("Exported forms", anyTable(forms), Array.isArray(rewrites) && rewrites.length
    ? el("p", { class: "note" }, `Rewritten: ${rewrites.join("; ")}.`) : null));
  if (hexagon?.estimates?.length) {
    cards.push(card("Compiler's estimates", table([
      { key: "chip", heading: "chip" }, { key: "product", heading: "in" }, { key: "htp_arch", heading: "HTP", node: (row) => `v${row.htp_arch}` },
      { key: "estimate_us", heading: "estimate us", number: true, decimals: 0 }, { key: "lower_us", heading: "lower", number: true, decimals: 0 },
      { key: "upper_us", heading: "upper", number: true, decimals: 0 }], hexagon.estimates, { name: "Estimates" }),
    el("p", { class: "note" }, "From the HTP compiler, for the accelerator alone; no phone's figure.")));
  }
  const others = Object.entries(rest).filter(([name, value]) => value && typeof value === "object" && !["inputs"].includes(name));
  if (others.length) cards.push(card("More from the export", ...others.map(([name, value]) => section(name, value))));
  return cards;
}

/** Results that other stages left, whatever they hold. */
const extraCards = (run) => Object.entries(run.extra ?? {}).flatMap(([name, value]) =>
  (isSensitivity(value) ? sensitivityCards(value) : [card(name, anyValue(value))]));

const section = (name, value) => el("div", { style: { marginTop: "10px" } }, el("h3", {}, name.replaceAll("_", " ")), anyValue(value));

/** A list of mappings as a table, a mapping as facts, anything else as text. */
function anyValue(value) {
  if (Array.isArray(value) && value.length && value.every((each) => each && typeof each === "object" && !Array.isArray(each))) return anyTable(value);
  if (Array.isArray(value)) return el("p", {}, value.map((each) => (each && typeof each === "object" ? JSON.stringify(each) : plainNumber(each))).join(", "));
  if (!value || typeof value !== "object") return el("p", {}, plainNumber(value ?? ""));
  const [nested, flat] = [[], []];
  for (const entry of Object.entries(value)) (entry[1] && typeof entry[1] === "object" ? nested : flat).push(entry);
  const alike = nested.length > 1 && nested.every(([, each]) => !Array.isArray(each) && Object.values(each).every((part) => typeof part !== "object" || part === null));
  return el("div", {}, facts(flat.map(([name, each]) => [name.replaceAll("_", " "), plainNumber(each ?? "")])),
    alike ? anyTable(nested.map(([name, each]) => ({ name, ...each }))) : nested.map(([name, each]) => section(name, each)));
}

function anyTable(rows) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = keys.map((key) => ({ key, heading: key.replaceAll("_", " "), number: rows.some((row) => typeof row[key] === "number"),
    node: (row) => textOf(row[key]) }));
  return table(columns, rows, { name: "Values" });
}

function textOf(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") { const text = JSON.stringify(value); return text.length > 90 ? `${text.slice(0, 90)} ...` : text; }
  return plainNumber(value);
}

function ownCurves(run) {
  const names = curveNames([run]);
  if (!names.length) return [];
  return [el("div", { class: "grid even" }, names.slice(0, 6).map((name) => card(name, curveChart([run], name, name.includes("loss") ? "log" : "linear"))))];
}

function perImageCard(run) {
  const sets = Object.keys(run.per_image ?? {});
  if (!sets.length) return null;
  const { values } = address();
  const name = sets.includes(values.get("set")) ? values.get("set") : sets[0];
  const { images, ...columns } = run.per_image[name];
  const rows = images.map((image, index) => ({ image, ...Object.fromEntries(Object.entries(columns).map(([key, list]) => [key, list[index]])) }));
  const shown = [{ key: "image", heading: "image" }, ...Object.keys(columns).map((key) => ({ key, heading: key.replaceAll("_", " "), number: true,
    decimals: key.includes("ssim") ? 4 : 2 }))];
  return card([el("h2", {}, "Image by image"), el("span", { class: "grow" }), sets.length > 1 ? choice("Set", sets.map((each) => [each, each]), name,
    (set) => settle({ set, sort: "" })) : null],
  el("div", { style: { maxHeight: "360px", overflowY: "auto" } }, table(shown, rows, { sort: values.get("sort") ?? "", onsort: (sort) => settle({ sort }), name: "Images" })));
}

function configCard(run) {
  const entries = Object.entries(run.config ?? {});
  if (!entries.length) return card("Configuration", el("p", { class: "faint" }, "This run has no readable config.yaml."));
  const deep = (key) => /^(callbacks|logger|trainer|machine)\./.test(key);
  const list = (chosen) => el("dl", { class: "mono" }, chosen.flatMap(([key, value]) => [el("dt", {}, key), el("dd", {}, value === null ? "null" : String(value))]));
  return card("Configuration", list(entries.filter(([key]) => !deep(key))),
    el("details", { style: { marginTop: "10px" } }, el("summary", { class: "faint small" }, "callbacks, logger, trainer, machine"), list(entries.filter(([key]) => deep(key)))));
}

function provenanceCard(run) {
  if (!run.versions) return null;
  const commit = run.git?.commit ? `${run.git.commit.slice(0, 12)}${run.git.dirty ? ", with changes" : ""}` : "";
  const files = Object.entries(run.export?.files ?? {});
  const { fingerprint, train_sources: sources, num_images: count } = run.data ?? {};
  return card("Provenance", facts([["commit", commit], ["training images", [sources].flat().filter(Boolean).join(", ")],
    ["how many", count && number(count, 0)], ["fingerprint", fingerprint], ...Object.entries(run.versions)]),
  files.length ? el("details", { style: { marginTop: "10px" } }, el("summary", { class: "faint small" }, `${files.length} exported files`),
    table([{ key: "name", heading: "file" }, { key: "size", heading: "KiB", number: true, decimals: 1 }, { key: "hash", heading: "SHA-256" }],
      files.map(([name, file]) => ({ name, size: file.size_kib, hash: String(file.sha256 ?? "").slice(0, 16) })), { name: "Files" })) : null);
}
