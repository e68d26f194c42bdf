"""Questions are well formed, their answers are computed, and a page asks, keeps and tells them."""

from __future__ import annotations

import itertools
import json
import math
import warnings
from functools import reduce
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from conftest import Lab

import tensorkit as tk
from tensorkit.pictures import Scene
from tensorkit.widgets import Stepper
from tensorkit.widgets.form import script
from tensorkit.widgets.predict import Predict, Review
from tensorkit.widgets.questions import bank, normal, prose, read
from tensorkit.widgets.quiz import Quiz

BANK = bank("gradients")
X = [[1, 2], [3, 5], [4, 9]]


def gradients(f: Any, *inputs: Any, grad_out: Any = None) -> list[Any]:
    leaves = [tk.tensor(values, requires_grad=True) for values in inputs]
    f(*leaves).backward(grad_out)
    return [leaf.grad.tolist() for leaf in leaves]


def jacobian(f: Any, *inputs: Any) -> np.ndarray[Any, Any]:
    """One line for each output cell, one column for each cell of each input."""
    out = f(*[tk.tensor(values) for values in inputs])
    lines = []
    for k in range(out.size):
        seed = np.eye(out.size)[k].reshape(out.shape)
        lines.append(np.concatenate([np.ravel(g) for g in gradients(f, *inputs, grad_out=seed)]))
    return np.array(lines)


def flat(values: Any) -> str:
    return " ".join(f"{v:g}" for v in np.ravel(np.array(values, dtype=float)))


def broken_sum() -> str:
    shapes = ["(3, 2) + (3, 1)", "(3, 2) + (2,)", "(3, 2) + (3,)"]
    for text in shapes:
        a, b = (eval(shape) for shape in text.split(" + "))
        try:
            tk.broadcast_shapes(a, b)
        except tk.ShapeError:
            return text
    raise AssertionError("all of them broadcast")


def bad_assert() -> str:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        exec('assert (2 + 2 == 5, "two and two make four")')
    assert [w.category for w in heard] == [SyntaxWarning]
    return "nothing at all"


def less() -> str:
    x, y = tk.tensor([[1, 5], [4, 2], [3, 6]]), tk.tensor([[2, 2], [4, 7], [1, 6]])
    return flat((x < y).sum().item())


def places(shape: tuple[int, ...]) -> str:
    x = tk.rand(shape, seed=0)
    return flat([x.sum(dim).size for dim in range(len(shape))])


def scalars() -> str:
    [dx, _] = gradients(lambda x, y: x * y, 3.0, 5.0)
    return flat(
        [
            dx,
            *gradients(lambda x: x + x, 3.0),
            *gradients(lambda x: (3 * x).exp(), 0.0),
            *gradients(lambda x: x * x, 3.0),
        ]
    )


def back_order() -> str:
    x = tk.rand(2, 3, 4, seed=0)
    there = x.permute(1, 2, 0)
    [order] = [
        order
        for order in itertools.permutations(range(3))
        if np.array_equal(there.permute(*order), x)
    ]
    return flat(order)


def map_order() -> str:
    t = tk.arange(6).view(2, 3).permute(1, 0)
    return flat([t.position(index) for index in np.ndindex(*t.shape)])


def count() -> str:
    grid = jacobian(lambda x, y: x * y, X, [[7, 8], [6, 3], [2, 5]])
    return f"{grid.size} {np.count_nonzero(grid)}"


def pattern() -> str:
    grid = jacobian(lambda x: x.sum(0), X)
    return f"{np.count_nonzero(grid == 1)} {np.count_nonzero(grid == 0)}"


def pair(x: Any) -> Any:
    """G(x1, x2) = [x1, x1 x2], from the cells of one tensor."""
    first, second = tk.tensor([1, 0]), tk.tensor([0, 1])
    x1, x2 = (x * first).sum(0), (x * second).sum(0)
    return x1 * first + x1 * x2 * second


