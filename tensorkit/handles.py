"""A tensor as a course on graph engines sees it: parents, a chain rule, a place for its derivative.

The names are those of MiniTorch's module 1.4, so that an engine written there, ``topological_sort``
and ``backpropagate``, walks tensorkit's graphs as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .autodiff import plus
from .graph import no_grad
from .kernels import run_copy
from .tensor import Tensor


class Variable:
    """A handle on one tensor of a graph. Two handles on one tensor have the same ``unique_id``."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def unique_id(self) -> int:
        """A number that no other tensor of the graph has."""
        return id(self.tensor)

    @property
    def name(self) -> str:
        """The operation that made it, ``leaf``, or ``constant`` where no gradient goes."""
        node = self.tensor.ctx
        if node is None:
            return "constant" if self.is_constant() else "leaf"
        return node.function.name

    def is_leaf(self) -> bool:
        """Whether nothing made it: its derivative is what backward is for."""
        return self.tensor.requires_grad and self.tensor.ctx is None

    def is_constant(self) -> bool:
        """Whether no gradient goes through it."""
        return not self.tensor.requires_grad

    @property
    def parents(self) -> list[Variable]:
        """The inputs it was made from, in order; a tensor that was used twice comes twice."""
        node = self.tensor.ctx
        return [] if node is None else [Variable(t) for t in node.inputs]  # type: ignore[arg-type]

    def chain_rule(self, d_output: Any) -> Iterable[tuple[Variable, Any]]:
        """Return each input with the share that ``d_output`` sends to it; constants get none.

        ``d_output`` has the shape of this tensor, and must be complete: the sum of all its shares.
        """
        node = self.tensor.ctx
        if node is None:
            return []
        with no_grad():
            shares = node.function.backward(node, d_output)
        pairs = zip(self.parents, shares, strict=True)
        return [(parent, share) for parent, share in pairs if not parent.is_constant()]

    def accumulate_derivative(self, x: Any) -> None:
        """Add ``x`` to the gradient that a leaf keeps."""
        kept = self.tensor.grad
        self.tensor.grad = run_copy(x, x.dtype) if kept is None else plus(kept, x)

    def __repr__(self) -> str:
        return f"Variable({self.name}, shape {self.tensor.shape})"
