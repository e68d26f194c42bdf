"""The graph engine: its numbers are computed, and its practice knows the usual wrong walks."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from lessons import accepted, answer, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.explore.graph_explorer import EXAMPLES, GAMES
from tensorkit.handles import Variable
from tensorkit.lessons.graph_engine import TASKS
from tensorkit.lessons.walks import Told, behind, walking
from tensorkit.pictures.orders import walk
from tensorkit.pictures.schedule import schedule_scene
from tensorkit.widgets.questions import bank

NAME = "09_graph_engine"


def paths(x: Any) -> Any:
    h = 2 * x
    return h + ((h * 1) * 1) * 1


def visits(doublings: int) -> int:
    """Count the visits of a walk that notes nothing; equal ones are counted once."""
    count = 1
    for _ in range(doublings):
        count = 1 + count + count
    return count


def nearest() -> str:
    x = tk.tensor(3.0, requires_grad=True)
    right = walk(paths, x, order="newest first").gradients
    late = walk(paths, x, order="breadth first")
    assert late.late == 1 and flat(*right) == "4"
    return flat(*late.gradients)


def twice() -> str:
    x = tk.tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert flat(x.grad.numpy()) == "6"
    (x * x).backward()
    return flat(x.grad.numpy())


ANSWERS = {
    "engine-paths": nearest,
    "engine-visits": lambda: flat(visits(20)),
    "engine-twice": twice,
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("graph_engine")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def right(key: str) -> str:
    [text] = [c.text for c in bank("graph_engine").quiz[key].choices if c.correct]
    return text


def test_the_quiz_calls_right_what_is_computed() -> None:
    x, y = (tk.tensor(n, requires_grad=True) for n in (2.0, 3.0))
    m, e = x * y, x.exp()
    out = m + e
    made = {"out": [], "m": ["out"], "e": ["out"]}
    assert {Variable(t).unique_id for t in (out, m, e)} <= {
        v.unique_id for v in behind(Variable(out))
    }
    orders = [
        order
        for order in permutations(made)
        if all(order.index(c) < order.index(t) for t, waits in made.items() for c in waits)
    ]
    assert right("engine-order") == str(len(orders))
    z = tk.tensor(3.0, requires_grad=True)
    walking(add=False)(Variable(z * z), tk.tensor(1.0))
    assert flat(z.grad.numpy()) == "3", "the second share in the place of the first"
    v = Variable(out)
    assert v.parents[0] != v.parents[0] and v.parents[0].unique_id == v.parents[0].unique_id
    assert "again" in right("engine-handles")


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    counted = printed(empty["visits-code"])
    for n in (1, 2, 3, 10, 20):
        assert f"{n} doublings: {visits(n)} visits to {n + 1} tensors" in counted
    assert printed(empty["twice-code"]) == "tensor(12.)"
    said = printed(empty["handles-code"])
    assert "same object: False" in said and "same tensor: True" in said
    assert "leaf is [2.0, 20.0]" in said
    for step in ("order-step", "engine-step", "use-try"):
        assert "Yours to write: " in printed(empty[step]), step
    order = [line.split()[1] for line in printed(filled["order-step"]).splitlines()]
    assert order == ["y", "m3", "m2", "m1", "h", "x"]
    said = printed(filled["engine-step"])
    assert "the leaf keeps [4.0, 40.0]" in said and said.count("passes on") == 5
    assert "the same gradients: True" in printed(filled["use-try"])


def test_one_game_leaves_a_choice_as_the_text_says() -> None:
    orders = {}
    for game in GAMES:
        f, inputs = EXAMPLES[game]
        turns = {turn.key: set(turn.needs) for turn in schedule_scene(f, *inputs).play.turns}
        orders[game] = sum(
            all(set(order[:k]) >= turns[key] for k, key in enumerate(order))
            for order in permutations(turns)
        )
    assert sorted(n > 1 for n in orders.values()) == [False, False, True], orders


SORT = """
def topological_sort(variable):
    order, seen = [], set()
    def visit(v):
        {}
    visit(variable)
    return {}
"""
VISIT = """if v.unique_id in seen or v.is_constant():
            return
        seen.add(v.unique_id)
        for parent in v.parents:
            visit(parent)
        order.append(v)"""
EARLY = VISIT.replace("        order.append(v)", "").replace(
    "        for", "        order.append(v)\n        for", 1
)
NEAREST = """
def topological_sort(variable):
    order, seen, waiting = [], set(), [variable]
    while waiting:
        v = waiting.pop(0)
        if v.unique_id not in seen and not v.is_constant():
            seen.add(v.unique_id)
            order.append(v)
            waiting += v.parents
    return order
