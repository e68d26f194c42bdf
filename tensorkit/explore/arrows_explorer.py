"""Draw the backward arrows yourself, for each kind of operation, and be told about each one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorkit.pictures.arrows import arrows_scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.stepper import Stepper

Example = tuple[Callable[..., Any], tuple[Tensor, ...]]


def arrows(f: Callable[..., Any] | None = None, *inputs: Any, grad_out: Any = None) -> Any:
    """Draw the arrows of backward: ``tk.explore.arrows()``.

    Give an expression to draw those of your own: ``tk.explore.arrows(lambda x: x.max(1), x)``.
    Raises ShapeError for more than 16 input or output cells.
    """
    if f is not None:
        return Stepper(arrows_scene(f, *inputs, grad_out=grad_out))
    kind = Choice("kind", "operation", EXAMPLES)
    return Explorer("arrows", [kind], lambda kind: arrows_scene(kind[0], *kind[1]))


_X = tensor([[3.0, 1.0, -2.0], [4.0, 5.0, 6.0]], requires_grad=True)
_W = tensor([3.0, 1.0, -2.0], requires_grad=True)
EXAMPLES: dict[str, Example] = {
    "map": (lambda x: -x, (_W,)),
    "zip": (lambda x, y: x * y, (_W, tensor([0.5, 4.0, -1.0], requires_grad=True))),
    "reduce, dim 0": (lambda x: x.sum(0), (_X,)),
    "reduce, dim 1": (lambda x: x.sum(1), (_X,)),
    "max": (lambda x: x.max(1), (_X,)),
    "broadcast": (lambda b: b.expand(2, 3), (_W,)),
    "permute": (lambda x: x.permute(1, 0), (_X,)),
}
