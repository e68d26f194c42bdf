// Brings questions alive: a prediction to commit to, a quiz that answers back, a look back at both.
// What was said is kept in the page's own storage where the browser allows that, and goes nowhere.

const KEEP = "tensorkit:";
const TOLD = "tensorkit-told"; // the event after each answer
const forgetful = (window.tensorkitSaid ??= new Map()); // for the page, where storage is refused
const store = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(KEEP + key));
    } catch {
      return forgetful.get(key) ?? null;
    }
  },
  set(key, value) {
    forgetful.set(key, value);
    try {
      value === null ? localStorage.removeItem(KEEP + key) : localStorage.setItem(KEEP + key, JSON.stringify(value));
    } catch {
      // private windows and locked-down pages: it lasts as long as the page
    }
    document.dispatchEvent(new CustomEvent(TOLD));
  },
};

// The same as normal() in Python.
function normal(answer) {
  const bare = answer.toLowerCase().replaceAll("−", "-").replace(/(?<=\d)\s*x\s*(?=\d)/g, " ");
  const words = bare.match(/-?\d+\.?\d*|-?\.\d+|[a-z]+/g) ?? [];
  return words.map((word) => (/\d/.test(word) ? String(Number(word)) : word)).join(" ") || answer.trim();
}

function withHtml(made, html) {
  made.innerHTML = html;
  return made;
}

let radios = 0;
// Radio buttons of one name: arrow keys move among them, and the whole label can be clicked.
function pick(labels, className) {
  const name = `tkq-${Math.random().toString(36).slice(2)}-${(radios += 1)}`;
  return labels.map((label, k) => {
    const input = element("input", { type: "radio", name, value: k });
    const text = withHtml(element("span", {}), label);
    return element("label", { class: className }, input, text);
  });
}
const picked = (labels) => labels.findIndex((label) => label.firstChild.checked);

const SURE = ["1 guess", "2", "3", "4", "5 certain"];

function predict(root, data) {
  const details = root.querySelector("details"), summary = details.querySelector("summary");
  const says = element("p", { class: "tkq-says", role: "status", tabindex: "-1" });
  const options = pick(data.options.map((o) => o.html), "tkq-choice");
  const box = data.graded ? element("input", { type: "text", autocomplete: "off", spellcheck: "false" }) : element("textarea", { rows: 2 });
  const sure = pick(SURE, "tkq-level");
  const answer = options.length
    ? element("fieldset", {}, element("legend", {}, "Your answer"), ...options)
    : element("label", { class: "tkq-box" }, "Your answer", box);
  const confidence = element("fieldset", { class: "tkq-sure" }, element("legend", {}, "How sure are you?"), ...sure);
  const commit = element("button", { type: "submit" }, data.graded ? "Commit" : "Compare with ours");
  const pass = element("button", { type: "button", class: "tkq-quiet" }, "No idea, show me");
  const asking = element("form", { class: "tkq-form" }, answer, ...(data.graded ? [confidence] : []), element("div", { class: "tkq-buttons" }, commit, pass));

  function open(said) {
    asking.hidden = true;
    details.hidden = false;
    details.open = true;
    // VS Code reads no script inside what is folded: what has not begun begins now
    for (const data of details.querySelectorAll("script[data-tk]:not([data-tk-begun])")) {
      const idle = data.nextElementSibling;
      idle.replaceWith(element("script", {}, idle.textContent));
    }
    summary.textContent = data.graded ? "The answer" : "Ours";
    if (said.text === null) says.replaceChildren("You passed this one. Read why, then say it again tomorrow.");
    else if (!data.graded) says.replaceChildren(`You wrote: “${said.text}”`);
    else {
      const slip = data.slips.find(([wrong]) => normal(wrong) === normal(said.text));
      const verdict = said.right ? "That is it." : slip ? `Not quite. ${slip[1]}` : "Not quite: compare it with the answer.";
      const mark = element("span", { class: said.right ? "tkq-tick" : "tk-cross", "aria-hidden": "true" }, said.right ? "✓ " : "✗ ");
      says.replaceChildren(mark, `You said “${said.text}” and were ${said.sure} of 5 sure. `, withHtml(element("span", {}), verdict));
    }
  }
  asking.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = options.length ? (data.options[picked(options)]?.text ?? "") : box.value.trim();
    const level = picked(sure) + 1;
    if (!text) return says.replaceChildren("An answer first, please: a guess is fine.");
    if (data.graded && !level) return says.replaceChildren("And how sure are you, from 1 to 5?");
    tell({ text, sure: level, right: data.accept.some((way) => normal(way) === normal(text)) });
  });
  pass.addEventListener("click", () => tell({ text: null, sure: 0, right: false }));
  function tell(said) {
    open(said);
    says.focus(); // the button that had the focus is gone
    store.set(data.store, said);
  }
  details.hidden = true;
  details.before(asking, says);
  const before = store.get(data.store);
  if (before) open(before);
}