ANSWERS = {
    "log-zero": lambda: {-math.inf: "−∞"}[tk.tensor([0.0]).log().item()],
    "same-shape": broken_sum,
    "sum-shape": lambda: str(tk.tensor(X).sum().shape),
    "map-order": map_order,
    "zip-less": less,
    "fold-order": lambda: str(reduce(lambda t, x: 10 * t + x, [1, 2, 3], 7)),
    "bad-assert": bad_assert,
    "sum-dim-0": lambda: flat(tk.tensor(X).sum(0).tolist()),
    "sum-dim-1": lambda: f"{tk.tensor(X).sum(1).shape} {tk.tensor(X).sum(1).size}",
    "implement": None,  # a way to work, not a fact
    "sum-dim-2": lambda: places((2, 3, 2)),
    "scalars": scalars,
    "count": count,
    "map-back": lambda: flat(gradients(lambda x: x.sigmoid(), 0.0, grad_out=10.0)),
    "zip-back": lambda: flat(gradients(lambda x, y: x * y, 3.0, 5.0, grad_out=10.0)),
    "reduce-back": lambda: flat(gradients(lambda x: x.sum(0), X, grad_out=[[1, 10]])),
    "jacobian": lambda: flat(jacobian(pair, [2, 5])),
    "vjp": lambda: flat(gradients(pair, [2, 5], grad_out=[1, 10])),
    "pattern": pattern,
    "bias": lambda: flat(
        gradients(
            lambda x, b: x + b, [[1, 2, 3], [4, 6, 9]], [[7, 8, 5]],
            grad_out=[[1, 2, 3], [10, 20, 30]],
        )[1]
    ),
    "permute-back": back_order,
    "prod-zero": lambda: flat(gradients(lambda x: x.prod(), [0, 2, 3])),
    "used-twice": lambda: flat(gradients(lambda x: 2 * x + (2 * x * 1) * 1, 5.0)),
}  # fmt: skip

# The quiz questions whose right choice is a number or a shape.
QUIZ_ANSWERS = {
    "strides": lambda: flat(tk.View(np.arange(6.0), (2, 3), (1, 2)).numpy()[1, 0]),
    "many-derivatives": lambda: "36 6",
    "keep-dim": lambda: str(tk.rand(2, 3, 4, seed=0).sum(1).shape),
    "sum-back": lambda: flat(
        gradients(lambda x: x.sum(1), [[1, 2, 3], [4, 6, 9]], grad_out=[[1], [10]])
    ),
    "relu-mask": lambda: flat(gradients(lambda x: x.relu(), [2, -1], grad_out=[-3, 4])),
    "mean-back": lambda: f"1 {1 / gradients(lambda x: x.mean(0), X, grad_out=[[1, 1]])[0][0][0]:g}",
    "ones-hide": lambda: "1 10",
}


def test_every_prediction_is_computed() -> None:
    assert list(ANSWERS) == [p.id for p in BANK.predictions.values() if p.accept]


@pytest.mark.parametrize("key", [key for key, compute in ANSWERS.items() if compute])
def test_the_computed_answer_is_accepted_and_no_slip_is(key: str) -> None:
    asked, computed = BANK.predictions[key], normal(ANSWERS[key]())
    assert computed in {normal(way) for way in asked.accept}
    assert computed not in {normal(said) for said, _ in asked.slips}


@pytest.mark.parametrize("key", QUIZ_ANSWERS)
def test_the_right_choice_is_computed(key: str) -> None:
    [right] = [choice for choice in BANK.quiz[key].choices if choice.correct]
    assert [normal(c.text).replace("of which ", "") for c in BANK.quiz[key].choices].count(
        normal(QUIZ_ANSWERS[key]())
    ) == 1
    assert normal(right.text).replace("of which ", "") == normal(QUIZ_ANSWERS[key]())


def test_many_derivatives_are_counted() -> None:
    grid = jacobian(lambda x, y: x * y, X, [[7, 8], [6, 3], [2, 5]])[:, :6]
    assert (grid.size, np.count_nonzero(grid)) == (36, 6)


