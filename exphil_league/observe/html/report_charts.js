"use strict";
// The charts: ratings over frames, who beats whom, lineage, learning curves.

// Lines [{label, kind, color, points: [{player, frames, elo, low, high}]}]; anchors are dashed constants.
function ratingChart(lines, width) {
  const narrow = width < 560;
  const height = narrow ? 320 : 400;
  const margin = { left: 46, right: narrow ? 12 : 128, top: 12, bottom: 40 };
  const learners = lines.filter((line) => line.kind !== "anchor" && line.points.length);
  const points = learners.flatMap((line) => line.points);
  const values = points.length ? points.flatMap((p) => [p.low, p.high]) : lines.flatMap((line) => line.points.map((p) => p.elo));
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const anchors = lines.filter((line) => line.kind === "anchor").map((line) => ({ label: line.label, ...line.points[0] }));
  const near = anchors.filter((anchor) => anchor.elo > low - 250 && anchor.elo < high + 250);
  low = Math.min(low, ...near.map((anchor) => anchor.elo)) - 20;
  high = Math.max(high, ...near.map((anchor) => anchor.elo)) + 20;
  const svg = canvas(width, height, `Elo of ${learners.map((line) => line.label).join(", ")} over env frames, with 95 % intervals`);
  const right = width - margin.right;
  const base = height - margin.bottom;
  const x = scale(0, Math.max(...points.map((p) => p.frames), 1), margin.left + 8, right - 8);
  const y = scale(low, high, base, margin.top);
  gridY(svg, y, margin.left, right, narrow ? 5 : 8, elo);
  gridX(svg, x, base, narrow ? 4 : 8);
  svg.append(node("text", { x: right, y: height - 6, "text-anchor": "end" }, "env frames of the learner"));
  const labels = near.map((anchor) => ({ y: y(anchor.elo), at: y(anchor.elo), text: anchor.label, strong: false }));
  for (const anchor of near) {
    const dash = { x1: margin.left, x2: right, y1: y(anchor.elo), y2: y(anchor.elo), stroke: "var(--soft)", "stroke-dasharray": "3 5" };
    svg.append(node("line", dash));
    if (narrow) svg.append(node("text", { x: margin.left + 4, y: y(anchor.elo) - 4 }, anchor.label));
  }
  for (const line of learners) {
    const upper = line.points.map((p) => [x(p.frames), y(p.high)]);
    const lower = line.points.map((p) => [x(p.frames), y(p.low)]).reverse();
    svg.append(node("path", { d: `${path([...upper, ...lower])}Z`, fill: line.color, opacity: 0.13 }));
    svg.append(node("path", { d: path(line.points.map((p) => [x(p.frames), y(p.elo)])), fill: "none", stroke: line.color, "stroke-width": 2.2 }));
    const dense = line.points.length > 40;
    for (const p of line.points) {
      if (!dense) svg.append(node("line", { x1: x(p.frames), x2: x(p.frames), y1: y(p.low), y2: y(p.high), stroke: line.color, opacity: 0.55 }));
      svg.append(node("circle", { cx: x(p.frames), cy: y(p.elo), r: dense ? 2.5 : 4, fill: line.color }));
    }
    const last = line.points[line.points.length - 1];
    labels.push({ y: y(last.elo), at: y(last.elo), text: line.label, color: line.color, strong: true });
  }
  if (!narrow) {
    for (const label of spread(labels, 14, margin.top + 4, base)) {
      svg.append(node("text", { x: right + 8, y: label.y + 4, class: label.strong ? "strong" : "", style: label.color ? `fill:${label.color}` : "" }, label.text));
    }
  }
  const told = (p, of) => `${p.player}\n${elo(p.elo)} Elo (${elo(p.low)} to ${elo(p.high)})\n${quantity(p.frames)} env frames of ${of}`;
  const spots = learners.flatMap((line) => line.points.map((p) => ({ x: x(p.frames), y: y(p.elo), text: told(p, line.label) })));
  choose(svg, spots, closest(spots));
  return svg;
}

