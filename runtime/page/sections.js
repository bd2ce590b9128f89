// The sections of the report, in order. One that has nothing to show says so in a sentence.

const energyUnit = "Energy is in whole thousandths of the budget's unit.";

function gainSentence(gain, place) {
  const better = gain.test_loss >= 0;
  return paragraph(
      "Against the ", make("strong", {}, armNames[gain.against] ?? gain.against), ": ",
      number(`/gain/${place}/test_accuracy`, "points2"), " of test accuracy and ",
      number(`/gain/${place}/test_loss`, "signed4"), " nats of test loss saved",
      better ? ", " : " (more loss, not less), ", "for ", number(`/cost/${place}/parameters`, "times2"),
      " the parameters, ", number(`/cost/${place}/operations`, "times2"), " the operations and ",
      number(`/cost/${place}/training_operations`, "times2"), " the operations of training.");
}

function fillHead() {
  const parts = [];
  const gains = list("/gain");
  const arms = list("/arms");
  if (gains.length) parts.push(...gains.map(gainSentence));
  else if (arms.length) parts.push(paragraph(
      "The grown model came to ", number(`/arms/${arms.length - 1}/test_accuracy`, "percent2"),
      " on the test split with ", number(`/arms/${arms.length - 1}/parameters`, "count"),
      " parameters. No other arm was trained, so nothing can be said of a gain."));
  else parts.push(paragraph("No model was finished, so nothing can be said of a gain."));
  const one = arms.length && gains.length
      ? paragraph("One seed of the random generator: a gain smaller than what another seed moves is none.")
      : null;
  const reproducible = at("/reproducible");
  const facts_ = facts([
    ["seed", number("/seed", "plain")],
    ["mode", text(at("/mode"))],
    ["pace", text(at("/pace"))],
    ["windows", number("/windows", "count")],
    ["steps to a window", number("/window_steps", "count")],
    ["windows to a cycle", number("/cycle_windows", "count")],
    ["exit code", number("/exit", "count")],
    ["version", text(at("/version"))],
    ["reproducible", make("span", {class: reproducible ? "good" : "bad"},
                          reproducible ? "yes: config and seed make this run again, bit for bit"
                                       : `no: ${text(at("/first_irreproducible"), "unknown")}`)],
  ]);
  document.getElementById("head").append(make("div", {class: "verdict"}, parts), one ?? "", facts_);
  const troubles = [];
  if (at("/error")) troubles.push(paragraph(make("strong", {}, "Ended early: "), at("/error")));
  if (list("/missing").length) troubles.push(
      paragraph("This report can't tell:"),
      make("ul", {}, list("/missing").map((what) => make("li", {}, what))));
  if (troubles.length) document.getElementById("head").append(
      make("div", {class: "notice", role: "note"}, troubles));
}

const operationKinds = [
  ["training", "model"], ["seeds", "seeds in its path"], ["shadow", "shadow passes"],
  ["gate", "gate passes"], ["weaning", "weaning"],
];

function armsSection() {
  const arms = list("/arms");
  if (arms.length === 0)
    return section("arms", "Models side by side", paragraph("No model was finished."));
  const columns = ["arm", "test accuracy", "test loss", "gate loss", "parameters",
                   "operations per sample", "one batch", "one sample", "wall time"];
  return section("arms", "Models side by side",
                 paragraph("All arms take the same steps over the same batches. Latency is the " +
                           "median of interleaved passes."),
                 table("Arms", columns, arms.map((arm, place) => [
                   armNames[arm.arm] ?? arm.arm,
                   number(`/arms/${place}/test_accuracy`, "percent2"),
                   number(`/arms/${place}/test_loss`, "fixed4"),
                   number(`/arms/${place}/gate_loss`, "fixed4"),
                   number(`/arms/${place}/parameters`, "count"),
                   number(`/arms/${place}/operations`, "count"),
                   number(`/arms/${place}/latency_batch_seconds`, "milliseconds3"),
                   number(`/arms/${place}/latency_single_seconds`, "milliseconds3"),
                   number(`/arms/${place}/wall_seconds`, "seconds1"),
                 ])),
                 details("Operations of training by what they were for, as a table", table(
                     "Operations of training, in thousands of millions",
                     ["arm", ...operationKinds.map(([, name]) => name)],
                     arms.map((arm, place) => [
                       armNames[arm.arm] ?? arm.arm,
                       ...operationKinds.map(([key]) => number(
                           `/arms/${place}/training_operations/${key}`, "giga1")),
                     ]))));
}

