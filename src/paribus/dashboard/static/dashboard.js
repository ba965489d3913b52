"use strict";
// Every page: one stream of events; pages without curves are fetched again when the store has changed.
// The stream begins when all scripts of the page have run: what it says first is said once, and to all of them.
addEventListener("DOMContentLoaded", () => {
  const events = new EventSource("/events");
  window.paribusEvents = events;
  const connection = document.getElementById("connection");
  events.addEventListener("error", () => { connection.textContent = "not connected"; });
  events.addEventListener("open", () => { connection.textContent = ""; });
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
