// The course of the run: loss and accuracy of the arms, and below, on the same axis, what stood
// where and when.

const armNames = {
  host: "host alone",
  widened: "host, widened",
  scratch: "grown shape from scratch",
  grown: "grown",
  grown_uncut: "grown, nothing cut",
};

const stageNames = {
  train_isolated: "isolated",
  grafting: "grafting",
  stabilising: "stabilising",
  weaning: "weaning",
  sunset: "sunset",
  fossilised: "fossilised",
  culled: "culled",
  retired: "retired",
};

/** Spans of windows in which a region stands in one of the lists of the windows. */
function spansOf(windows, kind, region) {
  const spans = [];
  for (const {window, [kind]: regions} of windows) {
    if (!(regions ?? []).includes(region)) continue;
    const last = spans.at(-1);
    if (last && last.to === window - 1) last.to = window;
    else spans.push({from: window, to: window});
  }
  return spans;
}

/** The rows under the axis, each {name, height, paint(x, y, left, right)}. */
function lanes(windows, last) {
  const rows = [];
  const checkpoints = list("/checkpoints");
  if (checkpoints.length) rows.push({name: "checkpoints", paint: (x, y) => checkpoints.map(
      ({window, checkpoint}) => diamond(x(window), y + 7, "checkpoint",
                                        `checkpoint ${checkpoint}, window ${window}`))});
  const surgeries = list("/surgeries");
  if (surgeries.length) rows.push({name: "surgery", paint: (x, y) => surgeries.map(
      ({window, result, cuts}) => triangle(x(window), y + 7, result === "kept" ? "cut" : "uncut",
                                           `window ${window}: ${result}; ${cuts}`))});
  for (const {region} of list("/map/regions"))
    for (const [kind, meaning] of [["crisis", "crisis"], ["embargoed", "zone"]]) {
      const spans = spansOf(windows, kind, region);
      if (spans.length) rows.push({name: `${region}: ${meaning}`, paint: (x, y) => spans.map(
          ({from, to}) => rectangle(x(from - 1), y + 1, Math.max(3, x(to) - x(from - 1)), 12,
                                    `span-${kind}`, `${meaning}, windows ${from} to ${to}`))});
    }
  for (const life of list("/lives")) rows.push({
    name: `${life.slot}: ${text(life.blueprint)}`,
    paint: (x, y) => lifeBar(life, x, y, last),
  });
  return rows;
}

