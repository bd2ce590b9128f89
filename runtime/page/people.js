// The sections about regions: the map, what was lent to them, what was cut from them, what was
// refused, and how well their Narsets did.

function mapSection() {
  const regions = list("/map/regions");
  const title = "Region map";
  if (regions.length === 0)
    return section("map", title, paragraph("The journal describes no region."));
  const boxes = make("ol", {class: "regions"}, regions.map((region, place) => make(
      "li", {"data-region": region.region},
      make("h3", {}, region.region),
      shareBar("parameters", region.parameters_share,
               number(`/map/regions/${place}/parameters_share`, "percent1")),
      shareBar("operations", region.operations_share,
               number(`/map/regions/${place}/operations_share`, "percent1")),
      make("ul", {class: "standing"}, region.seeds.length
          ? region.seeds.map((seed) => make("li", {}, text(seed)))
          : make("li", {class: "soft"}, "no seed stands")),
      region.crisis ? make("p", {class: "tag bad"}, "in crisis at the end") : "",
      region.embargoed ? make("p", {class: "tag"}, "in a zone at the end") : "")));
  const arrows = draw("svg", {"class": "arrows", "aria-hidden": "true"});
  const holder = make("div", {class: "map"}, boxes);
  holder.append(arrows);
  redraws.push(() => paintEdges(holder, arrows));
  const edges = list("/map/edges");
  const words = edges.map(({from, to, skip}) => `${from} to ${to}${skip ? " (skip)" : ""}`).join(", ");
  return section(
      "map", title,
      paragraph(`Host ${at("/map/host")}. Activations flow: ${words || "no edges"}. Shares are `,
                "of the host's own parameters and operations as the run left them."),
      holder,
      details("Regions, as a table", table(
          "Regions",
          ["region", "parameters at launch", "left", "operations at launch", "left",
           "seed parameters"],
          regions.map((region, place) => [
            region.region, number(`/map/regions/${place}/parameters`, "count"),
            number(`/map/regions/${place}/parameters_left`, "count"),
            number(`/map/regions/${place}/operations`, "count"),
            number(`/map/regions/${place}/operations_left`, "count"),
            number(`/map/regions/${place}/seed_parameters`, "count"),
          ]))));
}

function shareBar(name, share, shown) {
  const filled = make("span", {class: "filled"});
  filled.style.width = `${100 * share}%`;
  return make("div", {class: "share"}, make("span", {}, name), shown,
              make("span", {"class": "track", "aria-hidden": "true"}, filled));
}

/** Arrows between the boxes, wherever the page's width has put them. */
function paintEdges(holder, arrows) {
  const origin = holder.getBoundingClientRect();
  const boxes = new Map([...holder.querySelectorAll("[data-region]")].map((box) => {
    const {left, top, width, height} = box.getBoundingClientRect();
    return [box.dataset.region, {x: left - origin.left, y: top - origin.top, width, height}];
  }));
  const sideways = getComputedStyle(holder.querySelector("ol")).flexDirection === "row";
  const parts = list("/map/edges").map(({from, to, skip}) => {
    const [a, b] = [boxes.get(from), boxes.get(to)];
    if (!a || !b) return "";
    if (sideways) {
      const [x1, x2] = skip ? [a.x + a.width * 0.6, b.x + b.width * 0.4] : [a.x + a.width, b.x - 2];
      const y = skip ? a.y : a.y + 24;
      return skip ? arrow(`M${x1} ${y}C${x1} ${y - 30} ${x2} ${y - 30} ${x2} ${y - 3}`, x2, y - 2, "down")
                  : arrow(`M${x1} ${y}H${x2}`, x2, y, "right");
    }
    const x = a.x + 28;
    if (!skip) return arrow(`M${x} ${a.y + a.height}V${b.y - 2}`, x, b.y - 2, "down");
    const [y1, y2] = [a.y + a.height * 0.6, b.y + b.height * 0.4];
    return arrow(`M${a.x} ${y1}C${a.x - 18} ${y1} ${b.x - 18} ${y2} ${b.x - 3} ${y2}`, b.x - 2, y2, "right");
  });
  arrows.setAttribute("width", origin.width);
  arrows.setAttribute("height", origin.height);
  arrows.replaceChildren(...parts.flat());
}

function arrow(course, x, y, towards) {
  const tip = towards === "right" ? `M${x - 6} ${y - 4}L${x} ${y}L${x - 6} ${y + 4}`
                                  : `M${x - 4} ${y - 6}L${x} ${y}L${x + 4} ${y - 6}`;
  return [draw("path", {d: course, "class": "edge"}), draw("path", {d: tip, "class": "edge"})];
}