function courseSection() {
  const curves = list("/curves");
  const lives = list("/lives");
  const drawn = curves.some((curve) => curve.points.length);
  if (!drawn) return section("course", "Course of the run",
                             paragraph("No window was closed, so there is no curve."));
  const described = `Training loss of ${curves.length} arms over ${at("/windows") || "the"} windows, ` +
      `accuracy at ${list("/checkpoints").length} checkpoints, and ${lives.length} seeds with ` +
      "their stages. The tables below hold the same.";
  const longest = Math.max(...curves.map((curve) => curve.points.length));
  const rows = Array.from({length: longest}, (_, row) => [
    firstNumber(curves.map((_, place) => `/curves/${place}/points/${row}/window`), "count"),
    firstNumber(curves.map((_, place) => `/curves/${place}/points/${row}/step`), "count"),
    ...curves.map((_, place) => number(`/curves/${place}/points/${row}/loss`, "fixed4")),
    number(`/window_list/${row}/seeds_in_path`, "count"),
    text((list("/window_list")[row]?.crisis ?? []).join(", ")),
    text((list("/window_list")[row]?.embargoed ?? []).join(", ")),
  ]);
  return section(
      "course", "Course of the run",
      paragraph("Only the grown arm is measured on the gate split while it trains; of the others ",
                "the accuracy at the end is known."),
      chart("Loss, accuracy and what stood where", described, courseLegend(), paintCourse),
      details("Loss by window, as a table",
              table("Training loss by window",
                    ["window", "step", ...curves.map((curve) => armNames[curve.arm] ?? curve.arm),
                     "seeds in the path", "in crisis", "in a zone"],
                    rows)),
      list("/checkpoints").length === 0 ? paragraph("No checkpoint was made.")
          : details("Checkpoints, as a table", checkpointTable()),
      lives.length === 0 ? paragraph("No seed ever stood in the model.")
          : details("Stages of each seed, as a table", stageTable(lives)));
}

/** Of several places the first that holds a number: arms differ in length. */
function firstNumber(pointers, format) {
  return number(pointers.find((pointer) => at(pointer) !== undefined) ?? pointers[0], format);
}

function checkpointTable() {
  return table("Checkpoints", ["checkpoint", "window", "gate loss", "gate accuracy",
                               "regions in zones", "plan made from it"],
               list("/checkpoints").map((one, place) => [
                 number(`/checkpoints/${place}/checkpoint`, "count"),
                 number(`/checkpoints/${place}/window`, "count"),
                 number(`/checkpoints/${place}/gate_loss`, "fixed4"),
                 number(`/checkpoints/${place}/gate_accuracy`, "percent2"),
                 number(`/checkpoints/${place}/embargoed_regions`, "count"), text(one.plan),
               ]));
}

function stageTable(lives) {
  const rows = lives.flatMap((life, which) => life.stages.map((stage, place) => [
    life.slot, text(life.blueprint), stageNames[stage.stage] ?? stage.stage,
    number(`/lives/${which}/stages/${place}/window`, "count"),
    number(`/lives/${which}/stages/${place}/alpha`, "short3"),
  ]));
  return table("Stages of seeds", ["slot", "blueprint", "stage", "from window", "alpha"], rows);
}

