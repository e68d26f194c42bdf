"""Functions that turn a function into its gradient: ``grad`` and ``jacobian``.

Both run the function on the graph and walk it back, and the walk is recorded when it has to be, so
``grad(grad(f))`` is the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast
from weakref import WeakSet

import numpy as np

from .autodiff import nodes_behind, unwind
from .compositions import stack
from .errors import DtypeError, GraphError, ShapeError
from .layout import Shape
from .moves import PERMUTE, VIEW
from .tensor import Tensor, tensor

SLOPES: WeakSet[Callable[..., Any]] = WeakSet()  # the functions that ``grad`` has made


def gradients(
    out: Tensor, inputs: Tensor | Sequence[Tensor], grad_out: Any = None, create_graph: bool = False
) -> tuple[Any, ...]:
    """Return the gradient of ``out`` with respect to each of ``inputs``; no ``grad`` is changed.

    Shapes: each gradient has the shape of its input. An input that ``out`` does not depend on has
    gradient zero. The graph is kept. Raises GraphError, ShapeError as ``Tensor.backward`` does.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else inputs
    if grad_out is not None and not isinstance(grad_out, Tensor):
        grad_out = tensor(grad_out, dtype=out.dtype)
    found: dict[int, Any] = {id(t): None for t in inputs}
    for _ in unwind(out, grad_out, True, create_graph, found):
        pass
    return tuple(found[id(t)] if found[id(t)] is not None else _zeros(t.shape, t) for t in inputs)


def grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``f``, which returns a single number.

    The gradient is taken along argument ``argnums``; for a tuple of numbers, a tuple of gradients
    is returned. Apply it twice for second derivatives.
    """

    def gradient(*args: Any) -> Any:
        chosen = (argnums,) if isinstance(argnums, int) else argnums
        inputs = [_variable(args[k]) for k in chosen]
        given = list(args)
        for k, t in zip(chosen, inputs, strict=True):
            given[k] = t
        out = f(*given)
        if not isinstance(out, Tensor) or out.size != 1:
            got = f"shape {out.shape}" if isinstance(out, Tensor) else type(out).__name__
            raise ShapeError(
                f"grad needs a function that returns one number, but it returned {got}: "
                "use tk.jacobian for a function of several numbers"
            )
        if out.requires_grad:
            found = gradients(out, inputs, create_graph=rests_on_others(out, inputs))
        elif f in SLOPES:  # a slope that is the same everywhere has slope 0
            found = tuple(_zeros(t.shape, t) for t in inputs)
        else:
            raise GraphError("the function does not depend on the argument it is differentiated by")
        return found[0] if isinstance(argnums, int) else found

    SLOPES.add(gradient)
    return gradient


def jacobian(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function that computes all derivatives of ``f``, one walk back per output cell.

    Shapes: for f from shape a to shape b, the result has shape ``(*b, *a)``.
    """

    def derivatives(x: Any) -> Any:
        given = _variable(x)
        out = f(given)
        if not isinstance(out, Tensor):
            raise DtypeError(f"jacobian needs a function that returns a tensor, not {type(out)}")
        if not out.requires_grad or not out.size:
            return _zeros((*out.shape, *given.shape), given)
        nested = rests_on_others(out, [given])
        rows: list[Any] = []
        for k in range(out.size):
            one = np.zeros(out.size)
            one[k] = 1.0
            start = tensor(one.reshape(out.shape), dtype=out.dtype)
            rows += gradients(out, [given], start, create_graph=nested)
        return VIEW(stack(rows), (*out.shape, *given.shape))

    return derivatives


def rests_on_others(out: Tensor, inputs: Sequence[Tensor]) -> bool:
    """Whether ``out`` also depends on leaves beside ``inputs``, which may be asked for later."""
    own = {id(t) for t in inputs}
    return any(
        t.is_leaf and t.requires_grad and id(t) not in own
        for node in nodes_behind(out)
        for t in node.inputs
    )


def _zeros(shape: Shape, like: Tensor) -> Tensor:
    return tensor(np.zeros(shape), dtype=like.dtype)


def _variable(x: Any) -> Tensor:
    """Return ``x`` as a tensor of its own, whose gradient can be asked for.

    Its history goes on. It is not ``x`` itself: the function may also use ``x`` in another role.
    """
    if isinstance(x, Tensor) and x.requires_grad:
        return cast(Tensor, PERMUTE(x, tuple(range(x.ndim))))
    fresh = x.detach() if isinstance(x, Tensor) else tensor(x)
    return fresh.requires_grad_()