def test_the_bank_is_large_enough_and_each_choice_speaks_for_itself() -> None:
    assert len(BANK.quiz) >= 10
    assert len(Quiz().questions) >= 6
    for question in BANK.quiz.values():
        assert len(question.choices) >= 3
        assert len({choice.why for choice in question.choices}) == len(question.choices)
        assert question.misconception
    places = [[c.correct for c in question.choices].index(True) for question in BANK.quiz.values()]
    assert len(set(places)) >= 3, "the right answer should not keep its place"


GOOD = """\
[quiz.q]
stem = "?"
choices = [
  { right = "a", why = "yes" },
  { wrong = "b", why = "no" },
]
misconception = "m"

[predict.p]
stem = "?"
answer = "3"
why = "so"
accept = ["3"]
options = ["3", "4"]
slips = [{ said = "5", why = "no" }]
idea = "i"
"""
SPOILED = {
    "one choice is right": ("wrong =", "right ="),
    "there are two choices": ('  { wrong = "b", why = "no" },\n', ""),
    "each choice has a why": ('why = "no" },\n]', 'why = "" },\n]'),
    "each choice has a why of its own": ('why = "no" },\n]', 'why = "yes" },\n]'),
    "no choice comes twice": ('wrong = "b"', 'wrong = "a"'),
    "each choice is either right or wrong": ("{ wrong", '{ right = "c", wrong'),
    "it has a misconception": ('misconception = "m"\n', ""),
    "it has a stem": ('[quiz.q]\nstem = "?"', '[quiz.q]\nstem = ""'),
    "it holds group, stem, .*, and not steam": ("[quiz.q]\nstem", "[quiz.q]\nsteam"),
    "no slip is the answer": ('said = "5"', 'said = "3.0"'),
    "one of the options is accepted": ('options = ["3"', 'options = ["5"'),
    "what is graded names its idea": ('idea = "i"\n', ""),
    "it has a answer": ('answer = "3"\n', ""),
    "it is in the quiz or among": ("[predict.p]", "[predict.q]"),
}


@pytest.mark.parametrize("rule", SPOILED)
def test_a_broken_file_is_refused(rule: str) -> None:
    assert read("l", GOOD).quiz["q"].choices[0].correct
    old, new = SPOILED[rule]
    assert GOOD.count(old) == 1
    with pytest.raises(ValueError, match=f"question '[pq]' breaks a rule: {rule}"):
        read("l", GOOD.replace(old, new))


def test_a_question_outside_of_quiz_and_predict_is_refused() -> None:
    with pytest.raises(ValueError, match=r"l: a question is in .*not in {'quizz'}"):
        read("l", GOOD.replace("[quiz.q]", "[quizz.q]"))


def test_ids_groups_and_lessons_open_a_quiz() -> None:
    assert [q.id for q in Quiz("warm-up", "max-tie").questions] == ["strides", "nudge", "max-tie"]
    assert Quiz("gradients").questions == Quiz().questions
    assert {q.group for q in Quiz("gradients").questions} == {"gradients"}


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"no question 'zip-bak' in any lesson; there are zip-back"
    ):
        Predict("zip-bak")
    with pytest.raises(ValueError, match=r"no question 'bias' in any lesson; there are "):
        Quiz("bias")
    with pytest.raises(ValueError, match="no lesson 'knitting'"):
        bank("knitting")


def test_the_ring_around_a_picture_in_an_answer_leaves_its_sentence_free(page: Any) -> None:
    page.set_content(host(Predict("sum-dim-0", show=two_steps()).html()))
    page.get_by_role("button", name="No idea").click()
    ring = page.locator("[aria-roledescription=stepper]").bounding_box()
    said = page.locator(".tk-say").bounding_box()
    assert said["x"] - ring["x"] > 5


def test_text_is_never_taken_for_html() -> None:
    assert prose("a < b `x<y` & c") == "a &lt; b <code>x&lt;y</code> &amp; c"