function energySection() {
  const cycles = list("/cycles");
  if (cycles.length === 0)
    return section("energy", "Energy", paragraph("No energy was minted: nothing adapted this run."));
  return section(
      "energy", "Energy",
      paragraph(energyUnit, " Minted ", number("/energy/minted", "count"), " = available ",
                number("/energy/available", "count"), " + reserved ",
                number("/energy/reserved", "count"), " + spent ", number("/energy/spent", "count"),
                " + lapsed ", number("/energy/lapsed", "count"), ". Of what regions asked for, ",
                number("/energy/refused_share", "percent1"), " was refused for want of it. The pruning allowance is minted beside the cycle's own ",
                "and lapses with it."),
      chart("Where each cycle's energy went",
            "Bars for each cycle: minted, granted, reserved, spent, drawn from the emergency pool " +
                "and lapsed. The table below holds the same.",
            legend(flowKinds.map(([key, name]) => [[rectangle(1, 1, 24, 10, `flow-${key}`)], name])),
            paintFlows),
      chart("Throttle: what pruning may cost against what growth spends",
            "A line for the pruning allowance of each cycle, bars for spend and forecast, and " +
                "marks for what compaction cost. The table below holds the same.",
            legend([
              [[rectangle(1, 1, 24, 10, "flow-spent")], "spent by growth"],
              [[rectangle(1, 1, 24, 10, "flow-forecast")], "forecast"],
              [[line(0, 6, 26, 6, "allowance")], "pruning allowance"],
              [[diamond(13, 6, "compacted", "")], "spent by compaction"],
            ]),
            paintThrottle),
      details("Energy by cycle, as a table", table(
          "Energy by cycle",
          ["cycle", "posture", "headroom", ...cycleColumns.map(([, name]) => name)],
          cycles.map((cycle, place) => [
            number(`/cycles/${place}/cycle`, "count"), text(cycle.posture),
            number(`/cycles/${place}/headroom`, "short3"),
            ...cycleColumns.map(([key]) => number(`/cycles/${place}/${key}`, "count")),
          ]))));
}

const flowKinds = [
  ["minted", "minted"], ["granted", "granted to regions"], ["reserved", "reserved by regions"],
  ["spent", "spent"], ["drawn", "drawn from the pool"], ["lapsed", "lapsed"],
];

const cycleColumns = [
  ["minted", "minted"], ["treasury", "to treasury"], ["emergency", "to pool"],
  ["safety", "to safety"], ["compaction", "beside it, to compaction"], ["granted", "granted"], ["reserved", "reserved"], ["spent", "spent"],
  ["lapsed", "lapsed"], ["drawn", "drawn from pool"], ["given_back", "back to pool"],
  ["available", "free at its end"], ["forecast", "forecast"], ["allowance", "pruning allowance"],
  ["compacted", "compaction"],
];

function cycleAxis(width, high, bottom) {
  const cycles = list("/cycles");
  const left = width < 640 ? 46 : 64;
  const right = width - 14;
  const slot = (right - left) / cycles.length;
  const y = linear(0, Math.max(high, 1), bottom, 22);
  const every = Math.ceil(26 / slot);
  const parts = grid(ticks(0, Math.max(high, 1), 4), y, left, right, (value) => grouped(String(value)));
  cycles.forEach((cycle, place) => {
    if (place % every === 0) parts.push(
        label(left + (place + 0.5) * slot, bottom + 16, String(cycle.cycle), "middle"));
  });
  parts.push(label(left, 10, "thousandths, by cycle", "start", "title"));
  return {cycles, left, right, slot, y, parts, bottom};
}

function paintFlows(room) {
  const width = Math.max(room, 64 + 34 * list("/cycles").length);  // past the room it scrolls
  const high = Math.max(...list("/cycles").flatMap((cycle) => flowKinds.map(([key]) => cycle[key] ?? 0)));
  const {cycles, left, slot, y, parts, bottom} = cycleAxis(width, high, 180);
  const bar = Math.min(14, slot * 0.72 / flowKinds.length);
  cycles.forEach((cycle, place) => flowKinds.forEach(([key, name], which) => {
    const value = cycle[key] ?? 0;
    const x = left + (place + 0.5) * slot + (which - flowKinds.length / 2) * bar;
    parts.push(rectangle(x, y(value), bar - 1, bottom - y(value), `flow-${key}`,
                         `cycle ${cycle.cycle}: ${name} ${value}`));
  }));
  return {width, height: bottom + 24, parts};
}

