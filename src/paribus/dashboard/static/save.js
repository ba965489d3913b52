"use strict";
// "Save this view": the page as it is now, as one file that needs neither dashboard nor network, and has no script.
addEventListener("DOMContentLoaded", () => {
  const { element } = elements; // of dashboard.js

  // What a control says, as text: the copy has no controls.
  const still = (control) => {
    if (control.tagName === "CANVAS") return element("img", { src: control.toDataURL(), alt: "What was drawn", id: control.id });
    if (control.tagName === "SELECT") return element("b", {}, control.selectedOptions[0]?.textContent ?? "");
    if (control.type === "hidden") return "";
    if (control.type === "checkbox") return element("span", {}, control.checked ? "✓" : "–");
    return element("b", {}, control.type === "file" ? "" : control.value);
  };
  const copyOf = (main) => {
    const copy = main.cloneNode(true);
    const [here, there] = [main, copy].map((root) => [...root.querySelectorAll("canvas, select, input")]);
    here.forEach((control, index) => there[index].replaceWith(still(control)));
    const arrows = { ascending: " ↑", descending: " ↓" };
    copy.querySelectorAll("th button").forEach((button) =>
      button.replaceWith(...button.childNodes, arrows[button.closest("th").getAttribute("aria-sort")] ?? ""));
    copy.querySelectorAll("label:has(> b:empty), .screen-only, .narrow").forEach((one) => one.remove());
    copy.querySelectorAll("button, noscript, script, [hidden]").forEach((one) => one.remove());
    // Links to other pages of the dashboard lead nowhere.
    copy.querySelectorAll('a[href^="/"]').forEach((link) => link.replaceWith(...link.childNodes));
    copy.querySelectorAll("[tabindex]").forEach((one) => one.removeAttribute("tabindex"));
    return copy;
  };
  const save = async () => {
    const sheet = await fetch("/static/dashboard.css");
    if (!sheet.ok) throw new Error(String(sheet.status));
    const style = await sheet.text();
    const when = new Date().toISOString().replace("T", " ").slice(0, 16);
    const from = element("p", {}, element("small", {}, `Saved from a dashboard of paribus, ${when} UTC: ${location.pathname}${location.search}`));
    const main = copyOf(document.getElementById("main"));
    main.append(from);
    const policy = { "http-equiv": "Content-Security-Policy", content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:" };
    const page = element("html", { lang: "en" },
      element("head", {}, element("meta", { charset: "utf-8" }), element("meta", policy),
        element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
        element("meta", { name: "color-scheme", content: "light dark" }),
        element("title", {}, document.title), element("style", {}, style)),
      element("body", {}, main));
    const address = URL.createObjectURL(new Blob([`<!doctype html>\n${page.outerHTML}\n`], { type: "text/html" }));
    const study = new URLSearchParams(location.search).get("study") ?? document.getElementById("study")?.value ?? "";
    const title = document.title.replace(/ - paribus$/, "");
    const name = [title, title === study ? "" : study].join(" ").trim().replace(/[^A-Za-z0-9._-]+/g, "-");
    element("a", { href: address, download: `${name || "view"}.html` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };

  const button = element("button", { type: "button", id: "save" }, "Save this view");
  button.addEventListener("click", () => {
    save().then(() => { button.textContent = "Save this view"; }, () => { button.textContent = "Not saved: the dashboard does not answer"; });
  });
  document.querySelector("nav")?.append(button);
});