def test_without_html_questions_come_first_and_answers_last() -> None:
    text = Quiz("keep-dim")._repr_mimebundle_()["text/plain"]
    assert text.index("a) ") < text.index("Answers") < text.index("Right. Dim 1 keeps its place")
    assert str(Predict("bias")).splitlines()[1] == "Answer: 11, 22, 33"


SPELLINGS = {
    "(3, 1)": "3 1",
    "3x1": "3 1",
    "2 X 3x4": "2 3 4",
    "2x + y": "2 x y",
    " [[1,10],[2.0, -3]]": "1 10 2 -3",
    "−0.5": "-0.5",
    ".5": "0.5",
    "5 AND 7": "5 and 7",
    "()": "()",
    "−∞": "−∞",
    "100": "100",
}


def test_answers_are_read_alike_in_python_and_in_the_page(page: Any) -> None:
    page.set_content(f"<script>{script()}\nwindow.normal = normal</script>")
    for text, wanted in SPELLINGS.items():
        assert normal(text) == wanted
        assert page.evaluate("normal", text) == wanted


def host(*bodies: str) -> str:
    body = "".join(bodies)
    return f'<!doctype html><html lang="en"><body style="background:#fff">{body}</body></html>'


def two_steps() -> Stepper:
    scene = Scene(4, 2, "Two steps")
    scene.cell("a", 1, 1, "3")
    scene.step("one", read=["a"])
    scene.step("two", write=["a"])
    return Stepper(scene)


def commit(form: Any, answer: str, sure: str = "4") -> None:
    form.get_by_role("textbox", name="Your answer").fill(answer)
    form.get_by_label(sure).check()
    form.get_by_role("button", name="Commit").click()


def test_the_answer_and_its_picture_stay_shut_until_one_commits(page: Any) -> None:
    page.set_content(host(Predict("sum-dim-0", show=two_steps()).html()))
    stepper, answer = page.locator(".tk .tk"), page.get_by_text("8, 16", exact=True)
    assert not stepper.is_visible() and not answer.is_visible()
    form = page.locator("form")
    form.get_by_role("button", name="Commit").click()
    assert "An answer first" in page.locator(".tkq-says").inner_text()
    form.get_by_role("textbox").fill("8 16")
    form.get_by_role("button", name="Commit").click()
    assert "how sure are you" in page.locator(".tkq-says").inner_text()
    assert not answer.is_visible()
    commit(form, "[8, 16.0]")
    said = page.locator(".tkq-says").inner_text()
    assert said == "✓ You said “[8, 16.0]” and were 4 of 5 sure. That is it."
    assert answer.is_visible() and not form.is_visible()
    stepper.focus()
    page.keyboard.press("ArrowRight")
    assert stepper.locator(".tk-count").inner_text() == "1 / 1"


def test_a_picture_that_opens_is_as_dark_as_its_page(new_page: Any) -> None:
    page = new_page(color_scheme="dark")
    shown = Predict("sum-dim-0", show=two_steps()).html()
    page.set_content(f"<style>body {{ background: #111 }}</style>{shown}")
    page.get_by_role("button", name="No idea, show me").click()
    stepper = page.locator(".tk[aria-roledescription=stepper]")
    assert stepper.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(17, 17, 17)"
    assert page.locator(".tkq[data-tk-dark]").count() == 1


def test_a_known_slip_is_answered_and_an_unknown_one_too(page: Any) -> None:
    page.set_content(host(Predict("sum-dim-0").html(), Predict("bias").html()))
    first, second = page.locator(".tkq").all()
    commit(first.locator("form"), "3, 8, 13")
    assert "That is x.sum(1)." in first.locator(".tkq-says").inner_text()
    commit(second.locator("form"), "<b>9</b>")
    assert "“<b>9</b>”" in second.locator(".tkq-says").inner_text()
    assert "compare it with the answer" in second.locator(".tkq-says").inner_text()


