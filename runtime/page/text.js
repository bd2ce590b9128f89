"use strict";
// The report, and how its values become text. Every number shown names the place in report.json
// that it comes from (data-key, a JSON pointer) with the raw value beside it.

window.addEventListener("error", (event) => {
  const told = document.createElement("p");
  told.id = "script-error";
  told.setAttribute("role", "alert");
  told.textContent = `This page's script failed: ${event.message} (line ${event.lineno})`;
  document.body.prepend(told);
});

// Integers that a double can't hold stay text: a seed has up to twenty digits.
const jsonTokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const report = JSON.parse(document.getElementById("report").textContent.replace(
    jsonTokens,
    (token) => token[0] !== '"' && token.length > 15 && /^-?\d+$/.test(token) ? `"${token}"`
                                                                              : token));

/** The value at a JSON pointer; undefined where there is none. */
function at(pointer) {
  return pointer.split("/").slice(1).reduce(
      (value, key) => value === undefined || value === null ? undefined : value[key], report);
}

/** A list of the report; empty where it has none, as a report of an older version may. */
function list(pointer) {
  const value = at(pointer);
  return Array.isArray(value) ? value : [];
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

const minus = (text) => text.replace(/^-/, "\u2212");
const signed = (text) => text.startsWith("-") ? minus(text) : `+${text}`;

// The browser test knows these names, with their scale and digits (tests/runtime/page_numbers.hpp).
const formats = {
  count: (value) => minus(grouped(value.toFixed(0))),
  plain: (value) => String(value),
  fixed1: (value) => minus(value.toFixed(1)),
  fixed2: (value) => minus(value.toFixed(2)),
  fixed4: (value) => minus(value.toFixed(4)),
  signed4: (value) => signed(value.toFixed(4)),
  percent1: (value) => `${minus((100 * value).toFixed(1))} %`,
  percent2: (value) => `${minus((100 * value).toFixed(2))} %`,
  points2: (value) => `${signed((100 * value).toFixed(2))} points`,
  times2: (value) => `${value.toFixed(2)}\u00d7`,
  milliseconds3: (value) => `${(1000 * value).toFixed(3)} ms`,
  seconds1: (value) => `${value.toFixed(1)} s`,
  giga1: (value) => `${grouped((value / 1e9).toFixed(1))} G`,
  short3: (value) => minus(value === 0 ? "0" : value.toPrecision(3)),
};

/** Makes an element. Children are nodes or text; attributes that are null are left out. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {}))
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function absent(why = "none") {
  return make("span", {class: "absent"}, make("span", {"aria-hidden": "true"}, "\u2013"),
              make("span", {class: "hidden"}, why));
}

/** A number of the report as people read it. */
function number(pointer, format) {
  const value = at(pointer);
  if (value === undefined || value === null) return absent();
  const text = typeof value === "number" ? formats[format](value) : String(value);
  return make("span", {
    "class": "number",
    "data-key": pointer,
    "data-value": String(value),
    "data-format": typeof value === "number" ? format : "plain",
  }, text);
}

/** A window's number; 0 says that it never came to that. */
function windowNumber(pointer) {
  return at(pointer) ? number(pointer, "count") : absent("never");
}

/** A text of the report, or what stands for an empty one. */
function text(value, otherwise = null) {
  if (value === undefined || value === null || value === "")
    return otherwise === null ? absent() : otherwise;
  return String(value).replaceAll("_", " ");
}

function paragraph(...children) {
  return make("p", {}, ...children);
}

/**
 * A table with a caption. Columns are texts; a row is a list of cells, the first its head. On a
 * narrow window each row becomes a block of its own: the roles keep it a table to a screen reader.
 */
function table(caption, columns, rows) {
  const head = make("tr", {role: "row"}, columns.map(
      (column) => make("th", {scope: "col", role: "columnheader"}, column)));
  const body = rows.map((row) => make("tr", {role: "row"}, row.map((cell, place) => {
    const numeric = cell instanceof Element &&
        (cell.classList.contains("number") || cell.classList.contains("absent"));
    const attributes = {
      "class": numeric ? "numeric" : null,
      "data-label": columns[place],
      "role": place === 0 ? "rowheader" : "cell",
      "scope": place === 0 ? "row" : null,
    };
    return make(place === 0 ? "th" : "td", attributes, make("span", {class: "value"}, cell));
  })));
  // A column's head stands as its cells do.
  for (let place = 0; place < columns.length; ++place)
    if (body.length > 0 && body.every((row) => row.children[place]?.className === "numeric"))
      head.children[place].className = "numeric";
  return make("div", {class: "scroll", role: "region", tabindex: "0", "aria-label": caption},
              make("table", {role: "table"}, make("caption", {}, caption),
                   make("thead", {role: "rowgroup"}, head),
                   make("tbody", {role: "rowgroup"}, body)));
}

function details(summary, ...children) {
  return make("details", {}, make("summary", {}, summary), ...children);
}

/** Terms with their values, as a list. */
function facts(pairs) {
  return make("dl", {}, pairs.map(
      ([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))));
}

function section(id, title, ...children) {
  return make("section", {id, "aria-labelledby": `${id}-title`},
              make("h2", {id: `${id}-title`}, title), ...children);
}
