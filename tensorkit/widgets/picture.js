// What is seen: the picture and the code beside it, painted for any step of a scene.
// The picture of step n is a fold over the steps, so any jump, forwards or back, is exact.

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The state at step n: roles, texts, and what is shown; the same fold as State in Python.
// What stays is kept from call to call, so that a step forwards reads one step and not all.
function folder(shownAtStart) {
  let run, at, kept;
  const mark = (roles, table) => { for (const [role, keys] of Object.entries(table ?? {})) for (const key of keys) roles.set(key, role); };
  return (steps, n) => {
    if (run !== steps || n < at) [run, at, kept] = [steps, -1, { roles: new Map(), texts: new Map(), shown: new Set(shownAtStart) }];
    while (at < n) {
      const step = steps[(at += 1)];
      mark(kept.roles, step.k);
      for (const [key, text] of Object.entries(step.t ?? {})) kept.texts.set(key, text);
      for (const key of step.h ?? []) kept.shown.add(key);
    }
    const roles = new Map(kept.roles), shown = new Set(kept.shown);
    mark(roles, steps[n].r);
    for (const key of steps[n].a ?? []) shown.add(key);
    return { roles, texts: kept.texts, shown };
  };
}

// The picture: finds its parts by key, and paints a state by changing only what differs.
function picture(box, data) {
  box.innerHTML = data.svg;
  const svg = box.firstElementChild;
  svg.setAttribute("role", "img");
  box.style.setProperty("--tk-width", `${svg.getAttribute("width")}px`);
  const parts = (name) => new Map([...svg.querySelectorAll(`[data-${name}]`)].map((e) => [e.dataset[name], e]));
  const cells = parts("k"), texts = parts("t"), lines = parts("a");
  const everyKey = new Set([...cells.keys(), ...texts.keys()]);
  const base = new Map([...everyKey].map((key) => [key, {
    role: (cells.get(key) ?? texts.get(key)).dataset.r ?? "",
    text: texts.get(key).textContent,
    size: texts.get(key).getAttribute("font-size"),
  }]));
  const shownAtStart = [...lines].filter(([, e]) => e.hasAttribute("data-on")).map(([key]) => key);

  function setRole(e, role) {
    if (e && (e.dataset.r ?? "") !== role) role ? (e.dataset.r = role) : delete e.dataset.r;
  }
  function setText(e, [text, size]) {
    if (e.textContent !== text) e.textContent = text;
    if (e.getAttribute("font-size") !== size) size === null ? e.removeAttribute("font-size") : e.setAttribute("font-size", size);
  }
  function paint(state) {
    for (const [key, first] of base) {
      const role = state.roles.get(key) ?? first.role;
      setRole(cells.get(key), role);
      setRole(texts.get(key), role);
      const now = state.texts.get(key) ?? first.text;
      setText(texts.get(key), typeof now === "string" ? [now, first.size] : [now[0], String(now[1])]);
    }
    for (const [key, e] of lines) e.toggleAttribute("data-on", state.shown.has(key));
  }

  // Where the picture is wider than its place, it follows what a step marks: all of it if that fits,
  // else what comes out. Arrow keys step, so they could not scroll.
  function follow({ r: marked = {} }) {
    if (box.scrollWidth <= box.clientWidth) return;
    const place = box.getBoundingClientRect(), zoom = place.width / box.offsetWidth, room = 12 * zoom;
    const shift = (roles) => {
      const parts = roles.flatMap((role) => marked[role] ?? []).map((key) => cells.get(key)).filter(Boolean);
      if (!parts.length) return null;
      const sides = parts.map((e) => e.getBoundingClientRect());
      const left = Math.min(...sides.map((side) => side.left)) - place.left - room;
      const right = Math.max(...sides.map((side) => side.right)) - place.right + room;
      if (right - left > 0) return null;
      return left < 0 ? left : Math.max(0, right);
    };
    const by = shift(Object.keys(marked)) ?? shift(["wrong", "write", "grad"]) ?? 0;
    if (by) box.scrollLeft += by / zoom;
  }

  // Pointing at a cell lights the cells that feed it and the cells that it feeds.
  const near = new Map();
  const join = (a, b) => near.set(a, (near.get(a) ?? new Set()).add(b));
  for (const [output, inputs] of Object.entries(data.links ?? {})) for (const input of inputs) join(output, input), join(input, output);
  let lit = [];
  function light(key) {
    lit.forEach((e) => e.removeAttribute("data-lit"));
    const keys = near.has(key) ? [key, ...near.get(key)] : [];
    lit = keys.flatMap((one) => [cells.get(one), texts.get(one)]).filter(Boolean);
    lit.forEach((e) => e.setAttribute("data-lit", e.dataset.k === key ? "here" : ""));
    svg.toggleAttribute("data-lighting", lit.length > 0);
  }
  svg.addEventListener("pointerover", (event) => light(event.target.closest("[data-k]")?.dataset.k));
  svg.addEventListener("pointerleave", () => light());
  return { svg, cells, texts, paint, follow, stateAt: folder(shownAtStart) };
}

// The code beside the picture: one line is lit, and in it the part that just ran.
function listing(data) {
  if (!data.code) return { pane: null, light() {} };
  const { lines, first } = data.code;
  const rows = lines.map((text, i) => element("div", { class: "tk-line", "data-n": first + i }, text || " "));
  const code = element("div", { class: "tk-code", role: "group", "aria-label": "code", tabindex: "-1" }, ...rows);
  const longest = data.steps.reduce((most, step) => ((step.v ?? "").length > most.length ? step.v : most), "");
  const now = element("div", {}), room = element("div", { "aria-hidden": "true" }, longest);
  const variables = element("div", { class: "tk-variables" }, now, room);
  let lit = null;
  function light(step) {
    if (lit) {
      lit.textContent = lines[lit.dataset.n - first] || " ";
      lit.removeAttribute("data-now"), lit.removeAttribute("data-bad"), lit.removeAttribute("aria-current");
    }
    now.textContent = step.v ?? "";
    lit = step.l === undefined ? null : rows[step.l - first];
    if (!lit) return;
    lit.setAttribute("data-now", ""), lit.setAttribute("aria-current", "step");
    lit.toggleAttribute("data-bad", Boolean(step.b));
    const text = lit.textContent, pieces = [];
    let at = 0;
    for (const [start, end] of [...(step.m ?? [])].sort((a, b) => a[0] - b[0])) {
      if (end <= at) continue;
      const from = Math.max(start, at);
      pieces.push(text.slice(at, from), element("span", { class: "tk-mark" }, text.slice(from, end)));
      at = end;
    }
    lit.replaceChildren(...pieces, text.slice(at));
    const top = lit.offsetTop - code.clientHeight / 2;
    if (code.scrollHeight > code.clientHeight) code.scrollTop = top;
    const marks = lit.querySelectorAll(".tk-mark"), last = marks[marks.length - 1];
    if (!last || code.scrollWidth <= code.clientWidth) return;
    const right = last.offsetLeft + last.offsetWidth + 12 - code.clientWidth;
    code.scrollLeft = Math.max(0, Math.min(marks[0].offsetLeft - 12, right));
  }
  const pane = element("div", { class: "tk-source" }, code);
  if (longest) pane.append(variables);
  return { pane, light };
}