def test_one_may_pass_and_one_may_write_a_sentence(page: Any) -> None:
    page.set_content(host(Predict("bias").html(), Predict("explain-sum").html()))
    first, second = page.locator(".tkq").all()
    first.get_by_role("button", name="No idea").click()
    assert "You passed" in first.locator(".tkq-says").inner_text()
    assert first.get_by_text("11, 22, 33").is_visible()
    assert second.get_by_role("radio").count() == 0
    second.get_by_role("textbox").fill("they add up")
    second.get_by_role("button", name="Compare").click()
    assert second.locator(".tkq-says").inner_text() == "You wrote: “they add up”"
    assert second.get_by_text("Because they all end in one loss.").is_visible()


def test_what_was_said_is_kept_and_can_be_forgotten(page: Any, tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text(
        host(Predict("bias").html(), Predict("log-zero").html(), Review().html()), "utf-8"
    )
    page.goto(place.as_uri())
    review = page.locator(".tkq").last
    assert "None of the" in review.inner_text()
    commit(page.locator("form").first, "1, 2, 3", "5 certain")
    assert "You were sure, and it was otherwise" in review.inner_text()
    options = page.locator("form").nth(1)
    options.get_by_label("−∞").check()
    options.get_by_label("1 guess").check()
    options.get_by_role("button", name="Commit").click()
    assert "Right, though you were not sure" in review.inner_text()
    page.reload()
    assert "You said “1, 2, 3”" in page.locator(".tkq-says").first.inner_text()
    assert not page.locator("form").first.is_visible()
    page.get_by_role("button", name="Forget").click()
    assert "Forgotten" in page.locator(".tkq").last.inner_text()
    page.reload()
    assert page.locator("form").first.is_visible()


def test_a_page_that_may_keep_nothing_still_asks(page: Any) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})"
    )
    page.goto("about:blank")
    page.set_content(host(Predict("bias").html(), Review().html()))
    commit(page.locator("form"), "11 22 33")
    assert "That is it." in page.locator(".tkq-says").inner_text()
    assert "had 1 right" in page.locator(".tkq").last.inner_text()