function scaffoldsSection() {
  const scaffolds = list("/scaffolds");
  const troubles = list("/troubles");
  const asked = scaffolds.length === 0 ? paragraph("No region asked for a scaffold.") : table(
      "Scaffolds",
      ["region", "slot", "blueprint", "asked in window", "because of", "answer", "price", "drawn",
       "given back", "grafted", "success", "exit", "contribution", "sunset", "output change",
       "retired", "zone lifted"],
      scaffolds.map((one, place) => {
        const key = (name) => `/scaffolds/${place}/${name}`;
        const left = one.sunset > 0;
        return [
          one.region, one.slot, text(one.blueprint), windowNumber(key("requested")),
          text(one.reason), text(one.answer), number(key("ask"), "count"),
          number(key("drawn"), "count"), number(key("given_back"), "count"),
          windowNumber(key("grafted")), windowNumber(key("succeeded")), text(one.exit),
          one.exit ? number(key("contribution"), "short3") : absent(), windowNumber(key("sunset")),
          left ? number(key("output_change"), "short3") : absent(), windowNumber(key("retired")),
          windowNumber(key("zone_lifted")),
        ];
      }));
  const crises = troubles.length === 0 ? paragraph("No region was in crisis.") : table(
      "Crises", ["region", "from window", "recovered in window"],
      troubles.map((one, place) => [
        one.region, number(`/troubles/${place}/began`, "count"),
        one.recovered ? number(`/troubles/${place}/recovered`, "count") : "not recovered",
      ]));
  return section("scaffolds", "Crises and scaffolds", crises, asked);
}

function compactionSection() {
  const surgeries = list("/surgeries");
  const parts = [];
  const last = list("/arms").length - 1;
  if (at("/uncut")) {
    const shapes = [["before surgery", "/uncut"], ["after", `/arms/${last}`]];
    parts.push(table(
        "The grown model before and after surgery",
        ["grown model", "parameters", "operations per sample", "one batch", "least", "one sample",
         "least"],
        shapes.map(([name, key]) => [
          name, number(`${key}/parameters`, "count"), number(`${key}/operations`, "count"),
          number(`${key}/latency_batch_seconds`, "milliseconds3"),
          number(`${key}/latency_batch_seconds_min`, "milliseconds3"),
          number(`${key}/latency_single_seconds`, "milliseconds3"),
          number(`${key}/latency_single_seconds_min`, "milliseconds3"),
        ])));
  } else {
    parts.push(paragraph("Nothing was cut from the finished model, or it was not measured."));
  }
  parts.push(surgeries.length === 0 ? paragraph("No surgery was ordered.") : table(
      "Surgery",
      ["window", "result", "cut", "importance lost", "price", "loss before", "after",
       "accuracy before", "after", "parameters before", "after", "operations before", "after"],
      surgeries.map((one, place) => {
        const key = (name) => `/surgeries/${place}/${name}`;
        // An order that was refused before it was carried out was measured on neither side.
        const measured = (name, format) =>
            one.loss_before === 0 && one.loss_after === 0 ? absent() : number(key(name), format);
        return [
          number(key("window"), "count"), text(one.result), cutList(one.cuts),
          number(key("importance_lost"), "percent2"), number(key("price"), "count"),
          measured("loss_before", "fixed4"), measured("loss_after", "fixed4"),
          measured("accuracy_before", "percent2"), measured("accuracy_after", "percent2"),
          number(key("parameters_before"), "count"), number(key("parameters_after"), "count"),
          number(key("operations_before"), "count"), number(key("operations_after"), "count"),
        ];
      })));
  if (list("/layers").length) parts.push(details("Whole layers, as measured", layerTable()));
  return section("compaction", "Compaction", ...parts);
}

function layerTable() {
  return table("Whole layers", ["checkpoint", "layer", "importance over the mean",
                                "input and output alike", "zone"],
               list("/layers").map((one, place) => [
                 number(`/layers/${place}/checkpoint`, "count"), text(one.layer),
                 number(`/layers/${place}/importance`, "fixed4"),
                 number(`/layers/${place}/similarity`, "fixed4"),
                 one.in_zone ? text("inside: for diagnosis alone") : absent(),
               ]));
}

function cutList(cuts) {
  return cuts === "" ? absent() : cuts.split(", ").map(
      (cut) => make("span", {class: "whole"}, cut.replace("->", "\u2192")));
}

/** What was counted, or a sentence that there was none of it. */
function countedTable(caption, key, none) {
  const counted = list(key);
  if (counted.length === 0) return paragraph(none);
  return table(caption, ["what", "times"], counted.map(
      (one, place) => [text(one.what), number(`${key}/${place}/count`, "count")]));
}

function troubleSection() {
  return section(
      "refusals", "Refusals, breakers and restarts",
      countedTable("Refusals by the executor and the ledger", "/refusals",
                   "Neither executor nor ledger refused anything."),
      countedTable("Breakers open at the end", "/breakers", "No breaker stood open at the end."),
      countedTable("Restarts", "/restarts", "No role was restarted."),
      countedTable("Absences", "/absences", "No role was absent from a turn."),
      paragraph("Turns that came late: ", number("/late_turns", "count"), "."));
}

