"""The figures of the lecture, ready to step through: ``tk.figures.map()``.

Each has numbers of its own, all different, so that no wrong answer looks right; give others as
arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorkit import ops
from tensorkit.functions import Function
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.step import step
from tensorkit.widgets.stepper import Stepper


def three_by_two() -> Tensor:
    """Return the (3, 2) tensor of the lecture's pictures."""
    return tensor([[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]])


def cube() -> Tensor:
    """Return the (2, 3, 2) tensor of the lecture's third reduction."""
    return tensor([[[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]], [[2.0, 6.0], [-1.0, 8.0], [7.0, 0.5]]])


def map(x: Any = None, op: Any = ops.ROWS["neg"]) -> Stepper:
    """Step through a map: every cell of out is made from one cell of x."""
    return step(op, three_by_two() if x is None else x)


def zip(x: Any = None, y: Any = None, op: Any = ops.ROWS["add"]) -> Stepper:
    """Step through a zip: every cell of out is made from a pair. Broadcasting comes by itself."""
    x = three_by_two() if x is None else x
    return step(op, x, tensor([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]]) if y is None else y)


def reduce(x: Any = None, dim: Any = 0, op: Any = ops.ROWS["sum"]) -> Stepper:
    """Step through a reduce: cells that differ only along ``dim`` meet in one cell of out."""
    return step(op, three_by_two() if x is None else x, dim=dim)


def stencil(x: Any = None, dim: int = 0, op: Any = ops.ROWS["sum"]) -> Stepper:
    """Step through a reduce as a stencil: the reduction shape moves over x, one cell of out each.

    Without x it is the (3, 2) tensor, and for ``dim=2`` the (2, 3, 2) one.
    """
    from tensorkit.pictures.stencil import stencil_scene

    if x is None:
        x = cube() if dim == 2 else three_by_two()
    return Stepper(stencil_scene(x, dim, op))


def implement(x: Any = None, dim: int = 1) -> Stepper:
    """Step through the loop that sums: it starts from a cell of out and asks what belongs to it."""
    from tensorkit.pictures.implement import implement_scene

    return Stepper(implement_scene(three_by_two() if x is None else x, dim))


def map_back(x: Any = None, grad_out: Any = None, op: Any = ops.ROWS["sigmoid"]) -> Stepper:
    """Step through the backward of a map: upstream times slope, cell by cell."""
    from tensorkit.pictures.backward import backward_scene

    x = three_by_two() if x is None else x
    return Stepper(backward_scene(op, x, grad_out=grad_out))


def zip_back(
    x: Any = None, y: Any = None, grad_out: Any = None, op: Any = ops.ROWS["mul"]
) -> Stepper:
    """Step through the backward of a zip: each input gets upstream times its own slope."""
    from tensorkit.pictures.backward import backward_scene

    x = three_by_two() if x is None else x
    y = tensor([[0.5, 2.0], [-1.0, 3.0], [4.0, 1.5]]) if y is None else y
    return Stepper(backward_scene(op, x, y, grad_out=grad_out))


def reduce_back(
    x: Any = None, dim: Any = 0, grad_out: Any = None, op: Any = ops.ROWS["sum"]
) -> Stepper:
    """Step through the backward of a reduce: one upstream cell goes to all that met in it."""
    from tensorkit.pictures.backward import backward_scene

    x = three_by_two() if x is None else x
    return Stepper(backward_scene(op, x, grad_out=grad_out, dim=dim))


class MyFun(Function):
    """The lecture's own example, from two numbers to two: [x1, x1 * x2]."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Tensor:
        """Return [x1, x1 * x2]; backward will need both numbers."""
        ctx.save_for_backward(x)
        x1, x2 = x.tolist()
        return tensor([x1, x1 * x2])

    @staticmethod
    def backward(ctx: Any, grad_out: Any) -> Tensor:
        """Return, for each input, the sum over both outputs of grad_out times slope."""
        (x,) = ctx.saved_tensors
        x1, x2 = x.tolist()
        g1, g2 = grad_out.tolist()
        return tensor([g1 * 1 + g2 * x2, g1 * 0 + g2 * x1])


def jacobian(f: Callable[..., Any] | None = None, *inputs: Any, grad_out: Any = None) -> Stepper:
    """Step through grad_out times the Jacobian: every input cell by every output cell.

    ``f`` is an expression, a row of the table or a tk.Function; without it, the lecture's ``MyFun``
    at (2, 5).
    """
    from tensorkit.pictures.jacobian import jacobian_scene

    if f is None:
        f, inputs = MyFun, inputs or (tensor([2.0, 5.0]),)
    return Stepper(jacobian_scene(f, *inputs, grad_out=grad_out))
