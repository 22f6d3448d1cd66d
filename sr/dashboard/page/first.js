// The page of one finished run: its pictures first, and what its certificate proved in one sentence.

/** The parts that stand above everything else when there is one finished run. */
function firstRun() {
  const finished = page.content.runs.filter((run) => run.status === "finished");
  if (finished.length !== 1) return [];
  const [run] = finished;
  const entry = page.pictures.find((each) => each.layers.some((layer) => layer.run === run.id));
  return [firstHeading(run), entry ? firstPictures(entry, run) : null];
}

/** Net and scale, its PSNR beside bicubic's, and the proof. */
function firstHeading(run) {
  const row = page.content.slices.map((slice) => ({ slice, row: slice.rows.find((each) => each.id === run.id) })).find((each) => each.row);
  return el("div", { class: "first" }, el("h1", {}, `${run.label} ×${run.scale}`), row ? el("p", { class: "lead" }, firstScores(row)) : null,
    run.proved ? el("p", { class: run.proved.startsWith("Not") ? "fails" : "holds" }, run.proved) : null);
}

function firstScores({ slice, row }) {
  const metric = slice.metrics[0];
  const found = [["bicubic", slice.bicubic[metric.key]], ["FP32", row[`float_${metric.key}`]], [row.precision, row[`simulated_${metric.key}`]]]
    .filter(([, value]) => typeof value === "number").map(([name, value]) => `${name} ${number(value, metric.decimals)}`);
  const unit = metric.label.match(/\((.*)\)/)?.[1] ?? "";
  return `${metric.label.replace(/ \(.*/, "")} of ${slice.title}: ${found.join(" · ")} ${unit}`;
}

function firstPictures(entry, run) {
  const own = entry.layers.filter((layer) => layer.run === run.id);
  const net = own.at(-1);  // the quantized one, where there is one
  const keys = ["bicubic", `${net.run}|${net.column}`, "hr"].filter((key) => layersOf(entry)[key]);
  const row = page.content.slices.flatMap((slice) => slice.rows).find((each) => each.id === run.id);
  const name = { bicubic: "bicubic", hr: "true", [keys.at(-2)]: net.column === "float" ? "FP32" : row?.precision ?? net.column };
  return card([el("h2", {}, keys.map((key) => name[key]).join(" | ")), el("span", { class: "faint small" }, `${entry.set} ${entry.image}, a crop of ${entry.size.join(" × ")} pixels`),
    el("span", { class: "grow" }), el("a", { class: "small", href: link("pictures") }, "all pictures")],
  severalPictures(entry, keys, (key) => name[key]),
  el("p", { class: "note" }, "Drag the dividers. Drag a picture to move, wheel or two fingers zoom."));
}

/** Pictures beside each other in one frame, a divider between each two. */
function severalPictures(entry, keys, nameOf) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const box = el("div", { class: "viewer several", tabindex: "0", role: "img", "aria-label": keys.map(nameOf).join(", ") }, canvas);
  const tags = keys.map((key) => el("span", { class: "tag middle" }, nameOf(key)));
  box.append(...tags);
  const ends = [0, ...keys.slice(1).map((_, index) => (index + 1) / keys.length), 1];
  const view = new Lens(entry.size, spotLens(entry, 0));
  let layers = [];
  const paint = () => {
    layers.forEach((layer, index) => through(view, canvas, layer.canvas, ends[index], ends[index + 1]));
    tags.forEach((tag, index) => {
      tag.style.left = `${50 * (ends[index] + ends[index + 1])}%`;
      tag.hidden = (ends[index + 1] - ends[index]) * box.clientWidth < 70;
    });
  };
  const handles = keys.slice(1).map((_, index) => {
    const limits = () => [ends[index], ends[index + 2]];
    const split = { split: ends[index + 1] };
    return sliderHandle(box, split, () => { ends[index + 1] = split.split; paint(); },
      { label: `Divider between ${nameOf(keys[index])} and ${nameOf(keys[index + 1])}`, limits, name: null });
  });
  box.append(...handles);
  Promise.all(keys.map((key) => decode(layersOf(entry)[key]))).then((found) => {
    layers = found;
    view.listeners.push(paint);
    watchSize(box, () => { view.fit(box.clientWidth, box.clientHeight); paint(); });
    box.dataset.ready = "true";
  }, (error) => box.replaceWith(el("p", { class: "notice bad" }, `A picture could not be decoded: ${error.message}`)));
  steer(box, view);
  return box;
}
