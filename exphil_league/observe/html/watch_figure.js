"use strict";
// A fighter as a jointed figure. Poses come from the action state: readable at a glance, not the game's models.

const POSE = {
  stand: { lean: 4, arms: [28, -12], legs: [13, -13] },
  walk: { lean: 8, stride: 26, arms: [0, 0], legs: [0, 0] },
  run: { lean: 24, stride: 52, arms: [0, 0], legs: [0, 0] },
  dash: { lean: 28, squat: 0.12, arms: [-40, -70], legs: [52, -38] },
  turn: { lean: -12, squat: 0.1, arms: [40, -40], legs: [24, -20] },
  crouch: { lean: 14, squat: 0.55, arms: [50, 20], legs: [34, -30] },
  jumpsquat: { lean: 12, squat: 0.45, arms: [-50, -60], legs: [24, -24] },
  jump: { lean: 4, arms: [130, -50], legs: [36, -12] },
  flip: { spin: -14, squat: 0.5, arms: [60, 40], legs: [60, 30] },
  fall: { lean: 4, arms: [118, -118], legs: [18, -22] },
  helpless: { lean: -6, arms: [160, -160], legs: [14, -10] },
  land: { lean: 18, squat: 0.5, arms: [60, -40], legs: [30, -30] },
  shield: { lean: -4, squat: 0.2, arms: [88, 70], legs: [20, -20] },
  roll: { spin: -16, squat: 0.7, arms: [70, 60], legs: [70, 55], ghost: true },
  dodge: { lean: -22, squat: 0.1, arms: [-20, -50], legs: [20, -6], ghost: true },
  hit: { lean: -24, arms: [70, -70], legs: [30, -10] },
  fly: { tilt: -60, arms: [120, -100], legs: [30, -30] },
  tumble: { spin: 9, arms: [120, -110], legs: [40, -40] },
  lie: { tilt: -88, arms: [30, -20], legs: [8, -8] },
  rise: { lean: 10, squat: 0.4, arms: [40, 10], legs: [40, -30] },
  hang: { lean: -4, arms: [172, 160], legs: [6, -10] },
  hold: { lean: 10, arms: [84, 70], legs: [20, -20] },
  special: { lean: 0, arms: [96, -30], legs: [20, -20], aura: true },
  vanish: { lean: 0, arms: [150, -150], legs: [8, -8], ghost: true },
  halo: { lean: 0, arms: [24, -24], legs: [8, -8] },
  jab: { lean: 12, arms: [92, -40], legs: [22, -22], swing: ["arm", 92] },
  ftilt: { lean: -14, arms: [40, -50], legs: [88, -8], swing: ["leg", 88] },
  utilt: { lean: -16, arms: [40, -40], legs: [150, -6], swing: ["leg", 150] },
  dtilt: { lean: 16, squat: 0.55, arms: [40, 10], legs: [82, -40], swing: ["leg", 76] },
  fsmash: { lean: -26, arms: [50, -70], legs: [96, -16], swing: ["leg", 96], strong: true },
  usmash: { lean: -20, arms: [60, -60], legs: [168, -10], swing: ["leg", 168], strong: true },
  dsmash: { squat: 0.3, arms: [100, -100], legs: [84, -84], swing: ["leg", 84], both: true, strong: true },
  dashattack: { lean: -22, arms: [30, -60], legs: [78, -30], swing: ["leg", 78] },
  nair: { lean: -8, arms: [60, -80], legs: [86, 24], swing: ["leg", 86] },
  fair: { lean: 6, arms: [60, -60], legs: [104, 40], swing: ["leg", 104] },
  bair: { lean: 22, arms: [50, -30], legs: [24, -98], swing: ["leg", -98] },
  uair: { lean: -30, arms: [50, -70], legs: [168, 20], swing: ["leg", 168] },
  dair: { lean: 0, twist: 40, arms: [120, -120], legs: [6, -6], swing: ["leg", 0] },
};

