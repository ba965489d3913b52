"use strict";
// The runs of a study as a table. All of them are sorted and filtered as values; elements are made of the first ones.
(() => {
  const SHOWN = 100;
  const { byId, element } = elements; // of dashboard.js
  const study = byId("study");
  const only = byId("only");

  // What the address says is what the page shows: a view can be sent to somebody.
  const query = new URLSearchParams(location.search);
  const view = { sort: query.get("sort") ?? "", down: query.get("down") === "1" };
  only.value = query.get("only") ?? "";
  const remember = () => {
    const now = new URLSearchParams({ study: study.value });
    if (only.value) now.set("only", only.value);
    if (view.sort) now.set("sort", view.sort);
    if (view.down) now.set("down", "1");
    history.replaceState(null, "", `/runs?${now}`);
  };

  const last = (values) => values[values.length - 1] ?? null;
  const plain = (value) => String(value);
  const short = (value) => (Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(1) : value.toFixed(4));
  const two = (number) => String(number).padStart(2, "0");
  const day = (seconds) => {
    const at = new Date(1000 * seconds);
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `
      + `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  };
  const column = (title, value, text = plain, isNumber = true) => ({ title, value, text, isNumber });
  const measures = METRICS.map(([metric, title]) => column(title, (run) => last(run[metric]), short));
  const columnsOf = (factors) => [
    column("arm", (run, arm) => arm, plain, false),
    ...factors.map((name) => column(name, (run, arm) => feed.levels.get(arm)?.[name] ?? null, plain, false)),
    column("seed", (run, arm, seed) => (/^\d+$/.test(seed) ? Number(seed) : seed)),
    column("status", (run) => (run.status === "running" && !feed.running ? "stopped" : run.status), plain, false),
    column("epochs", (run) => run.fit_loss.length || null),
    ...measures,
    column("seconds", (run) => run.seconds ?? null, (value) => value.toFixed(1)),
    column("ended", (run) => run.ended ?? null, day, false),
    column("reason", (run) => run.reason ?? null, plain, false),
  ];

  let columns = [];
  let rows = []; // { values, texts, words }
  let most = SHOWN;
  const gather = () => {
    const factors = [...new Set([...feed.levels.values()].flatMap(Object.keys))];
    const all = columnsOf(factors.filter((name) => name !== "arm"));
    const found = [];
    for (const [arm, seeds] of feed.arms()) {
      for (const [seed, run] of seeds) found.push(all.map(({ value }) => value(run, arm, seed)));
    }
    const used = all.map((_, index) => found.some((values) => values[index] !== null));
    columns = all.filter((_, index) => used[index]);
    rows = found.map((cells) => {
      const values = cells.filter((_, index) => used[index]);
      const texts = values.map((value, index) => (value === null ? "" : columns[index].text(value)));
      return { values, texts, words: texts.join(" ").toLowerCase() };
    });
  };

  const inWords = new Intl.Collator(undefined, { numeric: true }).compare;
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : inWords(a, b));
  const selected = () => {
    const words = only.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = rows.filter((row) => words.every((word) => row.words.includes(word)));
    const index = columns.findIndex(({ title }) => title === view.sort);
    if (index < 0) return found;
    const [missing, there] = [true, false].map((isMissing) => found.filter((row) => (row.values[index] === null) === isMissing));
    there.sort((a, b) => (view.down ? -1 : 1) * compare(a.values[index], b.values[index]));
    return [...there, ...missing]; // what has no value comes last, either way
  };

  const heading = ({ title, isNumber }) => {
    const button = element("button", { type: "button" }, title);
    button.addEventListener("click", () => {
      view.down = view.sort === title && !view.down;
      view.sort = title;
      remember();
      draw();
    });
    return element("th", { scope: "col", ...(isNumber ? { class: "n" } : {}) }, button);
  };
  const line = ({ texts }) => element("tr", {}, ...texts.map((text, index) => (index === 0
    ? element("th", { scope: "row" }, text)
    : element("td", { "data-label": columns[index].title, ...(columns[index].isNumber ? { class: "n" } : {}) }, element("span", {}, text)))));
  const head = element("tr");
  const body = element("tbody");
  byId("rows").append(element("table", { class: "blocks", "aria-labelledby": "count" }, element("thead", {}, head), body));
  let titles = "";
  const draw = () => {
    const found = selected();
    const shown = found.slice(0, most);
    const number = (count) => count.toLocaleString("en");
    const text = rows.length === 0 ? "No run of this study has begun."
      : `${number(found.length)} of ${number(rows.length)} runs${shown.length < found.length ? `, the first ${number(shown.length)} are shown` : ""}`;
    if (byId("count").textContent !== text) byId("count").textContent = text;
    byId("more").hidden = shown.length === found.length;
    byId("rows").hidden = rows.length === 0;
    const now = JSON.stringify(columns.map(({ title }) => title));
    if (now !== titles) {
      head.replaceChildren(...columns.map(heading));
      sort.replaceChildren(element("option", { value: "" }, ""), ...columns.flatMap(({ title }) =>
        ["", " descending"].map((down) => element("option", { value: `${title}${down}` }, `${title}${down}`))));
    }
    titles = now;
    sort.value = view.sort ? `${view.sort}${view.down ? " descending" : ""}` : "";
    columns.forEach(({ title }, index) => {
      if (title === view.sort) head.cells[index].setAttribute("aria-sort", view.down ? "descending" : "ascending");
      else head.cells[index].removeAttribute("aria-sort");
    });
    body.replaceChildren(...shown.map(line));
  };

  let asked = false;
  const changed = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      gather();
      draw();
    });
  };
  const planned = (label) => {
    if (![...study.options].some(({ value }) => value === label)) study.append(element("option", { value: label }, label));
    if (feed.study === null) {
      study.value = label;
      feed.select(label);
    }
  };
  const feed = followRuns({ changed, planned });
  const sort = byId("sort");

  if (query.has("study")) {
    planned(query.get("study")); // it may begin later
    study.value = query.get("study");
  }
  study.addEventListener("change", () => { most = SHOWN; remember(); feed.select(study.value); });
  only.addEventListener("input", () => { most = SHOWN; remember(); draw(); });
  sort.addEventListener("change", () => {
    view.down = sort.value.endsWith(" descending");
    view.sort = sort.value.replace(/ descending$/, "");
    remember();
    draw();
  });
  byId("more").addEventListener("click", () => { most += 1000; draw(); });
  feed.select(study.value || null);
})();
