"""Undo a broadcast: choose the dims to sum, then see whether the copies of a cell came together."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from tensorkit import ops
from tensorkit.layout import broadcast_shapes
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.unbroadcast import spell_dims, unbroadcast_scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer

Case = tuple[dict[str, Tensor], str, Any]  # named inputs, the one to differentiate for, the zip


def unbroadcast(x: Any = None, y: Any = None, op: Any = None, grad_out: Any = None) -> Explorer:
    """Explore the gradient of a broadcast input: ``tk.explore.unbroadcast(x, y, tk.mul)``.

    First choose the dims to sum, then see. Without x and y, a choice of inputs; ``op`` is a zip,
    add if not given. Raises ShapeError if x, y and grad_out do not fit each other, TypeError if
    only one of x and y is given.
    """
    if (x is None) != (y is None):
        raise TypeError("unbroadcast needs both x and y, or neither")
    cases = ready_cases() if x is None else cases_of(as_tensor(x), as_tensor(y), op)
    ndim = max(len(broadcast_shapes(*(t.shape for t in one[0].values()))) for one in cases.values())
    explorer = Explorer(
        "unbroadcast",
        [
            Choice("case", "the gradient of", cases, look="menu"),
            Choice("dims", "sum over", subsets(ndim), look="buttons" if ndim < 4 else "menu"),
        ],
        lambda case, dims: unbroadcast_scene(case[0], case[1], dims, case[2], grad_out),
    )
    explorer.scene()  # so that what cannot be drawn is refused here, and not when it is shown
    return explorer


def cases_of(x: Tensor, y: Tensor, op: Any) -> dict[str, Case]:
    """Return both inputs of a zip as cases, by what is asked."""
    row = ops.get("add") if op is None else op
    what = f"x {x.shape} {row.symbol} y {y.shape}"
    return {f"{name} in {what}": ({"x": x, "y": y}, name, row) for name in "xy"}


def ready_cases() -> dict[str, Case]:
    """Return the cases that the explorer opens with, from the plain one to two dims at once."""
    x, y = tensor([[1.0], [2.0], [3.0]]), tensor([0.5, -1.0, 2.0, 4.0])
    high = tensor([[2.0], [-1.0], [0.5], [3.0]])
    deep = tensor([[[1.0, 4.0, -2.0]], [[3.0, 0.5, 5.0]]])
    add, mul = ops.get("add"), ops.get("mul")
    return cases_of(x, y, add) | cases_of(x, y, mul) | cases_of(high, deep, add)


def subsets(ndim: int) -> dict[str, tuple[int, ...] | None]:
    """Return all ways to choose among dims, by their words; the first leaves it open."""
    found: dict[str, tuple[int, ...] | None] = {"choose …": None, "no dim": ()}
    for count in range(1, ndim + 1):
        found |= {spell_dims(dims): dims for dims in combinations(range(ndim), count)}
    return found
