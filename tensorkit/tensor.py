"""Tensor: the public face. A grid of numbers that remembers how it was made.

Every operation of the table is a method here, by its name; the operators are the same rows.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .autodiff import starting_gradient, unwind
from .compositions import COMPOSITIONS
from .errors import DtypeError, GraphError, IndexingError, InPlaceError, ShapeError
from .graph import Variable
from .indexing import INDEX, as_index
from .moves import FLOATS, as_dtype
from .ops import CALLS, ROWS
from .swaps import swaps
from .view import Storage, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

float64 = np.dtype(np.float64)
float32 = np.dtype(np.float32)


class Tensor(Variable):
    """A grid of float64 or float32 numbers; make one with ``tk.tensor``.

    Set ``requires_grad`` to record what is computed from it; ``backward`` on a result then adds
    the gradient to ``grad``, a tensor of the same shape.
    """

    __array_priority__ = 100.0
    __hash__ = object.__hash__

    def __init__(
        self,
        storage: Storage,
        shape: Iterable[int],
        strides: Iterable[int] | None = None,
        offset: int = 0,
    ) -> None:
        super().__init__(storage, shape, strides, offset)
        if storage.dtype not in FLOATS:
            raise DtypeError(f"a tensor holds float64 or float32 numbers, not {storage.dtype}")

    if TYPE_CHECKING:  # the methods that come from the table

        def __getattr__(self, name: str) -> Callable[..., Tensor]: ...

    def backward(
        self, grad_out: Any = None, retain_graph: bool = False, create_graph: bool = False
    ) -> None:
        """Add the gradient of this tensor, weighted by ``grad_out``, into the leaves it came from.

        Shapes: grad_out has the shape of this tensor; it may be left out for a single element,
        and is 1 then. Raises GraphError where there is no graph, it was freed, or a start is
        missing; ShapeError for a wrong shape; InPlaceError if a saved tensor was changed.
        ``retain_graph`` keeps the graph for another walk; ``create_graph`` also records this one,
        so that gradients can be differentiated again.
        """
        if grad_out is not None and not isinstance(grad_out, Variable):
            grad_out = tensor(grad_out, dtype=self.dtype)
        if swaps.backward is not None:
            swaps.backward(self, starting_gradient(self, grad_out))
            return
        for _ in unwind(self, grad_out, retain_graph, create_graph):
            pass

    def zero_grad_(self) -> Self:
        """Forget the gradient: leaves add up gradients until this is called."""
        self.grad = None
        return self

    def requires_grad_(self, on: bool = True) -> Self:
        """Start, or with ``False`` stop, recording what is computed from this leaf."""
        if self.ctx is not None and not on:
            raise GraphError(
                "this tensor was computed from others, so it cannot stop requiring a gradient: "
                "use .detach() to get its numbers outside the graph"
            )
        self.requires_grad = bool(on)
        return self

    def copy_(self, values: Any) -> Self:
        """Overwrite all cells in place, outside the graph; ``values`` broadcast to the shape."""
        self[...] = values
        return self

    def __setitem__(self, index: Any, values: Any) -> None:
        """Overwrite cells in place, outside the graph, with NumPy's rules for indices."""
        array = self._changeable()
        index, numbers = as_index(index), real_numbers(values)
        try:
            array[index] = numbers
        except (IndexError, TypeError) as error:
            raise IndexingError(f"index {index!r} does not fit {self.shape}: {error}") from None
        except ValueError as error:
            raise ShapeError(f"values do not fit into {self.shape}[{index!r}]: {error}") from None
        self._written()

    def _changeable(self) -> NDArray[Any]:
        """Return an array to change the cells by, before ``_written``; refuse what must not be."""
        self._check_changeable()
        return self._array()

    def _check_changeable(self) -> None:
        if self.ctx is not None:
            raise InPlaceError(
                "this tensor was computed from others: changing it in place would make its graph "
                "tell a wrong story. Change a copy: t = tk.tensor(t.numpy())"
            )
        if self.layout.overlaps:
            raise InPlaceError(
                "this tensor is expanded: several cells are one number in storage, so a write to "
                "one would change others. Call .contiguous() first"
            )
        if not self.storage.flags.writeable:
            raise InPlaceError("the memory of this tensor is read-only: change a copy of it")

    def __getitem__(self, index: Any) -> Any:
        """Return the cells at ``index``; NumPy's rules. Gradients of a repeated cell add up."""
        return INDEX(self, index)

    def where(self, condition: Any, other: Any) -> Any:
        """Choose: x where the condition is not 0, else y, with this tensor as x, as in PyTorch."""
        return CALLS["where"](condition, self, other)

    def __iter__(self) -> Iterator[Any]:
        return (INDEX(self, k) for k in range(len(self)))

    @property
    def T(self) -> Any:
        """The dims in reverse order."""
        return CALLS["permute"](self, tuple(range(self.ndim))[::-1])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"reading {array.dtype} as {dtype} makes a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self) -> float:
        """Return the one number of a tensor of one element. Raises ShapeError otherwise."""
        if self.size != 1:
            raise ShapeError(f"item() needs one element, but shape {self.shape} has {self.size}")
        return float(self.storage[self.offset])

    def tolist(self) -> Any:
        """Return the numbers as nested lists; a plain float for a 0-d tensor."""
        return self.numpy().tolist()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"a tensor of shape {self.shape} is neither true nor false: "
                "use (a == b).all() or a.is_close(b).all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return self.item()

    def __repr__(self) -> str:
        inner = np.array2string(self.numpy(), separator=", ", prefix="tensor(", threshold=200)
        tail = "" if self.dtype == float64 else ", dtype=float32"
        if self.ctx is not None:
            tail += f", from={self.ctx.function.name}"
        elif self.requires_grad:
            tail += ", requires_grad=True"
        if 0 in self.shape:
            tail += f", shape={self.shape}"
        return f"tensor({inner}{tail})"