// A matrix {players, cells: [i, j, rate, low, high, games, draws, aborted]}: rows against columns.
function heatMap(matrix, width) {
  const { players } = matrix;
  const count = players.length;
  const names = Math.min(170, 12 + 6.7 * Math.max(...players.map((name) => name.length)), width * 0.34);
  const size = Math.min(Math.max((width - names - 4) / count, 9), 46);
  const head = Math.min(names * 0.72, 110) + 8;
  const svg = canvas(Math.max(width, names + size * count + 4), head + size * count + 4, `Win rates of ${count} players against each other`);
  const cell = new Map();
  for (const [i, j, rate, low, high, games, draws, aborted] of matrix.cells) {
    cell.set(i * count + j, { rate, low, high, games, draws, aborted });
    cell.set(j * count + i, { rate: 1 - rate, low: 1 - high, high: 1 - low, games, draws, aborted });
  }
  const every = Math.ceil(12 / size);
  const spots = [];
  players.forEach((row, i) => {
    const top = head + i * size;
    if (i % every === 0) {
      svg.append(node("text", { x: names - 6, y: top + size / 2 + 4, "text-anchor": "end" }, shortened(row, names - 8)));
      const turn = `translate(${names + i * size + size / 2 + 4} ${head - 6}) rotate(-58)`;
      svg.append(node("text", { transform: turn }, shortened(row, (head - 12) / 0.85)));
    }
    players.forEach((column, j) => {
      const found = cell.get(i * count + j);
      const at = { x: names + j * size, y: top };
      const style = found ? `fill:${shade(found)}` : "fill:var(--none)";
      const gap = size > 14 ? 1 : 0.5;
      svg.append(node("rect", { x: at.x, y: at.y, width: size - gap, height: size - gap, rx: size > 14 ? 3 : 1, style, opacity: i === j ? 0.35 : 1 }));
      if (found && found.games && size >= 27) {
        svg.append(node("text", { x: at.x + size / 2, y: at.y + size / 2 + 4, "text-anchor": "middle", style: `font-size:11px;fill:${certainty(found) > 0.6 ? "#fff" : "var(--ink)"}` }, Math.round(100 * found.rate)));
      }
      spots.push({ x: at.x + size / 2, y: at.y + size / 2, text: cellText(row, column, found, i === j) });
    });
  });
  grid(svg, spots, count, (x, y) => {
    const [i, j] = [y - head, x - names].map((at) => Math.floor(at / size));
    return i < 0 || j < 0 || i >= count || j >= count ? -1 : i * count + j;
  });
  return svg;
}

// A name that fits into so many pixels; which snapshot it is stays readable.
function shortened(name, room) {
  const fits = Math.max(4, Math.floor(room / 6.9));
  if (name.length <= fits) return name;
  const at = name.lastIndexOf("@");
  const tail = at > 0 ? name.slice(at) : "";
  return `${name.slice(0, Math.max(1, fits - tail.length - 1))}…${tail}`;
}

// How far from even, 0 to 1, with two drawn games added: few games say little.
const certainty = ({ rate, games }) => Math.abs((2 * rate - 1) * games) / (games + 2);

function shade(found) {
  return `color-mix(in oklab, var(--${found.rate >= 0.5 ? "win" : "lose"}) ${Math.round(100 * certainty(found))}%, var(--even))`;
}

function cellText(row, column, found, same) {
  if (same) return `${row} against itself`;
  if (!found || !found.games) return `${row} against ${column}\n${found && found.aborted ? `${found.aborted} aborted games` : "never met"}`;
  const extra = [found.draws ? `${found.draws} draws` : "", found.aborted ? `${found.aborted} aborted` : ""].filter(Boolean).join(", ");
  return `${row} against ${column}\nwins ${percent(found.rate)} (${percent(found.low)} to ${percent(found.high)})\n${found.games} games${extra ? `, ${extra}` : ""}`;
}

