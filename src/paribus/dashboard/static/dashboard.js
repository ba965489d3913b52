"use strict";
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
  if (document.getElementById("charts")) return;

  let version = null;
  let waiting = false;
  const refresh = async () => {
    waiting = false;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("main");
      const main = document.getElementById("main");
      if (!fresh || fresh.innerHTML === main.innerHTML) return;
      const focused = main.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      main.replaceChildren(...fresh.childNodes);
      if (focused) [...main.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    } catch {
      // The server is gone; the stream says so.
    }
  };
  events.addEventListener("store", (event) => {
    const now = JSON.parse(event.data).version;
    if (version !== null && version !== now && !waiting) {
      waiting = true;
      setTimeout(refresh, 1000);
    }
    version = now;
  });
});
