// One point of view on pictures of one size, shared by all canvases: where the middle is, and how far it is zoomed in.

class Lens {
  /** `size` is [width, height] of the pictures; zoom 1 fits them into `frame`, the place they are seen in. */
  constructor(size, { x = size[0] / 2, y = size[1] / 2, zoom = 1 } = {}) {
    Object.assign(this, { size, x, y, zoom, frame: size, listeners: [] });
  }

  /** The screen's pixels [width, height] that a picture is seen in: what is near an edge is moved to fill them. */
  fit(width, height) {
    this.frame = [Math.max(width, 1), Math.max(height, 1)];
    this.clamp();
  }

  clamp() {
    this.zoom = Math.min(Math.max(this.zoom, 1), 32);
    const factor = this.factor();
    const inside = (at, length, seen) => {
      const half = Math.min(seen / factor, length) / 2;
      return Math.min(Math.max(at, half), length - half);
    };
    this.x = inside(this.x, this.size[0], this.frame[0]);
    this.y = inside(this.y, this.size[1], this.frame[1]);
  }

  move(change) {
    Object.assign(this, change);
    this.clamp();
    this.listeners.forEach((listener) => listener(this));
  }

  /** Screen pixels for a picture's pixel. */
  factor() {
    return Math.min(this.frame[0] / this.size[0], this.frame[1] / this.size[1]) * this.zoom;
  }

  /** Zoom so that what is under a place (in screen pixels from the middle) stays there. */
  zoomAt(ratio, dx, dy) {
    const before = this.factor();
    const zoom = Math.min(Math.max(this.zoom * ratio, 1), 32);
    const after = (before / this.zoom) * zoom;
    this.move({ zoom, x: this.x + dx / before - dx / after, y: this.y + dy / before - dy / after });
  }
}

/** Draw a part of a canvas, left and right edges as shares of its width, with a picture seen through a lens. */
function through(lens, canvas, picture, from = 0, to = 1, middle = 0.5) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const factor = lens.factor() * ratio;
  context.save();
  context.beginPath();
  context.rect(from * width, 0, (to - from) * width, height);
  context.clip();
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;  // pixels are what is compared
  context.setTransform(factor, 0, 0, factor, width * middle - lens.x * factor, height / 2 - lens.y * factor);
  context.drawImage(picture, 0, 0);
  context.restore();
}

/** Drag to move, wheel or two fingers to zoom, keys when the element has the focus. */
function steer(element, lens) {
  const fingers = new Map();
  const fromMiddle = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };
  element.addEventListener("pointerdown", (event) => { element.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); });
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => fingers.delete(event.pointerId));
  element.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const [other] = [...fingers.entries()].filter(([id]) => id !== event.pointerId).map(([, finger]) => finger);
    if (other) {
      const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY) || 1;
      lens.zoomAt(apart(event) / apart(before), ...fromMiddle(event));
    } else {
      const factor = lens.factor();
      lens.move({ x: lens.x - (event.clientX - before.clientX) / factor, y: lens.y - (event.clientY - before.clientY) / factor });
    }
    fingers.set(event.pointerId, event);
  });
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    lens.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...fromMiddle(event));
  }, { passive: false });
  element.addEventListener("dblclick", (event) => lens.zoomAt(2, ...fromMiddle(event)));
  element.addEventListener("keydown", (event) => steerByKey(event, lens));
}

function steerByKey(event, lens) {
  const step = 40 / lens.factor();
  const moves = { ArrowLeft: { x: lens.x - step }, ArrowRight: { x: lens.x + step }, ArrowUp: { y: lens.y - step }, ArrowDown: { y: lens.y + step },
    0: { zoom: 1, x: lens.size[0] / 2, y: lens.size[1] / 2 } };
  if (event.key === "+" || event.key === "=") lens.zoomAt(1.25, 0, 0);
  else if (event.key === "-") lens.zoomAt(0.8, 0, 0);
  else if (moves[event.key]) lens.move(moves[event.key]);
  else return;
  event.preventDefault();
}
