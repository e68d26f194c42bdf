"""Backward: upstream times local derivative, and which wrong rules the numbers at hand hide."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.explore.layouts import KINDS, laid_out
from tensorkit.functions import Operation
from tensorkit.pictures.backward import backward_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.slips import RIGHT
from tensorkit.pictures.switches import switches_scene
from tensorkit.tape import distinct
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Control, Explorer, Field

UPSTREAM = {"different numbers": "distinct", "all ones": "ones", "one cell": "one"}
SAID = {"distinct": "different numbers", "ones": "all ones", "one": "a single 1"}
Case = tuple[Any, tuple[Any, ...], Any]


def backward(what: Any = None, *inputs: Any, dim: Any = None) -> Explorer:
    """Explore the backward of an operation: ``tk.explore.backward(tk.mul, x, y)``.

    ``what`` is a row of the table and ``inputs`` what it is called with, ``dim`` for a reduce;
    without it there are six to choose from. The controls choose the upstream gradient and the
    layout; in ``live()`` it can be typed in. Where wrong rules of the operation are known, they are
    tried on the same numbers. Raises as ``tk.step(what, ..., grad_out=...)`` does.
    """
    given = tuple(as_tensor(one) if not isinstance(one, int | float) else one for one in inputs)
    cases = _examples() if what is None else {getattr(what, "name", "yours"): (what, given, dim)}

    def scene(what: Case, upstream: str, layout: str, own: Any) -> Scene:
        return backward_view(what, upstream, layout, own)

    controls: list[Control] = [
        Choice("what", "operation", cases, look="menu" if len(cases) > 4 else "buttons"),
        Choice("upstream", "grad_out", UPSTREAM),
        Choice("layout", "tensors", KINDS),
        Field("own", "or your own grad_out", "", parse),
    ]
    explorer = Explorer("backward", controls, scene)
    if len(cases) == 1:
        (only,) = cases.values()
        explorer = Explorer("backward", controls[1:], lambda **how: scene(only, **how))
    explorer.scene()
    return explorer


def parse(text: str) -> Any:
    """Return the array that a text such as ``[[1, 10], [2, 20]]`` stands for; None if empty.

    Raises ValueError for anything that is no number or list of numbers.
    """
    if not text.strip():
        return None
    try:
        return np.asarray(ast.literal_eval(text), dtype=float)
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(f"{text!r} is no list of numbers, such as [[1, 10], [2, 20]]") from None


def backward_view(what: Case, upstream: str, layout: str, own: Any = None) -> Scene:
    """Return the scene of one operation's backward from one upstream, its tensors laid out so."""
    op, inputs, dim = what
    if not isinstance(op, Operation):
        return backward_scene(op, *inputs, dim=dim)  # says what it wants instead
    given = tuple(_laid(one, layout) for one in inputs)
    row: Any = op
    out = row(*given, **({} if dim is None else {"dim": dim}))
    grad_out = _laid(tensor(upstream_of(out.shape, upstream) if own is None else own), layout)
    whole = all(isinstance(one, Tensor) for one in given) and out.size <= 60
    if op.name not in RIGHT or not whole:
        return backward_scene(op, *given, grad_out=grad_out, dim=dim)
    numbers = "your grad_out" if own is not None else SAID[upstream]
    about = f"{numbers} upstream and {layout} tensors"
    return switches_scene(op, *given, grad_out=grad_out, dim=dim, about=about)


def upstream_of(shape: tuple[int, ...], kind: str) -> Any:
    """Return an upstream gradient: ``distinct``, all ``ones``, or ``one`` in the last cell."""
    if kind == "distinct":
        return distinct(shape)
    cells = np.full(shape, float(kind == "ones"))
    if kind == "one" and cells.size:
        cells.flat[-1] = 1.0
    return cells


def _laid(one: Any, layout: str) -> Any:
    return laid_out(one, layout) if isinstance(one, Tensor) and layout != "contiguous" else one


def _examples() -> dict[str, Case]:
    x = tensor([[1.0, -2.0, 0.5], [0.25, 3.0, 2.0]])
    y = tensor([[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]])
    c = tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    return {
        "mul: a zip": (ops.get("mul"), (x, y), None),
        "sigmoid: a map": (ops.get("sigmoid"), (x,), None),
        "sum over dim 1: a reduce": (ops.get("sum"), (x,), 1),
        "max over dim 1: a reduce": (ops.get("max"), (x,), 1),
        "where: a choice": (ops.get("where"), (c, x, y), None),
        "matmul: zip and reduce": (
            ops.get("matmul"),
            (x, tensor([[4.0, 3.0], [-1.0, 2.0], [0.5, 1.5]])),
            None,
        ),
    }
