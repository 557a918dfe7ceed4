"use strict";
// The game's columns as the page reads them: inflate, undo the differences, name them.

const STRAIGHT_CUT_UNITS = 25; // a farther move within one frame is a respawn, not a flight: no tween

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Int16Array(await new Response(stream).arrayBuffer());
}

async function loadGame(game) {
  const raw = await inflate(game.data);
  const columns = {};
  game.columns.forEach((name, row) => {
    const column = raw.subarray(row * game.length, (row + 1) * game.length);
    for (let i = 1; i < column.length; i++) column[i] += column[i - 1];
    columns[name] = column;
  });
  game.table = columns;
  game.slots = [...Object.keys(columns)].filter((n) => /^[pf]\d\.x$/.test(n)).map((n) => n.slice(0, 2));
  game.itemSlots = [...Object.keys(columns)].filter((n) => /^i\d+\.kind$/.test(n)).map((n) => n.split(".")[0]);
  return game;
}

// Fighter `slot` ("p0", "p1", Nana "f0") at frame index i, moved `part` of the way to the next frame.
function fighterAt(game, slot, i, part) {
  const table = game.table, units = game.scale.units, tenths = game.scale.tenths;
  const value = (name, at) => table[`${slot}.${name}`][at];
  const j = Math.min(i + 1, game.length - 1);
  let x = value("x", i) / units, y = value("y", i) / units;
  const toX = value("x", j) / units, toY = value("y", j) / units;
  if (Math.hypot(toX - x, toY - y) < STRAIGHT_CUT_UNITS) {
    x += (toX - x) * part;
    y += (toY - y) * part;
  }
  const flags = value("flags", i);
  const f = { slot, seat: Number(slot[1]), follower: slot[0] === "f", x, y };
  game.flags.forEach((name, bit) => { f[name] = Boolean((flags >> bit) & 1); });
  f.facing = f.right ? 1 : -1;
  f.character = value("character", i);
  f.action = value("action", i);
  f.age = value("state_age", i) / tenths;
  f.percent = value("percent", i) / tenths;
  f.shield = value("shield", i) / tenths;
  f.stocks = value("stocks", i);
  f.jumps = value("jumps_left", i);
  f.present = f.character >= 0 && f.action > 10 && (f.stocks > 0 || f.follower);
  f.port = game.players[f.seat].port;
  f.figure = game.figures[f.character] || { height: 15, sword: false };
  f.pose = game.poses[`${f.character}:${f.action}`];
  return f;
}

function actionName(game, f) {
  return game.actions[`${f.character}:${f.action}`] || "";
}

function padAt(game, seat, i) {
  const value = (name) => game.table[`p${seat}.${name}`][i];
  const stick = game.scale.stick;
  return {
    buttons: value("buttons"), x: value("stick_x") / stick, y: value("stick_y") / stick,
    cx: value("c_x") / stick, cy: value("c_y") / stick, shoulder: value("shoulder") / stick,
  };
}

function itemsAt(game, i) {
  const units = game.scale.units, found = [];
  for (const slot of game.itemSlots) {
    const kind = game.table[`${slot}.kind`][i];
    if (kind < 0) continue;
    found.push({
      kind, owner: game.table[`${slot}.owner`][i], tilt: game.table[`${slot}.tilt`][i],
      x: game.table[`${slot}.x`][i] / units, y: game.table[`${slot}.y`][i] / units,
    });
  }
  return found;
}

// Platforms [left, right, y] of this frame; some stages move theirs.
function platformsAt(game, i) {
  const table = game.table, units = game.scale.units;
  const platforms = game.stage.platforms.map((p) => [...p]);
  if (table.fod_left) {
    platforms[0][2] = table.fod_left[i] / units;
    platforms[1][2] = table.fod_right[i] / units;
  }
  if (table.cloud_y) {
    platforms.push([table.cloud_left[i] / units, table.cloud_right[i] / units, table.cloud_y[i] / units]);
  }
  return platforms;
}

// The hits: frame indices at which a fighter's percent rose, for sparks and numbers.
function findHits(game) {
  const hits = [];
  for (const slot of game.slots) {
    const percent = game.table[`${slot}.percent`];
    for (let i = 1; i < game.length; i++) {
      const damage = (percent[i] - percent[i - 1]) / game.scale.tenths;
      if (damage >= 0.5) hits.push({ index: i, slot, seat: Number(slot[1]), damage });
    }
  }
  return hits.sort((a, b) => a.index - b.index);
}
