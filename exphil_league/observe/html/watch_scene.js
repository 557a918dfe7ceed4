"use strict";
// The stage and everything on it, drawn on one canvas through a camera that follows the fighters.

const CAMERA_MARGIN_X = 42, CAMERA_MARGIN_Y = 34, CAMERA_LEAST_HALF = 76, CAMERA_PULL = 0.06;
const SPARK_FRAMES = 22, BURST_FRAMES = 46, TRAIL_FRAMES = 18;

function themeColors() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["sky-top", "sky-low", "star", "rock-top", "rock-low", "edge", "platform", "blast", "glow", "label", "halo", "soft", "line", "panel"];
  const colors = Object.fromEntries(names.map((name) => [name, read(name)]));
  colors.ports = [0, 1, 2, 3].map((port) => read(`port${port}`));
  return colors;
}

// Camera of every frame, [x, y, half width]: one pass forward, so that scrubbing shows what playing shows.
function planCamera(game) {
  const [left, right, top, bottom] = game.stage.blast, plan = new Float32Array(game.length * 3);
  let x = 0, y = 20, half = 110;
  for (let i = 0; i < game.length; i++) {
    const seen = game.slots.map((slot) => fighterAt(game, slot, i, 0)).filter((f) => f.present);
    if (seen.length) {
      const clampX = (v) => Math.min(Math.max(v, left * 0.92), right * 0.92);
      const clampY = (v) => Math.min(Math.max(v, bottom * 0.8), top * 0.92);
      const xs = seen.map((f) => clampX(f.x)), ys = seen.map((f) => clampY(f.y + 8));
      const wide = (Math.max(...xs) - Math.min(...xs)) / 2 + CAMERA_MARGIN_X;
      const tall = ((Math.max(...ys) - Math.min(...ys)) / 2 + CAMERA_MARGIN_Y) * 1.9;
      const goal = Math.max(wide, tall, CAMERA_LEAST_HALF);
      x += ((Math.max(...xs) + Math.min(...xs)) / 2 - x) * CAMERA_PULL;
      y += ((Math.max(...ys) + Math.min(...ys)) / 2 + 4 - y) * CAMERA_PULL;
      half += (goal - half) * (goal > half ? 2 : 1) * CAMERA_PULL;
    }
    plan.set([x, y, half], i * 3);
  }
  return plan;
}

