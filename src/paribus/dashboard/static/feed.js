"use strict";
// What is known of the runs of a study: those of the store, and those of the live log as it grows.
const METRICS = [
  ["fit_loss", "fit loss"], ["fit_accuracy", "fit accuracy"],
  ["val_loss", "validation loss"], ["val_accuracy", "validation accuracy"],
];

// `changed` is called when there is something new, `planned` with the name of a study that a process computes now.
const followRuns = ({ changed, planned }) => {
  const MOST_EPOCHS = 1e6; // a log may hold anything
  const [SHARE, LONGEST] = [30, 30000]; // what takes a second is asked for once in thirty
  const feed = { study: null, levels: new Map(), workers: new Map(), problems: [], current: null, running: false, lastTime: 0 };
  let stored = new Map(); // arm -> seed -> run
  let token = null;
  let live = new Map(); // study -> { runs, planned, ended }
  let runs = new Map(); // run -> its entry, of whatever study

  const entryOf = (record) => {
    const of = live.get(feed.current);
    const key = JSON.stringify([record.arm, record.seed]);
    if (!of.runs.has(key)) {
      of.runs.set(key, { arm: String(record.arm), seed: String(record.seed), name: String(record.name), status: "running",
        fit_loss: [], fit_accuracy: [], val_loss: [], val_accuracy: [] });
    }
    const entry = of.runs.get(key);
    runs.set(record.run, entry);
    return entry;
  };
  const take = (record) => {
    if (typeof record.time === "number") feed.lastTime = record.time;
    if (record.event === "planned") {
      feed.current = String(record.study);
      const of = live.get(feed.current) ?? { runs: new Map() };
      live.set(feed.current, Object.assign(of, { planned: record, ended: Number(record.ended) || 0, first: null }));
      planned(feed.current);
      return;
    }
    if (feed.current === null) return;
    if (record.event === "started") {
      const entry = entryOf(record);
      entry.status = "running";
      METRICS.forEach(([metric]) => { entry[metric] = []; });
      entry.estimator = record.estimator === true;
      if (record.worker !== null) {
        feed.workers.forEach((busy) => busy.delete(entry));
        if (!feed.workers.has(record.worker)) feed.workers.set(record.worker, new Set());
        feed.workers.get(record.worker).add(entry);
      }
      if (record.attempt > 1) {
        feed.problems.push([entry.name, `attempt ${record.attempt}: its worker died${record.death ? `: ${record.death}` : ""}`]);
      }
    } else if (record.event === "epoch") {
      const entry = runs.get(record.run);
      if (!entry || !Number.isInteger(record.epoch) || record.epoch < 1 || record.epoch > MOST_EPOCHS) return;
      entry.epochs = record.epochs;
      for (const [metric] of METRICS) entry[metric][record.epoch - 1] = Number.isFinite(record[metric]) ? record[metric] : null;
    } else if (record.event === "ended") {
      const entry = entryOf(record);
      entry.status = String(record.status);
      const of = live.get(feed.current);
      of.ended += 1;
      if (typeof record.time === "number") of.first ??= { time: record.time, ended: of.ended };
      feed.workers.forEach((busy) => busy.delete(entry));
      if (record.status !== "finished") feed.problems.push([entry.name, `${record.status}: ${record.reason ?? "no reason"}`]);
    } else if (record.event === "interrupted") {
      for (const name of record.stopped ?? []) {
        const entry = runs.get(name);
        if (entry) entry.status = "stopped";
        feed.workers.forEach((busy) => busy.delete(entry));
      }
      feed.problems.push(["The run", "was interrupted; runs that were stopped are computed again next time"]);
    }
  };

  // What the log says of the study that is looked at; undefined where it says nothing.
  feed.ofStudy = () => live.get(feed.study);
  // Seconds until all runs have ended, by the rate since the first end; null where too few have ended to say.
  feed.timeLeft = ({ planned: { missing }, ended, first }) => {
    const since = first === null ? 0 : ended - first.ended;
    const enough = since >= Math.max(2, 2 * feed.workers.size) && ended < missing;
    return enough ? ((feed.lastTime - first.time) / since) * (missing - ended) : null;
  };
  // Arms with their runs: what is stored counts, what only the log knows comes on top.
  feed.arms = () => {
    const all = new Map();
    const arm = (name) => all.get(name) ?? all.set(name, new Map()).get(name);
    for (const name of stored.keys()) arm(name); // the study's own order
    for (const entry of live.get(feed.study)?.runs.values() ?? []) arm(entry.arm).set(entry.seed, entry);
    for (const [name, of] of stored) {
      // A run that failed may be computed again now.
      of.forEach((run, seed) => { if (!feed.running || arm(name).get(seed)?.status !== "running") arm(name).set(seed, run); });
    }
    return all;
  };
  // The runs of the store, in no particular order.
  feed.stored = () => [...stored].flatMap(([arm, of]) => [...of.values()].map((run) => ({ arm, run })));
  feed.select = (study) => {
    Object.assign(feed, { study, levels: new Map() });
    elements.carry(study);
    stored = new Map();
    token = null; // what is under way is of another question
    return fetchRuns();
  };

  let pause = 3000;
  let [asking, again] = [false, false];
  const fetchRuns = async () => {
    const { study } = feed;
    if (study === null) return;
    if (asking) { again = true; return; }
    asking = true;
    const asked = token;
    const began = performance.now();
    try {
      const response = await fetch(`/curves?${new URLSearchParams({ study, since: asked ?? "" })}`);
      const fresh = response.ok ? await response.json() : null;
      pause = Math.min(LONGEST, Math.max(3000, SHARE * (performance.now() - began)));
      if (study !== feed.study || asked !== token) return; // another study was selected meanwhile, perhaps this one again
      if (fresh === null) {
        if (response.status !== 404) { setTimeout(fetchRuns, pause); return; }
        [stored, token] = [new Map(), ""]; // not in the store yet, or no longer
        changed();
        return;
      }
      if (fresh.whole) stored = new Map();
      token = fresh.token;
      feed.levels = new Map(fresh.arms.map((arm) => [arm.name, arm.levels]));
      for (const arm of fresh.arms) {
        if (!stored.has(arm.name)) stored.set(arm.name, new Map());
        for (const run of arm.runs) stored.get(arm.name).set(String(run.seed), run);
      }
      changed();
    } catch {
      // The server is gone; the stream says so.
    } finally {
      asking = false;
      if (again) { again = false; fetchRuns(); }
    }
  };

  let due = null;
  addEventListener("DOMContentLoaded", () => {
    const events = window.paribusEvents;
    events.addEventListener("begin", () => {
      live = new Map();
      runs = new Map();
      Object.assign(feed, { workers: new Map(), problems: [], current: null });
      fetchRuns(); // a log that begins anew leaves out what the store has
      changed();
    });
    events.addEventListener("log", (event) => {
      JSON.parse(event.data).forEach(take);
      changed();
    });
    events.addEventListener("store", (event) => {
      feed.running = JSON.parse(event.data).running;
      if (due === null) due = setTimeout(() => { due = null; fetchRuns(); }, stored.size ? pause : 0);
      changed();
    });
  });
  return feed;
};
