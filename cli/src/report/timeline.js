// Timeline: a lane for each channel, with requests from taken to answered. A lane with more
// requests than pixels is drawn as one column per pixel, others request by request. After a return
// to a checkpoint, channels have new lanes.

const LANE = 30, AXIS = 24, NAMES = 110, MOST_LANES = 1024;

class Timeline {
  constructor(parts, data, requests, describe, selected) {
    Object.assign(this, { parts, data, requests, describe, selected, canvas: parts.canvas, current: -1, hovered: -1, matches: null });
    this.end = data.ticks + 1;
    [this.from, this.to] = [0, this.end];
    this.place();
    this.canvas.setAttribute("aria-label", `Timeline of ${requests.count} requests on ${data.channels.length} channels`
      + (requests.segments.length > 1 ? `, in ${requests.segments.length} segments from checkpoint to checkpoint` : ""));
    this.listen();
    this.legend();
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Sets the place of each request: requests that are answered in one tick share it, in order. */
  place() {
    const { requests } = this, { taken, answered, count } = requests;
    this.begin = new Float64Array(count);
    this.finish = new Float64Array(count);
    this.assign();
    this.longest = this.lanes.map(() => 0);
    this.lanes.forEach((lane, number) => {
      let before = 0;
      for (let first = 0; first < lane.length;) {
        const tick = answered[lane[first]];
        let end = first + 1;
        while (end < lane.length && answered[lane[end]] === tick) end++;
        for (let place = first; place < end; place++) {
          const at = lane[place], share = (place - first) / (end - first);
          this.begin[at] = taken[at] === tick ? tick + share : Math.min(Math.max(taken[at], before), tick);
          this.finish[at] = before = tick + (place - first + 1) / (end - first);
          this.longest[number] = Math.max(this.longest[number], this.finish[at] - this.begin[at]);
        }
        first = end;
      }
    });
  }

  /** Assigns each request to a lane. Later segments have only lanes of channels with requests. The
   * height of a canvas is limited: requests of further lanes are in the list only. */
  assign() {
    const { count, channel, segment, segments } = this.requests;
    const names = this.data.channels.map(it => it.name), numbers = new Map();
    this.laneOf = new Int32Array(count);
    this.lanes = names.map(() => []);
    this.labels = [...names];
    for (let at = 0; at < count; at++) {
      const place = segment[at], first = names.length * place + channel[at];
      let number = place ? numbers.get(first) : channel[at];
      if (number === undefined && this.lanes.length >= MOST_LANES) number = -1;
      if (number === undefined) {
        number = this.lanes.push([]) - 1;
        this.labels.push(`↺${segments[place] ?? ""} ${names[channel[at]] ?? ""}`);
        numbers.set(first, number);
      }
      this.laneOf[at] = number;
      this.lanes[number]?.push(at);
    }
  }

  /** Returns the first place of a lane whose request ends after `tick`. */
  firstAfter(lane, tick) {
    let low = 0, high = lane.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.finish[lane[middle]] <= tick) low = middle + 1; else high = middle;
    }
    return low;
  }

  get width() { return Math.max(50, this.canvas.clientWidth - NAMES); }
  xOf(tick) { return NAMES + (tick - this.from) / (this.to - this.from) * this.width; }
  tickOf(x) { return this.from + (x - NAMES) / this.width * (this.to - this.from); }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const of = name => style.getPropertyValue("--" + name).trim();
    const names = ["back", "raised", "line", "text", "dim", "accent", "bad", "mark"];
    return Object.assign(Object.fromEntries(names.map(name => [name, of(name)])), { kinds: [0, 1, 2, 3, 4, 5, 6, 7].map(at => of("k" + at)) });
  }

  draw() {
    const { canvas, lanes } = this, scale = devicePixelRatio || 1;
    const height = AXIS + LANE * Math.max(1, lanes.length);
    canvas.style.height = height + "px";
    const width = canvas.clientWidth;
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const to = canvas.getContext("2d"), colours = this.colours();
    to.setTransform(scale, 0, 0, scale, 0, 0);
    to.font = "12px system-ui, sans-serif";
    to.textBaseline = "middle";
    this.axis(to, colours, height);
    this.gap(to, colours, height);
    this.drawn = 0;
    lanes.forEach((lane, number) => this.lane(to, colours, lane, number));
    to.fillStyle = colours.back;
    to.fillRect(0, AXIS, NAMES - 1, height);
    to.strokeStyle = colours.line;
    lanes.forEach((_, number) => {
      to.fillStyle = colours.text;
      to.fillText(visible(this.labels[number]).slice(0, 15), 8, AXIS + LANE * (number + .5), NAMES - 16);
      to.beginPath();
      to.moveTo(0, AXIS + LANE * number + .5);
      to.lineTo(width, AXIS + LANE * number + .5);
      to.stroke();
    });
    const time = timeOf(this.to - this.from, this.data.period);
    this.parts.range.textContent = `ticks ${number(Math.floor(this.from))} to ${number(Math.ceil(this.to) - 1)}${time && `, ${time}`}`;
    // For tests, and for user scripts.
    Object.assign(canvas.dataset, { from: this.from, to: this.to, drawn: this.drawn, lanes: this.labels.join(", ") });
  }

  axis(to, colours, height) {
    const span = this.to - this.from;
    const rough = span / Math.max(2, this.width / 110), power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, power * [1, 2, 5, 10].find(it => it * power >= rough));
    to.textAlign = "left";
    for (let count = 0, tick = Math.ceil(this.from / step) * step; tick < this.to && count < 100; tick += step, count++) {
      const x = Math.round(this.xOf(tick)) + .5;
      to.strokeStyle = colours.line;
      to.beginPath();
      to.moveTo(x, 16);
      to.lineTo(x, height);
      to.stroke();
      to.fillStyle = colours.dim;
      to.fillText(this.data.period ? timeOf(tick, this.data.period) : number(tick), x + 3, 9);
    }
  }

  /** Draws the range of requests that the page omits. */
  gap(to, colours, height) {
    const { gap, answered, count, segments } = this.requests;
    if (!gap.left_out || segments.length > 1) return;
    const behind = gap.first + gap.kept;
    const [first, last] = [gap.first > 0 ? answered[gap.first - 1] + 1 : 0, behind < count ? answered[behind] : this.end];
    const x = Math.max(NAMES, this.xOf(first)), width = Math.min(NAMES + this.width, this.xOf(last)) - x;
    if (width <= 0) return;
    to.fillStyle = colours.raised;
    to.fillRect(x, AXIS, width, height);
    to.fillStyle = colours.dim;
    if (width > 90) to.fillText(`${number(gap.left_out)} requests are left out`, x + 8, AXIS + 10, width - 16);
  }

  /** Yields the visible requests of a lane. */
  *seen(lane, number) {
    for (let place = this.firstAfter(lane, this.from); place < lane.length; place++) {
      const at = lane[place];
      if (this.finish[at] - this.longest[number] >= this.to) return;
      if (this.begin[at] < this.to) yield at;
    }
  }

  lane(to, colours, lane, number) {
    const top = AXIS + LANE * number + 5, high = LANE - 10, { failed, kind } = this.requests;
    const seen = [...this.seen(lane, number)];
    this.drawn += seen.length;
    to.save();
    to.beginPath();
    to.rect(NAMES, AXIS, this.width, LANE * this.lanes.length);
    to.clip();
    if (seen.length > this.width) this.columns(to, colours, seen, top, high);
    else for (const at of seen) {
      const x = this.xOf(this.begin[at]), width = Math.max(2, this.xOf(this.finish[at]) - x - 1);
      to.globalAlpha = !this.matches || this.matches.has(at) ? 1 : .18;
      to.fillStyle = colours.kinds[kind[at] % 8];
      to.fillRect(x, top, width, high);
      if (failed[at]) {
        to.fillStyle = colours.bad;
        to.fillRect(x, top - 3, Math.max(3, width), 5);
        to.fillRect(x, top + high - 2, Math.max(3, width), 5);
      }
      if (width > 40) {
        to.fillStyle = colours.back;
        const left = Math.max(x, NAMES);
        to.fillText(visible(this.requests.text(at)).slice(0, Math.floor((x + width - left) / 6)), left + 4, top + high / 2, Math.max(1, x + width - left - 8));
      }
      to.globalAlpha = 1;
    }
    for (const at of [this.hovered, this.current]) {
      if (at < 0 || this.laneOf[at] !== number) continue;
      const x = this.xOf(this.begin[at]), width = Math.max(3, this.xOf(this.finish[at]) - x - 1);
      to.strokeStyle = colours.text;
      to.lineWidth = at === this.current ? 2 : 1;
      to.strokeRect(x - 1, top - 2, width + 2, high + 4);
      to.lineWidth = 1;
    }
    to.restore();
  }

  /** Draws a column per pixel, with the number of requests as height on a logarithmic scale. */
  columns(to, colours, seen, top, high) {
    const width = Math.ceil(this.width), all = new Uint32Array(width), found = new Uint32Array(width), bad = new Uint8Array(width);
    let most = 1;
    for (const at of seen) {
      const x = Math.max(0, Math.floor(this.xOf(this.begin[at]) - NAMES));
      const end = Math.min(width - 1, Math.floor(this.xOf(this.finish[at]) - NAMES - 1e-6));
      const isFound = !this.matches || this.matches.has(at);
      for (let column = x; column <= Math.max(x, end) && column < width; column++) {
        most = Math.max(most, ++all[column]);
        if (isFound) {
          found[column]++;
          bad[column] |= this.requests.failed[at];
        }
      }
    }
    for (let x = 0; x < width; x++) {
      if (!all[x]) continue;
      const size = count => Math.max(3, high * Math.log1p(count) / Math.log1p(most));
      if (found[x] < all[x]) {
        to.globalAlpha = .25;
        to.fillStyle = colours.dim;
        to.fillRect(NAMES + x, top + high - size(all[x]), 1, size(all[x]));
        to.globalAlpha = 1;
      }
      if (!found[x]) continue;
      to.fillStyle = colours.dim;
      to.fillRect(NAMES + x, top + high - size(found[x]), 1, size(found[x]));
      if (bad[x]) {
        to.fillStyle = colours.bad;
        to.fillRect(NAMES + x, top - 3, 2, 5);
        to.fillRect(NAMES + x, top + high - 2, 2, 5);
      }
    }
  }

  legend() {
    const swatch = colour => svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, fill: `var(--${colour})` }));
    this.requests.kinds.forEach((name, at) => this.parts.legend.append(el("li", null, swatch("k" + at % 8), name)));
    this.parts.legend.append(el("li", null, swatch("bad"), "edge: failed, or not answered"),
      el("li", null, swatch("dim"), "column of a pixel: several requests"));
  }

  /** Shows a range of ticks, within the run. */
  show(from, to) {
    const span = Math.min(Math.max(to - from, Math.min(.01, this.end)), this.end);
    this.from = Math.min(Math.max(from, 0), this.end - span);
    this.to = this.from + span;
    this.draw();
  }
  zoom(factor, at = this.focusTick()) {
    const span = (this.to - this.from) * factor, share = (at - this.from) / (this.to - this.from);
    this.show(at - span * share, at + span * (1 - share));
  }
  pan(share) {
    const by = (this.to - this.from) * share;
    this.show(this.from + by, this.to + by);
  }
  focusTick() {
    const middle = this.current < 0 ? NaN : (this.begin[this.current] + this.finish[this.current]) / 2;
    return middle >= this.from && middle <= this.to ? middle : (this.from + this.to) / 2;
  }

  select(at) {
    this.current = at;
    this.selected(at);
    this.draw();
  }
  /** Moves, and zooms in if needed, so that a request is visible. A request without a lane is
   * ignored. */
  reveal(at) {
    if (this.laneOf[at] < 0) return;
    const long = this.finish[at] - this.begin[at], middle = this.begin[at] + long / 2;
    let span = this.to - this.from;
    if (long / span * this.width < 8) span = Math.min(this.end, Math.max(long * this.width / 40, .01));
    if (long > span) span = long * 1.2;
    if (span !== this.to - this.from || this.begin[at] < this.from || this.finish[at] > this.to) this.show(middle - span / 2, middle + span / 2);
  }
  highlight(found) {
    this.matches = found && new Set(found);
    this.draw();
  }

  /** Returns the request at a place of the canvas; -1 for none. */
  at(x, y) {
    const number = Math.floor((y - AXIS) / LANE), lane = this.lanes[number];
    if (!lane || x < NAMES) return -1;
    const reach = 3 / this.width * (this.to - this.from), tick = this.tickOf(x);
    let best = -1, distance = reach;
    for (let place = this.firstAfter(lane, tick - reach); place < lane.length; place++) {
      const at = lane[place];
      if (this.finish[at] - this.longest[number] > tick + reach) break;
      const away = Math.max(this.begin[at] - tick, tick - this.finish[at], 0);
      if (away === 0) return at;
      if (away < distance) [best, distance] = [at, away];
    }
    return best;
  }

  /** Selects the request `by` places further on its channel. */
  step(by) {
    const current = this.current;
    const number = current < 0 ? this.lanes.findIndex(lane => lane.length) : this.laneOf[current];
    const lane = this.lanes[number];
    if (!lane?.length) return;
    const here = current < 0 ? this.firstAfter(lane, this.from) - (by > 0 ? 1 : 0) : this.firstAfter(lane, this.begin[current]);
    this.go(lane[Math.min(Math.max(here + by, 0), lane.length - 1)]);
  }
  /** Selects a request of another channel, at the same time. */
  lanesOn(by) {
    if (this.current < 0) return this.step(1);
    for (let number = this.laneOf[this.current] + by; this.lanes[number]; number += by) {
      const lane = this.lanes[number];
      if (!lane.length) continue;
      return this.go(lane[Math.min(this.firstAfter(lane, this.begin[this.current]), lane.length - 1)]);
    }
  }
  go(at) {
    this.select(at);
    this.reveal(at);
  }

  listen() {
    const { canvas, parts } = this;
    const on = (part, act) => parts[part].addEventListener("click", act);
    on("zoom-in", () => this.zoom(.5));
    on("zoom-out", () => this.zoom(2));
    on("left", () => this.pan(-.5));
    on("right", () => this.pan(.5));
    on("whole", () => this.show(0, this.end));
    canvas.addEventListener("wheel", event => {
      const whole = this.to - this.from >= this.end;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      // The page scrolls if it can't zoom out further.
      if (whole && (event.deltaY > 0 || sideways)) return;
      event.preventDefault();
      if (sideways) this.pan(Math.sign(event.deltaX || event.deltaY) * .1);
      else this.zoom(event.deltaY > 0 ? 1.25 : .8, this.tickOf(Math.max(NAMES, event.offsetX)));
    }, { passive: false });
    let drag = null;
    canvas.addEventListener("pointerdown", event => {
      drag = { x: event.offsetX, from: this.from, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      if (drag && (drag.moved || Math.abs(event.offsetX - drag.x) > 4)) {
        drag.moved = true;
        const span = this.to - this.from, from = drag.from - (event.offsetX - drag.x) / this.width * span;
        this.hide();
        this.show(from, from + span);
      } else this.hover(event.offsetX, event.offsetY);
    });
    canvas.addEventListener("pointerup", event => {
      if (drag && !drag.moved) this.select(this.at(event.offsetX, event.offsetY));
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => this.hide());
    canvas.addEventListener("dblclick", event => this.zoom(.25, this.tickOf(event.offsetX)));
    canvas.addEventListener("keydown", event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const shift = event.shiftKey;
      const acts = {
        ArrowLeft: () => shift ? this.pan(-.25) : this.step(-1), ArrowRight: () => shift ? this.pan(.25) : this.step(1),
        ArrowUp: () => this.lanesOn(-1), ArrowDown: () => this.lanesOn(1),
        Home: () => this.step(-Infinity), End: () => this.step(Infinity),
        "+": () => this.zoom(.5), "=": () => this.zoom(.5), "-": () => this.zoom(2), "0": () => this.show(0, this.end),
        Escape: () => this.select(-1),
      };
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    });
  }

  hover(x, y) {
    const at = this.at(x, y), { tip } = this.parts;
    if (at !== this.hovered) {
      this.hovered = at;
      this.draw();
    }
    tip.hidden = at < 0;
    if (at < 0) return;
    tip.textContent = visible(this.describe(at));
    tip.style.left = Math.max(0, Math.min(x + 14, this.canvas.clientWidth - 470)) + "px";
    tip.style.top = y + 16 + "px";
  }
  hide() {
    this.parts.tip.hidden = true;
    if (this.hovered >= 0) {
      this.hovered = -1;
      this.draw();
    }
  }
}