class Scene {
  constructor(canvas, game) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d");
    this.game = game;
    this.camera = planCamera(game);
    this.hits = findHits(game);
    this.whole = false;
    this.stars = Array.from({ length: 90 }, (_, k) => [(k * 0.618034) % 1, (k * 0.754878) % 1, 0.4 + ((k * 7) % 10) / 9]);
    this.restyle();
  }

  restyle() { this.colors = themeColors(); }

  fit() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio), height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
  }

  draw(i, part) {
    this.fit();
    const { ctx, canvas } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.sky(ctx, canvas.width, canvas.height);
    this.aim(i, part);
    this.blastZone(ctx);
    this.stage(ctx, i);
    const fighters = this.game.slots.map((slot) => fighterAt(this.game, slot, i, part)).filter((f) => f.present);
    fighters.forEach((f) => this.trail(ctx, f, i));
    fighters.forEach((f) => this.shadow(ctx, f, i));
    fighters.forEach((f) => this.fighter(ctx, f, i));
    itemsAt(this.game, i).forEach((item) => this.item(ctx, item));
    this.sparks(ctx, i + part);
    this.bursts(ctx, i + part);
    fighters.forEach((f) => this.nameplate(ctx, f));
  }

  aim(i, part) {
    const { width, height } = this.canvas, [left, right, top, bottom] = this.game.stage.blast;
    const j = Math.min(i + 1, this.game.length - 1), plan = this.camera;
    const mix = (k) => plan[i * 3 + k] * (1 - part) + plan[j * 3 + k] * part;
    let x = mix(0), y = mix(1), scale = width / (2 * mix(2));
    if (this.whole) {
      x = (left + right) / 2; y = (top + bottom) / 2;
      scale = Math.min(width / (right - left + 24), height / (top - bottom + 24));
    } else {
      scale = Math.min(scale, height / (2 * mix(2)) * 2.1);
    }
    this.scale = scale;
    this.ctx.setTransform(scale, 0, 0, -scale, width / 2 - x * scale, height / 2 + y * scale);
    this.view = { x, y };
  }

  sky(ctx, width, height) {
    const sky = ctx.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, this.colors["sky-top"]);
    sky.addColorStop(1, this.colors["sky-low"]);
    ctx.fillStyle = sky;
    ctx.fillRect(0, 0, width, height);
    ctx.fillStyle = this.colors.star;
    for (const [x, y, size] of this.stars) {
      ctx.globalAlpha = 0.25 + 0.45 * ((size * 13) % 1);
      ctx.fillRect(x * width, y * height * 0.8, size * width / 620, size * width / 620);
    }
    ctx.globalAlpha = 1;
  }

  blastZone(ctx) {
    const [left, right, top, bottom] = this.game.stage.blast, far = 600;
    ctx.fillStyle = this.colors.blast;
    ctx.globalAlpha = 0.1;
    ctx.beginPath();
    ctx.rect(-far, -far, 2 * far, 2 * far);
    ctx.rect(left, bottom, right - left, top - bottom);
    ctx.fill("evenodd");
    ctx.globalAlpha = 0.6;
    ctx.strokeStyle = this.colors.blast;
    ctx.lineWidth = 0.8;
    ctx.setLineDash([5, 4]);
    ctx.strokeRect(left, bottom, right - left, top - bottom);
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  stage(ctx, i) {
    const { outline } = this.game.stage, lowest = Math.min(...outline.map(([, y]) => y), -30);
    const rock = ctx.createLinearGradient(0, 2, 0, Math.max(lowest, -70));
    rock.addColorStop(0, this.colors["rock-top"]);
    rock.addColorStop(1, this.colors["rock-low"]);
    ctx.fillStyle = rock;
    ctx.beginPath();
    outline.forEach(([x, y], k) => (k ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    ctx.closePath();
    ctx.fill();
    ctx.strokeStyle = this.colors["rock-low"];
    ctx.lineWidth = 0.6;
    ctx.stroke();
    this.surface(ctx, outline);
    for (const [left, right, y] of platformsAt(this.game, i)) {
      ctx.fillStyle = this.colors.platform;
      ctx.globalAlpha = 0.9;
      ctx.beginPath();
      ctx.roundRect(left, y - 2.2, right - left, 2.2, 1);
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.fillStyle = this.colors.edge;
      ctx.fillRect(left, y - 0.45, right - left, 0.45);
    }
  }

  // The walkable top: the outline from the left ledge to the right one.
  surface(ctx, outline) {
    const right = outline.findIndex(([x]) => x >= this.game.stage.edge_x - 0.01);
    ctx.strokeStyle = this.colors.edge;
    ctx.lineWidth = 0.9;
    ctx.lineCap = "round";
    ctx.beginPath();
    outline.slice(0, right + 1).forEach(([x, y], k) => (k ? ctx.lineTo(x, y - 0.4) : ctx.moveTo(x, y - 0.4)));
    ctx.stroke();
  }

  floorBelow(f, i) {
    const { outline, edge_x: edge } = this.game.stage;
    const floors = platformsAt(this.game, i).filter(([l, r, y]) => f.x >= l && f.x <= r && y <= f.y + 0.6).map((p) => p[2]);
    if (Math.abs(f.x) <= edge && f.y > -4) {
      const k = outline.findIndex(([x], n) => n + 1 < outline.length && x <= f.x && outline[n + 1][0] >= f.x);
      if (k >= 0) {
        const [[ax, ay], [bx, by]] = [outline[k], outline[k + 1]];
        floors.push(ay + ((by - ay) * (f.x - ax)) / (bx - ax || 1));
      }
    }
    return floors.length ? Math.max(...floors) : null;
  }

  shadow(ctx, f, i) {
    const floor = this.floorBelow(f, i);
    if (floor === null) return;
    const fade = Math.max(0, 1 - (f.y - floor) / 70);
    ctx.fillStyle = "#000";
    ctx.globalAlpha = 0.32 * fade;
    ctx.beginPath();
    ctx.ellipse(f.x, floor - 0.3, 3 + 3 * fade, 0.9, 0, 0, 2 * Math.PI);
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  trail(ctx, f, i) {
    if (!f.hitstun) return;
    ctx.lineCap = "round";
    ctx.strokeStyle = this.colors.ports[f.port];
    let ahead = f;
    for (let back = 1; back <= TRAIL_FRAMES && i - back >= 0; back++) {
      const was = fighterAt(this.game, f.slot, i - back, 0);
      if (!was.present || Math.hypot(was.x - ahead.x, was.y - ahead.y) > STRAIGHT_CUT_UNITS) break;
      ctx.globalAlpha = 0.4 * (1 - back / TRAIL_FRAMES);
      ctx.lineWidth = 6 * (1 - back / TRAIL_FRAMES) + 0.5;
      ctx.beginPath();
      ctx.moveTo(ahead.x, ahead.y + 7);
      ctx.lineTo(was.x, was.y + 7);
      ctx.stroke();
      ahead = was;
    }
    ctx.globalAlpha = 1;
  }

  fighter(ctx, f, i) {
    const port = this.colors.ports[f.port];
    const flash = f.hitlag && i % 4 < 2;
    const colors = {
      body: flash ? "#ffffff" : port, shade: shade(port, 0.62), light: shade(port, 1.25), eye: "#ffffff",
      outline: f.invulnerable && i % 8 < 5 ? this.colors.glow : "#0b0e17", swing: this.colors.glow,
    };
    const shake = f.hitlag ? ((i % 2) * 2 - 1) * 0.6 : 0;
    ctx.save();
    ctx.translate(f.x + shake, f.y);
    if (f.action === 12 || f.action === 13) this.halo(ctx);
    const drawn = drawFigure(ctx, f, colors);
    if (drawn.pose.aura) this.aura(ctx, port, i);
    if (f.shielding) this.bubble(ctx, f, port);
    ctx.restore();
    f.height = drawn.height;
  }

  halo(ctx) {
    ctx.fillStyle = this.colors.edge;
    ctx.globalAlpha = 0.7;
    ctx.beginPath();
    ctx.ellipse(0, -0.8, 9, 1.6, 0, 0, 2 * Math.PI);
    ctx.fill();
    ctx.globalAlpha = 1;
  }

  aura(ctx, color, i) {
    ctx.strokeStyle = color;
    for (const ring of [0, 1]) {
      const grow = ((i + ring * 9) % 18) / 18;
      ctx.globalAlpha = 0.5 * (1 - grow);
      ctx.lineWidth = 1.1;
      ctx.beginPath();
      ctx.arc(0, 7.5, 6 + 7 * grow, 0, 2 * Math.PI);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }

  bubble(ctx, f, color) {
    const radius = 3.5 + 8 * Math.min(f.shield / 60, 1);
    const bubble = ctx.createRadialGradient(-radius * 0.3, 7.5 + radius * 0.3, radius * 0.1, 0, 7.5, radius);
    bubble.addColorStop(0, "#ffffff66");
    bubble.addColorStop(1, `${color}aa`);
    ctx.fillStyle = bubble;
    ctx.strokeStyle = color;
    ctx.lineWidth = 0.6;
    ctx.beginPath();
    ctx.arc(0, 7.5, radius, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }

  item(ctx, item) {
    const [shape, size] = this.game.items[item.kind], color = this.colors.ports[item.owner] || this.colors.edge;
    ctx.fillStyle = color;
    ctx.strokeStyle = shape === "ring" ? color : this.colors.glow;
    ctx.lineWidth = shape === "ring" ? 1 : 0.5;
    ctx.beginPath();
    if (shape === "streak") ctx.ellipse(item.x, item.y, size, 0.7, item.tilt * Math.PI / 180, 0, 2 * Math.PI);
    else ctx.arc(item.x, item.y, size, 0, 2 * Math.PI);
    if (shape !== "ring") ctx.fill();
    ctx.stroke();
  }

  recent(list, now, frames) {
    return list.filter((entry) => entry.index <= now && now - entry.index < frames);
  }

  sparks(ctx, now) {
    for (const hit of this.recent(this.hits, now, SPARK_FRAMES)) {
      const at = fighterAt(this.game, hit.slot, hit.index, 0), grow = (now - hit.index) / SPARK_FRAMES;
      const size = 3 + hit.damage * 0.55;
      ctx.globalAlpha = (1 - grow) ** 1.5;
      ctx.strokeStyle = this.colors.glow;
      ctx.lineWidth = 0.9;
      for (let ray = 0; ray < 8; ray++) {
        const angle = (ray / 8) * 2 * Math.PI + hit.index, from = size * (0.5 + grow), to = size * (0.8 + 1.3 * grow);
        ctx.beginPath();
        ctx.moveTo(at.x + Math.cos(angle) * from, at.y + 8 + Math.sin(angle) * from);
        ctx.lineTo(at.x + Math.cos(angle) * to, at.y + 8 + Math.sin(angle) * to);
        ctx.stroke();
      }
      ctx.globalAlpha = 1 - grow;
      this.text(ctx, `+${Math.round(hit.damage)}`, at.x + 7, at.y + 17 + 6 * grow, 3.6, this.colors.label, true);
    }
    ctx.globalAlpha = 1;
  }

  // A stock lost: a beam from the blast line inward, as wide as the loss is recent.
  bursts(ctx, now) {
    for (const loss of this.recent(this.game.losses, now, BURST_FRAMES)) {
      const at = fighterAt(this.game, `p${loss.seat}`, Math.max(loss.index - 1, 0), 0);
      const [left, right, top, bottom] = this.game.stage.blast, grow = (now - loss.index) / BURST_FRAMES;
      const x = Math.min(Math.max(at.x, left), right), y = Math.min(Math.max(at.y, bottom), top);
      const [dx, dy] = { left: [1, 0], right: [-1, 0], top: [0, -1], bottom: [0, 1] }[loss.side];
      const length = 130, half = 4 + 16 * (1 - grow);
      const beam = ctx.createLinearGradient(x, y, x + dx * length, y + dy * length);
      beam.addColorStop(0, this.colors.ports[this.game.players[loss.seat].port]);
      beam.addColorStop(1, "transparent");
      ctx.globalAlpha = (1 - grow) * 0.85;
      ctx.fillStyle = beam;
      ctx.beginPath();
      ctx.moveTo(x + dy * half, y + dx * half);
      ctx.lineTo(x - dy * half, y - dx * half);
      ctx.lineTo(x + dx * length - dy * half * 0.2, y + dy * length - dx * half * 0.2);
      ctx.lineTo(x + dx * length + dy * half * 0.2, y + dy * length + dx * half * 0.2);
      ctx.fill();
      ctx.globalAlpha = 1;
    }
  }

  nameplate(ctx, f) {
    if (f.follower) return;
    const size = Math.max(3.2, 12 * (window.devicePixelRatio || 1) / this.scale);
    const [x, y] = [f.x, f.y + f.height + size * 0.75];
    this.text(ctx, `P${f.port + 1}`, x, y, size, this.colors.ports[f.port], true);
    if (f.cancelled && f.age < 8) this.text(ctx, "L-cancel", x, y + size * 1.1, size * 0.8, this.colors.label);
  }

  text(ctx, text, x, y, size, color, bold) {
    ctx.save();
    ctx.translate(x, y);
    ctx.scale(1, -1);
    ctx.font = `${bold ? 800 : 600} ${size}px ui-sans-serif, system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.lineJoin = "round";
    ctx.lineWidth = size * 0.22;
    ctx.strokeStyle = this.colors.halo;
    ctx.strokeText(text, 0, 0);
    ctx.fillStyle = color;
    ctx.fillText(text, 0, 0);
    ctx.restore();
  }
}

// A colour #rrggbb made darker (factor < 1) or lighter.
function shade(hex, factor) {
  const parts = [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  const mixed = parts.map((v) => (factor < 1 ? v * factor : v + (255 - v) * (factor - 1)));
  return `rgb(${mixed.map(Math.round).join(",")})`;
}
