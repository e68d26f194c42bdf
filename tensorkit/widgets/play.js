// Games on a picture: the reader picks the next cell, or draws arrows, and is answered in words.
// "Show me" leads to the scene's own steps and back.

// All that a game may say, so that the caption keeps room for it.
function sentencesOf(game) {
  const said = [game.opening, game.done];
  for (const turn of game.turns ?? []) said.push(`${turn.s} ${game.done}`, ...Object.values(turn.refused ?? {}));
  for (const [, , why] of game.why ?? []) said.push(`${COUNTED(99, 99)} ${why}`);
  return said.map((s) => ({ s }));
}

const COUNTED = (right, all) => `${right} of ${all} arrows are right.`;

function play(game, parts) {
  const { view, foot, demonstrate } = parts;
  const rules = game.kind === "turns" ? turns(game, parts) : connect(game, parts);
  const tool = (label, act) => {
    const made = element("button", { type: "button", class: "tk-tool" }, label);
    made.addEventListener("click", act);
    return made;
  };
  const reset = tool("Start over", () => rules.open());
  const shows = tool("Show me", () => mode(playing));
  const tools = element("div", { class: "tk-tools" }, ...rules.tools.map(([label, act]) => tool(label, act)), reset, shows);
  let playing = true;
  function mode(showing) {
    playing = !showing;
    shows.textContent = showing ? "My turn" : "Show me";
    for (const one of tools.children) one.hidden = showing && one !== shows;
    if (playing) cells.forEach(([key, e]) => arm(key, e));
    // a picture of cells to press is no single image
    view.svg.setAttribute("role", playing ? "group" : "img");
    showing ? (rules.leave(), demonstrate()) : rules.open();
    if (showing) cells.forEach(([, e]) => disarm(e));
  }
  const cells = rules.keys.map((key) => [key, view.cells.get(key)]);
  function arm(key, e) {
    e.setAttribute("tabindex", "0");
    e.setAttribute("role", "button");
    e.setAttribute("data-pick", "");
    e.setAttribute("aria-label", rules.nameOf(key));
  }
  function disarm(e) {
    for (const name of ["tabindex", "role", "data-pick", "aria-label", "aria-disabled", "aria-pressed"]) e.removeAttribute(name);
  }
  const keyAt = (target) => {
    const key = target?.closest?.("[data-pick]")?.dataset.k;
    return key !== undefined && view.svg.contains(target) ? key : undefined;
  };
  view.svg.addEventListener("keydown", (event) => {
    const key = keyAt(event.target);
    if (key === undefined || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    rules.pick(key);
  });
  view.svg.addEventListener("pointerdown", (event) => {
    const key = keyAt(event.target);
    if (key === undefined || event.button > 0) return;
    // a finger that draws must not hold the event to the cell where it began
    event.target.releasePointerCapture?.(event.pointerId);
    rules.pick(key);
  });
  view.svg.addEventListener("pointerup", (event) => {
    const key = keyAt(event.target);
    if (key !== undefined) rules.drop?.(key);
  });
  foot.prepend(tools);
  mode(false);
}

// Turns: a pick that is allowed becomes a step; one that is too early is told why.
function turns(game, { view, caption, stepper }) {
  const byKey = new Map(game.turns.map((turn) => [turn.key, turn]));
  let steps = [], picked = [];
  const nameOf = (key) => byKey.get(key).name ?? view.texts.get(key).textContent;
  function pick(key) {
    const turn = byKey.get(key), before = picked.slice(0, stepper.step);
    if (before.includes(key)) return caption.say({ s: `${nameOf(key)} was picked already.`, b: 1 });
    const missing = (turn.needs ?? []).find((one) => !before.includes(one));
    if (missing !== undefined) return caption.say({ s: turn.refused[missing], b: 1 });
    picked = [...before, key];
    const arrived = [], complete = [];
    for (const [to, texts] of Object.entries(turn.arrivals ?? {})) {
      const many = picked.filter((one) => to in (byKey.get(one).arrivals ?? {})).length;
      arrived.push([to, texts[Math.min(many, texts.length) - 1]]);
      if (many >= texts.length) complete.push(to);
    }
    const known = [...(turn.k?.known ?? []), ...complete];
    const over = picked.length === game.turns.length;
    const step = { s: over ? `${turn.s} ${game.done}` : turn.s, t: { ...Object.fromEntries(arrived), ...turn.t }, k: { ...turn.k, known }, h: turn.h, r: { [turn.mark]: [key] } };
    steps = [...steps.slice(0, before.length + 1), step];
    stepper.load(steps, picked.length);
  }
  // what was picked already says so to a screen reader, at every step that one goes back to
  stepper.painted = () => {
    const before = picked.slice(0, stepper.step);
    for (const key of byKey.keys()) view.cells.get(key).setAttribute("aria-disabled", before.includes(key));
  };
  function open() {
    picked = [];
    steps = [{ s: game.opening }];
    stepper.load(steps, 0);
  }
  return { keys: game.turns.map((turn) => turn.key), nameOf, pick, open, leave: () => (picked = []), tools: [] };
}

// Connect: arrows from cell to cell, drawn and taken away until they are right.
function connect(game, { view, caption, stepper }) {
  const right = new Set(game.edges.map(([a, b]) => `${a}\n${b}`));
  const why = new Map(game.why.map(([a, b, said]) => [`${a}\n${b}`, said]));
  const drawn = new Map();
  const nameOf = (key) => game.names[key] || view.texts.get(key).textContent || key;
  let from, fresh = false;
  const tell = (s, bad = false) => caption.say({ s, b: bad ? 1 : 0 });
  function choose(key) {
    if (from !== undefined) view.cells.get(from).removeAttribute("aria-pressed");
    from = key;
    if (from !== undefined) view.cells.get(from).setAttribute("aria-pressed", "true");
  }
  function toggle(to) {
    const a = from, edge = `${a}\n${to}`, old = drawn.get(edge);
    choose();
    old?.remove();
    if (!drawn.delete(edge)) drawn.set(edge, view.svg.appendChild(line(view.cells.get(a), view.cells.get(to))));
    for (const arrow of drawn.values()) look(arrow, "read");
    tell(`${old ? "Taken away" : "Drawn"}: ${nameOf(a)} → ${nameOf(to)}. ${drawn.size} ${drawn.size === 1 ? "arrow" : "arrows"} so far.`);
  }
  function pick(key) {
    fresh = false;
    if (from !== undefined && key !== from && game.targets.includes(key)) return toggle(key);
    if (!game.sources.includes(key)) return tell(`Begin at a cell that an arrow can leave: ${game.sources.slice(0, 3).map(nameOf).join(", ")}${game.sources.length > 3 ? " …" : "."}`, true);
    if (from === key) return choose(), tell("No arrow begun.");
    choose(key);
    fresh = true;
    tell(`From ${nameOf(key)} to where?`);
  }
  function drop(key) {
    if (fresh && from !== undefined && key !== from && game.targets.includes(key)) toggle(key);
  }
  function check() {
    const wrong = [...drawn.keys()].filter((edge) => !right.has(edge)), missing = [...right].filter((edge) => !drawn.has(edge));
    for (const [edge, arrow] of drawn) look(arrow, right.has(edge) ? "expected" : "wrong");
    if (!wrong.length && !missing.length) return tell(game.done);
    const edge = wrong[0] ?? missing[0], [a, b] = edge.split("\n");
    const plain = wrong.length ? `No arrow belongs between ${nameOf(a)} and ${nameOf(b)}.` : `An arrow at ${nameOf(b)} is missing.`;
    tell(`${COUNTED(drawn.size - wrong.length, right.size)} ${why.get(edge) ?? plain}`, true);
  }
  function leave() {
    choose();
    for (const arrow of drawn.values()) arrow.remove();
    drawn.clear();
  }
  function open() {
    leave();
    stepper.load([{ s: game.opening }], 0);
  }
  return { keys: [...new Set([...game.sources, ...game.targets])], nameOf, pick, drop, open, leave, tools: [["Check", check]] };
}

function look(arrow, role) {
  arrow.dataset.r = role;
  arrow.toggleAttribute("data-dash", role === "wrong");
}

// An arrow between two cells, from edge to edge along the line of their middles.
function line(start, end) {
  const [a, b] = [start, end].map((cell) => cell.getBBox());
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const [ax, ay] = middle(a), [bx, by] = middle(b), length = Math.hypot(bx - ax, by - ay) || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const out = (box) => Math.min(box.width / 2 / (Math.abs(ux) || 1e-9), box.height / 2 / (Math.abs(uy) || 1e-9)) + 2;
  const at = (d) => [ax + ux * d, ay + uy * d], tip = at(length - out(b)), neck = at(length - out(b) - 8), tail = at(out(a));
  const made = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const group = made("g"), head = made("path"), shaft = made("path");
  head.setAttribute("d", `M${tip}L${neck[0] - uy * 3.5} ${neck[1] + ux * 3.5}L${neck[0] + uy * 3.5} ${neck[1] - ux * 3.5}Z`);
  shaft.setAttribute("d", `M${tail}L${neck}`);
  group.append(head, shaft);
  group.setAttribute("class", "tk-drawn");
  group.setAttribute("data-a", "");
  group.setAttribute("data-on", "");
  return group;
}