"""
WRONG_ORDER = [
    (SORT.format(VISIT, "order"), "turn it round"),
    (SORT.format(VISIT, "None"), "is a return missing?"),
    (SORT.format(VISIT, "3"), "return a list"),
    (SORT.format(VISIT.replace(" or v.is_constant()", ""), "order[::-1]"), "constant"),
    (SORT.format(VISIT.replace("v.unique_id in seen", "v in seen").replace(
        "seen.add(v.unique_id)", "seen.add(v)"), "order[::-1]"), "unique_id"),
    (SORT.format(VISIT.replace("v.unique_id in seen or ", ""), "order[::-1]"), "comes twice"),
    (SORT.format(EARLY, "order"), "when it is first met"),
    (NEAREST, "nearest first"),
    (SORT.format(VISIT, "order[:0:-1]"), "is missing"),
    ("def topological_sort(variable):\n    return [variable]\n", "is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), WRONG_ORDER)
def test_a_wrong_order_is_told_what_is_wrong(source: str, sentence: str) -> None:
    said = refused("graph_engine.order", source)
    assert sentence in said, said


def test_paths_that_are_walked_again_and_again_are_stopped() -> None:
    source = SORT.format(VISIT.replace("v.unique_id in seen or ", ""), "order[::-1]")
    said = [
        finding.because
        for block in TASKS["order"].blocks
        for case in block.cases
        if (finding := TASKS["order"].exam.examine(defined(source, "topological_sort"), case))
    ]
    assert "what was visited once need not be visited again" in said[-1]


def defined(source: str, name: str) -> Any:
    names: dict[str, Any] = {"tk": tk}
    exec(source, names)
    return names[name]


OURS = answer(NAME, "order") + "\n\n" + answer(NAME, "engine")
ADDED = "arrived[key] + share if key in arrived else share"
WRONG_ENGINE = [
    (OURS.replace(ADDED, "share"), "one share alone"),
    (OURS.replace(f"arrived[key] = {ADDED}", "arrived.setdefault(key, share)"), "one share alone"),
    (OURS.replace("{variable.unique_id: deriv}", "{variable.unique_id: deriv * 0 + 1}"),
     "start with deriv"),
    (
OURS.replace("return order[::-1]", "return nearest(variable)").replace(
        "arrived.pop(", "arrived.get(")
     + NEAREST.replace("topological_sort", "nearest"), "came too late"),
    (OURS.replace("            continue\n", "").replace(
        "if v.is_leaf():", "if True:"), "only leaves keep theirs"),
    (OURS.replace("v.accumulate_derivative(d)", "pass"), "accumulate_derivative there"),
    (OURS.replace("v.accumulate_derivative(d)", "v.tensor.grad = d"), "got"),
    ("def backpropagate(variable, deriv):\n"
     "    if variable.is_leaf():\n        variable.accumulate_derivative(deriv)\n"
     "    for parent, share in variable.chain_rule(deriv):\n"
     "        backpropagate(parent, share)\n", "each path is walked on its own"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), WRONG_ENGINE)
def test_a_wrong_engine_is_told_what_is_wrong(source: str, sentence: str) -> None:
    assert source != OURS
    said = refused("graph_engine.engine", source)
    assert sentence in said, said


def test_an_engine_whose_order_is_not_written_says_which_is_missing() -> None:
    empty = "def topological_sort(variable):\n    raise NotImplementedError('who?')\n\n"
    said = refused("graph_engine.engine", empty + answer(NAME, "engine"))
    assert "topological_sort is not written yet" in said


def test_other_ways_of_writing_it_pass() -> None:
    yielding = SORT.format(VISIT, "reversed(order)")
    assert tried("graph_engine.order", yielding).passed
    counters = """
def topological_sort(variable):
    waits, waiting = {variable.unique_id: 0}, [variable]
    for v in waiting:
        for p in v.parents:
            if not p.is_constant():
                if p.unique_id not in waits:
                    waits[p.unique_id] = 0
                    waiting.append(p)
                waits[p.unique_id] += 1
    ready = [variable]
    for v in ready:
        for p in v.parents:
            if not p.is_constant():
                waits[p.unique_id] -= 1
                if not waits[p.unique_id]:
                    ready.append(p)
    return ready
"""
    check = tried("graph_engine.order", counters)
    assert check.passed, check.report
    check = tried("graph_engine.engine", counters + answer(NAME, "engine"))
    assert check.passed, check.report


def test_the_call_that_a_report_offers_runs() -> None:
    for task, source in (
        ("order", SORT.format(VISIT, "order")),
        ("order", NEAREST),
        ("engine", OURS.replace(ADDED, "share")),
    ):
        [shown] = steps_of(tried(f"graph_engine.{task}", source))
        assert shown._repr_mimebundle_()["text/plain"]


def test_a_handle_that_tells_is_a_handle() -> None:
    heard = []
    x = tk.tensor([3.0, -1.0], requires_grad=True)
    engine = defined(OURS, "backpropagate")
    engine(Told(paths(x), lambda *what: heard.append(what[0])), tk.tensor([1.0, 10.0]))
    assert flat(x.grad.numpy()) == "4 40"
    assert (heard.count("passes on"), heard.count("keeps")) == (5, 1)