const STATE_POSES = [
  [12, 13, "halo"], [14, 14, "stand"], [15, 17, "walk"], [18, 19, "turn"], [20, 20, "dash"], [21, 22, "run"],
  [23, 23, "turn"], [24, 24, "jumpsquat"], [25, 26, "jump"], [27, 28, "flip"], [29, 34, "fall"], [35, 37, "helpless"],
  [38, 38, "tumble"], [39, 41, "crouch"], [42, 43, "land"], [44, 49, "jab"], [50, 50, "dashattack"], [51, 55, "ftilt"],
  [56, 56, "utilt"], [57, 57, "dtilt"], [58, 62, "fsmash"], [63, 63, "usmash"], [64, 64, "dsmash"], [65, 65, "nair"],
  [66, 66, "fair"], [67, 67, "bair"], [68, 68, "uair"], [69, 69, "dair"], [70, 74, "land"], [75, 86, "hit"],
  [87, 90, "fly"], [91, 91, "tumble"], [178, 182, "shield"], [183, 185, "lie"], [186, 190, "rise"], [191, 193, "lie"],
  [194, 198, "rise"], [199, 204, "rise"], [205, 206, "fly"], [207, 210, "lie"], [211, 211, "hit"], [212, 218, "hold"],
  [219, 222, "jab"], [223, 232, "hit"], [233, 234, "roll"], [235, 236, "dodge"], [239, 243, "fly"], [244, 244, "fall"],
  [245, 246, "hit"], [247, 248, "hit"], [252, 253, "hang"], [254, 255, "rise"], [256, 257, "jab"], [258, 259, "roll"],
  [260, 263, "jump"], [264, 340, "hit"], [341, 400, "special"],
];
const POSE_OF_ACTION = new Array(401).fill(POSE.stand);
for (const [first, last, name] of STATE_POSES) for (let a = first; a <= last; a++) POSE_OF_ACTION[a] = POSE[name];

const RADIANS = Math.PI / 180;

// End of a limb hung at (x, y): 0 degrees is down, 90 forward, 180 up.
function limbEnd(x, y, degrees, length) {
  return [x + Math.sin(degrees * RADIANS) * length, y - Math.cos(degrees * RADIANS) * length];
}

// Two bones from a to b with the joint pushed to one side, as far as their length has to go somewhere.
function drawLimb(ctx, ax, ay, bx, by, length, side) {
  const dx = bx - ax, dy = by - ay, reach = Math.hypot(dx, dy) || 1e-6;
  const sag = Math.sqrt(Math.max(length * length - reach * reach, 0)) / 2;
  const jx = (ax + bx) / 2 + (-dy / reach) * sag * side, jy = (ay + by) / 2 + (dx / reach) * sag * side;
  ctx.beginPath();
  ctx.moveTo(ax, ay);
  ctx.lineTo(jx, jy);
  ctx.lineTo(bx, by);
  ctx.stroke();
}

function strideOf(pose, f) {
  return pose.stride ? Math.sin(f.x * 0.33) * pose.stride : 0;
}

