"""Making tensors: from memory that is shared, of equal numbers, of a range, of random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from .errors import DtypeError
from .layout import flat_shape, in_order
from .moves import FLOATS
from .random import Generator, draw
from .tensor import Tensor, float64, tensor


def from_numpy(array: NDArray[Any]) -> Tensor:
    """Return a tensor over the memory of a float64 or float32 array; a write shows in both.

    Raises DtypeError for another dtype, or if the array is no regular walk over one buffer.
    """
    if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise DtypeError(f"from_numpy shares float64 or float32 memory, not {kind}: use tk.tensor")
    if type(array) is np.ndarray and array.flags.carray:  # the short way, most of the time
        return Tensor._of(array.ravel(), in_order(array.shape, array.dtype))
    owner = array
    while isinstance(owner.base, np.ndarray) and not array.flags.c_contiguous:
        owner = owner.base
    flat = unrolled(owner)
    start = array.__array_interface__["data"][0] - flat.__array_interface__["data"][0]
    if owner.dtype != array.dtype or any(s % array.itemsize for s in (start, *array.strides)):
        raise DtypeError("from_numpy needs an array over one run of numbers: use tk.tensor")
    strides = [s // array.itemsize for s in array.strides]
    return Tensor(flat, array.shape, strides, start // array.itemsize if array.size else 0)


def unrolled(array: NDArray[Any]) -> NDArray[Any]:
    """Return the memory of an array from its lowest cell to its highest as one flat array."""
    if array.flags.c_contiguous or not array.size:
        return array.reshape(-1)
    forwards = array[tuple(slice(None, None, -1 if s < 0 else 1) for s in array.strides)]
    reach = sum((n - 1) * s for n, s in zip(forwards.shape, forwards.strides, strict=True))
    return as_strided(forwards, (reach // array.itemsize + 1,), (array.itemsize,))


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


def rand(
    *shape: Any,
    generator: Generator | None = None,
    seed: int | None = None,
    requires_grad: bool = False,
    dtype: Any = float64,
) -> Tensor:
    """Make a tensor of numbers drawn evenly from 0 to 1.

    They come from ``generator``, or from a fresh one with ``seed``, or from the shared one.
    Raises DtypeError if both are given.
    """
    return tensor(_source(generator, seed).random(flat_shape(shape)), requires_grad, dtype)


def randn(
    *shape: Any,
    generator: Generator | None = None,
    seed: int | None = None,
    requires_grad: bool = False,
    dtype: Any = float64,
) -> Tensor:
    """Make a tensor of numbers drawn from the standard normal distribution; see ``rand``."""
    numbers = _source(generator, seed).standard_normal(flat_shape(shape))
    return tensor(numbers, requires_grad, dtype)


def _source(generator: Generator | None, seed: int | None) -> np.random.Generator:
    if generator is not None and seed is not None:
        raise DtypeError("give a generator or a seed, not both: a generator has its own seed")
    return draw(generator if seed is None else Generator(seed))


def arange(start: float, stop: float | None = None, step: float = 1) -> Tensor:
    """Make a 1-D tensor of evenly spaced numbers: ``arange(6)`` is 0 to 5."""
    first, end = (0, start) if stop is None else (start, stop)
    return tensor(np.arange(first, end, step))
