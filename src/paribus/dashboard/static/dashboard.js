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
  return { byId, element, draw };
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
    const sought = (document.getElementById("filter")?.value ?? "").trim().toLowerCase();
    for (const row of body.rows) row.hidden = sought !== "" && !word(row).includes(sought);
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
      if (!fresh) here.replaceChildren(...page.getElementById("main").childNodes); // why there is no answer
      else if (!waits(page)) here.replaceChildren(...fresh.childNodes);
    } catch {
      // The server is gone; the stream says so.
    }
    if (waits(document)) setTimeout(askAgain, 500);
  };
  if (waits(document)) setTimeout(askAgain, 500);

  if (document.getElementById("charts") || document.getElementById("rows") || document.getElementById("answers")) return;

  let version = null;
  let waiting = false;
  let last = null;
  let pause = 1000;
  const refresh = async () => {
    waiting = false;
    const began = performance.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const text = await response.text();
      pause = Math.min(30000, Math.max(1000, 30 * (performance.now() - began))); // what takes a second is asked for once in thirty
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.getElementById("main");
      const main = document.getElementById("main");
      if (waits(page)) { // the answer that is on the page stays until there is another
        waiting = true;
        setTimeout(refresh, 1000);
        return;
      }
      if (!fresh || fresh.innerHTML === last) return;
      last = fresh.innerHTML;
      const focused = main.contains(document.activeElement) && document.activeElement.tagName === "A" ? document.activeElement.getAttribute("href") : null;
      // A table alone, so that whoever writes into its filter can go on.
      const [before, after] = [main, fresh].map((one) => one.querySelector(".sortable"));
      if (before && after) before.replaceWith(after);
      else main.replaceChildren(...fresh.childNodes);
      prepareTable();
      if (focused) [...main.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    } catch {
      // The server is gone; the stream says so.
    }
  };
  events.addEventListener("store", (event) => {
    const now = JSON.parse(event.data).version;
    if (version !== null && version !== now && !waiting) {
      waiting = true;
      setTimeout(refresh, pause);
    }
    version = now;
  });
});