def test_only_the_first_try_of_a_quiz_is_kept(page: Any, tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text(host(Quiz("keep-dim").html()), "utf-8")
    page.goto(place.as_uri())
    form = page.locator("form")
    form.get_by_label("5 certain").check()
    for wanted in (False, True):  # a wrong one first, then the right one
        at = [c.correct for c in BANK.quiz["keep-dim"].choices].index(wanted)
        form.get_by_role("radio").nth(at).check()
        form.get_by_role("button", name="Check").click()
    page.reload()
    assert page.locator(".tkq-tally").inner_text() == "At the first try: 0 of 1 right."
    assert not page.get_by_text("How sure are you?").is_visible()
    kept = page.evaluate("localStorage.getItem('tensorkit:gradients:quiz:keep-dim')")
    assert json.loads(kept) == {"text": "(2, 4)", "sure": 5, "right": False}


@pytest.mark.parametrize("key", BANK.quiz)
def test_every_choice_answers_back(page: Any, key: str) -> None:
    question = BANK.quiz[key]
    page.set_content(host(Quiz(key).html()))
    form = page.locator("form")
    check = form.get_by_role("button", name="Check")
    check.click()
    assert form.get_by_role("status").inner_text() == "Choose one first."
    form.get_by_role("radio").first.check()
    check.click()
    assert form.get_by_role("status").inner_text() == "And how sure are you, from 1 to 5?"
    form.get_by_label("3").last.check()
    for k, choice in enumerate(question.choices):
        form.get_by_role("radio").nth(k).check()
        assert form.get_by_role("status").inner_text() == ""
        check.click()
        said = form.get_by_role("status").inner_text()
        assert not form.get_by_text("How sure are you?").is_visible()
        verdict = "✓ Right. " if choice.correct else "✗ Not this one. "
        assert said == verdict + choice.why.replace("`", "")
    right = int(question.choices[0].correct)
    tally = f"At the first try: {right} of 1 right."
    assert page.locator(".tkq-tally").inner_text() == tally


def test_the_keyboard_alone_suffices(page: Any) -> None:
    page.set_content(host(Quiz("keep-dim", "relu-mask").html()))
    pressed: list[str] = []
    page.expose_function("heard", lambda *keys: pressed.extend(keys))
    page.evaluate("document.addEventListener('keydown', event => heard(event.key))")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    question = BANK.quiz["keep-dim"]
    group = page.get_by_role("group", name="What is the shape of x.sum(1) here?")
    assert group.get_by_role("radio").nth(1).is_checked()
    assert question.choices[1].why.replace("`", "") in page.get_by_role("status").first.inner_text()
    assert set(pressed) <= {"Tab"}, "keys inside a question reached the page around it"


def test_jupyterlab_keeps_its_keys_for_save_run_and_escape(page: Any) -> None:
    page.set_content(host(Predict("bias").html()))
    root, box = page.locator(".tkq"), page.get_by_role("textbox")
    box.focus()
    states = {}
    for key in ("b", "Control+s", "Shift+Enter", "Escape", "ArrowDown"):
        box.press(key)
        states[key] = root.get_attribute("data-lm-suppress-shortcuts")
    assert states == {
        "b": "true", "Control+s": "false", "Shift+Enter": "false", "Escape": "false",
        "ArrowDown": "true",
    }  # fmt: skip


def test_without_scripts_an_answer_opens_at_a_click(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(host(Predict("bias").html(), Quiz("keep-dim").html()))
    answer = page.get_by_text("11, 22, 33", exact=True)
    assert not answer.is_visible()
    page.get_by_text("Answer first, then open this").click()
    assert answer.is_visible()
    why = page.get_by_text("you counted dims from 1")
    assert not why.is_visible()
    page.get_by_role("listitem").filter(has_text="(2, 3, 1)").get_by_text("Choose this").click()
    assert why.is_visible()


@pytest.mark.parametrize(("ground", "dark"), [("#ffffff", False), ("#111111", True)])
def test_questions_follow_the_page(page: Any, ground: str, dark: bool) -> None:
    page.set_content(host(Quiz("keep-dim").html()).replace("#fff", ground))
    root = page.locator(".tkq")
    assert root.evaluate("e => e.hasAttribute('data-tk-dark')") is dark
    page.get_by_role("radio").first.check()
    page.get_by_label("1 guess").check()
    page.get_by_role("button").click()
    colours = root.locator(".tkq-choice[data-r]").evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(e).borderStyle]"
    )
    assert colours == ["rgb(232, 234, 237)" if dark else "rgb(28, 32, 36)", "dashed"]


CELLS = """\
import tensorkit as tk
from tensorkit.widgets import Predict, Quiz
Predict("zip-less", show=tk.figures.zip())
Quiz("keep-dim")"""


def test_a_running_notebook_asks_and_leaves_the_keys_alone(lab: Lab, new_page: Any) -> None:
    first, *others = CELLS.rsplit("\n", 1)
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in (first, *others)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, lab.folder / "asks.ipynb")
    page = new_page()
    lab.run_all(page, "asks.ipynb")
    form = page.locator(".jp-OutputArea form").first
    form.wait_for()
    box = form.get_by_role("textbox")
    box.press_sequentially("2 add")  # in a notebook, a and d make and delete cells
    form.get_by_label("4").check()
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2
    box.fill("2")
    form.get_by_role("button", name="Commit").click()
    assert "That is it." in page.locator(".tkq-says").first.inner_text()
    stepper = page.locator(".tkq .tk[aria-roledescription=stepper]")
    stepper.press("ArrowRight")
    assert stepper.locator(".tk-count").inner_text() == "1 / 6"
    group = page.get_by_role("group", name="What is the shape of x.sum(1) here?")
    group.get_by_role("radio").first.check()
    page.get_by_label("1 guess").last.check()
    page.get_by_role("button", name="Check", exact=True).click()
    assert "That is NumPy's default" in page.locator(".tkq").last.inner_text()