// Like `choose`, over a square of spots: arrow keys move in rows and columns.
function grid(svg, spots, count, under) {
  const frame = node("rect", { width: 0, height: 0, fill: "none", stroke: "var(--ink)", "stroke-width": 2, visibility: "hidden" });
  svg.append(frame);
  let chosen = 0;
  const select = (index, x, y) => {
    chosen = index;
    const box = svg.getBoundingClientRect();
    const spot = spots[index];
    const size = count > 1 ? spots[1].x - spots[0].x : 20;
    for (const [name, value] of Object.entries({ x: spot.x - size / 2, y: spot.y - size / 2, width: size, height: size, visibility: "visible" })) frame.setAttribute(name, value);
    tip.show(spot.text, x ?? box.left + spot.x, y ?? box.top + spot.y);
  };
  const leave = () => {
    frame.setAttribute("visibility", "hidden");
    tip.hide();
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const index = under(event.clientX - box.left, event.clientY - box.top);
    if (index < 0) leave();
    else select(index, event.clientX, event.clientY);
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: count, ArrowUp: -count }[event.key];
    if (event.key === "Escape") leave();
    if (step === undefined) return;
    event.preventDefault();
    const next = chosen + step;
    if (next >= 0 && next < spots.length) select(next);
  });
}

// Players and edges by lane: roots, then each learner; x is the env frames at which a player was frozen.
function lineageGraph(lineage, learners, colors, width) {
  const lanes = ["roots", ...learners.map((learner) => learner.player)];
  const members = lineage.players.filter((player) => player.kind !== "anchor");
  const used = new Set(lineage.edges.map((edge) => edge.parent));
  const roots = members.filter((player) => player.status === "frozen" && !player.role_of && (used.has(player.player) || player.reason !== "import"));
  const narrow = width < 560;
  const margin = { left: narrow ? 12 : 132, right: 22, top: 18, bottom: 34 };
  const rootHeight = Math.max(roots.length, 1) * 19;
  const lane = 62;
  const height = margin.top + rootHeight + lane * learners.length + margin.bottom;
  const svg = canvas(width, height, `Who grew from whom: ${members.length} players`);
  const most = Math.max(1, ...members.map((player) => player.created_frames), ...learners.map((learner) => learner.env_frames));
  const x = scale(0, most, margin.left + 14, width - margin.right);
  const laneY = (index) => margin.top + rootHeight + lane * (index - 1) + lane / 2;
  const place = new Map();
  roots.forEach((player, i) => place.set(player.player, { x: x(0), y: margin.top + i * 19 + 6, player }));
  for (const player of members) {
    const index = lanes.indexOf(player.role_of);
    if (player.status === "frozen" && index > 0) place.set(player.player, { x: x(player.created_frames), y: laneY(index), player });
  }
  for (const learner of learners) place.set(learner.player, { x: x(learner.env_frames), y: laneY(lanes.indexOf(learner.player)), live: true, player: { ...learner, created_frames: learner.env_frames } });
  learners.forEach((learner, i) => {
    const y = laneY(i + 1);
    svg.append(node("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y, y2: y }));
    const at = narrow ? { x: margin.left, y: y - 18 } : { x: margin.left - 10, y: y + 4, "text-anchor": "end" };
    svg.append(node("text", { ...at, class: "strong", style: `fill:${colors[learner.player]}` }, learner.player));
  });
  gridX(svg, x, height - margin.bottom + 4, narrow ? 4 : 8);
  for (const edge of [...lineage.edges, ...learners.map((l) => ({ parent: l.parent, child: l.player, reason: "live" }))]) {
    const from = place.get(edge.parent);
    const to = place.get(edge.child);
    if (!from || !to || edge.reason === "init") continue;
    const reset = edge.reason === "reset";
    const target = reset ? { x: x(edge.env_frames), y: to.y } : to;
    const bend = (from.x + target.x) / 2;
    const d = from.y === target.y ? `M${from.x} ${from.y}Q${bend} ${from.y - 15} ${target.x} ${target.y}` : `M${from.x} ${from.y}C${bend} ${from.y} ${bend} ${target.y} ${target.x} ${target.y}`;
    const color = colors[to.player.role_of ?? to.player.player] ?? "var(--soft)";
    svg.append(node("path", { d, fill: "none", stroke: color, "stroke-width": 1.4, opacity: reset ? 0.35 : 0.6, "stroke-dasharray": reset ? "3 4" : null }));
  }
  const spots = [...place.values()].map(({ x: cx, y: cy, player, live }) => {
    const color = colors[player.role_of ?? player.player] ?? "var(--soft)";
    svg.append(node("circle", { cx, cy, r: live ? 5.5 : 5, fill: live ? "var(--panel)" : color, stroke: color, "stroke-width": 2 }));
    if (!player.role_of && !live) svg.append(node("text", narrow ? { x: cx + 10, y: cy - 6 } : { x: margin.left - 10, y: cy + 4, "text-anchor": "end" }, player.player));
    const from = player.parent ? `\ngrew from ${player.parent}` : "";
    return { x: cx, y: cy, text: `${player.player}${live ? " (learning)" : ""}\n${quantity(player.created_frames)} env frames${from}` };
  });
  choose(svg, spots, closest(spots));
  return svg;
}

// Series [{label, color, points: [[frames, value]]}] over env frames.
function lineChart(group, width) {
  const height = 178;
  const margin = { left: 46, right: 10, top: 10, bottom: 24 };
  const { series } = group;
  const all = series.flatMap((line) => line.points);
  let [low, high] = [Math.min(...all.map((p) => p[1])), Math.max(...all.map((p) => p[1]))];
  if (group.unit === "share") [low, high] = [Math.min(low, 0), Math.max(high, group.title.includes("timer") ? 0.1 : 1)];
  else if (low > 0 && low < 0.4 * high) low = 0;
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const ends = series.map((line) => `${line.label} ${quantity(line.points[line.points.length - 1][1])}`).join(", ");
  const svg = canvas(width, height, `${group.title}, ${group.unit}, over env frames; at the end ${ends}`);
  const base = height - margin.bottom;
  const x = scale(Math.min(...all.map((p) => p[0])), Math.max(...all.map((p) => p[0])), margin.left, width - margin.right);
  const y = scale(low, high, base, margin.top);
  gridY(svg, y, margin.left, width - margin.right, 4, quantity);
  gridX(svg, x, base, 4);
  for (const line of series) {
    const d = path(line.points.map(([frames, value]) => [x(frames), y(value)]));
    svg.append(node("path", { d, fill: "none", stroke: line.color, "stroke-width": 1.8, "stroke-linejoin": "round" }));
    if (line.points.length === 1) svg.append(node("circle", { cx: x(line.points[0][0]), cy: y(line.points[0][1]), r: 3, fill: line.color }));
  }
  const spots = series.flatMap((line) => line.points.map(([frames, value]) => ({ x: x(frames), y: y(value), text: `${line.label}: ${quantity(value)} ${group.unit}\n${quantity(frames)} env frames` })));
  choose(svg, spots, closest(spots, 4));
  return svg;
}

// An interval on a common scale, as a cell of a table.
function intervalBar(row, low, high, color) {
  const x = scale(low, high, 2, 98);
  return node("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": true },
    node("line", { x1: 0, x2: 100, y1: 10, y2: 10, stroke: "var(--grid)" }),
    node("rect", { x: x(row.low), y: 7, width: Math.max(x(row.high) - x(row.low), 0.6), height: 6, rx: 1, fill: color, opacity: 0.35 }),
    node("rect", { x: x(row.elo) - 0.7, y: 4, width: 1.4, height: 12, fill: color }));
}
