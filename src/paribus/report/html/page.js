"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });

  // A link to a folded part unfolds it.
  const unfold = () => {
    const part = location.hash && document.getElementById(location.hash.slice(1));
    const details = part && part.querySelector(":scope > details");
    if (details) details.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((part) => { part.open = false; }));

  // Learning curves: the values of an epoch, under the pointer or by the arrow keys.
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const percent = (value) => (value == null ? "\u2013" : `${value.toFixed(2)} %`);
  const valuesAt = (arm, epoch) => Object.values(arm.lines).map(([mean, low, high]) => {
    const range = low[epoch - 1] === high[epoch - 1] ? "" : ` (${percent(low[epoch - 1])} to ${percent(high[epoch - 1])})`;
    return { mean: percent(mean[epoch - 1]), range };
  });
  const fill = (tip, arms, epoch) => {
    tip.replaceChildren();
    const table = element("table", "", tip);
    const head = element("tr", "", element("thead", "", table));
    element("th", `epoch ${epoch}`, head);
    Object.keys(arms[0].lines).forEach((line) => element("th", line, head));
    element("th", "test, end", head);
    const body = element("tbody", "", table);
    arms.forEach((arm) => {
      const row = element("tr", "", body);
      const name = element("th", "", row);
      const glyph = element("i", arm.glyph, name);
      glyph.style.color = `var(--${arm.colour})`;
      name.append(arm.arm);
      Object.keys(arms[0].lines).forEach((line, index) => {
        const value = valuesAt(arm, epoch)[index];
        element("td", value ? value.mean : "\u2013", row);
      });
      element("td", percent(arm.test), row);
    });
  };
  const describe = (arms, epoch) => `epoch ${epoch}: ${arms.map((arm) => `${arm.arm} ${Object.keys(arm.lines)
    .map((line, index) => `${line} ${valuesAt(arm, epoch)[index].mean}${valuesAt(arm, epoch)[index].range}`)
    .join(", ")}`).join("; ")}`;
  document.querySelectorAll("figure[data-curves]").forEach((figure) => {
    const arms = JSON.parse(figure.dataset.curves);
    const epochs = Number(figure.dataset.epochs);
    const last = Number(figure.dataset.longest);
    figure.querySelectorAll(".plot").forEach((plot) => {
      const [left, right] = [Number(plot.dataset.left), Number(plot.dataset.right)];
      const guide = element("div", "", plot);
      const tip = element("div", "", plot);
      guide.className = "guide";
      tip.className = "tip";
      // Many rows would cover the curves.
      if (arms.length > 6) tip.classList.add("below");
      const hide = () => { guide.hidden = true; tip.hidden = true; };
      let epoch = last;
      const show = (at) => {
        epoch = Math.min(Math.max(at, 1), last);
        const share = epochs > 1 ? left + (right - left) * (epoch - 1) / (epochs - 1) : left;
        const box = plot.querySelector("svg").getBoundingClientRect();
        const x = share * box.width;
        fill(tip, arms, epoch);
        guide.hidden = tip.hidden = false;
        guide.style.left = `${x}px`;
        guide.style.height = `${box.height}px`;
        const width = tip.offsetWidth;
        const beside = x > plot.clientWidth / 2 ? x - width - 12 : x + 12;
        tip.style.left = `${Math.min(Math.max(beside, 0), plot.clientWidth - width)}px`;
        plot.setAttribute("aria-valuenow", epoch);
        plot.setAttribute("aria-valuetext", describe(arms, epoch));
      };
      hide();
      plot.tabIndex = 0;
      Object.entries({
        role: "slider", "aria-label": "Learning curves: the values of an epoch", "aria-valuemin": 1,
        "aria-valuemax": last, "aria-valuenow": last, "aria-valuetext": describe(arms, last),
      }).forEach(([name, value]) => plot.setAttribute(name, value));
      plot.addEventListener("pointermove", (event) => {
        const box = plot.querySelector("svg").getBoundingClientRect();
        const share = (event.clientX - box.left) / box.width;
        show(epochs > 1 ? 1 + Math.round((share - left) / (right - left) * (epochs - 1)) : 1);
      });
      plot.addEventListener("pointerleave", hide);
      plot.addEventListener("focus", () => show(epoch));
      plot.addEventListener("blur", hide);
      plot.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: epoch - 1, ArrowRight: epoch + 1, ArrowDown: epoch - 1, ArrowUp: epoch + 1, Home: 1, End: last };
        if (event.key === "Escape") hide();
        if (!(event.key in steps)) return;
        event.preventDefault();
        show(steps[event.key]);
      });
    });
  });
})();
