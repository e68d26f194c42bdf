// The calibration curve: how sure the reader was against how often right, from the answers kept here.

kinds.calibration = function (root, data) {
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes, text) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text) made.textContent = text;
    return made;
  };
  const [left, top, wide, high] = [64, 14, 400, 240];
  const x = (level) => left + (wide * (level - 1)) / 4, y = (share) => top + high * (1 - share);

  // A passed question was no answer, and a sentence is not graded.
  const committed = (said) => said && said.text !== null && said.sure >= 1;
  const answers = () => data.questions.map((q) => [q, data.given ? data.given[q.key] : store.get(q.key)]).filter(([, said]) => committed(said));
  function levels(all) {
    return [1, 2, 3, 4, 5].map((sure) => {
      const here = all.filter(([, said]) => said.sure === sure);
      return { sure, n: here.length, right: here.filter(([, said]) => said.right).length };
    }).filter((one) => one.n);
  }
  const told = (one) => `${SURE[one.sure - 1]}: ${one.right} of ${one.n} right`;

  function curve(points) {
    const svg = draw("svg", { viewBox: `0 0 ${wide + 2 * left} ${high + top + 58}`, class: "tkq-curve", role: "img", "aria-label": `Calibration curve. ${points.map(told).join("; ")}.` });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      svg.append(draw("line", { x1: left - 14, x2: left + wide + 14, y1: y(share), y2: y(share), class: "tkq-rule" }));
      svg.append(draw("text", { x: left - 22, y: y(share) + 4, "text-anchor": "end" }, `${share * 100} %`));
    }
    SURE.forEach((label, k) => svg.append(draw("text", { x: x(k + 1), y: top + high + 24, "text-anchor": "middle" }, label)));
    svg.append(draw("text", { x: left + wide / 2, y: top + high + 48, "text-anchor": "middle" }, "how sure"));
    svg.append(draw("polyline", { points: data.claims.map((claim, k) => `${x(k + 1)},${y(claim / 100)}`).join(" "), class: "tkq-claim" }));
    svg.append(draw("polyline", { points: points.map((p) => `${x(p.sure)},${y(p.right / p.n)}`).join(" "), class: "tkq-line" }));
    for (const p of points) {
      const at = [x(p.sure), y(p.right / p.n)], low = p.right / p.n < 0.2;
      svg.append(draw("circle", { cx: at[0], cy: at[1], r: 4 + 2 * Math.sqrt(p.n), class: "tkq-point" }));
      svg.append(draw("text", { x: at[0], y: at[1] + (low ? -14 : 28), "text-anchor": "middle", class: "tkq-share" }, `${p.right} of ${p.n}`));
    }
    return svg;
  }

  function summary(all, points) {
    const right = points.reduce((sum, p) => sum + p.right, 0) / all.length;
    const claim = points.reduce((sum, p) => sum + p.n * data.claims[p.sure - 1], 0) / all.length / 100;
    const percent = (share) => `${Math.round(100 * share)} %`;
    const gap = claim - right;
    const verdict = Math.abs(gap) < 0.1 ? "You know quite well what you know." : gap > 0 ? "You were surer than right: look at the list below." : "You were right more often than you thought.";
    return `${all.length} answer${all.length > 1 ? "s" : ""}. You claimed ${percent(claim)} and had ${percent(right)} right. ${verdict}`;
  }

  // Ideas where the reader was sure and not right, those missed most often first.
  function missed(all) {
    const ideas = new Map();
    for (const [q, said] of all) if (!said.right && said.sure >= 4) ideas.set(q.idea, [...(ideas.get(q.idea) ?? []), [q, said]]);
    return [...ideas].sort((a, b) => b[1].length - a[1].length).map(([idea, asked]) => {
      const made = element("li", {}, element("b", {}, idea));
      for (const [q, said] of asked) {
        const was = element("div", {}, withHtml(element("span", {}), q.stem), ` You said “${said.text.trim()}”, ${said.sure} of 5 sure. It is: `, withHtml(element("b", {}), q.answer));
        made.append(was);
      }
      return made;
    });
  }

  const button = (label, act) => {
    const made = element("button", { type: "button", class: "tkq-quiet" }, label);
    made.addEventListener("click", act);
    return made;
  };
  function save() {
    const kept = Object.fromEntries(answers().map(([q, said]) => [q.key, said]));
    const blob = new Blob([JSON.stringify({ tensorkit: kept }, null, 1)], { type: "application/json" });
    const link = element("a", { href: URL.createObjectURL(blob), download: "tensorkit-answers.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
  const picker = element("input", { type: "file", accept: "application/json,.json", "aria-label": "Saved answers", hidden: "" });
  picker.addEventListener("change", async () => {
    try {
      const kept = JSON.parse(await picker.files[0].text()).tensorkit;
      const known = data.questions.filter((q) => committed(kept[q.key]));
      known.forEach((q) => store.set(q.key, kept[q.key]));
      show(`${known.length} answers loaded.`);
    } catch {
      show("That file holds no saved answers: save them from a curve first.");
    }
    picker.value = "";
  });
  function forget() {
    data.questions.forEach((q) => store.set(q.key, null));
    show("Forgotten. Run the lesson's cells again, or reload the page, to start afresh.");
  }

  function show(message) {
    const all = answers(), points = levels(all), sure = missed(all);
    const said = all.length ? summary(all, points) : "No question is answered in this page yet: commit to an answer, and how sure you are, and look again.";
    const tools = data.given ? [] : [button("Load a file", () => picker.click()), picker];
    if (all.length) tools.unshift(button("Save as a file", save));
    if (all.length && !data.given) tools.push(button("Forget all answers", forget));
    root.replaceChildren(
      element("p", { role: "status" }, message ? `${message} ${said}` : said),
      ...(all.length ? [curve(points), element("p", { class: "tkq-tally" }, "Dashed: as often right as claimed, from a guess among four to certain. Larger points hold more answers.")] : []),
      ...(sure.length ? [element("p", {}, element("b", {}, "You were sure, and it was otherwise. These ideas are worth the most:")), element("ul", {}, ...sure)] : []),
      element("div", { class: "tkq-buttons" }, ...tools),
    );
  }
  document.addEventListener(TOLD, () => show()); // also while a notebook keeps this part off its page
  show();
};
