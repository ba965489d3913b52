"use strict";
// Learning curves of a study, drawn from its feed. All names are set as text.
(() => {
  const COLOURS = 8;
  const MOST_SEED_LINES = 400;
  const MOST_SEEDS = 200;
  const { byId, element, draw } = elements; // of dashboard.js

  // What the address says is what the page shows: a view can be sent to somebody.
  const query = new URLSearchParams(location.search);
  const view = {
    study: query.get("study"),
    group: query.get("group") ?? "",
    smooth: Math.min(9, Math.max(0, Number(query.get("smooth")) || 0)),
    seeds: query.get("seeds") === "1",
    log: query.get("log") === "1",
    off: new Set(query.getAll("off")),
    offSeeds: new Set(query.getAll("offseed")),
  };
  const remember = () => {
    const now = new URLSearchParams();
    if (view.study !== null) now.set("study", view.study);
    if (view.group) now.set("group", view.group);
    if (view.smooth) now.set("smooth", view.smooth);
    if (view.seeds) now.set("seeds", "1");
    if (view.log) now.set("log", "1");
    view.off.forEach((name) => now.append("off", name));
    view.offSeeds.forEach((name) => now.append("offseed", name));
    history.replaceState(null, "", `/live?${now}`);
  };

  let colours = [];
  let epochShown = null;

  const offer = (label) => {
    const select = byId("study");
    if (![...select.options].some((option) => option.value === label)) select.append(element("option", { value: label }, label));
    if (!query.has("study") && view.study !== label) {
      view.study = label;
      select.value = label;
      view.off.clear();
      view.offSeeds.clear();
      remember();
      feed.select(label);
    }
  };
  const feed = followRuns({ changed: () => redraw(), planned: offer });

  const groupOf = (name) => (view.group ? feed.levels.get(name)?.[view.group] ?? name : name);
  // By the place of the arm in the study, so that everybody sees an arm in the same colour.
  const colourOf = (group) => Math.max(0, colours.indexOf(group)) % COLOURS;
  const smoothed = (values) => {
    if (!view.smooth) return values;
    let mean = null;
    return Array.from(values, (value) => {
      if (value === null || value === undefined) return null;
      mean = mean === null ? value : (view.smooth / 10) * mean + (1 - view.smooth / 10) * value;
      return mean;
    });
  };
  const groupsOf = (metric) => {
    const groups = new Map();
    for (const [name, seeds] of feed.arms()) {
      const group = groupOf(name);
      if (view.off.has(group)) continue;
      for (const [seed, run] of seeds) {
        if (view.offSeeds.has(seed) || !run[metric]?.length) continue;
        if (!groups.has(group)) groups.set(group, []);
        groups.get(group).push({ seed, values: smoothed(run[metric]) });
      }
    }
    return [...groups].map(([group, curves]) => {
      const length = curves.reduce((most, curve) => Math.max(most, curve.values.length), 0);
      const points = [];
      for (let epoch = 0; epoch < length; epoch += 1) {
        const values = curves.map((curve) => curve.values[epoch]).filter((value) => Number.isFinite(value));
        if (values.length) {
          points.push({ epoch: epoch + 1, n: values.length, mean: values.reduce((a, b) => a + b, 0) / values.length,
            low: values.reduce((a, b) => Math.min(a, b)), high: values.reduce((a, b) => Math.max(a, b)) });
        }
      }
      return { group, curves, points };
    });
  };

  const format = (value) => (Math.abs(value) >= 100 ? value.toFixed(1) : Math.abs(value) < 0.001 && value !== 0
    ? value.toExponential(1) : value.toFixed(4));
  const ticks = (low, high) => {
    const span = high - low || Math.abs(high) || 1;
    const step = 10 ** Math.floor(Math.log10(span / 3));
    const wide = [1, 2, 5, 10].map((n) => n * step).find((size) => span / size <= 5);
    const found = [];
    for (let at = Math.ceil(low / wide) * wide; at <= high + wide * 1e-6; at += wide) found.push(at);
    return found;
  };

  const logTicks = (low, high) => {
    const found = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
      for (const digit of [1, 2, 5]) found.push(power + Math.log10(digit));
    }
    const inside = found.filter((at) => at >= low - 1e-9 && at <= high + 1e-9);
    const whole = inside.filter((at) => Math.abs(at - Math.round(at)) < 1e-9);
    return inside.length < 2 ? ticks(low, high) : whole.length > 4 ? whole : inside;
  };

  const chart = (metric, title, groups) => {
    const [room, column, gap] = [byId("charts").clientWidth, 440, 32]; // of the style sheet's grid
    const width = Math.max(260, Math.min(720, room >= 2 * column + gap ? (room - gap) / 2 : room));
    const height = Math.round(Math.min(300, 120 + width * 0.28));
    const [left, right, top, bottom] = [56, 12, 10, 30];
    const log = view.log && metric.endsWith("loss");
    const onScale = (value) => (log ? Math.log10(Math.max(value, 1e-12)) : value);
    const all = groups.flatMap((one) => one.points);
    const last = all.reduce((most, point) => Math.max(most, point.epoch), 1);
    let low = all.reduce((least, point) => Math.min(least, onScale(point.low)), Infinity);
    let high = all.reduce((most, point) => Math.max(most, onScale(point.high)), -Infinity);
    if (high - low < 1e-9) { low -= 0.01; high += 0.01; }
    const x = (epoch) => left + (last > 1 ? (epoch - 1) / (last - 1) : 0.5) * (width - left - right);
    const y = (value) => top + (1 - (onScale(value) - low) / (high - low)) * (height - top - bottom);
    const label = `${title} by epoch; ${groups.map((one) => `${one.group}: ${format(one.points.at(-1).mean)}`).join(", ")}`;
    const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", tabindex: 0, "aria-label": label });
    for (const at of log ? logTicks(low, high) : ticks(low, high)) {
      const line = height - bottom - ((at - low) / (high - low)) * (height - top - bottom);
      picture.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: line, y2: line }));
      const value = log ? 10 ** at : at;
      picture.append(draw("text", { x: left - 6, y: line + 4, "text-anchor": "end" }, Number(value.toPrecision(3)).toString()));
    }
    const every = Math.max(1, Math.ceil(last / 10));
    for (let epoch = 1; epoch <= last; epoch += every) {
      picture.append(draw("text", { x: x(epoch), y: height - 10, "text-anchor": "middle" }, epoch));
    }
    const path = (points) => points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    let seedLines = 0;
    for (const { group, curves, points } of groups) {
      const series = `series-${colourOf(group)}`;
      const outline = [...points.map((p) => [p.epoch, p.high]), ...points.toReversed().map((p) => [p.epoch, p.low])];
      picture.append(draw("path", { class: `band ${series}`, d: `${path(outline)}Z` }));
      for (const curve of view.seeds ? curves : []) {
        if ((seedLines += 1) > MOST_SEED_LINES) break;
        const values = Array.from(curve.values, (value, i) => [i + 1, value]).filter((pair) => Number.isFinite(pair[1]));
        picture.append(draw("path", { class: `seed ${series}`, d: path(values) }));
      }
      picture.append(draw("path", { class: `mean ${series}`, d: path(points.map((p) => [p.epoch, p.mean])) }));
      if (points.length === 1) picture.append(draw("circle", { class: `dot ${series}`, cx: x(points[0].epoch), cy: y(points[0].mean), r: 3.5 }));
    }
    const readout = element("ul", { class: "readout" });
    const cursor = draw("line", { class: "cursor", y1: top, y2: height - bottom, x1: -9, x2: -9 });
    picture.append(cursor);
    const show = (epoch) => {
      const at = Math.min(last, Math.max(1, epoch));
      cursor.setAttribute("x1", x(at));
      cursor.setAttribute("x2", x(at));
      const items = groups.map(({ group, points }) => [group, points.find((point) => point.epoch === at)])
        .filter(([, point]) => point)
        .map(([group, point]) => element("li", {}, element("i", { class: `key series-${colourOf(group)}` }),
          `${group} ${format(point.mean)}`,
          element("small", {}, point.n > 1 ? ` ${format(point.low)} to ${format(point.high)}, ${point.n} seeds` : " 1 seed")));
      readout.replaceChildren(element("li", { class: "epoch" }, `epoch ${at}`), ...items);
    };
    const move = (epoch) => { epochShown = [metric, epoch]; show(epoch); };
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      const share = ((event.clientX - box.left) * (width / box.width) - left) / (width - left - right);
      move(Math.round(1 + share * (last - 1)));
    });
    picture.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      move(Math.min(last, Math.max(1, (epochShown?.[0] === metric ? epochShown[1] : last) + step)));
    });
    show(epochShown?.[0] === metric ? epochShown[1] : last);
    return element("figure", { "data-metric": metric }, element("h2", {}, title), picture, readout);
  };

  const checkbox = (label, isOn, change, key) => {
    const box = element("input", { type: "checkbox" });
    box.checked = isOn;
    box.addEventListener("change", () => { change(box.checked); remember(); redraw(); });
    return element("label", {}, box, key ? element("i", { class: `key series-${colourOf(key)}` }) : "", ` ${label}`);
  };
  const toggle = (set, name) => (on) => { if (on) set.delete(name); else set.add(name); };
  let toggles = "";
  const drawToggles = () => {
    const all = feed.arms();
    const groups = [...new Set([...all.keys()].map(groupOf))];
    colours = groups;
    const seeds = [...new Set([...all.values()].flatMap((of) => [...of.keys()]))].sort((a, b) => a - b || (a < b ? -1 : 1));
    const factors = [...new Set([...feed.levels.values()].flatMap(Object.keys))];
    const now = JSON.stringify([view.study, view.group, groups, seeds, factors]);
    if (now === toggles) return;
    toggles = now;
    const boxes = groups.map((name) => checkbox(name, !view.off.has(name), toggle(view.off, name), name));
    const summary = `Seeds (${seeds.length}${seeds.length > MOST_SEEDS ? `, the first ${MOST_SEEDS} are listed` : ""})`;
    const details = element("details", byId("arms").querySelector("details")?.open ? { open: "" } : {}, element("summary", {}, summary),
      element("div", { class: "seeds" }, ...seeds.slice(0, MOST_SEEDS).map((seed) => checkbox(seed, !view.offSeeds.has(seed), toggle(view.offSeeds, seed)))));
    byId("arms").replaceChildren(...boxes, details);
    const select = byId("group");
    select.replaceChildren(element("option", { value: "" }, "arm"), ...factors.map((name) => element("option", { value: name }, name)));
    if (!factors.includes(view.group)) view.group = "";
    select.value = view.group;
    select.disabled = !factors.length;
  };
  const duration = (seconds) => (seconds < 100 ? `${Math.round(seconds)} s` : seconds < 5400
    ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);
  const drawState = () => {
    const of = feed.ofStudy();
    let text = "Nothing of this study is computed now.";
    if (of && feed.running && feed.current === view.study) {
      const { missing } = of.planned;
      text = `Running: ${of.ended} of ${missing} runs have ended`;
      // From the first end on: what was before compiled, too.
      const left = feed.timeLeft(of);
      if (left !== null) text += `; about ${duration(left)} left`;
    } else if (feed.running && feed.current !== null && feed.current !== view.study) {
      text = `Nothing of this study is computed now; ${feed.current} is.`;
    }
    if (byId("state").textContent !== text) byId("state").textContent = text;
    const busy = feed.running ? [...feed.workers].sort(([a], [b]) => a - b) : [];
    const items = busy.map(([number, entries]) => element("li", {}, element("b", {}, `Worker ${number}`), ": ",
      entries.size ? [...entries].map((entry) => `${entry.name}, ${entry.estimator ? "fitting" : entry.fit_loss.length
        ? `epoch ${entry.fit_loss.length} of ${entry.epochs}` : "compiling, first epoch"}`).join("; ") : "idle"));
    byId("worker-list").replaceChildren(items.length ? element("ul", {}, ...items) : element("p", {}, "No worker is at work."));
    const bad = feed.stored().filter(({ run }) => run.status !== "finished")
      .map(({ arm, run }) => [`${arm} seed ${run.seed}`, `${run.status}: ${run.reason ?? "no reason is stored"}`]);
    const listed = new Map([...feed.problems, ...bad].map(([name, reason]) => [`${name} ${reason}`, [name, reason]]));
    byId("problem-list").replaceChildren(...(listed.size ? [...listed.values()].slice(-100).map(([name, reason]) =>
      element("li", {}, element("b", {}, name), ` ${reason}`)) : [element("li", {}, "None.")]));
  };

  let asked = false;
  const redraw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      drawToggles();
      drawState();
      const figures = METRICS.map(([metric, title]) => [metric, title, groupsOf(metric).filter((one) => one.points.length)])
        .filter(([, , groups]) => groups.length)
        .map(([metric, title, groups]) => chart(metric, title, groups));
      const focused = document.activeElement?.closest?.("figure")?.dataset.metric;
      byId("charts").replaceChildren(...(figures.length ? figures : [element("p", {}, feed.arms().size && [...feed.arms().keys()].every((name) => view.off.has(groupOf(name)))
        ? "All arms are switched off." : "No curves yet.")]));
      if (focused) document.querySelector(`figure[data-metric="${focused}"] svg`)?.focus({ preventScroll: true });
    });
  };

  const select = byId("study");
  if (view.study === null && select.options.length) view.study = select.options[0].value;
  select.value = view.study ?? "";
  byId("smooth").value = view.smooth;
  byId("seeds").checked = view.seeds;
  byId("log").checked = view.log;
  select.addEventListener("change", () => {
    view.study = select.value;
    query.set("study", view.study);
    view.off.clear();
    view.offSeeds.clear();
    remember();
    feed.select(view.study);
    redraw();
  });
  byId("group").addEventListener("change", () => { view.group = byId("group").value; view.off.clear(); remember(); redraw(); });
  byId("smooth").addEventListener("input", () => { view.smooth = Number(byId("smooth").value); remember(); redraw(); });
  byId("seeds").addEventListener("change", () => { view.seeds = byId("seeds").checked; remember(); redraw(); });
  byId("log").addEventListener("change", () => { view.log = byId("log").checked; remember(); redraw(); });
  addEventListener("resize", redraw);

  feed.select(view.study);
  redraw();
})();
