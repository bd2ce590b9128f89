// Puts the page together. With #selftest in its address it also writes down what it finds of
// itself, for the browser test.

fillHead();
const sections = [
  armsSection(), promotionSection(), courseSection(), mapSection(), energySection(), seedsSection(),
  proposalsSection(), scaffoldsSection(), compactionSection(), troubleSection(),
  scorecardsSection(), identitySection(),
];
document.getElementById("main").append(...sections);
document.getElementById("contents").append(make("ul", {}, sections.map((one) => make(
    "li", {}, make("a", {href: `#${one.id}`}, one.querySelector("h2").textContent)))));
watchWidth();

if (location.hash === "#selftest") {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.append(make("pre", {id: "selftest"}, JSON.stringify({
    sections: sections.map((one) => one.id),
    width: window.innerWidth,
    overflow: wide,
    unnamed: [...document.querySelectorAll("svg[role=img]")].filter((one) => !one.ariaLabelledByElements
        && !document.getElementById(one.getAttribute("aria-labelledby").split(" ")[0])).length,
  })));
}
