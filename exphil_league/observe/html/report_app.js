"use strict";
// The page: each section is filled from the data, or says what is not there yet.

const data = JSON.parse(document.getElementById("data").textContent);
const { league } = data;
const PALETTE = Array.from({ length: 8 }, (_, i) => `var(--c${i})`);
const ROWS_SHOWN = 16;
const colors = {};
(league ? league.status.learners : []).forEach((learner, i) => { colors[learner.player] = PALETTE[i % 7]; });
const colorOf = (player) => colors[player] ?? colors[player.split("@")[0]] ?? "var(--c7)";
const section = (id) => document.getElementById(id);
const note = (text) => node("p", { class: "note" }, text);

function absent(id, text) {
  section(id).append(note(text));
}

function legend(items) {
  const rows = items.map(({ label, color, value }) => node("li", {}, node("i", { style: `--color:${color}` }), label, value ? node("b", {}, ` ${value}`) : null));
  return node("ul", { class: "legend" }, rows);
}

function table(columns, rows) {
  const head = node("tr", {}, columns.map((column) => node("th", { scope: "col", class: column.wide ? "wide" : null }, column.name)));
  const body = rows.map((row) => node("tr", { class: row.class }, row.cells.map((cell, i) => node("td", { class: [columns[i].class, columns[i].wide ? "wide" : ""].filter(Boolean).join(" ") || null }, cell))));
  return node("div", { class: "scroll" }, node("table", {}, node("thead", {}, head), node("tbody", {}, body)));
}

function showHead() {
  section("name").textContent = data.name;
  section("stage").textContent = `Stage: ${data.stage}`;
  section("written").textContent = `Written ${data.written}`;
}

function figure(value, label, bad = false) {
  section("figures").append(node("div", { class: bad ? "figure bad" : "figure" }, node("b", {}, value), node("span", {}, label)));
}

function showFigures() {
  const { totals } = data;
  if (league) {
    const main = league.ladder.players.find((row) => row.player === league.ladder.main);
    if (main && main.games) {
      figure(`${elo(main.elo)} ± ${elo((main.high - main.low) / 2)}`, `Elo of ${main.player}, 95 %`);
      const gain = main.vs_warm_start;
      if (gain && main.player !== "warm_start") figure(`${signed(gain.diff)}`, `Elo above the warm start (${signed(gain.low)} to ${signed(gain.high)})`);
    }
    if (main && typeof main.min_win_rate === "number") figure(percent(main.min_win_rate), "its lowest win rate in rating games");
    const { counts } = league.status;
    figure(quantity(counts["games.train"] ?? 0), "training games");
    figure(quantity(counts["games.evaluate"] ?? 0), "rating games");
    const confident = counts["snapshots.win_rate"] ?? 0;
    figure(`${league.status.frozen_players}`, `frozen players; ${confident} frozen for winning, ${counts["snapshots.timeout"] ?? 0} by time-out`);
  }
  if (data.promotion) figure(data.promotion.promoted ? "promoted" : "refused", [data.promotion.candidate, data.promotion.reason].filter(Boolean).join(": "), !data.promotion.promoted);
  if (totals.frames !== null) figure(quantity(totals.frames), `env frames, ${quantity(totals.updates)} updates`);
  if (totals.seconds !== null) figure(duration(totals.seconds), "of league training");
  const alarms = league ? league.alarms.length : 0;
  if (league) figure(`${alarms}`, alarms === 1 ? "alarm now" : "alarms now", alarms > 0);
}

function showAlarms() {
  const place = section("alarms");
  const now = league ? league.alarms : [];
  for (const alarm of now) place.append(node("div", { class: "alarm" }, node("b", {}, alarm.name), alarm.text));
  if (!now.length) place.append(league ? node("p", { class: "fine" }, "Nothing is wrong with the league now.") : note("No league yet."));
  if (!data.warnings.length) return;
  const rows = data.warnings.map((line) => ({ cells: [line.warning, quantity(line.training_iteration), line.text] }));
  const list = rows.map((row) => node("div", { class: "alarm" }, node("b", {}, `${row.cells[0]}, from update ${row.cells[1]}`), row.cells[2]));
  place.append(node("details", {}, node("summary", {}, `Warnings of the whole run (${list.length})`), list));
}

function showRating() {
  const lines = league ? league.lines.map((line) => ({ ...line, color: colorOf(line.label) })) : [];
  if (!lines.some((line) => line.points.length)) return absent("rating", "No rating games have been played yet.");
  const place = section("rating");
  place.append(note(`Frozen members of each learner's line with 95 % intervals, against ${league.ladder.anchor}, which is ${elo(anchorElo())} by definition. Dashed: scripted players.`));
  place.append(legend(lines.filter((line) => line.kind !== "anchor" && line.points.length).map((line) => ({ label: line.label, color: line.color }))));
  return chart(place, (width) => ratingChart(lines, width));
}

