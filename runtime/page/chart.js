// Charts as SVG: drawn as wide as they stand, so that their text keeps its size, and drawn anew
// when that changes. What a chart shows stands as a table beside it.

const space = "http://www.w3.org/2000/svg";

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes ?? {}))
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

let charts = 0;

/**
 * A figure around a drawing. `paint(room)` returns {width, height, parts}, the width where it needs
 * more than the room; `description` says in words what the drawing shows.
 */
function chart(title, description, legend, paint) {
  const id = `chart-${++charts}`;
  const place = make("div", {"class": "chart", "role": "group", "aria-label": title});
  let drawn = 0;
  const redraw = () => {
    const room = Math.max(280, Math.floor(place.clientWidth));
    if (room === drawn) return;
    drawn = room;
    const {width = room, height, parts} = paint(room);
    if (width > room) place.setAttribute("tabindex", "0");
    else place.removeAttribute("tabindex");
    place.replaceChildren(draw("svg", {
      "role": "img",
      "aria-labelledby": `${id}-title ${id}-text`,
      width,
      height,
      "viewBox": `0 0 ${width} ${height}`,
    }, draw("title", {id: `${id}-title`}, title), draw("desc", {id: `${id}-text`}, description),
                               parts));
  };
  redraws.push(redraw);
  return make("figure", {}, make("figcaption", {}, title), legend, place);
}

const redraws = [];

function watchWidth() {
  const all = () => redraws.forEach((redraw) => redraw());
  all();
  new ResizeObserver(all).observe(document.getElementById("main"));
}

/** Marks with their meaning; each mark is a small drawing. */
function legend(entries) {
  return make("ul", {class: "legend"}, entries.map(([mark, meaning]) => make(
      "li", {}, wrap(draw("svg", {width: 26, height: 12, "aria-hidden": "true"}, mark)), meaning)));
}

function wrap(drawing) {
  const holder = make("span", {class: "mark"});
  holder.append(drawing);
  return holder;
}

function line(x1, y1, x2, y2, style) {
  return draw("line", {x1, y1, x2, y2, "class": style});
}

function rectangle(x, y, width, height, style, title) {
  const parts = title ? [draw("title", {}, title)] : [];
  return draw("rect", {
    x,
    y,
    width: Math.max(0, width),
    height: Math.max(0, height),
    "class": style,
  }, parts);
}

function label(x, y, words, anchor = "start", style = "label") {
  return draw("text", {x, y, "text-anchor": anchor, "class": style, "aria-hidden": "true"}, words);
}

function path(points, style, attributes = {}) {
  const steps = points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
  return draw("path", {d: steps.join(""), "class": style, ...attributes});
}

function linear(from, to, low, high) {
  const span = to - from || 1;
  return (value) => low + (value - from) / span * (high - low);
}

/** Round numbers between two, at most `most` of them, and at least one. */
function ticks(from, to, most) {
  const rough = Math.max(to - from, 1e-9) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(from / step - 1e-9) * step; value <= to + step * 1e-9; value += step)
    found.push(Number(value.toPrecision(12)));
  return found;
}

/** 1, 2 and 5 times the powers of ten within a span; of a short span its round numbers. */
function logTicks(from, to) {
  const found = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); ++power)
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= from && value <= to) found.push(Number(value.toPrecision(6)));
    }
  if (found.length >= 3 && found.length <= 8) return found;
  if (found.length < 3) return ticks(from, to, 4);
  return found.filter((value) => /^[0.]*1/.test(String(value)));
}

/** Horizontal lines with their numbers to the left. */
function grid(values, scale, left, right, write) {
  return values.flatMap((value) => [
    line(left, scale(value), right, scale(value), "grid"),
    label(left - 8, scale(value) + 4, write(value), "end"),
  ]);
}

const finite = (value) => typeof value === "number" && Number.isFinite(value);
