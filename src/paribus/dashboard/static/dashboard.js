"use strict";
// Elements of the page, for all of its scripts.
const elements = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const draw = (name, attributes = {}, text = null) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    if (text !== null) made.textContent = text;
    return made;
  };
  // The study that is looked at goes along to the pages that have curves and runs of it.
  const carry = (study) => {
    for (const path of ["/live", "/runs"]) {
      const link = document.querySelector(`nav a[href^="${path}"]`);
      if (link && study) link.setAttribute("href", `${path}?${new URLSearchParams({ study })}`);
    }
  };
  return { byId, element, draw, carry };
})();

// Every page: one stream of events; pages without curves are fetched again when the store has changed.
// The stream begins when all scripts of the page have run: what it says first is said once, and to all of them. It is
// closed while nobody looks at the page (browsers have six connections for all pages of a server), and begins again.
window.paribusEvents = new EventTarget();
addEventListener("DOMContentLoaded", () => {
  const events = window.paribusEvents;
  const connection = document.getElementById("connection");
  let stream = null;
  const connect = () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
      return;
    }
    if (stream && stream.readyState !== EventSource.CLOSED) return;
    stream = new EventSource("/events");
    stream.addEventListener("error", () => { connection.textContent = "not connected"; });
    stream.addEventListener("open", () => { connection.textContent = ""; });
    for (const name of ["begin", "log", "store"]) {
      stream.addEventListener(name, (event) => events.dispatchEvent(new MessageEvent(name, { data: event.data })));
    }
  };
  document.addEventListener("visibilitychange", connect);
  // Also after an answer that is no stream, which a browser takes for the end.
  setInterval(() => {
    if (document.hidden) fetch("/open-still").catch(() => {});
    else connect();
  }, 20000);
  connect();

  // Tables that are sorted by their headings and filtered by a word. What was selected outlives a new copy of the page.
  const order = { column: -1, down: false };
  const word = (row) => row.textContent.toLowerCase();
  const value = (row) => {
    const cell = row.cells[order.column];
    return cell.querySelector("progress")?.position ?? cell.textContent.trim();
  };
  const arrange = () => {
    const table = document.querySelector(".sortable table");
    if (!table) return;
    const body = table.tBodies[0];
    const sought = (document.getElementById("filter")?.value ?? "").toLowerCase().split(/\s+/);
    for (const row of body.rows) row.hidden = !sought.every((one) => word(row).includes(one));
    if (order.column >= 0) {
      const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
      const rows = [...body.rows].map((row) => [value(row), row]).sort(([a], [b]) => compare(a, b));
      if (order.down) rows.reverse();
      body.append(...rows.map(([, row]) => row));
    }
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      if (column === order.column) cell.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  };
  const prepareTable = () => {
    const heads = document.querySelectorAll(".sortable thead th");
    heads.forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      button.addEventListener("click", () => {
        order.down = order.column === column && !order.down;
        order.column = column;
        arrange();
      });
      cell.replaceChildren(button);
    });
    arrange();
  };
  document.addEventListener("input", (event) => { if (event.target.id === "filter") arrange(); });
  elements.carry(new URLSearchParams(location.search).get("study") ?? document.querySelector("select[name=study]")?.value);
  const original = document.getElementById("main").innerHTML;
  prepareTable();

  // What is still computed is asked for again; it alone, so that the rest of the page stays as it is.
  const waits = (page) => page.querySelector("#later [data-again]") !== null;
  const askAgain = async () => {
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("later");
      const here = document.getElementById("later");
      if (!here) return;
      if (!fresh) here.textContent = page.querySelector("main p")?.textContent ?? `The dashboard answered with ${response.status}.`;
      else if (!waits(page)) here.replaceWith(fresh);
    } catch {
      // The server is gone; the stream says so.
    }
    if (waits(document)) setTimeout(askAgain, 500);
  };
  if (waits(document)) setTimeout(askAgain, 500);

  if (document.getElementById("charts") || document.getElementById("rows") || document.getElementById("answers")) return;

  // What the reader unfolded or selected outlives a new copy of the page.
  const named = (one) => `${one.closest("section")?.id} ${one.tagName === "SELECT" ? one.name : one.querySelector("summary")?.textContent}`;
  const stateOf = (main) => ({
    open: new Set([...main.querySelectorAll("details[open]")].map(named)),
    selected: new Map([...main.querySelectorAll("select")].map((one) => [named(one), one.value])),
  });
  const restore = (main, { open, selected }) => {
    main.querySelectorAll("details").forEach((one) => { one.open ||= open.has(named(one)); });
    main.querySelectorAll("select").forEach((one) => {
      const value = selected.get(named(one));
      if ([...one.options].some((option) => option.value === value)) one.value = value;
    });
  };

  let version = null;
  let waiting = false;
  let last = original;
  let pause = 1000;
  const again = (milliseconds) => {
    if (waiting) return;
    waiting = true;
    setTimeout(refresh, milliseconds);
  };
  const refresh = async () => {
    waiting = false;
    const began = performance.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (response.status === 404) document.getElementById("main").replaceChildren("This study is no longer in the store.");
      if (!response.ok) return;
      const text = await response.text();
      pause = Math.min(30000, Math.max(1000, 30 * (performance.now() - began))); // what takes a second is asked for once in thirty
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.getElementById("main");
      const main = document.getElementById("main");
      if (waits(page)) { // the answer that is on the page stays until there is another
        again(Math.max(1000, pause));
        return;
      }
      if (!fresh) return;
      if (fresh.querySelector("#later[data-stale]")) again(pause); // it was begun before the last change
      if (fresh.innerHTML === last) return;
      last = fresh.innerHTML;
      const focused = main.contains(document.activeElement) && document.activeElement.tagName === "A" ? document.activeElement.getAttribute("href") : null;
      // A table alone, so that whoever writes into its filter can go on.
      const [before, after] = [main, fresh].map((one) => one.querySelector(".sortable"));
      if (before && after) before.replaceWith(after);
      else {
        const kept = stateOf(main);
        main.replaceChildren(...fresh.childNodes);
        restore(main, kept);
      }
      prepareTable();
      if (focused) [...main.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    } catch {
      // The server is gone; the stream says so.
    }
  };
  if (document.querySelector("#later[data-stale]")) again(1000);
  events.addEventListener("store", (event) => {
    const now = JSON.parse(event.data).version;
    if (version !== null && version !== now) again(pause);
    version = now;
  });
});