function scorecardsSection() {
  const cards = list("/scorecards");
  const title = "Scorecards of the Narsets";
  if (cards.length === 0)
    return section("scorecards", title, paragraph("There is no region to score."));
  return section(
      "scorecards", title,
      paragraph("Stability: crises ended over crises begun. Gain: what fossilised seeds saved on ",
                "the gate split, in nats per sample. Calibration: what funded proposals brought ",
                "over what they had predicted; one is exact. ", energyUnit),
      make("div", {class: "cards"}, cards.map((card, place) => {
        const key = (name) => `/scorecards/${place}/${name}`;
        return make(
            "article", {"aria-labelledby": `card-${place}`},
            make("h3", {id: `card-${place}`}, card.region),
            facts([
              ["stability restored", number(key("stability_restored"), "percent1")],
              ["crises ended / begun", [number(key("crises_ended"), "count"), " / ",
                                       number(key("crises_begun"), "count")]],
              ["windows in crisis", [number(key("windows_in_crisis"), "count"), " of ",
                                     number(key("windows"), "count")]],
              ["seeds fossilised", [number(key("seeds_fossilised"), "count"), " of ",
                                    number(key("seeds_stood"), "count"), " that stood"]],
              ["gain", [number(key("gain"), "fixed4"), " nats"]],
              ["gain per thousand parameters",
               number(key("gain_per_thousand_parameters"), "short3")],
              ["energy asked", number(key("asked"), "count")],
              ["granted", number(key("granted"), "count")],
              ["spent", number(key("spent"), "count")],
              ["refused", number(key("refused"), "count")],
              ["asked of the emergency pool", number(key("emergency_asked"), "count")],
              ["granted from it", number(key("emergency_granted"), "count")],
              ["calibration", number(key("calibration"), "fixed2")],
              ["realised / predicted", [number(key("realised_gain"), "fixed4"), " / ",
                                        number(key("predicted_gain"), "fixed4"), " nats, ",
                                        number(key("predictions"), "count"), " proposals"]],
            ]));
      })));
}

function promotionSection() {
  const regression = at("/promotion/regression");
  const sunsets = list("/promotion/sunsets");
  const speed = at("/promotion/speed");
  const tile = (title, ...children) => make("article", {}, make("h3", {}, title), ...children);
  const big = (...children) => make("p", {class: "big"}, ...children);
  const band = number("/promotion/regression/band", "percent1");
  const first = !regression || !regression.windows
      ? [paragraph("No seed ever stood in the model's path, so there is nothing to count.")]
      : [
        big(number("/promotion/regression/grown", "count"), " against ",
            at("/promotion/regression/host") === null ? "no host arm"
                : number("/promotion/regression/host", "count")),
        paragraph("windows in which training loss stood more than ", band, " above the arm's best ",
                  "so far: grown against host alone, over the ",
                  number("/promotion/regression/windows", "count"),
                  " windows with a seed in the path. Largest rise: grown ",
                  number("/promotion/regression/grown_worst", "percent1"), ", host ",
                  number("/promotion/regression/host_worst", "percent1"), "."),
      ];
  const second = sunsets.length === 0
      ? [paragraph("No scaffold left between two checkpoints.")]
      : sunsets.flatMap((one, place) => {
        const key = (name) => `/promotion/sunsets/${place}/${name}`;
        return [
          big(number(key("change"), "signed4"), " nats"),
          paragraph(`${one.region}, ${text(one.blueprint)}, sunset in window `,
                    number(key("sunset"), "count"), ": gate loss ", number(key("loss_before"), "fixed4"),
                    " at checkpoint ", number(key("checkpoint_before"), "count"), " before, ",
                    number(key("loss_after"), "fixed4"), " at checkpoint ",
                    number(key("checkpoint_after"), "count"), " after. Of the ",
                    number(key("later"), "count"), " checkpoints since, ",
                    number(key("later_above"), "count"), " stood above the one before. The ",
                    "leaving itself changed the host's output by ",
                    number(key("output_change"), "short3"), " (relative)."),
        ];
      });
  const third = !speed
      ? [paragraph("Nothing was cut, or no latency was measured.")]
      : [
        big(number("/promotion/speed/batch_least", "times2"), " a batch, ",
            number("/promotion/speed/single_least", "times2"), " one sample"),
        paragraph("uncut over cut, by the least of interleaved passes (by medians ",
                  number("/promotion/speed/batch", "times2"), " and ",
                  number("/promotion/speed/single", "times2"), "). ",
                  "Surgeries kept: ", number("/promotion/speed/surgeries", "count"),
                  "; of them in a window without a crisis: ",
                  number("/promotion/speed/in_calm", "count"), "."),
      ];
  return section("promotion", "Three promotion numbers", make(
      "div", {class: "cards wide"},
      tile("Regressions while adapting", ...first), tile("After the scaffold's sunset", ...second),
      tile("Speed-up by compaction in calm", ...third)));
}

function identitySection() {
  const hash = (value) => make("code", {}, text(value, "none"));
  const seal = at("/seal");
  return section("identity", "Identity", facts([
    ["decisions", hash(at("/journal_hash"))],
    ["weights", hash(at("/weights_hash"))],
    ["journal file", hash(seal?.file_sha256)],
    ["journal head", hash(seal?.head_hash)],
    ["entries", number("/seal/entries", "count")],
  ]));
}
