"""Operation: map, zip and reduce on any layout, by the kit's loop or by yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorkit import ops
from tensorkit.explore.layouts import KINDS, laid_out, strides_of
from tensorkit.functions import Operation
from tensorkit.layout import Shape, broadcast_shapes, normal_dim
from tensorkit.pictures.forward import forward_scene
from tensorkit.pictures.learner import learner_scene
from tensorkit.pictures.reference import neg_in_storage_order
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.step import is_loop

# an operation or a loop, its inputs, its dim, and what it should be like
Case = tuple[Any, tuple[Tensor, ...], int | None, Any]
DIRT = 7.0  # what a dirty out holds before
OUT = {"fresh": "contiguous", "permuted": "permuted", "strided": "strided", "dirty": "dirty"}


def operation(
    what: Any = None, *inputs: Any, dim: int | None = None, like: Callable[..., Any] | None = None
) -> Explorer:
    """Explore an operation on any layout: ``tk.explore.operation(tk.mul, x, y)``.

    ``what`` is a map, zip or reduce of the table, or your own loop (see ``tk.step``), compared with
    ``like``; without it there are four to choose from, and one of them has a slip. The controls lay
    the inputs and the output out, and leave old numbers in out. Raises as ``tk.step`` does.
    """
    if what is None:
        x, y = _three_by_two(), tensor([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
        choices: dict[str, Case] = {
            "map −x": (ops.get("neg"), (x,), None, None),
            "zip x × y": (ops.get("mul"), (x, y), None, None),
            "reduce Σ": (ops.get("sum"), (x,), 0, None),
            "a loop with a slip": (neg_in_storage_order, (x,), None, ops.get("neg")),
        }
    else:
        own = is_loop(what) or like is not None
        if not own and not isinstance(what, Operation):
            raise TypeError(
                f"{getattr(what, '__name__', what)!r} is no operation and no loop: the first "
                "parameter of a loop is called out"
            )
        tensors = tuple(as_tensor(one) for one in inputs) or (_three_by_two(),)
        choices = {
            getattr(what, "name", getattr(what, "__name__", "yours")): (what, tensors, dim, like)
        }

    def scene(what: Case, inputs: str, out: str) -> Scene:
        return operation_scene(*what, inputs=inputs, out=out)

    controls = [
        Choice("what", "operation", choices),
        Choice("inputs", "inputs", KINDS),
        Choice("out", "out", OUT),
    ]
    explorer = Explorer("operation", controls if len(choices) > 1 else controls[1:], scene)
    if len(choices) == 1:
        (only,) = choices.values()
        explorer = Explorer("operation", controls[1:], lambda **how: scene(only, **how))
    explorer.scene()  # what cannot be stepped through is refused here, not when it is shown
    return explorer


def operation_scene(
    what: Any, tensors: tuple[Tensor, ...], dim: int | None, like: Any, inputs: str, out: str
) -> Scene:
    """Return the scene of an operation or a loop, its inputs and its output laid out as asked."""
    given = [one if inputs == "contiguous" else laid_out(one, inputs) for one in tensors]
    shape = _landing(tensors, dim, reduces=dim is not None or getattr(what, "kind", "") == "reduce")
    more: dict[str, Any] = {"dim": dim}
    if out in ("permuted", "strided"):
        more["out_strides"] = strides_of(shape, out)
    if out == "dirty":
        more["start"] = DIRT
    if isinstance(what, Operation):
        return forward_scene(what, *given, **more)
    return learner_scene(what, *given, like=like, **more)


def _landing(tensors: tuple[Tensor, ...], dim: int | None, reduces: bool) -> Shape:
    """Return the shape of out, reduced dims kept with length 1."""
    shape = broadcast_shapes(*(one.shape for one in tensors))
    if not reduces:
        return shape
    away = range(len(shape)) if dim is None else [normal_dim(dim, shape)]
    return tuple(1 if d in away else n for d, n in enumerate(shape))


def _three_by_two() -> Tensor:
    return tensor([[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]])
