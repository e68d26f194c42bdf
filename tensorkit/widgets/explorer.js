// Controls before a picture: each choice leads to another scene, kept ready in the page, or made by
// the kernel where there is one. What is pressed, typed and moved are the browser's own controls.

async function unpack(letters) {
  const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

let groups = 0;
// One control: its element, and where it stands. `moved` is called with what it says in words.
const MAKE = {
  buttons({ label, options, at }, moved) {
    const name = `tkx-${(groups += 1)}-${Math.random().toString(36).slice(2)}`;
    const all = options.map((option, k) => {
      const input = element("input", { type: "radio", name, value: k });
      input.checked = k === at;
      input.addEventListener("change", () => moved(option));
      return element("label", { class: "tkx-option" }, input, element("span", {}, option));
    });
    const row = element("div", { class: "tkx-options" }, ...all);
    return [element("fieldset", {}, element("legend", {}, label), row), () => all.findIndex((one) => one.firstChild.checked)];
  },
  menu({ label, options, at }, moved) {
    const select = element("select", {}, ...options.map((option, k) => element("option", { value: k }, option)));
    select.selectedIndex = at;
    select.addEventListener("change", () => moved(options[select.selectedIndex]));
    return [element("label", {}, element("span", {}, label), select), () => select.selectedIndex];
  },
  slider({ label, options, at }, moved) {
    const input = element("input", { type: "range", min: 0, max: options.length - 1, step: 1, value: at });
    const now = element("output", {}), room = Math.max(...options.map((option) => option.length));
    now.style.minWidth = `${room}ch`;
    const tell = () => {
      now.textContent = options[input.value];
      input.setAttribute("aria-valuetext", options[input.value]);
    };
    input.addEventListener("input", () => (tell(), moved(options[input.value])));
    tell();
    return [element("label", {}, element("span", {}, label), input, now), () => Number(input.value)];
  },
  switch({ label, options, at }, moved) {
    const input = element("input", { type: "checkbox", role: "switch" }), now = element("output", {});
    input.checked = at === 1;
    const tell = () => (now.textContent = options[Number(input.checked)]);
    input.addEventListener("change", () => moved(tell()));
    tell();
    return [element("label", { class: "tkx-switch" }, element("span", {}, label), input, now), () => Number(input.checked)];
  },
  field({ label, at, live }, moved) {
    // a page cannot make the scene of what is typed; where one can is said instead
    if (!live) return [element("div", { class: "tkx-own" }, `${label} ${at && `${at} `}… in `, element("code", {}, ".live()")), () => at];
    const input = element("input", { type: "text", value: at, autocomplete: "off", spellcheck: "false" });
    input.addEventListener("change", () => moved(input.value));
    return [element("label", {}, element("span", {}, label), input), () => input.value];
  },
};

// Draws the controls and shows whatever scene `ask` gives for where they stand.
function explorer(root, data, ask) {
  dress(root, data.css, data.version);
  followTheme(root);
  root.classList.add("tk", "tkx");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.title);
  const said = element("div", { class: "tk-unseen", role: "status" }), problem = element("div", { class: "tkx-problem", role: "alert" });
  const stage = element("div", { class: "tkx-stage" });
  const made = data.controls.map((control) => MAKE[control.look](control, (now) => ask(where(), `${control.label}: ${now}.`)));
  const where = () => made.map(([, at]) => at());
  const bar = element("form", { class: "tkx-bar" }, ...made.map(([e], k) => (e.setAttribute("data-control", data.controls[k].name), e)));
  bar.addEventListener("submit", (event) => event.preventDefault());
  // keys pressed here are no commands of the notebook or the slides around
  bar.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape" && event.key !== "Tab") event.stopPropagation();
  });
  keepShortcuts(bar);
  root.replaceChildren(bar, problem, stage, said);
  let stepper;
  const dead = new Set(), tally = element("span", {}), again = element("button", { type: "button", class: "tk-tool" }, "Start over");
  const score = element("div", { class: "tkx-score" }, tally, again);
  again.addEventListener("click", () => {
    dead.clear();
    stepper.refresh();
  });
  if (data.sticky) stage.after(score);
  // what was found wrong once stays turned over in every scene that comes after
  function turnOver(view) {
    for (const [key, e] of view.cells) {
      if (e.dataset.r === "wrong") dead.add(key);
      const over = dead.has(key) && e.dataset.r !== "wrong";
      e.toggleAttribute("data-dead", over);
      view.texts.get(key).toggleAttribute("data-dead", over);
    }
    tally.textContent = `Turned over so far: ${dead.size}.`;
  }
  return {
    show(scene, words, told = {}) {
      stepper?.play(false);
      const step = scene.step ?? stepper?.step ?? 0, place = element("div", {});
      stage.replaceChildren(place);
      stepper = mount(place, { ...scene, step }, { ...told, ...(data.sticky && { painted: turnOver }) });
      problem.replaceChildren();
      // a caption that is new to the page is not read aloud by itself
      if (words) said.textContent = `${words} ${place.querySelector(".tk-now").textContent}`;
      return stepper;
    },
    refuse(words) {
      problem.replaceChildren(element("span", { class: "tk-cross", "aria-hidden": "true" }, "✗ "), words);
    },
    where,
  };
}

// In a page: every combination stands packed in the data.
async function explore(root, data) {
  const scenes = await unpack(data.packed);
  const choices = data.controls.map((control, k) => [k, control.options?.length]).filter(([, many]) => many);
  // the last control's options run fastest
  const number = (where) => choices.reduce((sum, [k, many]) => sum * many + where[k], 0);
  const view = explorer(root, data, (where, words) => view.show(scenes[number(where)], words));
  view.show(scenes[number(view.where())]);
}

// As a widget: the kernel makes the scene for where the controls stand, or says why there is none.
function renderExplorer({ model, el }) {
  const root = element("div", {}), told = model.get("told"), values = model.get("values");
  el.append(root);
  const named = (where) => Object.fromEntries(told.controls.map(({ name, options }, k) => [name, options ? options[where[k]] : where[k]]));
  const at = (control) => (control.options ? control.options.indexOf(values[control.name]) : values[control.name]);
  const controls = told.controls.map((control) => ({ ...control, at: at(control), live: true }));
  let moved = "";
  const ask = (where, words) => {
    moved = words;
    model.set("values", named(where));
    model.save_changes();
  };
  const view = explorer(root, { ...told, controls }, ask);
  let stepper;
  const draw = () => (stepper = view.show(model.get("payload"), moved));
  const refuse = () => view.refuse(model.get("problem"));
  model.on("change:payload", draw);
  model.on("change:problem", refuse);
  draw();
  refuse();
  return () => {
    stepper.play(false);
    model.off("change:payload", draw);
    model.off("change:problem", refuse);
  };
}