function anchorElo() {
  const row = league.ladder.players.find((player) => player.player === league.ladder.anchor);
  return row ? row.elo : 1000;
}

function showLadder() {
  const rows = league ? league.ladder.players : [];
  if (!rows.length) return absent("ladder", "No ladder yet.");
  const place = section("ladder");
  const rated = rows.filter((row) => row.games);
  const [low, high] = [Math.min(...rated.map((row) => row.low)), Math.max(...rated.map((row) => row.high))];
  place.append(note(`Bradley-Terry over rating games; ${rows.length} players.`));
  const columns = [{ name: "player" }, { name: "Elo" }, { name: "95 %", wide: true }, { name: "", class: "bar" }, { name: "games" }];
  const cells = (row) => [
    node("span", { title: row.kind }, node("i", { class: "dot", style: `--color:${row.kind === "anchor" ? "var(--c7)" : colorOf(row.player)}` }), row.player),
    row.games ? elo(row.elo) : "–",
    row.games ? `${elo(row.low)} to ${elo(row.high)}` : "",
    row.games ? intervalBar(row, low, high, row.kind === "anchor" ? "var(--c7)" : colorOf(row.player)) : "",
    `${row.games}`,
  ];
  const build = (shown) => table(columns, shown.map((row) => ({ class: row.player === league.ladder.main ? "main" : null, cells: cells(row) })));
  const main = rows.findIndex((row) => row.player === league.ladder.main);
  const first = rows.slice(0, ROWS_SHOWN);
  if (main >= ROWS_SHOWN) first.push(rows[main]);
  let shown = build(first);
  place.append(shown);
  if (rows.length > first.length) {
    const more = node("button", { class: "more", type: "button", onclick: () => { shown.replaceWith(build(rows)); more.remove(); } }, `Show all ${rows.length}`);
    place.append(more);
  }
  return shown;
}

function showNash() {
  const rows = league ? league.ladder.players : [];
  const massed = rows.filter((row) => typeof row.nash_mass === "number" && row.nash_mass >= 0.005).sort((a, b) => b.nash_mass - a.nash_mass);
  const place = section("nash");
  if (!massed.length) return absent("nash", "Not known for this league.");
  place.append(note("How often an unbeatable mixture of the rated players would send each of them. One bar: somebody beats all; many: they beat each other in circles."));
  place.append(table([{ name: "player" }, { name: "mass" }, { name: "", class: "bar" }], massed.slice(0, ROWS_SHOWN).map((row) => ({
    cells: [row.player, percent(row.nash_mass, 1), node("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": true }, node("rect", { x: 0, y: 5, width: 100 * row.nash_mass / massed[0].nash_mass, height: 10, rx: 1, fill: row.kind === "anchor" ? "var(--c7)" : colorOf(row.player) }))],
  }))));
  if (typeof league.ladder.cyclicity === "number") place.append(note(`Cyclicity ${percent(league.ladder.cyclicity)}: the share of the payoff that no rating explains.`));
  return place;
}

function showPayoff() {
  const streams = [["evaluate", "Rating games"], ["train", "Training games"]].filter(([name]) => league && league.payoff[name].players.length > 1);
  if (!streams.length) return absent("payoff", "No two players have met yet.");
  const place = section("payoff");
  let shown = streams[0][0];
  const told = note("");
  const draw = () => {
    const matrix = league.payoff[shown];
    const some = matrix.of > matrix.players.length ? ` ${matrix.players.length} of ${matrix.of} players, those with most games.` : "";
    told.textContent = `Win rate of the row against the column, draws half; best rated first.${some}${shown === "train" ? " Training games count less as they age." : ""}`;
  };
  const buttons = streams.map(([name, label]) => node("button", { type: "button", "aria-pressed": `${name === shown}`, onclick: () => { shown = name; draw(); redraw(); buttons.forEach((button, i) => button.setAttribute("aria-pressed", `${streams[i][0] === shown}`)); } }, label));
  place.append(told, node("div", { class: "tools" }, node("div", { class: "choice", role: "group", "aria-label": "Games" }, buttons), node("span", { class: "scale" }, "loses", node("i"), "wins")));
  draw();
  const redraw = chart(place, (width) => heatMap(league.payoff[shown], width));
  return redraw;
}

function showGames() {
  if (!data.games.length) return absent("games", "None were recorded yet: games are kept in the rating phase at the end of a run.");
  const cards = data.games.map((game) => node("a", { class: "card", href: game.page }, node("b", {}, game.title), node("span", {}, game.text)));
  return section("games").append(node("div", { class: "cards" }, cards));
}

function showLineage() {
  if (!league || !league.status.learners.length) return absent("lineage", "No league yet.");
  const place = section("lineage");
  place.append(note("Filled: frozen. Open: learning now. Dashed: a reset. A learner grows from the frozen player it last was or was reset to."));
  return chart(place, (width) => lineageGraph(league.lineage, league.status.learners, colors, width));
}

