"""One call steps through anything: an operation, its backward, an expression, your own loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tensorkit.checks import GradientReport
from tensorkit.errors import GradientError
from tensorkit.functions import Operation
from tensorkit.pictures.scene import Scene
from tensorkit.widgets.stepper import Stepper


def step(
    what: Any,
    *inputs: Any,
    dim: Any = None,
    grad_out: Any = None,
    like: Callable[..., Any] | None = None,
    start: float | None = None,
    out_strides: Sequence[int] | None = None,
) -> Stepper:
    """Run ``what`` on ``inputs`` and return a Stepper through all that it did.

    ``step(tk.mul, x, y)`` steps through an operation of the table, forward; with ``grad_out``,
    backward. ``step(lambda x, w: (x * w).sum(), x, w)`` steps through the graph of an expression,
    or of your own tk.Function, forward and then backward from ``grad_out``; one that is wider than
    a page has a box for each tensor instead of all its cells. A function whose first
    parameter is called ``out`` is your own loop over flat storages, and is compared with ``like``::

        my_map(out, out_shape, out_strides, a, a_shape, a_strides)              like=tk.neg
        my_zip(out, ..., a, a_shape, a_strides, b, b_shape, b_strides)          like=tk.mul
        my_reduce(out, ..., a, a_shape, a_strides, dim)                         like=tk.sum

    Or it takes NumPy arrays with their shapes, as ``my_map(out, a)``, ``my_zip(out, a, b)`` or
    ``my_reduce(out, a, dim)``, and is told by index; with ``like`` it may also return its result
    instead, as ``my_map(a)``.

    ``step(report)`` draws what ``tk.check_gradient(..., raises=False)`` found; the GradientError
    that it raises otherwise will do as well.

    ``like`` may be any Python function of cells; a loop with a ``dim`` is a sum if nothing else is
    said. ``out_strides`` and ``start`` choose how out is laid out and what it holds before. Of
    large tensors a part is shown, and the first step says which.

    Raises TypeError for an option that does not belong to ``what``, and ShapeError for inputs that
    do not fit.
    """
    report = getattr(what, "report", None) if isinstance(what, GradientError) else what
    if isinstance(report, GradientReport):
        return Stepper(drawn_report(report, *inputs, dim, grad_out, like, start, out_strides))
    # without ``out`` a function is an expression, unless it is to be like something
    loop = is_loop(what) or (like is not None and not isinstance(what, Operation))
    scene: Scene
    if loop:
        from tensorkit.pictures.learner import learner_scene

        _refuse("your own loop", grad_out=grad_out)
        scene = learner_scene(
            what, *inputs, dim=dim, like=like, start=start, out_strides=out_strides
        )
    elif not isinstance(what, Operation):
        from tensorkit.pictures.graph import graph_scene

        _refuse("an expression", dim=dim, like=like, start=start, out_strides=out_strides)
        scene = graph_scene(what, *inputs, **({} if grad_out is None else {"grad_out": grad_out}))
    elif grad_out is not None:
        from tensorkit.pictures.backward import backward_scene

        _refuse(f"the backward of {what.name}", like=like, start=start, out_strides=out_strides)
        scene = backward_scene(what, *inputs, grad_out=grad_out, dim=dim)
    else:
        from tensorkit.pictures.forward import forward_scene

        _refuse(f"the operation {what.name}", like=like)
        scene = forward_scene(what, *inputs, dim=dim, out_strides=out_strides, start=start)
    return Stepper(scene)


def drawn_report(report: GradientReport, *more: Any) -> Scene:
    """Return the scene of a gradient check, which holds all it needs."""
    from tensorkit.pictures.gradcheck import gradcheck_scene

    if any(one is not None for one in more):
        raise TypeError("a gradient report has inputs and options of its own: give it alone")
    return gradcheck_scene(report)


def is_loop(what: Any) -> bool:
    """Tell whether a function is a loop over storages: its first parameter is called ``out``."""
    if isinstance(what, Operation):
        return False
    if not callable(what):
        raise TypeError(
            f"cannot step through {type(what).__name__}: give an operation such as tk.mul, a "
            "function of tensors, or your own loop, and after it its inputs"
        )
    try:
        names = list(inspect.signature(getattr(what, "py_func", what)).parameters)
    except (TypeError, ValueError):
        return False
    return names[:1] == ["out"]


def _refuse(who: str, **options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise TypeError(f"{who} has no option {name}: leave it out")