function quiz(root, data) {
  const tally = element("p", { class: "tkq-tally", role: "status" });
  // the first try of each question, from an earlier visit too
  const first = new Map(data.questions.map((q, k) => [k, store.get(q.store)]).filter(([, said]) => said));
  const count = () => {
    const right = [...first.values()].filter((said) => said.right).length, open = data.questions.length - first.size;
    tally.textContent = first.size ? `At the first try: ${right} of ${first.size} right${open ? `, ${open} to go` : ""}.` : "";
  };
  const asked = data.questions.map((question, k) => {
    const labels = pick(question.choices.map((choice) => choice.html), "tkq-choice");
    const says = element("p", { class: "tkq-says", role: "status" });
    const sure = pick(SURE, "tkq-level");
    const confidence = element("fieldset", { class: "tkq-sure" }, element("legend", {}, "How sure are you?"), ...sure);
    confidence.hidden = first.has(k);
    const check = element("button", { type: "submit" }, "Check");
    const stem = element("legend", { class: "tkq-stem" }, withHtml(element("span", {}), `<b>${k + 1}.</b> ${question.stem}${question.code}`));
    const made = element("form", { class: "tkq-form" }, element("fieldset", {}, stem, ...labels), confidence, element("div", { class: "tkq-buttons" }, check), says);
    made.addEventListener("change", (event) => {
      says.replaceChildren();
      if (!confidence.contains(event.target)) labels.forEach((label) => delete label.dataset.r);
    });
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = picked(labels), choice = question.choices[chosen];
      const level = picked(sure) + 1;
      if (!choice) return says.replaceChildren("Choose one first.");
      if (!first.has(k) && !level) return says.replaceChildren("And how sure are you, from 1 to 5?");
      labels[chosen].dataset.r = choice.correct ? "expected" : "wrong";
      const mark = element("span", { class: choice.correct ? "tkq-tick" : "tk-cross", "aria-hidden": "true" }, choice.correct ? "✓ " : "✗ ");
      const verdict = element("b", {}, choice.correct ? "Right. " : "Not this one. ");
      says.replaceChildren(mark, verdict, withHtml(element("span", {}), choice.why));
      if (!first.has(k)) {
        const said = { text: labels[chosen].textContent, sure: level, right: choice.correct };
        first.set(k, said);
        store.set(question.store, said);
        confidence.hidden = true;
      }
      count();
    });
    return made;
  });
  root.replaceChildren(...asked, tally);
  count();
}

function review(root, data) {
  const again = element("button", { type: "button", class: "tkq-quiet" }, "Forget my predictions");
  again.addEventListener("click", () => {
    data.questions.forEach(([key]) => store.set(key, null));
    draw("Forgotten. Run the lesson's cells again, or reload the page, to start afresh.");
  });
  function fill(stem, answer, said) {
    const made = withHtml(element("li", {}), `<span>${stem}</span><br><span class="tkq-was"></span><b>${answer}</b>`);
    made.querySelector(".tkq-was").textContent = said.text === null ? "You passed. It is: " : `You said “${said.text}”, ${said.sure} of 5 sure. It is: `;
    return made;
  }
  const part = (title, items) => (items.length ? [element("p", {}, element("b", {}, title)), element("ul", {}, ...items.map(([[, stem, answer], said]) => fill(stem, answer, said)))] : []);
  function draw(message) {
    const said = data.questions.map((q) => [q, store.get(q[0])]).filter(([, s]) => s);
    const missed = said.filter(([, s]) => !s.right);
    const sure = missed.filter(([, s]) => s.sure >= 4), rest = missed.filter(([, s]) => s.sure < 4);
    const lucky = said.filter(([, s]) => s.right && s.sure <= 2);
    const summary = said.length
      ? `You answered ${said.length} of ${data.questions.length} predictions and had ${said.length - missed.length} right.`
      : `None of the ${data.questions.length} predictions is answered in this page yet.`;
    root.replaceChildren(
      element("p", { role: "status" }, message ?? summary),
      ...part("You were sure, and it was otherwise. These are worth the most:", sure),
      ...part("To look at again:", rest),
      ...part("Right, though you were not sure. Trust these more:", lucky),
      ...(said.length ? [element("div", { class: "tkq-buttons" }, again)] : []),
    );
  }
  document.addEventListener(TOLD, () => draw()); // also while a notebook keeps this part off its page
  draw();
}

// Keys typed here are not commands of the notebook or of the slides around it.
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape") event.stopPropagation();
  });
  const guard = (event) => {
    const theirs = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" || (event.shiftKey && event.key === "Enter");
    root.dataset.lmSuppressShortcuts = String(!theirs);
  };
  root.addEventListener("focusin", () => window.addEventListener("keydown", guard, true));
  root.addEventListener("focusout", () => window.removeEventListener("keydown", guard, true));
  root.dataset.lmSuppressShortcuts = "true";
}

const kinds = { predict, quiz, review };

// In a page.
function ask(root, data) {
  dress(root, data.css, data.version);
  kinds[data.kind](root, data);
  keepKeys(root);
  followTheme(root);
}