Tensor.made = Tensor


def method(name: str) -> Callable[..., Any]:
    """Return the row ``name`` as a method: the tensor is the row's first argument."""
    row = CALLS[name]
    run = row.__call__
    if row.kind == "map":

        def call(self: Tensor) -> Any:
            return run(self)

    elif row.kind == "reduce":

        def call(self: Tensor, dim: Any = None, keepdim: bool | None = None) -> Any:  # type: ignore[misc]
            return run(self, dim, keepdim)

    else:

        def call(self: Tensor, *args: Any, **settings: Any) -> Any:  # type: ignore[misc]
            return run(self, *args, **settings)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{row.about[:1].upper()}{row.about[1:]}.\n\n{cleandoc(run.__doc__)}"
    return call


def operator(name: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """Return the row ``name`` as an operator, which leaves operands it does not know to Python."""
    row = CALLS[name].__call__

    def call(self: Tensor, other: Any) -> Any:
        if not isinstance(other, OPERANDS):
            return NotImplemented
        return row(other, self) if swapped else row(self, other)

    call.__name__ = call.__qualname__ = name
    return call


OPERANDS = (Tensor, float, int, np.ndarray, np.generic)
OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "matmul": "matmul",
    "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne",
}  # fmt: skip

for _name in ROWS.keys() - {"where"}:
    setattr(Tensor, _name, method(_name))
for _name, _composed in COMPOSITIONS.items():
    setattr(Tensor, _name, _composed)
for _python, _name in OPERATORS.items():
    setattr(Tensor, f"__{_python}__", operator(_name))
    if _python in ("add", "sub", "mul", "truediv", "pow", "matmul"):
        setattr(Tensor, f"__r{_python}__", operator(_name, swapped=True))
setattr(Tensor, "__neg__", method("neg"))  # noqa: B010 - made from the table like the others


def tensor(data: ArrayLike | View, requires_grad: bool = False, dtype: Any = float64) -> Tensor:
    """Make a tensor that holds a copy of ``data``: numbers, nested lists, an array, a tensor.

    Raises DtypeError if the data are not real numbers or ``dtype`` is no float64 or float32, and
    ShapeError if nested lists differ in length.
    """
    if not isinstance(requires_grad, (bool, np.bool_)):
        raise DtypeError(
            f"requires_grad is True or False, not {requires_grad!r}: give the dtype by its name, "
            "as in tk.tensor(data, dtype=tk.float32)"
        )
    wanted, array = as_dtype(dtype), real_numbers(data)
    made = Tensor(np.array(array, dtype=wanted, order="C").reshape(-1), array.shape)
    made.requires_grad = bool(requires_grad)
    return made


def real_numbers(data: Any) -> NDArray[Any]:
    """Return ``data`` as an array; raise DtypeError or ShapeError if it is no grid of numbers."""
    try:
        array = np.asarray(data.numpy() if isinstance(data, View) else data)
    except ValueError:
        raise ShapeError("nested lists of unequal lengths form no grid: make them equal") from None
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"a tensor cannot hold {array.dtype} data: give real numbers")
    return array