function diamond(x, y, style, title) {
  return draw("path", {d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z`, "class": style},
              draw("title", {}, title));
}

function triangle(x, y, style, title) {
  return draw("path", {d: `M${x - 5} ${y - 5}h10l-5 10z`, "class": style},
              draw("title", {}, title));
}

/** One seed's life: a box per stage, filled as high as its alpha, and a mark where it ended. */
function lifeBar(life, x, y, last) {
  const parts = [];
  let named = "";
  life.stages.forEach((stage, place) => {
    const from = x(stage.window);
    const next = life.stages[place + 1];
    const to = x(next ? next.window : last);
    if (stage.stage === "culled") {
      parts.push(draw("path", {d: `M${from - 4} ${y + 3}l8 8m0 -8l-8 8`, "class": "culled"},
                      draw("title", {}, `culled, window ${stage.window}`)));
      return;
    }
    if (stage.stage === "retired") {
      parts.push(draw("circle", {cx: from, cy: y + 7, r: 4, "class": "retired"},
                      draw("title", {}, `retired, window ${stage.window}`)));
      return;
    }
    const name = stageNames[stage.stage] ?? stage.stage;
    const title = `${name} from window ${stage.window}, alpha ${stage.alpha}`;
    const full = stage.stage === "fossilised" ? 1 : Math.min(1, Math.max(0, stage.alpha));
    parts.push(rectangle(from, y + 1, to - from, 12, `box stage-${stage.stage}`, title));
    if (full > 0)
      parts.push(rectangle(from, y + 13 - 12 * full, to - from, 12 * full,
                           `fill stage-${stage.stage}`, title));
    if (name !== named && to - from > 7 * name.length && stage.stage !== "train_isolated")
      parts.push(label(from + 4, y + 10.5, name, "start", full > 0.95 ? "within" : "inside"));
    named = name;
  });
  return parts;
}

function paintCourse(width) {
  const windows = list("/window_list");
  const curves = list("/curves");
  const last = Math.max(1, at("/windows") ?? 0,
                        ...curves.flatMap((curve) => curve.points.map((point) => point.window)));
  const narrow = width < 640;
  const rows = lanes(windows, last);
  // Wide enough for the longest name, within reason.
  const letters = Math.min(38, Math.max(10, ...rows.map((row) => row.name.length)));
  const left = narrow ? 46 : 20 + 6.6 * letters;
  const right = width - 14;
  const x = linear(0, last, left, right);
  const parts = [];
  let y = 18;
  parts.push(...paintLoss(curves, x, left, right, y));
  y += 250;
  if (list("/checkpoints").length || list("/arms").length) {
    parts.push(...paintAccuracy(x, last, left, right, y));
    y += 170;
  }
  const stepOf = new Map(windows.map((window) => [window.window, window.step]));
  for (const curve of curves)
    for (const {window, step} of curve.points) if (!stepOf.has(window)) stepOf.set(window, step);
  const top = y - 14;
  parts.push(label(left, y + 2, "windows, and below them steps", "start", "title"));
  for (const window of ticks(0, last, narrow ? 4 : 9)) {
    if (window !== Math.floor(window)) continue;
    const step = window === 0 ? 0 : stepOf.get(window);
    const anchor = x(window) > right - 16 ? "end" : "middle";
    parts.push(label(x(window), y + 20, String(window), anchor),
               label(x(window), y + 34, step === undefined ? "" : grouped(String(step)), anchor,
                     "label soft"));
  }
  y += 50;
  for (const row of rows) {
    if (narrow) {
      parts.push(label(left, y + 10, row.name));
      y += 14;
    } else {
      const name = row.name.length > letters ? `${row.name.slice(0, letters - 1)}…` : row.name;
      parts.push(draw("text", {x: left - 8, y: y + 11, "text-anchor": "end", "class": "label",
                               "aria-hidden": "true"}, name, draw("title", {}, row.name)));
    }
    parts.push(line(left, y + 14.5, right, y + 14.5, "grid"), ...row.paint(x, y).flat());
    y += narrow ? 20 : 18;
  }
  parts.push(line(left, top, left, y, "grid"));
  return {height: y + 8, parts};
}

function paintLoss(curves, x, left, right, top) {
  const values = curves.flatMap((curve) => curve.points.map((point) => point.loss))
                     .filter((value) => finite(value) && value > 0);
  const parts = [label(left, top - 4, "training loss, nats per sample (logarithmic)", "start",
                       "title")];
  if (values.length === 0) return parts;
  const low = Math.min(...values) * 0.95;
  const high = Math.max(...values) * 1.05;
  const scale = linear(Math.log(low), Math.log(high), top + 205, top + 8);
  const y = (value) => scale(Math.log(value));
  parts.push(...grid(logTicks(low, high), y, left, right, String));
  curves.forEach((curve, place) => {
    const points = curve.points.filter(({loss}) => finite(loss) && loss > 0)
                       .map(({window, loss}) => [x(window), y(loss)]);
    parts.push(path(points, `curve arm-${curve.arm}`, {
      "data-points": `/curves/${place}/points`,
      "data-count": points.length,
    }));
  });
  return parts;
}

function paintAccuracy(x, last, left, right, top) {
  const checkpoints = list("/checkpoints").filter((one) => one.gate_accuracy > 0);
  const arms = list("/arms").filter((arm) => arm.test_accuracy > 0);
  const shares = [...checkpoints.map((one) => one.gate_accuracy),
                  ...arms.map((arm) => arm.test_accuracy)];
  const parts = [label(left, top - 4, "accuracy: gate split at checkpoints, test split at the end",
                       "start", "title")];
  if (right - left < 400)
    parts[0] = label(left, top - 4, "accuracy: gate split, and test split at the end", "start",
                     "title");
  if (shares.length === 0) return parts;
  const low = Math.max(0, Math.min(...shares) - 0.02);
  const high = Math.min(1, Math.max(...shares) + 0.02);
  const y = linear(low, high, top + 125, top + 10);
  parts.push(...grid(ticks(low, high, 4), y, left, right,
                     (share) => `${Number((100 * share).toFixed(1))} %`));
  const points = checkpoints.map((one) => [x(one.window), y(one.gate_accuracy)]);
  parts.push(path(points, "curve arm-grown thin"));
  for (const [cx, cy] of points) parts.push(draw("circle", {cx, cy, r: 3, "class": "dot arm-grown"}));
  for (const arm of arms)
    parts.push(testMark(arm.arm, x(last), y(arm.test_accuracy),
                        `${armNames[arm.arm] ?? arm.arm}: ${formats.percent2(arm.test_accuracy)}`));
  return parts;
}

/** Each arm's end has a shape of its own. */
function testMark(arm, x, y, title) {
  const shapes = {
    host: `M${x - 5} ${y - 5}h10v10h-10z`,
    widened: `M${x} ${y - 6}l6 11h-12z`,
    scratch: `M${x} ${y + 6}l6 -11h-12z`,
    grown_uncut: `M${x - 6} ${y - 3}h12v6h-12z`,
  };
  const shape = shapes[arm] ?? `M${x} ${y - 7}l7 7l-7 7l-7 -7z`;
  return draw("path", {d: shape, "class": `end arm-${arm}`}, draw("title", {}, title));
}

function courseLegend() {
  const entries = list("/curves").map(
      (curve) => [[line(0, 6, 26, 6, `curve arm-${curve.arm}`)], armNames[curve.arm] ?? curve.arm]);
  for (const arm of list("/arms"))
    entries.push([[testMark(arm.arm, 13, 6, "")], `test accuracy, ${armNames[arm.arm] ?? arm.arm}`]);
  const lives = list("/lives");
  const stages = new Set(lives.flatMap((life) => life.stages.map((stage) => stage.stage)));
  for (const [stage, name] of Object.entries(stageNames)) {
    if (!stages.has(stage)) continue;
    const mark = stage === "culled" ? [draw("path", {d: "M9 2l8 8m0 -8l-8 8", "class": "culled"})]
        : stage === "retired"       ? [draw("circle", {cx: 13, cy: 6, r: 4, "class": "retired"})]
        : [rectangle(1, 1, 24, 10, `box stage-${stage}`),
           ...(stage === "train_isolated" || stage === "sunset"
                   ? [] : [rectangle(1, 4, 24, 7, `fill stage-${stage}`)])];
    entries.push([mark, stage === "grafting" ? `${name} (filled as high as alpha)` : name]);
  }
  const windows = list("/window_list");
  if (windows.some((window) => window.crisis.length))
    entries.push([[rectangle(1, 1, 24, 10, "span-crisis")], "crisis"]);
  if (windows.some((window) => window.embargoed.length))
    entries.push([[rectangle(1, 1, 24, 10, "span-embargoed")], "zone without surgery"]);
  if (list("/checkpoints").length)
    entries.push([[diamond(13, 6, "checkpoint", "")], "checkpoint"]);
  if (list("/surgeries").length) entries.push(
      [[triangle(7, 6, "cut", ""), triangle(19, 6, "uncut", "")], "surgery, kept or not"]);
  return legend(entries);
}
