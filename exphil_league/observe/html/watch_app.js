"use strict";
// The page around the scene: cards, controller, timeline, transport, keyboard.

const FRAMES_PER_S = 60;
const BUTTONS = [
  ["A", 0x0100, 104, 26, 11, "#2fae62"], ["B", 0x0200, 84, 39, 7, "#d8483f"], ["X", 0x0400, 123, 21, 7, "#9aa3b8"],
  ["Y", 0x0800, 99, 8, 7, "#9aa3b8"], ["Z", 0x0010, 126, 5, 5, "#7d63d8"],
];
const PAD_WIDTH = 220, PAD_HEIGHT = 76;

function clockText(frames) {
  const seconds = Math.max(0, frames) / FRAMES_PER_S, minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

function element(parent, tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

class Card {
  constructor(root, game, seat) {
    Object.assign(this, { root, game, seat });
    const player = game.players[seat];
    root.style.setProperty("--port", `var(--port${player.port})`);
    const who = element(root, "div", "who");
    element(who, "span", "port", `P${player.port + 1}`);
    element(who, "span", "name", player.character);
    if (player.name) element(who, "span", "tag", player.name);
    if (player.won) element(who, "span", "crown", "won");
    const score = element(root, "div", "score");
    this.percent = element(score, "div", "percent");
    this.stocks = element(score, "div", "stocks");
    this.dots = Array.from({ length: Math.min(player.stocks, 12) }, () => element(this.stocks, "i"));
    this.action = element(root, "div", "action");
    this.pad = element(root, "canvas");
  }

  draw(i, colors) {
    const f = fighterAt(this.game, `p${this.seat}`, i, 0);
    this.percent.innerHTML = `${Math.floor(f.percent)}<small>%</small>`;
    this.percent.style.color = heat(f.percent);
    this.dots.forEach((dot, k) => dot.classList.toggle("gone", k >= f.stocks));
    const name = f.present ? actionName(this.game, f) : "Out";
    this.action.textContent = f.invulnerable && f.present ? `${name} · invulnerable` : name;
    drawPad(this.pad, padAt(this.game, this.seat, i), colors);
  }
}

// From the page's own ink over amber to deep red, as the percent in the game.
function heat(percent) {
  const share = Math.min(percent / 140, 1);
  return `color-mix(in oklab, var(--ink), #e8283c ${Math.round(share * 100)}%)`;
}

function drawPad(canvas, pad, colors) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const ctx = canvas.getContext("2d"), fit = Math.min(width / PAD_WIDTH, height / PAD_HEIGHT);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  ctx.setTransform(ratio * fit, 0, 0, ratio * fit, 0, (height - PAD_HEIGHT * fit) * ratio * 0.5);
  drawTrigger(ctx, 2, "L", Math.max(pad.shoulder, pad.buttons & 0x40 ? 1 : 0), colors);
  drawTrigger(ctx, 196, "R", Math.max(pad.shoulder, pad.buttons & 0x20 ? 1 : 0), colors);
  drawStick(ctx, 50, 40, 24, pad.x, pad.y, colors.label, colors);
  drawStick(ctx, 166, 44, 19, pad.cx, pad.cy, "#e3a81b", colors);
  for (const [label, bit, x, y, radius, color] of BUTTONS) drawButton(ctx, label, pad.buttons & bit, x, y + 14, radius, color, colors);
}

function drawTrigger(ctx, x, label, amount, colors) {
  ctx.fillStyle = colors.line;
  ctx.beginPath();
  ctx.roundRect(x, 16, 14, 54, 5);
  ctx.fill();
  ctx.fillStyle = colors.soft;
  ctx.beginPath();
  ctx.roundRect(x, 70 - 54 * amount, 14, 54 * amount, 5);
  ctx.fill();
  ctx.font = "700 10px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillText(label, x + 7, 12);
}

function drawStick(ctx, x, y, radius, sx, sy, color, colors) {
  ctx.strokeStyle = colors.line;
  ctx.lineWidth = 2;
  ctx.beginPath();
  for (let k = 0; k <= 8; k++) {
    const angle = (k * Math.PI) / 4;
    ctx.lineTo(x + Math.cos(angle) * (radius + 4), y + Math.sin(angle) * (radius + 4));
  }
  ctx.closePath();
  ctx.stroke();
  const [tx, ty] = [x + sx * radius, y - sy * radius];
  ctx.strokeStyle = color;
  ctx.lineWidth = 3;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(tx, ty);
  ctx.stroke();
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.arc(tx, ty, radius * 0.34, 0, 2 * Math.PI);
  ctx.fill();
}

function drawButton(ctx, label, down, x, y, radius, color, colors) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.lineWidth = 1.6;
  ctx.strokeStyle = down ? color : colors.line;
  ctx.stroke();
  if (down) {
    ctx.fillStyle = color;
    ctx.fill();
  }
  ctx.fillStyle = down ? "#ffffff" : colors.soft;
  ctx.font = `700 ${Math.max(radius, 7)}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(label, x, y + 0.5);
  ctx.textBaseline = "alphabetic";
}

class Timeline {
  constructor(canvas, game) { Object.assign(this, { canvas, game }); }

  // Percent of both over time, first fighter upwards and second downwards, with the stocks lost.
  draw(now, colors) {
    const ratio = window.devicePixelRatio || 1, { canvas, game } = this;
    const width = canvas.clientWidth * ratio, height = canvas.clientHeight * ratio, middle = height / 2;
    if (canvas.width !== Math.round(width) || canvas.height !== Math.round(height)) Object.assign(canvas, { width, height });
    const ctx = canvas.getContext("2d");
    ctx.clearRect(0, 0, width, height);
    ctx.fillStyle = colors.line;
    ctx.globalAlpha = 0.35;
    ctx.fillRect(0, 0, width, height);
    [0, 1].forEach((seat) => this.area(ctx, seat, width, middle, colors));
    ctx.globalAlpha = 1;
    for (const loss of game.losses) {
      const x = (loss.index / (game.length - 1)) * width;
      ctx.fillStyle = colors.ports[game.players[loss.seat].port];
      ctx.fillRect(x - ratio, loss.seat ? middle : 0, 2 * ratio, middle);
      ctx.beginPath();
      ctx.arc(x, loss.seat ? height - 6 * ratio : 6 * ratio, 4.5 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
    const x = (now / Math.max(game.length - 1, 1)) * width;
    ctx.fillStyle = colors.label;
    ctx.fillRect(x - ratio, 0, 2 * ratio, height);
    ctx.beginPath();
    ctx.arc(x, middle, 5 * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }

  area(ctx, seat, width, middle, colors) {
    const { game } = this, percent = game.table[`p${seat}.percent`], steps = Math.min(Math.round(width), game.length);
    ctx.fillStyle = colors.ports[game.players[seat].port];
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.moveTo(0, middle);
    for (let k = 0; k <= steps; k++) {
      const i = Math.min(Math.round((k / steps) * (game.length - 1)), game.length - 1);
      const tall = Math.min(percent[i] / game.scale.tenths / 160, 1) * middle * 0.92;
      ctx.lineTo((k / steps) * width, seat ? middle + tall : middle - tall);
    }
    ctx.lineTo(width, middle);
    ctx.fill();
  }
}

class App {
  constructor(game) {
    this.game = game;
    this.now = 0;
    this.playing = false;
    this.find = (id) => document.getElementById(id);
    this.setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    this.scene = new Scene(this.find("scene"), game);
    this.cards = [0, 1].map((seat) => new Card(this.find(`card${seat}`), game, seat));
    this.timeline = new Timeline(this.find("strip"), game);
    this.describe();
    this.connect();
    this.seek(Number(new URLSearchParams(location.hash.slice(1)).get("frame")) || 0);
    requestAnimationFrame((time) => this.tick(time));
  }

  describe() {
    const won = this.game.players.find((player) => player.won);
    const parts = [this.game.date, clockText(this.game.length), won ? `${won.name || won.character} won` : "no winner"];
    this.find("subtitle").textContent = parts.filter(Boolean).join(" · ");
    this.find("scrub").max = this.game.length - 1;
    const list = this.find("losses");
    for (const loss of this.game.losses) {
      const player = this.game.players[loss.seat];
      const button = element(element(list, "li"), "button");
      button.type = "button";
      button.style.setProperty("--port", `var(--port${player.port})`);
      element(button, "i");
      element(button, "b", "", clockText(loss.index + this.game.first_frame));
      element(button, "span", "", `${loss.percent} %${loss.by ? `, ${loss.by}` : ", own fall"}`);
      button.title = `P${player.port + 1} loses a stock off the ${loss.side}`;
      button.onclick = () => this.seek(loss.index - 2.5 * FRAMES_PER_S);
    }
  }

  connect() {
    const on = (id, event, action) => this.find(id).addEventListener(event, action);
    on("play", "click", () => this.toggle());
    on("start", "click", () => this.seek(0));
    on("back", "click", () => this.step(-1));
    on("next", "click", () => this.step(1));
    on("view", "click", () => this.setWhole(!this.scene.whole));
    on("theme", "click", () => this.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
    on("scrub", "input", (event) => this.seek(Number(event.target.value)));
    on("scene", "click", () => this.toggle());
    addEventListener("resize", () => this.draw());
    addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (e) => this.setTheme(e.matches ? "dark" : "light"));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      " ": () => this.toggle(), ArrowLeft: () => this.seek(this.now - FRAMES_PER_S), ArrowRight: () => this.seek(this.now + FRAMES_PER_S),
      ",": () => this.step(-1), ".": () => this.step(1), ArrowUp: () => this.faster(1), ArrowDown: () => this.faster(-1),
      Home: () => this.seek(0), End: () => this.seek(this.game.length - 1), f: () => this.setWhole(!this.scene.whole),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  faster(steps) {
    const speed = this.find("speed");
    speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + steps, 0), speed.options.length - 1);
  }

  setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    if (this.scene) {
      this.scene.restyle();
      this.draw();
    }
  }

  setWhole(whole) {
    this.scene.whole = whole;
    this.find("view").setAttribute("aria-pressed", whole);
    this.draw();
  }

  toggle(playing = !this.playing) {
    if (playing && this.now >= this.game.length - 1) this.now = 0;
    this.playing = playing;
    this.find("play-shape").setAttribute("d", playing ? "M6 4.5h4v15H6zM14 4.5h4v15h-4z" : "M7 4.5v15L20 12z");
  }

  step(frames) {
    this.toggle(false);
    this.seek(Math.round(this.now) + frames);
  }

  seek(frame) {
    this.now = Math.min(Math.max(frame, 0), this.game.length - 1);
    this.draw();
  }

  tick(time) {
    const elapsed = Math.min((time - (this.last ?? time)) / 1000, 0.1);
    this.last = time;
    if (this.playing) {
      this.seek(this.now + elapsed * FRAMES_PER_S * Number(this.find("speed").value));
      if (this.now >= this.game.length - 1) this.toggle(false);
    }
    requestAnimationFrame((next) => this.tick(next));
  }

  draw() {
    const i = Math.floor(this.now), colors = this.scene.colors;
    this.scene.draw(i, this.now - i);
    this.cards.forEach((card) => card.draw(i, colors));
    this.timeline.draw(this.now, colors);
    this.find("scrub").value = i;
    const time = `<b>${clockText(i + this.game.first_frame)}</b> / ${clockText(this.game.length - 1 + this.game.first_frame)}`;
    this.find("clock").innerHTML = `${time} · frame ${i + this.game.first_frame}`;
  }
}

loadGame(JSON.parse(document.getElementById("game").textContent))
  .then((game) => { window.app = new App(game); })
  .catch((error) => {
    const notice = document.getElementById("notice");
    notice.hidden = false;
    notice.textContent = `This browser cannot show the game (${error.message}). Try a newer one.`;
  });
