// The player: pixels come as numbers (see src/web/stamps.rs) and are stretched here.
"use strict";

class Player {
  static STRETCHES = ["asinh", "low", "high"];
  static SPEEDS = [1, 2, 3, 5, 8, 10, 15, 20]; // pictures per second
  static NAMES = {
    "sky": "Sky stands still", "sky-subtracted": "Sky still, subtracted",
    "object": "Object stands still", "object-subtracted": "Object still, subtracted",
  };

  constructor(section) {
    this.section = section;
    this.frame = 0;
    this.is_over = false;
    // Counted for who wants to know whether the machine keeps up: see tests/it/web.
    this.n_shown = 0;
    this.n_dropped = 0;
    this.settings = Object.assign(
      { is_playing: true, speed: 2, stretch: "asinh", is_inverse: false, zoom: 0, marks: true,
        centring: null, subtracted: false },
      Player.remembered());
    this.start();
  }

  static remembered() {
    try { return JSON.parse(sessionStorage.getItem("autossos-player")) || {}; } catch { return {}; }
  }

  remember() {
    try { sessionStorage.setItem("autossos-player", JSON.stringify(this.settings)); } catch { /* private mode */ }
  }

  async start() {
    const path = this.section.dataset.stamps;
    try {
      const [about, pixels] = await Promise.all([
        fetch(path).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); }),
        fetch(path.replace("stamps.json", "stamps.bin")).then((answer) => {
          if (!answer.ok) throw new Error(answer.status);
          return answer.arrayBuffer();
        }),
      ]);
      if (this.is_over) return;
      this.about = about;
      this.codes = new Uint16Array(pixels);
      this.build();
    } catch {
      const still = document.createElement("img");
      still.src = this.section.dataset.still;
      still.alt = "The cut-outs, blinking; the player could not be loaded.";
      this.section.replaceChildren(still);
    }
  }

  build() {
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.id = "blink";
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.line = document.createElement("p");
    this.line.className = "soft";
    const rows = [document.createElement("div"), document.createElement("div")];
    rows.forEach((row) => { row.className = "row"; });
    this.buttons = {};
    const button = (row, name, key, text, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.append(text + " ");
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      made.append(kbd);
      made.addEventListener("click", act);
      rows[row].append(made);
      this.buttons[name] = made;
    };
    button(0, "play", "space", "Play", () => this.toggle("is_playing"));
    button(0, "back", ",", "◀", () => this.step(-1));
    button(0, "forth", ".", "▶", () => this.step(1));
    button(0, "slower", "-", "Slower", () => this.faster(-1));
    button(0, "faster", "+", "Faster", () => this.faster(1));
    button(0, "zoom", "z", "Zoom", () => this.zoom());
    button(1, "view", "v", "On the object", () => this.turn());
    button(1, "subtracted", "d", "Subtracted", () => this.toggle("subtracted"));
    button(1, "stretch", "c", "Stretch", () => this.stretch());
    button(1, "is_inverse", "i", "Inverse", () => this.toggle("is_inverse"));
    button(1, "marks", "o", "Marks", () => this.toggle("marks"));
    this.buttons.back.setAttribute("aria-label", "One frame back");
    this.buttons.forth.setAttribute("aria-label", "One frame on");
    this.section.replaceChildren(this.canvas, this.line, ...rows);
    this.prepare();
    requestAnimationFrame((now) => this.tick(now));
  }

  // The view that is shown: as wished, where it is there.
  view() {
    const centring = this.settings.centring || this.about.views[0] && this.about.best.split("-")[0];
    const wished = centring + (this.settings.subtracted ? "-subtracted" : "");
    const index = this.about.views.findIndex((view) => view.name === wished);
    if (index >= 0) return index;
    return Math.max(0, this.about.views.findIndex((view) => view.name === centring));
  }

  // Pictures of all frames for the present view and stretch.
  prepare() {
    const { side_px: side, frames, views } = this.about;
    if (views.length === 0) return;
    const index = this.view();
    const view = views[index];
    const grey = this.greys(view);
    const n = side * side;
    this.pictures = frames.map((_, frame) => {
      const start = (index * frames.length + frame) * n;
      const image = new ImageData(side, side);
      const words = new Uint32Array(image.data.buffer);
      for (let y = 0; y < side; y++) {
        const row = start + (side - 1 - y) * side; // the first row is at the bottom
        for (let x = 0; x < side; x++) {
          const code = this.codes[row + x];
          const level = grey[code];
          words[y * side + x] = code === 0 ? 0xff402818 : 0xff000000 | level * 0x010101;
        }
      }
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = side;
      canvas.getContext("2d").putImageData(image, 0, 0);
      return canvas;
    });
    const sizes = [Math.max(1, Math.floor(480 / side)), Math.max(1, Math.floor(256 / side)), Math.max(2, Math.floor(960 / side))];
    this.factor = sizes[this.settings.zoom % sizes.length];
    this.canvas.width = this.canvas.height = side * this.factor;
    const scale = Math.round(side * this.about.scale_arcsec);
    this.canvas.setAttribute("aria-label",
      `${frames.length} cut-outs, ${Player.NAMES[view.name]}, ${scale} arcsec wide, north up, east left`);
    const pressed = { play: this.settings.is_playing, view: view.centring === "object",
      subtracted: view.name.endsWith("subtracted"), is_inverse: this.settings.is_inverse, marks: this.settings.marks };
    for (const [name, is_on] of Object.entries(pressed)) this.buttons[name].setAttribute("aria-pressed", is_on);
    this.buttons.subtracted.disabled = !views.some((other) => other.name === view.centring + "-subtracted");
    this.remember();
    this.draw();
  }

  // Grey of each code.
  greys(view) {
    const levels = new Uint8Array(65536);
    const { low, step, black, soft, white } = view;
    const high = low + 65534 * step;
    const asinh = (value, from, to) => Math.asinh((value - black) / from) / Math.asinh((to - black) / from);
    const ways = {
      asinh: (value) => asinh(value, soft, white),
      low: (value) => (value - black) / soft, // a straight ramp over the sky's noise
      high: (value) => asinh(value, soft * 4, Math.max(white, high)), // bright stars keep their cores
    };
    const way = ways[this.settings.stretch] || ways.asinh;
    for (let code = 1; code < 65536; code++) {
      const share = Math.min(1, Math.max(0, way(low + (code - 1) * step)));
      levels[code] = Math.round(255 * (this.settings.is_inverse ? 1 - share : share));
    }
    return levels;
  }

  tick(now) {
    if (this.is_over) return;
    if (!this.section.isConnected) { this.is_over = true; return; }
    requestAnimationFrame((next) => this.tick(next));
    if (!this.settings.is_playing || !this.pictures) { this.due = undefined; return; }
    const period = 1000 / Player.SPEEDS[this.settings.speed];
    if (this.due === undefined) this.due = now + period;
    if (now < this.due - 1) return;
    const late = Math.floor((now - this.due) / period);
    if (late > 0) this.n_dropped += late;
    this.due += period * (1 + Math.max(0, late));
    this.n_shown += 1;
    this.frame = (this.frame + 1 + Math.max(0, late)) % this.about.frames.length;
    this.draw();
  }

  draw() {
    if (!this.pictures) return;
    const { side_px: side, frames, views } = this.about;
    const about = frames[this.frame];
    const size = side * this.factor;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.pictures[this.frame], 0, 0, size, size);
    if (this.settings.marks) this.mark(about[views[this.view()].centring], about.is_detected);
    const speed = Player.SPEEDS[this.settings.speed];
    const seen = about.is_detected ? "" : ", not detected here";
    const text = `${this.frame + 1} of ${frames.length}, ${about.clock}${seen}; ${speed}/s, ${this.settings.stretch}`;
    if (this.line.textContent !== text) this.line.textContent = text;
    this.canvas.dataset.frame = this.frame;
  }

  mark(marks, is_detected) {
    const pen = this.context;
    const side = this.about.side_px;
    const at = ([x, y]) => [(x + 0.5) * this.factor, (side - 0.5 - y) * this.factor];
    const ring = (place, radius, colour, dashes) => {
      const [x, y] = at(place);
      pen.beginPath();
      pen.setLineDash(dashes);
      pen.strokeStyle = colour;
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.stroke();
    };
    pen.lineWidth = 1.5;
    for (const [x, y, mag] of marks.neighbours) ring([x, y], Math.max(4, 26 - mag) * this.factor / 5, "#e0a030", [2, 3]);
    if (this.about.views[this.view()].centring === "sky") {
      pen.beginPath();
      pen.setLineDash([]);
      pen.strokeStyle = "rgb(90 170 255 / 0.55)";
      this.about.frames.forEach((frame, index) => {
        const [x, y] = at(frame.sky.predicted);
        if (index === 0) pen.moveTo(x, y); else pen.lineTo(x, y);
      });
      pen.stroke();
    }
    const radius = 6 * this.factor;
    if (is_detected && marks.detected) ring(marks.detected, radius, "#4fd07c", []);
    else ring(marks.predicted, radius, "#ff7b62", [5, 5]);
  }

  toggle(name) { this.settings[name] = !this.settings[name]; this.prepare(); }
  step(by) {
    if (!this.about) return;
    this.settings.is_playing = false;
    const n = this.about.frames.length;
    this.frame = (this.frame + by + n) % n;
    this.prepare();
  }
  faster(by) {
    this.settings.speed = Math.min(Player.SPEEDS.length - 1, Math.max(0, this.settings.speed + by));
    this.due = undefined;
    this.remember();
    this.draw();
  }
  zoom() { this.settings.zoom = (this.settings.zoom + 1) % 3; this.prepare(); }
  turn() {
    const now = this.about.views[this.view()].centring;
    this.settings.centring = now === "object" ? "sky" : "object";
    this.prepare();
  }
  stretch() {
    const at = Player.STRETCHES.indexOf(this.settings.stretch);
    this.settings.stretch = Player.STRETCHES[(at + 1) % Player.STRETCHES.length];
    this.prepare();
  }

  // What a key does; true when it is one of the player's.
  press(key) {
    const keys = {
      " ": () => this.toggle("is_playing"), ",": () => this.step(-1), ".": () => this.step(1),
      "+": () => this.faster(1), "=": () => this.faster(1), "-": () => this.faster(-1),
      i: () => this.toggle("is_inverse"), z: () => this.zoom(), v: () => this.turn(),
      d: () => this.toggle("subtracted"), c: () => this.stretch(), o: () => this.toggle("marks"),
    };
    if (!this.about || !keys[key]) return false;
    keys[key]();
    return true;
  }
}
