"""Reduce: a stencil over any dim, from any start, in either order; or the loop that does it."""

from __future__ import annotations

from typing import Any

from tensorkit import ops
from tensorkit.pictures.implement import implement_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.stencil import stencil_scene
from tensorkit.reduction import Reduce
from tensorkit.tensor import tensor
from tensorkit.widgets.explorer import Choice, Explorer

# a fold that is not the same in every order: the cells become the digits of a number
DIGITS = Reduce(
    "digits", "10·t + x", "10 * t + x", "1.0", start=0.0,
    latex=r"10\,t + x", about="put digits behind one another",
)  # fmt: skip


def digits(t: float, x: float) -> float:
    """Return t with the digit x behind it."""
    return 10 * t + x


def reduce(x: Any = None) -> Explorer:
    """Explore a reduce as a stencil, or from a cell of out: ``tk.explore.reduce(x)``.

    The controls choose the dim, the fold, where it starts and in which order it reads: for a sum
    the order does not matter, for ``10·t + x`` it does. Raises ShapeError for a 0-d tensor and for
    more than 4 dims.
    """
    given = as_tensor([[[3, 1], [4, 2], [5, 9]], [[2, 6], [1, 8], [7, 0]]] if x is None else x)
    if x is None:
        given = tensor(given.numpy().astype(float))

    def scene(view: str, dim: int, fold: Any, start: float, order: bool) -> Scene:
        if view == "stencil":
            row = DIGITS if fold is digits else ops.get("sum")
            return stencil_scene(given, dim, row, start, order)
        return implement_scene(given, dim, fold, start, order)

    controls = [
        Choice("view", "show", {"the stencil": "stencil", "the loop, from out": "loop"}),
        Choice("dim", "dim", range(given.ndim)),
        Choice("fold", "fold", {"t + x": None, "10·t + x": digits}),
        Choice("start", "start", {"0": 0.0, "7": 7.0}),
        Choice("order", "read", {"from the first": False, "from the last": True}),
    ]
    explorer = Explorer("reduce", controls, scene)
    explorer.scene()
    return explorer
