
"use strict";
// Everything is on the page without this script; it finds, opens and copies.
(() => {
  const form = document.getElementById("filter");
  const words = document.getElementById("words");
  const found = document.getElementById("found");
  const cases = [...document.querySelectorAll("details[data-kinds]")];
  const rows = [...document.querySelectorAll("tr[data-kinds]")];
  const groups = [...document.querySelectorAll("section.cases, .matrix tbody:not(.levels)")];

  const chosen = (name) => [...form.querySelectorAll(`[name="${name}"]:checked`)].map((box) => box.value);

  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const states = chosen("state");
    const levels = chosen("level");
    const differs = chosen("differs").length > 0;
    const stays = ({ dataset }) =>
      wanted.every((word) => dataset.words.includes(word)) &&
      (states.length === 0 || dataset.kinds.split(" ").some((kind) => states.includes(kind))) &&
      (levels.length === 0 || levels.includes(dataset.level)) &&
      (!differs || "differs" in dataset);
    for (const one of [...cases, ...rows]) one.hidden = !stays(one);
    for (const group of groups) group.hidden = !group.querySelector("[data-kinds]:not([hidden])");
    const left = cases.filter((one) => !one.hidden).length;
    found.textContent = left === cases.length ? `${left} cases` : `${left} of ${cases.length} cases`;
    document.getElementById("nothing").hidden = left > 0;
  }

  function openAll(open) {
    for (const one of cases) if (!one.hidden) one.open = open;
  }

  // A link to a case opens it, also when the filter hid it.
  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const one = target?.closest("details[data-kinds]");
    if (!one) return;
    if (one.hidden) {
      form.reset();
      filter();
    }
    one.open = true;
    target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  document.getElementById("open-all").addEventListener("click", () => openAll(true));
  document.getElementById("close-all").addEventListener("click", () => openAll(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && event.target.tagName !== "INPUT") {
      event.preventDefault();
      words.focus();
    }
  });
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll(".copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
        button.textContent = "Copied";
      });
    }
  }
  addEventListener("hashchange", follow);
  filter();
  follow();
})();
