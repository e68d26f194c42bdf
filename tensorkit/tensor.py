"""Tensor: the public face. A grid of numbers that remembers how it was made.

Every operation of the table is a method here, by its name; the operators are the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .autodiff import Variable, unwind
from .errors import DtypeError, GraphError, IndexingError, InPlaceError, ShapeError
from .moves import FLOATS, as_dtype, flat_shape
from .ops import ROWS
from .view import Storage, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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

    def backward(self, grad_out: Any = None, retain_graph: bool = False) -> None:
        """Add the gradient of this tensor, weighted by ``grad_out``, into the leaves it came from.

        Shapes: grad_out has the shape of this tensor; it may be left out for a single element,
        and is 1 then. Raises GraphError where there is no graph, it was freed, or a start is
        missing; ShapeError for a wrong shape; InPlaceError if a saved tensor was changed.
        """
        if grad_out is not None and not isinstance(grad_out, Variable):
            grad_out = tensor(grad_out, dtype=self.dtype)
        for _ in unwind(self, grad_out, retain_graph):
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
        self.requires_grad = on
        return self

    def copy_(self, values: Any) -> Self:
        """Overwrite all cells in place, outside the graph; ``values`` broadcast to the shape."""
        self[...] = values
        return self

    def __setitem__(self, index: Any, values: Any) -> None:
        """Overwrite cells in place, outside the graph, with NumPy's rules for indices."""
        if self.ctx is not None:
            raise InPlaceError(
                "this tensor was computed from others: changing it in place would make its graph "
                "tell a wrong story. Change a copy: t = tk.tensor(t.numpy())"
            )
        steps = [s for s, n in zip(self.strides, self.shape, strict=True) if n > 1]
        if 0 in steps and self.size:
            raise InPlaceError(
                "this tensor is expanded: several cells are one number in storage, so a write to "
                "one would change others. Call .contiguous() first"
            )
        if not self.storage.flags.writeable:
            raise InPlaceError("the memory of this tensor is read-only: change a copy of it")
        array = self.numpy()
        array.flags.writeable = True
        numbers = real_numbers(values)
        try:
            array[index] = numbers
        except IndexError as error:
            raise IndexingError(f"index {index!r} does not fit {self.shape}: {error}") from None
        except ValueError as error:
            raise ShapeError(f"values do not fit into {self.shape}[{index!r}]: {error}") from None
        self._written()

    def numpy(self) -> NDArray[Any]:
        """Return a read-only NumPy array over the same memory; ``np.array(t)`` makes a copy."""
        return super().numpy()

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


def method(name: str) -> Callable[..., Any]:
    """Return the row ``name`` as a method: the tensor is the row's first argument."""
    row: Any = ROWS[name]

    def call(self: Tensor, *args: Any, **settings: Any) -> Any:
        return row(self, *args, **settings)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{row.about[:1].upper()}{row.about[1:]}.\n\n{row.__call__.__doc__}"
    return call


def operator(name: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    """Return the row ``name`` as an operator, which leaves operands it does not know to Python."""
    row: Any = ROWS[name]

    def call(self: Tensor, other: Any) -> Any:
        if not isinstance(other, (Tensor, np.ndarray, np.generic, int, float)):
            return NotImplemented
        return row(other, self) if swapped else row(self, other)

    call.__name__ = call.__qualname__ = name
    return call


OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow",
    "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne",
}  # fmt: skip

for _name in ROWS:
    setattr(Tensor, _name, method(_name))
for _python, _name in OPERATORS.items():
    setattr(Tensor, f"__{_python}__", operator(_name))
    if _python in ("add", "sub", "mul", "truediv", "pow"):
        setattr(Tensor, f"__r{_python}__", operator(_name, swapped=True))
setattr(Tensor, "__neg__", method("neg"))  # noqa: B010 - made from the table like the others


def tensor(data: ArrayLike | View, requires_grad: bool = False, dtype: Any = float64) -> Tensor:
    """Make a tensor that holds a copy of ``data``: numbers, nested lists, an array, a tensor.

    Raises DtypeError if the data are not real numbers or ``dtype`` is no float64 or float32, and
    ShapeError if nested lists differ in length.
    """
    wanted, array = as_dtype(dtype), real_numbers(data)
    made = Tensor(np.array(array, dtype=wanted, order="C").reshape(-1), array.shape)
    made.requires_grad = requires_grad
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


def from_numpy(array: NDArray[Any]) -> Tensor:
    """Return a tensor over the memory of a float64 or float32 array; a write shows in both.

    Raises DtypeError for another dtype, or if the array is no regular walk over one buffer.
    """
    if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise DtypeError(f"from_numpy shares float64 or float32 memory, not {kind}: use tk.tensor")
    if array.flags.c_contiguous:
        return Tensor(array.reshape(-1), array.shape)
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    if not owner.flags.c_contiguous or owner.dtype != array.dtype or start % array.itemsize:
        raise DtypeError("from_numpy needs an array over one unbroken buffer: use tk.tensor")
    strides = [s // array.itemsize for s in array.strides]
    return Tensor(owner.reshape(-1), array.shape, strides, start // array.itemsize)


def full(shape: Any, value: float, requires_grad: bool = False, dtype: Any = float64) -> Tensor:
    """Make a tensor of ``shape`` with ``value`` in every cell."""
    lengths = flat_shape((shape,))
    return tensor(np.full(lengths, value), requires_grad, dtype)


def zeros(*shape: Any, requires_grad: bool = False, dtype: Any = float64) -> Tensor:
    """Make a tensor of zeros: ``tk.zeros(2, 3)`` or ``tk.zeros((2, 3))``."""
    return full(flat_shape(shape), 0.0, requires_grad, dtype)


def ones(*shape: Any, requires_grad: bool = False, dtype: Any = float64) -> Tensor:
    """Make a tensor of ones: ``tk.ones(2, 3)`` or ``tk.ones((2, 3))``."""
    return full(flat_shape(shape), 1.0, requires_grad, dtype)


def rand(*shape: Any, seed: int | None = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of numbers drawn evenly from 0 to 1; the same ``seed`` draws the same."""
    return tensor(np.random.default_rng(seed).random(flat_shape(shape)), requires_grad)


def randn(*shape: Any, seed: int | None = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of numbers drawn from the standard normal; the same ``seed`` draws the same."""
    return tensor(np.random.default_rng(seed).standard_normal(flat_shape(shape)), requires_grad)


def arange(start: float, stop: float | None = None, step: float = 1) -> Tensor:
    """Make a 1-D tensor of evenly spaced numbers: ``arange(6)`` is 0 to 5."""
    first, end = (0, start) if stop is None else (start, stop)
    return tensor(np.arange(first, end, step))
