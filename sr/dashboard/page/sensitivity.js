// What quantization did inside a net, as the stage `sensitivity` tells it: noise and ranges by layer, blocks by image.

const isSensitivity = (value) => Array.isArray(value?.layers) && value.layers.every((layer) => layer && typeof layer === "object" && "name" in layer);

function sensitivityCards({ layers, blocks, ...rest }) {
  const rows = layers.map((layer, order) => ({ order, name: layer.name, kind: layer.kind, alone_db: layer.alone_db, sqnr_db: layer.sqnr_db,
    ...layer.activation, cut: layer.activation ? layer.activation.cut_below + layer.activation.cut_above : undefined,
    kernel_db: layer.weights?.sqnr_db, spread: layer.weights?.channel_spread, kernel_bits: layer.weights?.bits, histogram: layer.weights?.histogram }));
  if (!rows.length) return [];
  const others = Object.entries(rest).filter(([name, value]) => value && typeof value === "object" && name !== "sources");
  return [el("div", { class: "grid even" },
    card("Noise by layer", chart("layer_noise", {}, { layers: rows })),
    card("Ranges by layer", chart("layer_ranges", {}, { layers: rows }),
      el("p", { class: "note" }, "Bars: the range that the scheme's bits cover. Lines: the range of the float net's values."))),
  card("Layers", table([
    { key: "name", heading: "layer" }, { key: "kind", heading: "kind" }, { key: "alone_db", heading: "alone dB", number: true, decimals: 1 },
    { key: "sqnr_db", heading: "in the net dB", number: true, decimals: 1 }, { key: "bits", heading: "bits", number: true, decimals: 0 },
    { key: "cut", heading: "cut off", number: true, node: (row) => (row.cut === undefined ? "" : `${number(100 * row.cut, 3)} %`) },
    { key: "kernel_bits", heading: "kernel bits", number: true, decimals: 0 }, { key: "kernel_db", heading: "kernel dB", number: true, decimals: 1 },
    { key: "spread", heading: "channel spread", number: true, decimals: 1 },
    { key: "histogram", heading: "kernel", node: (row) => (row.histogram ? histogram(row.histogram) : "") },
  ], rows, { name: "Layers" })),
  blocks && Object.keys(blocks).length ? card("Blocks", anyValue(blocks)) : null,
  others.length ? card("More of the sensitivity", ...others.map(([name, value]) => section(name, value))) : null].filter(Boolean);
}

/** Counts as a small line of bars. */
function histogram(counts) {
  const [width, height] = [96, 18];
  const canvas = el("canvas", { width: width * 2, height: height * 2, style: { width: `${width}px`, height: `${height}px` }, role: "img",
    "aria-label": "histogram of the kernel" });
  const context = canvas.getContext("2d");
  const most = Math.max(...counts, 1);
  context.fillStyle = page.content.looks[look()].blanks.accent;
  counts.forEach((count, index) => {
    const tall = (count / most) * height * 2;
    context.fillRect((index * width * 2) / counts.length, height * 2 - tall, (width * 2) / counts.length, tall);
  });
  return canvas;
}
