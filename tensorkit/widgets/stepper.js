// What the reader does: step, play, jump, in a page or as a widget.
// It runs without a kernel, a network or a build step; picture.js stands before it in one script.

const ICONS = {
  first: "M4 3v10M12 3.5 7 8l5 4.5",
  back: "M10 3 5 8l5 5",
  next: "m6 3 5 5-5 5",
  last: "M12 3v10M4 3.5 9 8l-5 4.5",
  play: "M5 3.2v9.6L12.5 8z",
  pause: "M5 3.5v9M11 3.5v9",
};
const WORDS = { read: "read", write: "written", grad: "gradient", expected: "expected", wrong: "wrong" };
// ms a step while playing
const PACE = 800;

function icon(name) {
  return `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
}

// The looks, once a page for each version of them.
function dress(root, css, version) {
  const home = root.getRootNode();
  const place = home instanceof ShadowRoot ? home : document.head;
  if (place.querySelector(`style[data-tk-css="${version}"]`)) return;
  place.append(element("style", { "data-tk-css": version }, css));
}

// Notebooks say which theme they are in; elsewhere the colour behind the picture tells.
function isDark(root) {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (/vscode-(dark|light|high)/.test(body.className)) return /vscode-(dark|high-contrast(?!-light))/.test(body.className);
  if (root.closest(".has-dark-background")) return true;
  for (let e = root.parentElement; e; e = e.parentElement) {
    // a question around it asks the same, maybe later
    if (e.classList.contains("tk")) continue;
    const [r, g, b, alpha = 1] = (getComputedStyle(e).backgroundColor.match(/^rgb.*/) || [""])[0].match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    if (alpha > 0.5) return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
  }
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  return scheme.includes("dark") && (!scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches);
}

function followTheme(root) {
  // a page keeps its observers, and must not keep a cleared output
  const weak = new WeakRef(root);
  const media = matchMedia("(prefers-color-scheme: dark)");
  const look = () => {
    const alive = weak.deref();
    if (alive) return alive.toggleAttribute("data-tk-dark", isDark(alive));
    watcher.disconnect();
    media.removeEventListener("change", look);
  };
  const watcher = new MutationObserver(look);
  for (const page of [document.documentElement, document.body]) watcher.observe(page, { attributes: true });
  media.addEventListener("change", look);
  look();
  // an output may be filled before it is put on its page, and is then asked once more
  if (!root.isConnected) requestAnimationFrame(look);
}

// The caption keeps the height of its longest text, so that the buttons stay where they are.
function captions(steps) {
  const now = element("div", { class: "tk-now", role: "status", "aria-live": "polite" });
  const longest = [...steps].sort((a, b) => b.s.length - a.s.length).slice(0, 3);
  const room = longest.map((step) => element("div", { "aria-hidden": "true" }, `✗ ${step.s}`));
  const pane = element("div", { class: "tk-say" }, now, ...room);
  const wrong = (step) => Boolean(step.b || step.r?.wrong);
  const say = (step) => {
    const cross = wrong(step) ? [element("span", { class: "tk-cross" }, "✗"), " "] : [];
    now.replaceChildren(...cross, step.s);
  };
  return { pane, say, quiet: (on) => now.setAttribute("aria-live", on ? "off" : "polite") };
}

// The marks that this scene uses, in words: colour alone would not tell everyone.
function legend(steps) {
  const used = Object.keys(WORDS).filter((role) => steps.some((step) => step.r?.[role]));
  const items = used.map((role) => element("span", { class: "tk-key", "data-r": role }, WORDS[role]));
  return element("div", { class: "tk-legend" }, ...items);
}

// JupyterLab reads this attribute before any listener in an output: its own shortcuts rest while
// the focus is here, but for those with a modifier (save, run) and Escape, which leads back out.
function keepShortcuts(root) {
  const guard = (event) => {
    const theirs = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" || (event.shiftKey && event.key === "Enter");
    root.toggleAttribute("data-lm-suppress-shortcuts", !theirs);
  };
  root.addEventListener("focusin", () => window.addEventListener("keydown", guard, true));
  root.addEventListener("focusout", () => window.removeEventListener("keydown", guard, true));
  root.toggleAttribute("data-lm-suppress-shortcuts", true);
}

// Keys: taken only while the focus is inside, and only those that do something here.
function keyboard(root, stepper) {
  const jumps = { ArrowRight: () => stepper.step + 1, ArrowLeft: () => stepper.step - 1, Home: () => 0, End: () => stepper.last };
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    // a deck that runs has one slide present; if that is another, it has moved on, and its keys with it
    const deck = root.closest(".reveal .slides:has(section.present)"), slide = deck && root.closest("section");
    if (slide && !slide.classList.contains("present")) return event.target.blur();
    const onButton = event.target.closest("button, [role=button]"), onSlider = event.target.matches("input");
    if (event.key in jumps) {
      const to = jumps[event.key]();
      // nothing is left here: the deck turns the page, if no slider has the focus
      if (slide && (to < 0 || to > stepper.last)) return root.focus();
      stepper.go(to);
      event.preventDefault();
    } else if (event.key === " " && !onButton) {
      stepper.play();
      event.preventDefault();
    } else if (!(onButton && " Enter".includes(event.key)) && !(onSlider && /^(Arrow|Page)/.test(event.key))) return;
    event.stopPropagation();
  });
  keepShortcuts(root);
}

// Shows a scene in an element. `told.changed` hears of steps, `told.painted` of every new picture.
function mount(root, data, told = {}) {
  const demonstration = data.steps.length ? data.steps : [{ s: "" }];
  const { title } = data, sentences = data.play ? sentencesOf(data.play) : [];
  // inside an explorer, looks and theme are those of the whole
  if (data.css) {
    dress(root, data.css, data.version);
    root.classList.add("tk");
    followTheme(root);
  }
  root.replaceChildren();
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-roledescription", "stepper");

  const button = (name, label, act) => {
    const made = element("button", { type: "button", title: label, "aria-label": label });
    made.innerHTML = icon(name);
    made.addEventListener("click", act);
    return made;
  };
  const drawn = element("div", { class: "tk-picture" });
  const view = picture(drawn, data), code = listing(data), caption = captions([...demonstration, ...sentences]);
  const first = button("first", "First step (Home)", () => stepper.go(0));
  const back = button("back", "Step back (left arrow)", () => stepper.go(stepper.step - 1));
  const playing = button("play", "Play (space)", () => stepper.play());
  const next = button("next", "Step on (right arrow)", () => stepper.go(stepper.step + 1));
  const end = button("last", "Last step (End)", () => stepper.go(stepper.last));
  const slider = element("input", { type: "range", min: 0, "aria-label": "step" });
  slider.addEventListener("input", () => stepper.go(Number(slider.value)));
  const count = element("span", { class: "tk-count", "aria-hidden": "true" });
  const bar = element("div", { class: "tk-bar" }, first, back, playing, next, end, slider, count);
  const foot = element("div", { class: "tk-foot" }, bar, legend(demonstration));
  root.append(element("div", { class: "tk-body" }, ...[code.pane, drawn].filter(Boolean)), caption.pane, foot);

  let timer = 0, steps;
  const stepper = {
    // Takes another list of steps and goes to the n-th of them.
    load(list, n) {
      stepper.play(false);
      steps = list;
      stepper.last = steps.length - 1;
      stepper.step = -1;
      slider.max = stepper.last;
      bar.hidden = stepper.last === 0 && data.play?.kind !== "turns";
      root.setAttribute("aria-label", stepper.last ? `${title}. Arrow keys step.` : title);
      stepper.go(n, true);
    },
    // Paints this step once more, as when others say how it looks.
    refresh() {
      const here = stepper.step;
      stepper.step = -1;
      stepper.go(here, true);
    },
    go(n, quietly = false) {
      n = Math.max(0, Math.min(stepper.last, Math.trunc(n)));
      if (n === stepper.step) return;
      const step = steps[n], last = stepper.last;
      stepper.step = n;
      view.paint(view.stateAt(steps, n));
      code.light(step);
      caption.say(step);
      view.follow(step);
      const words = `Step ${n} of ${last}: ${step.s}`;
      view.svg.setAttribute("aria-label", `${title}. ${words}`);
      slider.value = n;
      slider.setAttribute("aria-valuetext", words);
      count.textContent = `${n} / ${last}`;
      for (const [e, off] of [[first, n === 0], [back, n === 0], [playing, last === 0], [next, n === last], [end, n === last]]) e.setAttribute("aria-disabled", off);
      if (!quietly) told.changed?.(n);
      stepper.painted?.();
      told.painted?.(view);
    },
    play(on = !timer) {
      clearInterval(timer);
      timer = 0;
      if (on && stepper.step === stepper.last) stepper.go(0);
      if (on && stepper.last) timer = setInterval(() => {
        if (root.isConnected) stepper.go(stepper.step + 1);
        // what went wrong is to be read; play goes on from there
        if (!root.isConnected || stepper.step === stepper.last || steps[stepper.step].b) stepper.play(false);
      }, PACE);
      // a reader that speaks could not keep up
      caption.quiet(Boolean(timer));
      playing.innerHTML = icon(timer ? "pause" : "play");
      const label = timer ? "Pause (space)" : "Play (space)";
      playing.setAttribute("aria-label", label);
      playing.title = label;
    },
  };
  keyboard(root, stepper);
  const demonstrate = (n = 0) => stepper.load(demonstration, n);
  if (data.play) play(data.play, { view, caption, foot, stepper, demonstrate });
  else demonstrate(data.step);
  return stepper;
}

// What a page gives to a script: the element before its data, and the data. The script stands after
// them, or, in VS Code, at the end of the whole output: there the first data that still waits is its.
function given(script, kind) {
  const waits = `script[data-tk="${kind}"]:not([data-tk-begun])`, before = script.previousElementSibling;
  const data = before?.matches(waits) ? before : script.parentNode.querySelector(waits);
  data.setAttribute("data-tk-begun", "");
  return [data.previousElementSibling, JSON.parse(data.textContent)];
}

// As a widget: `step` goes both ways, and a new scene is drawn in the place of the old one.
function render({ model, el }) {
  const root = element("div", {});
  el.append(root);
  let stepper, late = 0;
  const tell = (n) => {
    model.set("step", n);
    clearTimeout(late);
    // a held key must not flood the kernel
    late = setTimeout(() => model.save_changes(), 100);
  };
  const draw = () => {
    stepper?.play(false);
    const inside = element("div", {});
    root.replaceChildren(inside);
    stepper = mount(inside, { ...model.get("payload"), step: model.get("step") }, { changed: tell });
  };
  const follow = () => stepper.go(model.get("step"), true);
  model.on("change:payload", draw);
  model.on("change:step", follow);
  draw();
  return () => {
    stepper.play(false);
    model.off("change:payload", draw);
    model.off("change:step", follow);
  };
}
