"""Gradient check: heat maps of backward against nudging, how far to nudge, and what a kink does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.checks import check_gradient
from tensorkit.functions import Function
from tensorkit.layout import Shape
from tensorkit.pictures.epsilon import epsilon_scene
from tensorkit.pictures.kink import kink_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shades import shades_scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Control, Explorer, Field

# what is checked, its inputs, and the cell that is nudged
Case = tuple[Any, tuple[Any, ...], Shape | None]


class NoSign(Function):
    """The absolute value, by somebody who forgot that its slope is -1 on the left."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Tensor:
        """Return |x|."""
        out: Tensor = x.abs()
        return out

    @staticmethod
    def backward(ctx: Any, grad_out: Any) -> Tensor:
        """Return grad_out, as if every x were positive."""
        given: Tensor = grad_out
        return given


def gradcheck(f: Callable[..., Any] | None = None, *inputs: Any) -> Explorer:
    """Explore a gradient check: ``tk.explore.gradcheck(MyFunction, x)``.

    ``f`` is a row of the table, a tk.Function or an expression; without it there are five, smooth,
    with a kink, and wrong. One view shows the heat maps of backward, nudging and their difference,
    one the error for each size of the nudge, one the slopes on both sides of a cell; in ``live()``
    that cell can be chosen. Raises as ``tk.check_gradient`` does, but not for a wrong gradient.
    """
    given = tuple(as_tensor(one) if isinstance(one, list) else one for one in inputs)
    cases = _examples() if f is None else {getattr(f, "__name__", "yours"): (f, given, None)}

    def scene(what: Case, view: str, cell: Shape | None) -> Scene:
        g, tensors, index = what
        if view == "maps":
            return shades_scene(check_gradient(g, *tensors, raises=False))
        make = epsilon_scene if view == "epsilon" else kink_scene
        return make(g, *tensors, index=index if cell is None else cell)

    controls: list[Control] = [
        Choice("what", "function", cases),
        Choice("view", "show", {"heat maps": "maps", "each ε": "epsilon", "both sides": "kink"}),
        Field("cell", "or another cell, such as 1, 2", "", cell_of),
    ]
    explorer = Explorer("gradcheck", controls, scene)
    if len(cases) == 1:
        (only,) = cases.values()
        explorer = Explorer("gradcheck", controls[1:], lambda **how: scene(only, **how))
    explorer.scene()
    return explorer


def cell_of(text: str) -> Shape | None:
    """Return the index that a text such as ``1, 2`` stands for; None if empty.

    Raises ValueError for anything that is no list of whole numbers.
    """
    if not text.strip():
        return None
    try:
        found = ast.literal_eval(f"({text.strip().strip('[]')},)")
    except (SyntaxError, ValueError):
        found = (text,)
    if not all(type(one) is int for one in found):
        raise ValueError(f"{text!r} is no index of a cell, such as 1, 2")
    return tuple(found)


def _examples() -> dict[str, Case]:
    x = _spread(0.3)
    return {
        "sigmoid": (ops.get("sigmoid"), (x,), None),
        "relu at 0": (ops.get("relu"), (_spread(0.0),), (1, 0)),
        "abs at 0": (ops.get("abs"), (_spread(0.0),), (1, 0)),
        "max at a tie": (
            lambda x: x.max(1),
            (tensor([[1.0, 3.0, 3.0], [2.0, -1.0, 0.5]]),),
            (0, 1),
        ),
        "a wrong backward": (NoSign, (x,), (0, 0)),
    }


def _spread(middle: float) -> Tensor:
    """Return a (3, 5) tensor of different numbers around ``middle``, which stands at [1, 0]."""
    steps = (np.arange(15) * 4 % 15 + 2) % 15 - 7.0
    return tensor((middle + 0.5 * steps * np.abs(steps) / 4).round(3).reshape(3, 5))
