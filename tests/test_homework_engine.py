"""The engine homework's own checks: which mistakes they know, what half an answer keeps, which
mutants of the right answers are right as well, and that what they take for right is right."""

import re

import numpy as np
import pytest
from homework import HOMEWORKS, execute

import tensorkit as tk
from tensorkit.grading import engine_graph, quiet
from tensorkit.grading.engine_graph import CONSTANTS, LEAVES, Handle, Log, TooOften

HOME = HOMEWORKS["engine"]
NO_SHARES = "chain_rule of a leaf returns no pair, so nothing happens there"
WORDS = "the words of an error are free"
GIVEN = "raise ValueError(f'grad_out has shape {grad_out.shape}, the variable {data.shape}')"
START = "raise ValueError(f'"

EQUIVALENT = {
    "topological-sort": {},
    "variable": {},
    "backpropagate": {
        "continue -> pass": NO_SHARES,
        "if one.is_leaf(): -> for parent, share in one.chain_rule(d):": NO_SHARES,
    },
    "seed": {
        f"{GIVEN} -> {START}grad_out has shape {{grad_out.shape}}, the variable "
        "{data.strides}')": WORDS,
        f"{GIVEN} -> {START}grad_out has shape {{grad_out.strides}}, the variable "
        "{data.shape}')": WORDS,
        f"{START}shape {{data.shape}} holds {{data.size}} numbers: give grad_out') -> "
        f"{START}shape {{data.strides}} holds {{data.size}} numbers: give grad_out')": WORDS,
    },
    "my-order": {},
}


def test_the_bank_covers_the_known_mistakes():
    known = "A08 A09 A11 A15 A16 A18"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.5)
    assert HOME.survivors(cell) == set(EQUIVALENT[cell])


# right for trees, in which every variable is used once, and for nothing else
TREES = {
    "topological-sort": """
def topological_sort(variable):
    order = [variable]
    for one in order:
        order += [parent for parent in one.parents if not parent.is_constant()]
    return order
""",
    "variable": """
class Variable(Recorded):
    def chain_rule(self, d_output):
        a, b = self.inputs
        da, db = self.function.backward(d_output, a.data, b.data)
        return [(a, da), (b, db)]

    def accumulate_derivative(self, x):
        self.derivative = x

    def zero_grad_(self):
        self.derivative = None
""",
    "backpropagate": """
def backpropagate(variable, deriv):
    if variable.is_leaf():
        variable.accumulate_derivative(deriv)
    for parent, share in variable.chain_rule(deriv):
        backpropagate(parent, share)
""",
    "seed": """
def seed(variable, grad_out=None):
    return np.ones(variable.data.shape) if grad_out is None else grad_out
""",
    "my-order": 'def my_order():\n    return ["y", "p", "q", "b", "a"]\n',
}


def test_right_only_for_trees_keeps_less_than_half():
    assert 4 <= HOME.total(TREES) <= 10


def graphs() -> list[tuple[str, tuple[float, ...]]]:
    """Every graph that is walked, shown or hidden, but for the very large ones."""
    found = set()
    for name, task in HOME.tasks.items():
        cases = [case for block in task.blocks for case in block.cases]
        cases += [case for block in HOME.hidden.get(name, {}).values() for case in block]
        if name.startswith("backpropagate"):
            found |= {case.extra for case in cases if len(case.extra[0]) < 1000}
    return sorted(found)


@pytest.mark.parametrize(("text", "deriv"), graphs())
def test_what_counts_as_right_is_what_the_kit_finds(text, deriv):
    want = engine_graph.walk(engine_graph.cells(text), np.array(deriv))
    leaves = {name: tk.tensor(LEAVES[name], requires_grad=True) for name in want}
    if leaves:
        engine_graph.expression(text)(*leaves.values()).backward(tk.tensor(deriv))
    for name, leaf in leaves.items():
        got = np.zeros(2) if leaf.grad is None else leaf.grad.numpy()
        np.testing.assert_allclose(got, want[name], rtol=1e-12)


def test_a_graph_is_made_of_what_its_text_names():
    x, w, c, h, y = engine_graph.cells("h = c * x; y = h - w")
    assert [one.name for one in (x, w, c, h, y)] == ["x", "w", "c", "h", "y"]
    assert (c.constant, h.constant, h.inputs, y.inputs) == (True, False, (c, x), (h, w))
    np.testing.assert_array_equal(
        y.data, np.array(CONSTANTS["c"]) * LEAVES["x"] - np.array(LEAVES["w"])
    )
    (only,) = engine_graph.cells("x")
    assert only.function is None
    made = engine_graph.cells("e = c * k; y = e + x")[3]
    assert (made.name, made.constant, made.inputs) == ("e", True, ())


def test_handles_on_one_variable_are_alike_by_their_id_only():
    graph = engine_graph.cells("y = x * x")
    first, second = Handle(graph[-1], Log(graph)).parents
    assert first is not second
    assert first != second
    assert first.unique_id == second.unique_id


def test_asking_without_end_is_stopped():
    graph = engine_graph.cells("y = x * x")
    root = Handle(graph[-1], Log(graph))
    with pytest.raises(TooOften):
        for _ in range(1000):
            root.chain_rule(np.ones(2))


def test_a_wrong_order_is_counted_once():
    """The checks of backpropagate lend a right topological_sort to who has none."""
    source = (
        HOME.solutions["backpropagate"] + "\n\ndef topological_sort(variable):\n    return []\n"
    )
    names = HOME.run(source)
    for task in ("backpropagate", "backpropagate_any"):
        assert HOME.score(task, names) == 3
    assert names["topological_sort"](None) == [], "the learner's own is back in its place"


def test_the_engine_runs_in_the_kit_and_on_the_class_of_the_notebook(capsys):
    names = dict(HOME.given)
    execute(re.sub(r"(?m)^# ", "", HOME.sources["whole"]), "whole", names)
    assert re.findall(r"\d+", capsys.readouterr().out)[:2] == ["12", "27"]
    x, w = (names["Variable"](data) for data in ([3.0], [5.0]))
    y = x * w + x * x
    names["backward"](y)
    assert (x.derivative, w.derivative) == ([11.0], [3.0])
    x.zero_grad_()
    mask = x > w
    names["backward"](mask * x)
    assert x.derivative == [0.0]