function showCurves() {
  const place = section("curves");
  if (!data.curves.length) return absent("curves", "No learner update has been reported yet.");
  const small = node("div", { class: "small" });
  place.append(small);
  for (const group of data.curves) {
    const series = group.series.map((line, i) => ({ ...line, color: colors[line.label] ?? PALETTE[i % PALETTE.length] }));
    const box = node("div", {}, node("h3", {}, group.title), note(`${group.unit}; ${group.help}`));
    small.append(box);
    chart(box, (width) => lineChart({ ...group, series }, width));
    box.append(legend(series.map((line) => ({ label: line.label, color: line.color, value: quantity(line.points[line.points.length - 1][1]) }))));
  }
  return place;
}

function showRecovery() {
  if (!data.recovery) return absent("recovery", "Measured in the rating phase at the end of a run.");
  const rows = [["warm start", data.recovery.before], ["main", data.recovery.after]].flatMap(([whose, found]) =>
    Object.entries(found ?? {}).filter(([, row]) => row.attempts).map(([character, row]) => ({
      cells: [`${whose}, ${character.toLowerCase()}`, percent(row.rate), `${percent(row.low)} to ${percent(row.high)}`, `${row.attempts}`] })));
  if (!rows.length) return absent("recovery", "Nobody was sent off the stage in the recorded games.");
  return section("recovery").append(table([{ name: "player" }, { name: "came back" }, { name: "95 %" }, { name: "times in trouble" }], rows));
}

function showProbes() {
  if (!data.probes.length) return;
  section("probes").hidden = false;
  const rows = data.probes.map((probe) => ({ cells: [probe.start, probe.name, quantity(probe.frames), percent(probe.rate), `${percent(probe.low)} to ${percent(probe.high)}`, `${probe.games}`] }));
  section("probes").append(note("How often exploiters that were trained against one frozen player alone beat it (league probe): less is better. One start alone proves nothing."),
    table([{ name: "begun at" }, { name: "against" }, { name: "env frames" }, { name: "won" }, { name: "95 %" }, { name: "games" }], rows));
}

const MEASURES = { elo: "Elo", head_to_head: "won against the other", least_win_rate_vs_anchors: "least win rate against an anchor", fresh_exploiter: "strongest fresh exploiter (less is better)" };

function showComparisons() {
  if (!data.comparisons.length) return;
  const place = section("comparisons");
  place.hidden = false;
  place.append(note("What league compare found: a run is better by a measure only where the two 95 % intervals are disjoint."),
    ...[...new Set(data.comparisons.flatMap((found) => found.warnings))].map((text) => note(`Warning: ${text}`)));
  for (const found of data.comparisons) for (const pair of found.comparisons) {
    const who = found.runs.filter(({ run }) => run === pair.one || run === pair.other)
      .map(({ run, main, env_frames }) => `${run}: ${main} after ${quantity(env_frames)} env frames.`).join(" ");
    const verdict = pair.verdict.replace(/\w+/g, (word) => MEASURES[word] ?? word);
    const cell = (name, told) => name === "elo" ? `${Math.round(told.value)} (${Math.round(told.low)} to ${Math.round(told.high)})` : `${percent(told.value)} (${percent(told.low)} to ${percent(told.high)})`;
    const rows = Object.entries(pair.measures).map(([name, found]) => ({ cells: [MEASURES[name] ?? name, cell(name, found.one), cell(name, found.other), found.better ?? "undecided", found.games_to_decide === null ? "" : quantity(found.games_to_decide)] }));
    place.append(node("h3", {}, `${pair.one} and ${pair.other}`), note(who), node("p", {}, verdict),
      table([{ name: "measure" }, { name: pair.one }, { name: pair.other }, { name: "better" }, { name: "games to decide" }], rows));
  }
}

function showSettings() {
  const place = section("settings");
  if (!data.settings) return absent("settings", "The recipe is not in the run folder.");
  const value = (found) => node("code", {}, JSON.stringify(found));
  const rows = data.settings.changed.map(([key, now, usual]) => ({ cells: [node("code", {}, key), value(now), value(usual)] }));
  if (rows.length) place.append(note("What differs from the defaults."), table([{ name: "key" }, { name: "here", class: "wrap" }, { name: "default", class: "wrap", wide: true }], rows));
  place.append(node("details", {}, node("summary", {}, "The whole recipe"), node("pre", { tabindex: 0 }, data.settings.text)));
  return place;
}

function showMissing() {
  if (!data.missing.length) return;
  section("missing").hidden = false;
  section("missing").append(node("ul", {}, data.missing.map((text) => node("li", {}, text))));
}

for (const show of [showHead, showFigures, showAlarms, showRating, showLadder, showNash, showPayoff, showGames, showLineage, showCurves, showRecovery, showProbes, showComparisons, showSettings, showMissing]) show();
