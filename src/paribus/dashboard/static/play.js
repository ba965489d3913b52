"use strict";
// The playground: what is drawn, or filled in, goes to the server; every arm's answer comes back. Names are set as text.
(() => {
  const INK = 20;
  const { byId, element, draw } = elements; // of dashboard.js
  if (!byId("answers")) return;
  const study = document.querySelector("select[name=study]").value;
  let complained = false; // a remark on the last question; it goes when one is answered
  const complain = (text) => { complained = true; say(text); };
  const say = (text) => { if (byId("status").textContent !== text) byId("status").textContent = text; };

  const ask = async (kind, body = "") => {
    const response = await fetch(`/ask?study=${encodeURIComponent(study)}&kind=${kind}`, { method: "POST", body });
    const answer = await response.json();
    if (answer.problem) throw new Error(answer.problem);
    return answer;
  };
  // One question at a time: what changes meanwhile is asked when the answer is there, and only the last of it.
  let busy = false;
  let next = null;
  let cleared = 0; // how often; an answer to what was drawn before is not shown
  const request = async (kind, make) => {
    if (busy) { next = [kind, make]; return; }
    busy = true;
    const [began, before] = [performance.now(), cleared];
    try {
      const answer = await ask(kind, await make());
      if (cleared === before) show(answer);
      byId("answers").dataset.milliseconds = String(Math.round(performance.now() - began));
    } catch (error) {
      if (cleared === before) complain(error.message);
    }
    busy = false;
    if (next) { const [kindOf, made] = next; next = null; request(kindOf, made); }
  };

  const percent = (value) => `${Math.round(100 * value)} %`;
  const bars = (arm, classes) => {
    const means = classes.map((_, k) => arm.probabilities.reduce((sum, of) => sum + of[k], 0) / arm.probabilities.length);
    const most = means.indexOf(Math.max(...means));
    // Of many classes the ten likeliest, in their order.
    const likeliest = classes.map((_, k) => k).sort((a, b) => means[b] - means[a]).slice(0, 10).sort((a, b) => a - b);
    const disagree = arm.seeds.map((seed, row) => [seed, arm.predicted[row]]).filter(([, answer]) => answer !== most);
    const byAnswer = new Map();
    for (const [seed, answer] of disagree) byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), seed]);
    const others = [...byAnswer].map(([answer, seeds]) => `${classes[answer]}: seed${seeds.length > 1 ? "s" : ""} ${seeds.join(", ")}`);
    const agree = arm.seeds.length === 1 ? "one seed" : disagree.length
      ? `${arm.seeds.length - disagree.length} of ${arm.seeds.length} seeds; others answer ${others.join("; ")}`
      : `all ${arm.seeds.length} seeds`;
    const wide = 34;
    const svg = draw("svg", { viewBox: `0 0 ${wide * likeliest.length} 104`, role: "img",
      "aria-label": likeliest.map((k) => `${classes[k]} ${percent(means[k])}`).join(", ") });
    likeliest.forEach((k, place) => {
      const values = arm.probabilities.map((of) => of[k]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const [x, y] = [place * wide, (value) => 82 - 76 * value];
      svg.append(draw("rect", { x: x + 7, y: y(means[k]), width: wide - 14, height: Math.max(1, 76 * means[k]), rx: 2, class: k === most ? "most" : "bar-of" }));
      svg.append(draw("path", { d: `M${x + wide / 2} ${y(low)}V${y(high)}`, class: "spread" }));
      const name = String(classes[k]);
      svg.append(draw("text", { x: x + wide / 2, y: 98, "text-anchor": "middle" }, name.length > 5 ? `${name.slice(0, 4)}…` : name));
    });
    return element("div", { class: "arm" }, element("h3", {}, arm.arm),
      element("p", {}, element("b", { class: "reply" }, String(classes[most])), ` ${percent(means[most])}, ${agree}`), svg);
  };
  const show = (answer) => {
    if (!answer.arms.length) complain("No network of this study can be asked.");
    else if (complained || byId("status").textContent === "Draw something.") { complained = false; say(""); }
    byId("answers").replaceChildren(...answer.arms.map((arm) => bars(arm, answer.classes)));
    leftOut(answer);
    if ("seen" in answer) {
      byId("seen").replaceChildren(...(answer.seen ? [element("img", { src: answer.seen, alt: "The picture after its conversion" })] : []));
      byId("prepared").replaceChildren(...answer.prepared.map((note) => element("li", {}, note)));
      byId("nearest").replaceChildren(...answer.nearest.map((one) => element("li", {},
        element("span", { class: "picture plain" }, element("img", { src: one.picture, alt: `Training example ${one.index}` })),
        element("span", {}, "is ", element("b", {}, one.label)))));
    }
  };
  const leftOut = (answer) => {
    const items = Object.entries(answer.problems).map(([arm, reason]) => element("p", {}, element("b", {}, arm), `: ${reason}`));
    if (answer.left_out) items.push(element("p", {}, `${answer.left_out} more networks do not fit in memory.`));
    byId("left-out").replaceChildren(...items);
  };

  const paper = byId("paper");
  const pen = paper.getContext("2d");
  const clear = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, paper.width, paper.height);
    byId("answers").replaceChildren();
    for (const id of ["seen", "prepared", "nearest"]) byId(id).replaceChildren();
    next = null;
    cleared += 1;
    say("Draw something.");
  };
  const line = (x1, y1, x2, y2) => {
    pen.lineWidth = INK;
    pen.lineCap = "round";
    pen.strokeStyle = "#000";
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
    pen.stroke();
    request("picture", () => new Promise((done) => paper.toBlob(done, "image/png")));
  };
  const startDrawing = () => {
    byId("drawing").hidden = false;
    clear();
    let [last, dot] = [null, false];
    const place = (event) => {
      const box = paper.getBoundingClientRect();
      return [(event.clientX - box.left) * paper.width / box.width, (event.clientY - box.top) * paper.height / box.height];
    };
    paper.addEventListener("pointerdown", (event) => {
      paper.setPointerCapture(event.pointerId);
      last = place(event);
      dot = true;
    });
    paper.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const moved of event.getCoalescedEvents?.() ?? [event]) {
        const now = place(moved);
        line(...last, ...now);
        [last, dot] = [now, false];
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      paper.addEventListener(name, () => {
        if (dot) line(...last, ...last); // a touch that did not move
        [last, dot] = [null, false];
      });
    }
    // The pen of the arrow keys, with a mark at its place.
    const mark = byId("pen");
    let [x, y, down] = [140, 60, false];
    paper.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
      if (!step && event.key !== " ") return;
      event.preventDefault();
      const before = [x, y];
      if (step) {
        x = Math.min(270, Math.max(10, x + step[0]));
        y = Math.min(270, Math.max(10, y + step[1]));
      } else down = !down;
      if (down) line(...before, x, y);
      say(`Pen ${down ? "down" : "up"} at ${x}, ${y} of 280`);
      Object.assign(mark, { hidden: false, className: down ? "down" : "" });
      mark.style.left = `${(100 * x) / paper.width}%`;
      mark.style.top = `${(100 * y) / paper.height}%`;
    });
    paper.addEventListener("blur", () => { mark.hidden = true; });
    byId("clear").addEventListener("click", () => { clear(); byId("file").value = ""; });
    byId("file").addEventListener("change", () => {
      const file = byId("file").files[0];
      if (file) request("picture", () => Promise.resolve(file));
    });
  };

  const startRow = (columns) => {
    const form = byId("row");
    form.hidden = false;
    form.className = "columns";
    const controls = columns.map((column) => {
      const control = column.words
        ? element("select", {}, ...column.words.map((word) => element("option", { value: word }, word)))
        : element("input", { type: "number", step: "any", value: String(column.start), required: "" });
      form.append(element("label", {}, element("span", {}, column.name), control));
      return control;
    });
    const send = () => {
      const values = controls.map((control, place) => (columns[place].words ? control.value : control.value === "" ? null : Number(control.value)));
      if (values.includes(null)) { say("Fill in every column."); return; }
      request("row", () => Promise.resolve(JSON.stringify(values)));
    };
    form.addEventListener("input", send);
    form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
    send();
  };

  ask("describe").then((answer) => {
    say("");
    leftOut(answer);
    if (answer.kind === "picture") startDrawing();
    else startRow(answer.columns);
  }).catch((error) => say(error.message));
})();