function paintThrottle(width) {
  const high = Math.max(...list("/cycles").flatMap(
      (cycle) => [(cycle.spent ?? 0) + cycle.forecast, cycle.allowance, cycle.compacted]));
  const {cycles, left, slot, y, parts, bottom} = cycleAxis(width, high, 160);
  const bar = Math.min(26, slot * 0.6);
  const steps = [];
  cycles.forEach((cycle, place) => {
    const middle = left + (place + 0.5) * slot;
    const spent = cycle.spent ?? 0;
    parts.push(rectangle(middle - bar / 2, y(spent), bar, bottom - y(spent), "flow-spent",
                         `cycle ${cycle.cycle}: spent ${spent}`),
               rectangle(middle - bar / 2, y(spent + cycle.forecast), bar,
                         y(spent) - y(spent + cycle.forecast), "flow-forecast",
                         `cycle ${cycle.cycle}: forecast ${cycle.forecast}`));
    steps.push([left + place * slot, y(cycle.allowance)], [left + (place + 1) * slot, y(cycle.allowance)]);
    if (cycle.compacted > 0) parts.push(diamond(middle, y(cycle.compacted), "compacted",
                                                `cycle ${cycle.cycle}: compaction ${cycle.compacted}`));
  });
  parts.push(path(steps, "allowance"));
  return {height: bottom + 24, parts};
}

function seedsSection() {
  const seeds = list("/seeds").map((seed, place) => ({seed, place}));
  if (seeds.length === 0)
    return section("seeds", "Seeds", paragraph("No seed was planted, and none was asked for."));
  const stood = seeds.filter(({seed}) => seed.fate !== "refused");
  const refused = seeds.filter(({seed}) => seed.fate === "refused");
  const gateNumber = (seed, pointer) => /^[GS]\d/.test(seed.gate) ? number(pointer, "short3") : absent();
  const stoodTable = () => table(
      "Seeds that stood",
      ["slot", "blueprint", "fate", "window", "decided by", "measured", "threshold", "parameters",
       "gain predicted", "gain in isolation", "gain realised", "reason"],
      stood.map(({seed, place}) => [
        seed.slot, text(seed.blueprint), text(seed.fate), number(`/seeds/${place}/window`, "count"),
        text(seed.gate), gateNumber(seed, `/seeds/${place}/measured`),
        gateNumber(seed, `/seeds/${place}/threshold`), number(`/seeds/${place}/parameters`, "count"),
        number(`/seeds/${place}/predicted_gain`, "fixed4"),
        number(`/seeds/${place}/isolated_gain`, "fixed4"),
        number(`/seeds/${place}/realised_gain`, "fixed4"), text(seed.reason),
      ]));
  const refusedTable = () => table(
      "Seeds that were refused", ["slot", "blueprint", "window", "decided by", "had", "needed", "reason"],
      refused.map(({seed, place}) => [
        seed.slot, text(seed.blueprint), number(`/seeds/${place}/window`, "count"), text(seed.gate),
        gateNumber(seed, `/seeds/${place}/measured`), gateNumber(seed, `/seeds/${place}/threshold`),
        text(seed.reason),
      ]));
  return section(
      "seeds", "Seeds",
      paragraph("Gains are in nats per sample on the gate split. A prediction is on record where a ",
                "proposal paid for the seed; in isolation is what G2 measured before the graft."),
      stood.length ? stoodTable() : paragraph("No seed ever stood in the model."),
      refused.length ? details("Seeds that were refused before they stood", refusedTable())
                     : paragraph("None was refused before it stood."));
}

function proposalsSection() {
  const proposals = list("/proposals");
  const title = "Strategic opportunity proposals";
  if (proposals.length === 0)
    return section("proposals", title, paragraph("No region made a proposal."));
  return section("proposals", title, table(
      "Proposals",
      ["region", "proposal", "cycle", "slot", "blueprint", "asked", "verdict", "amount",
       "gain predicted", "gain realised", "reason"],
      proposals.map((one, place) => [
        one.region, number(`/proposals/${place}/id`, "count"),
        number(`/proposals/${place}/cycle`, "count"), one.slot, text(one.blueprint),
        number(`/proposals/${place}/ask`, "count"), text(one.verdict, "unanswered"),
        number(`/proposals/${place}/amount`, "count"),
        number(`/proposals/${place}/predicted_gain`, "fixed4"),
        number(`/proposals/${place}/realised_gain`, "fixed4"), text(one.reason),
      ])));
}
