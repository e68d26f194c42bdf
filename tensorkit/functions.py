"""What a differentiable operation is: forward, and backward by the chain rule.

``Function`` is for operations that you write, in the manner of ``torch.autograd.Function``.
``Operation`` is a row of the table: its gradient follows from local derivatives, or, for a move,
from the opposite move. Both record the same kind of node.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .errors import DtypeError, GraphError, ShapeError
from .graph import Context, Node, Variable, grad_mode, no_grad, record


class Operation:
    """A row of the table: how an operation is called, written and drawn.

    ``kind`` is "map", "zip", "reduce" or "move". ``latex`` is its formula for typesetting.
    ``domain`` gives, per input, the interval in which it is defined and smooth enough to test.
    """

    kind: ClassVar[str] = ""

    def __init__(self, name: str, symbol: str, latex: str, about: str) -> None:
        self.name, self.symbol, self.latex, self.about = name, symbol, latex, about
        self.__doc__ = about

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}: {self.about}>"

    def backward(self, ctx: Node, grad_out: Any) -> tuple[Any, ...]:
        """Return one gradient per input, or None where there is none."""
        raise NotImplementedError


def recording(inputs: tuple[Variable, ...]) -> bool:
    """Whether an operation on these inputs becomes part of the graph."""
    return grad_mode.on and any(t.requires_grad for t in inputs)


class Function:
    """A differentiable operation of your own, in the convention of ``torch.autograd.Function``.

    Write two static methods and call ``apply``::

        class Cube(tk.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x * x

            @staticmethod
            def backward(ctx, grad_out):
                (x,) = ctx.saved_tensors
                return grad_out * 3 * x * x

        y = Cube.apply(x)

    ``forward`` may take any arguments and returns one tensor; nothing inside it is recorded.
    ``backward`` returns one gradient per argument of forward, None for one that is not a tensor.
    Raises GraphError for a wrong number of gradients, ShapeError for a wrong shape, both from
    ``Tensor.backward``.
    """

    name: ClassVar[str] = "Function"
    kind: ClassVar[str] = "function"

    def __init_subclass__(cls) -> None:
        cls.name = cls.__name__

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the output. Override this."""
        raise NotImplementedError("write forward(ctx, ...) as a static method")

    @staticmethod
    def backward(ctx: Any, grad_out: Any) -> Any:
        """Compute the gradient of each input from that of the output. Override this."""
        raise NotImplementedError("write backward(ctx, grad_out) as a static method")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and, if an input requires a gradient, record the step on the graph."""
        tensors = tuple(a for a in args if isinstance(a, Variable))
        ctx = Context()
        ctx._name = cls.__name__
        ctx.needs_input_grad = tuple(isinstance(a, Variable) and a.requires_grad for a in args)
        with no_grad():
            out = cls.forward(ctx, *args)
        if not isinstance(out, Variable):
            raise DtypeError(
                f"{cls.__name__}.forward returned {type(out).__name__}: return one tensor"
            )
        made, out = out, out.detach()  # forward may return an input, or a tensor from elsewhere
        if recording(tensors):
            ctx._saved = tuple(t._shadow() if t is made else t for t in ctx._saved)
            positions = [k for k, a in enumerate(args) if isinstance(a, Variable)]
            node = record(_ByTensor(cls, ctx, len(args), positions), tensors, out)
            node.notebook = ctx
        return out


class _ByTensor:
    """A Function as the graph sees it: one gradient per tensor, other arguments left out."""

    def __init__(
        self, function: type[Function], ctx: Context, count: int, positions: list[int]
    ) -> None:
        self.function, self.ctx, self.count, self.positions = function, ctx, count, positions
        self.name = function.__name__
        self.kind, self.symbol, self.latex = "function", self.name, rf"\mathrm{{{self.name}}}"

    def backward(self, node: Node, grad_out: Any) -> tuple[Any, ...]:
        """Call the learner's backward, check it, and keep the gradients that belong to tensors.

        It is recorded if gradients are to have gradients. Then what it returns must depend on
        ``grad_out`` through tensor operations: what NumPy computed has no further gradient.
        """
        saved = self.ctx._saved
        if grad_mode.on:
            grad_out = grad_out if grad_out.requires_grad else _started(grad_out)
            self.ctx._saved = tuple(
                t._rejoined(node) if isinstance(t, Variable) and t.twin is not None else t
                for t in saved
            )
        try:
            grads = self.function.backward(self.ctx, grad_out)
        finally:
            self.ctx._saved = saved
        nothing = grads is None
        grads = tuple(grads) if isinstance(grads, (tuple, list)) else (grads,)
        if len(grads) != self.count:
            found = "None" if nothing else f"{len(grads)} gradient{'s' * (len(grads) != 1)}"
            raise GraphError(
                f"{self.name}.backward returned {found}, but forward takes {self.count} "
                "arguments: return one gradient for each, None for one that is not a tensor"
            )
        return tuple(
            self.checked(k, parent, grads[k])
            if grads[k] is not None and parent.requires_grad
            else None
            for k, parent in zip(self.positions, node.inputs, strict=True)
        )

    def checked(self, number: int, parent: Variable, grad: Any) -> Any:
        """Return a gradient in the dtype of its input; refuse no tensor, or another shape."""
        if not isinstance(grad, Variable):
            raise GraphError(
                f"{self.name}.backward returned {type(grad).__name__} for argument {number}: "
                "a gradient is a tensor"
            )
        if grad.shape != parent.shape:
            raise ShapeError(
                f"{self.name}.backward returned a gradient of shape {grad.shape} for argument "
                f"{number}, whose shape is {parent.shape}: a gradient has the shape of its tensor"
            )
        if grad_mode.on and not grad.requires_grad and grad.numpy().any():
            raise GraphError(
                f"{self.name}.backward computed the gradient of argument {number} outside the "
                "graph, so it has no gradient of its own: write it with tensor operations on "
                "grad_out and the saved tensors, or leave out create_graph"
            )
        kept: Any = grad
        return kept if grad.dtype == parent.dtype else kept.to(parent.dtype)


def _started(grad_out: Any) -> Any:
    """Return the gradient that a walk starts from as a leaf, so that what uses it is recorded."""
    leaf = grad_out.detach()
    leaf.requires_grad = True
    return leaf
