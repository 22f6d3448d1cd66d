// Arithmetic on pictures: luma, PSNR, difference maps and the block view, each as a canvas of the picture's size.

const CIVIDIS = [[0, 32, 76], [0, 47, 109], [50, 62, 110], [82, 78, 110], [108, 95, 113], [133, 113, 117], [160, 132, 112], [190, 153, 101], [222, 177, 82], [255, 203, 50], [255, 234, 70]];
const ORANGE_TO_VIOLET = [[179, 88, 6], [224, 130, 20], [253, 184, 99], [254, 224, 182], [247, 247, 247], [216, 218, 235], [178, 171, 210], [128, 115, 172], [84, 39, 136]];

/** BT.601 luma in limited range, in bytes, as protocol y counts it. */
function luma({ data }) {
  const y = new Float32Array(data.length / 4);
  for (let i = 0, p = 0; i < y.length; i += 1, p += 4) y[i] = 16 + (65.481 * data[p] + 128.553 * data[p + 1] + 24.966 * data[p + 2]) / 255;
  return y;
}

function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] - b[i]) ** 2;
  return sum ? 10 * Math.log10((255 ** 2 * a.length) / sum) : Infinity;
}

/** A colour of a list of stops, at 0 to 1. */
function colorAt(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((value, channel) => value + (stops[low + 1][channel] - value) * (at - low));
}

const gradient = (stops) => `linear-gradient(90deg, ${stops.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;

function painted(values, width, height, stops, share) {
  const made = Object.assign(document.createElement("canvas"), { width, height });
  const image = new ImageData(width, height);
  for (let i = 0, p = 0; i < values.length; i += 1, p += 4) {
    const [red, green, blue] = colorAt(stops, share(values[i]));
    image.data[p] = red; image.data[p + 1] = green; image.data[p + 2] = blue; image.data[p + 3] = 255;
  }
  made.getContext("2d").putImageData(image, 0, 0);
  return made;
}

/** A map of amounts; the scale ends at `limit` bytes. */
const differenceMap = (apart, width, height, limit) => painted(apart, width, height, CIVIDIS, (value) => value / limit);

/**
 * What repeats with the period of the upscaling: the error against HR, less its local mean, averaged over pixels of the
 * same place in their block of `period` pixels a side within 4 blocks each way. Texture averages out; a grid of
 * depth-to-space stays.
 */
function blockPattern(y, hr, width, height, period) {
  const reach = 4 * period;
  const error = y.map((value, index) => value - hr[index]);
  const mean = boxMean(error, width, height, period);
  const detail = error.map((value, index) => value - mean[index]);
  const pattern = new Float32Array(detail.length);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      let sum = 0, count = 0;
      for (let i = Math.max(row - reach, row % period); i <= Math.min(row + reach, height - 1); i += period) {
        for (let j = Math.max(column - reach, column % period); j <= Math.min(column + reach, width - 1); j += period) {
          if ((i - row) % period === 0 && (j - column) % period === 0) { sum += detail[i * width + j]; count += 1; }
        }
      }
      pattern[row * width + column] = count ? sum / count : 0;
    }
  }
  return pattern;
}

/** Mean over the square of `2 * radius + 1` pixels, with a running sum along each axis. */
function boxMean(values, width, height, radius) {
  const along = (source, outer, inner, step, stride) => {
    const result = new Float32Array(source.length);
    for (let line = 0; line < outer; line += 1) {
      for (let at = 0; at < inner; at += 1) {
        let sum = 0, count = 0;
        for (let k = Math.max(0, at - radius); k <= Math.min(inner - 1, at + radius); k += 1) { sum += source[line * stride + k * step]; count += 1; }
        result[line * stride + at * step] = sum / count;
      }
    }
    return result;
  };
  return along(along(values, height, width, 1, width), width, height, width, 1);
}

const rms = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const patternMap = (pattern, width, height, limit) =>
  painted(pattern, width, height, ORANGE_TO_VIOLET, (value) => 0.5 + value / (2 * limit));
