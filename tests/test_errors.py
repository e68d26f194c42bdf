"""Errors: one class for each kind of mistake, in words that say what was given and what to do."""

from __future__ import annotations

import numpy as np
import pytest

import tensorkit as tk
from tensorkit import errors

BUILTIN = {
    "ShapeError": ValueError,
    "IndexingError": IndexError,
    "DtypeError": TypeError,
    "GraphError": RuntimeError,
    "InPlaceError": RuntimeError,
    "GradientError": AssertionError,
}


def test_each_error_is_also_a_builtin_that_people_catch():
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, tk.TensorkitError)
    }
    assert set(kinds) == {*BUILTIN, "TensorkitError"}
    for name, builtin in BUILTIN.items():
        assert issubclass(kinds[name], (tk.TensorkitError, builtin))
        assert issubclass(kinds[name], builtin)
        assert getattr(tk, name) is kinds[name]
        assert kinds[name].__doc__


def test_a_gradient_error_carries_its_report():
    assert tk.GradientError("wrong").report is None
    assert tk.GradientError("wrong", 7).report == 7
    assert str(tk.GradientError("wrong", 7)) == "wrong"


t = tk.tensor([[1.0, 2, 3], [4, 5, 6]])
leaf = tk.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)

MISTAKES = {
    "add of shapes": (
        lambda: t + tk.zeros(2),
        ["(2, 3)", "(2,)", "dim 1", "3 and 2", "equal or 1"],
    ),
    "view": (lambda: t.view(4), ["(2, 3)", "(4,)", "6 cells"]),
    "view of permuted": (lambda: t.permute(1, 0).view(6), ["(3, 2)", "(1, 3)", ".contiguous()"]),
    "expand": (lambda: t.expand(2, 4), ["(2, 3)", "(2, 4)", "be 1"]),
    "permute": (lambda: t.permute(1, 1), ["(1, 1)", "exactly once"]),
    "dim": (lambda: t.sum(2), ["dim 2", "(2, 3)", "0 to 1"]),
    "max of nothing": (lambda: tk.zeros(2, 0).max(1), ["max", "(2, 0)", "dim 1"]),
    "item": (t.item, ["one element", "(2, 3)", "6"]),
    "truth": (lambda: bool(t == t), ["(2, 3)", "neither true nor false", ".all()"]),
    "backward of many": ((leaf * 2).backward, ["(2, 3)", ".sum()", "grad_out"]),
    "backward of none": (lambda: t.sum().backward(), ["requires_grad=True"]),
    "grad_out": (lambda: (leaf * 2).backward(np.ones((3, 2))), ["(3, 2)", "(2, 3)", "grad_out"]),
    "expanded write": (lambda: t.view(2, 1, 3).expand(2, 2, 3).copy_(0.0), ["expanded", ".contig"]),
    "write": (lambda: t.copy_(np.zeros(4)), ["(2, 3)", "do not fit"]),
    "index": (lambda: t.__setitem__((2, 0), 1.0), ["(2, 0)", "(2, 3)"]),
    "graph write": (lambda: (leaf * 2).copy_(0.0), ["computed from others", "copy"]),
    "dtype": (lambda: tk.tensor([1], dtype=int), ["int", "tk.float64"]),
    "complex": (lambda: tk.tensor([1j]), ["complex", "real"]),
    "ragged": (lambda: tk.tensor([[1], [2, 3]]), ["lengths", "equal"]),
    "strides": (lambda: tk.View(np.zeros(3), (2, 2)), ["(2, 2)", "(2, 1)", "position 3", "0 to 2"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_message_says_what_was_given_and_what_to_do(name):
    mistake, words = MISTAKES[name]
    with pytest.raises(tk.TensorkitError) as caught:
        mistake()
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert not message.endswith(".")
    assert len(message) > 25


def test_a_refusal_changes_nothing():
    before, grad = t.tolist(), leaf.grad
    for mistake, _ in MISTAKES.values():
        with pytest.raises(tk.TensorkitError):
            mistake()
    assert t.tolist() == before
    assert leaf.tolist() == before
    assert leaf.grad is grad is None
