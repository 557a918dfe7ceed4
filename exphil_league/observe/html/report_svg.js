"use strict";
// Drawing: elements, scales, number formats, the tooltip, and charts that follow the width of their place.

const SVG = "http://www.w3.org/2000/svg";

function node(tag, attributes = {}, ...children) {
  const svg = /^(svg|g|path|line|rect|circle|text|title|polygon)$/.test(tag);
  const made = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style") made.style.cssText = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function quantity(value) {
  const size = Math.abs(value);
  for (const [limit, unit, suffix] of [[1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]]) {
    if (size >= limit) return `${Number((value / unit).toPrecision(3))}${suffix}`;
  }
  return size >= 100 ? `${Math.round(value)}` : `${Number(value.toPrecision(3))}`;
}

const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
const elo = (value) => `${Math.round(value)}`;
const signed = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(Math.round(value))}`;

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

// Round values between low and high, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function scale(low, high, from, to) {
  const span = high - low || 1;
  const map = (value) => from + ((value - low) / span) * (to - from);
  return Object.assign(map, { low, high });
}

// Labels [{y, ...}] moved apart so that none covers another; keeps their order.
function spread(labels, gap, low, high) {
  labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + gap);
  let limit = high;
  for (let i = labels.length - 1; i >= 0; i--) {
    labels[i].y = Math.max(Math.min(labels[i].y, limit), low);
    limit = labels[i].y - gap;
  }
  return labels;
}

const tip = {
  box: document.getElementById("tip"),
  show(text, x, y) {
    this.box.textContent = text;
    this.box.hidden = false;
    const { width, height } = this.box.getBoundingClientRect();
    const left = x + 14 + width > innerWidth - 6 ? x - width - 14 : x + 14;
    this.box.style.left = `${Math.max(6, left)}px`;
    this.box.style.top = `${Math.min(Math.max(6, y - height - 10), innerHeight - height - 6)}px`;
  },
  hide() { this.box.hidden = true; },
};

// A place that is drawn again when its width changes: draw(width) returns an svg.
function chart(parent, draw) {
  const place = node("div", { class: "chart" });
  parent.append(place);
  let width = 0;
  const redraw = () => {
    const now = Math.floor(place.clientWidth);
    if (now && now !== width) {
      width = now;
      place.replaceChildren(draw(now));
    }
  };
  redraw();
  new ResizeObserver(redraw).observe(place);
  return () => { width = 0; redraw(); };
}

function canvas(width, height, label) {
  return node("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, tabindex: 0 });
}

function gridY(svg, y, left, right, count, format) {
  for (const value of ticks(y.low, y.high, count)) {
    svg.append(
      node("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
      node("text", { x: left - 7, y: y(value) + 4, "text-anchor": "end" }, format(value)),
    );
  }
}

function gridX(svg, x, base, count) {
  for (const value of ticks(x.low, x.high, count)) {
    svg.append(node("text", { x: x(value), y: base + 16, "text-anchor": "middle" }, quantity(value)));
  }
}

const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// Pointer and arrow keys choose among spots [{x, y, text}] of a chart; the chosen one is ringed and told.
function choose(svg, spots, nearest) {
  if (!spots.length) return;
  const ring = node("circle", { r: 8, fill: "none", stroke: "var(--ink)", "stroke-width": 2, visibility: "hidden" });
  svg.append(ring);
  let chosen = -1;
  const select = (index, x, y) => {
    chosen = index;
    const spot = spots[index];
    const frame = svg.getBoundingClientRect();
    ring.setAttribute("cx", spot.x);
    ring.setAttribute("cy", spot.y);
    ring.setAttribute("visibility", "visible");
    tip.show(spot.text, x ?? frame.left + spot.x, y ?? frame.top + spot.y);
  };
  const leave = () => {
    ring.setAttribute("visibility", "hidden");
    tip.hide();
  };
  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect();
    select(nearest(event.clientX - frame.left, event.clientY - frame.top), event.clientX, event.clientY);
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e9, End: 1e9 }[event.key];
    if (event.key === "Escape") leave();
    if (step === undefined) return;
    event.preventDefault();
    select(Math.min(Math.max(chosen + step, 0), spots.length - 1));
  });
}

const closest = (spots, weightX = 1) => (x, y) => {
  let best = 0;
  let least = Infinity;
  spots.forEach((spot, i) => {
    const far = weightX * (spot.x - x) ** 2 + (spot.y - y) ** 2;
    if (far < least) [best, least] = [i, far];
  });
  return best;
};