function drawSwing(ctx, pose, f, h, hip, shoulder, color) {
  if (!pose.swing || f.age > 16) return;
  const [limb, degrees] = pose.swing;
  const [x, y] = limb === "arm" ? shoulder : hip;
  const strength = Math.sin(Math.min(f.age / 16, 1) * Math.PI);
  const radius = h * (pose.strong ? 0.62 : 0.54);
  for (const direction of pose.both ? [degrees, -degrees] : [degrees]) {
    const middle = (direction - 90) * RADIANS, spread = (pose.strong ? 0.8 : 0.6) * Math.sign(direction || 1);
    const sweep = ctx.createRadialGradient(x, y, radius * 0.55, x, y, radius);
    sweep.addColorStop(0, "transparent");
    sweep.addColorStop(1, color);
    ctx.globalAlpha = 0.75 * strength;
    ctx.fillStyle = sweep;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.arc(x, y, radius, middle - Math.abs(spread) * 1.3, middle + Math.abs(spread) * 0.35);
    ctx.closePath();
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

// Draw fighter f with its feet at the origin, y upwards, one unit of the context a unit of the game.
function drawFigure(ctx, f, colors) {
  const pose = f.pose ? POSE[f.pose] : POSE_OF_ACTION[Math.min(Math.max(f.action, 0), 400)];
  const h = f.figure.height * (f.follower ? 0.85 : 1), squat = pose.squat || 0;
  const leg = h * 0.46, arm = h * 0.36, torso = h * 0.33, head = h * 0.145, thick = h * 0.12;
  ctx.save();
  ctx.scale(f.facing, 1);
  const turn = (pose.spin || 0) * f.age + (pose.tilt || 0);
  if (turn) {
    ctx.translate(0, h * (pose.tilt ? 0.25 : 0.45));
    ctx.rotate(-turn * RADIANS * (pose.tilt ? -1 : 1));
    ctx.translate(0, -h * (pose.tilt ? 0.25 : 0.45));
  }
  const stride = strideOf(pose, f);
  const legs = [pose.legs[0] + stride, pose.legs[1] - stride], arms = [pose.arms[0] - stride, pose.arms[1] + stride];
  const lean = (pose.lean || 0) * RADIANS;
  const hip = [0, leg * (1 - squat * 0.55)];
  const shoulder = [hip[0] + Math.sin(lean) * torso, hip[1] + Math.cos(lean) * torso];
  const face = [shoulder[0] + Math.sin(lean) * head * 1.1, shoulder[1] + head * 1.15];
  const reach = leg * (1 - squat * 0.45);
  ctx.lineCap = ctx.lineJoin = "round";

  const strokes = (width, front, back) => {
    ctx.lineWidth = width;
    ctx.strokeStyle = back;
    drawLimb(ctx, ...hip, ...limbEnd(...hip, legs[1], reach), leg, 1);
    drawLimb(ctx, ...shoulder, ...limbEnd(...shoulder, arms[1], arm * 0.9), arm, -1);
    ctx.strokeStyle = front;
    drawLimb(ctx, ...hip, ...limbEnd(...hip, legs[0], reach), leg, 1);
    ctx.lineWidth = width * 1.7;
    ctx.beginPath();
    ctx.moveTo(...hip);
    ctx.lineTo(...shoulder);
    ctx.stroke();
    ctx.lineWidth = width;
  };
  drawSwing(ctx, pose, f, h, hip, shoulder, colors.swing);
  if (pose.ghost) ctx.globalAlpha *= 0.55;
  strokes(thick + 1.3, colors.outline, colors.outline);
  fillHead(ctx, face, head + 0.65, colors.outline, colors.outline);
  strokes(thick, colors.body, colors.shade);
  fillHead(ctx, face, head, colors.body, colors.eye);
  ctx.strokeStyle = colors.light;
  ctx.lineWidth = thick * 0.9;
  drawLimb(ctx, ...shoulder, ...limbEnd(...shoulder, arms[0], arm * 0.9), arm, -1);
  if (f.figure.sword) drawSword(ctx, limbEnd(...shoulder, arms[0], arm * 0.9), swordAngle(pose, f, arms[0]), h, colors);
  ctx.restore();
  return { pose, height: face[1] + head };
}

// A sword points where a swing goes, else up from the hand.
function swordAngle(pose, f, hand) {
  return pose.swing && f.age <= 16 ? pose.swing[1] : hand + 70;
}

function drawSword(ctx, [x, y], degrees, h, colors) {
  const [tipX, tipY] = limbEnd(x, y, degrees, h * 0.62);
  for (const [width, color] of [[1.5, colors.outline], [0.8, "#dfe8ff"]]) {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(tipX, tipY);
    ctx.stroke();
  }
}

function fillHead(ctx, [x, y], radius, skin, eye) {
  ctx.fillStyle = skin;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.moveTo(x + radius * 0.4, y - radius * 0.75);
  ctx.quadraticCurveTo(x + radius * 1.75, y - radius * 0.3, x + radius * 0.7, y + radius * 0.6);
  ctx.fill();
  ctx.beginPath();
  ctx.moveTo(x - radius * 0.85, y + radius * 0.35);
  ctx.lineTo(x - radius * 0.7, y + radius * 1.7);
  ctx.lineTo(x + radius * 0.1, y + radius * 0.9);
  ctx.fill();
  ctx.fillStyle = eye;
  ctx.beginPath();
  ctx.arc(x + radius * 0.42, y + radius * 0.12, radius * 0.24, 0, 2 * Math.PI);
  ctx.fill();
}
