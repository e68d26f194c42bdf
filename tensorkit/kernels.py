"""Running a loop: out and the inputs become one small table of lengths and steps, and off it goes.

All storages of a loop share one shape. A plan drops dims of length 1 and merges dims that every
storage walks without a jump, so that most loops become a single long run. Plans are kept by layout:
the second call with the same layouts only looks its plan up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .compiler import Kernel
from .errors import ShapeError
from .loops import elementwise_text, reduce_text
from .view import Layout, Shape, View, layout, row_major

V = TypeVar("V", bound=View)


class Plan(NamedTuple):
    """The table ``dims`` that a loop reads, and the layout of its output."""

    dims: NDArray[Any]
    out: Layout


@lru_cache(maxsize=1 << 12)
def elementwise_kernel(name: str, formula: str, inputs: tuple[str, ...]) -> Kernel:
    """Return the kernel that computes ``formula`` cell by cell."""
    return Kernel(name, elementwise_text(name, formula, inputs), "elementwise")


@lru_cache(maxsize=1 << 12)
def reduce_kernel(name: str, formula: str, inputs: tuple[str, ...]) -> Kernel:
    """Return the kernel that folds with ``formula``, where ``t`` is the running value."""
    return Kernel(name, reduce_text(name, formula, inputs), "reduce")


def walk(shape: Shape, layouts: tuple[Layout, ...], order: list[int]) -> list[list[int]]:
    """Return the lines of ``dims`` for a walk over ``shape``; the dims in ``order``, outer first.

    Line 0 is [runs, begin of each storage]; every later line [length, step of each storage].
    """
    lines: list[list[int]] = []
    for dim in order:
        line = [shape[dim], *(at.strides[dim] for at in layouts)]
        if line[0] == 1:
            continue
        n, steps = line[0], line[1:]
        if lines and all(big == n * step for big, step in zip(lines[-1][1:], steps, strict=True)):
            lines[-1] = [lines[-1][0] * n, *steps]
        else:
            lines.append(line)
    if not lines:
        lines.append([1] + [0] * len(layouts))
    runs = 1
    for line in lines[:-1]:
        runs *= line[0]
    return [[runs, *(at.offset for at in layouts)], *lines]


def as_table(lines: list[list[int]]) -> NDArray[Any]:
    """Return the lines as the unsigned table that compiled loops read."""
    return np.array(lines, dtype=np.int64).astype(np.uint64)


@lru_cache(maxsize=1 << 14)
def elementwise_plan(*layouts: Layout) -> Plan:
    """Plan a fresh row-major output for inputs of one shape. Raises ShapeError if shapes differ."""
    shape = layouts[0].shape
    if any(at.shape != shape for at in layouts):
        raise ShapeError(
            f"shapes {', '.join(str(at.shape) for at in layouts)} differ: a map or zip reads one "
            "cell of each input for each cell of the output; expand them to one shape first"
        )
    out = layout(shape, row_major(shape))
    return Plan(as_table(walk(shape, (out, *layouts), list(range(len(shape))))), out)


@lru_cache(maxsize=1 << 14)
def reduce_plan(dims: Shape, *layouts: Layout) -> Plan:
    """Plan a fold of inputs of one shape over ``dims``, which stay with length 1.

    The output is row-major; the walk sees it with step 0 along ``dims``, so that cells meet.
    """
    shape = layouts[0].shape
    kept = tuple(1 if d in dims else n for d, n in enumerate(shape))
    out = layout(kept, row_major(kept))
    onto = layout(shape, tuple(0 if d in dims else s for d, s in enumerate(out.strides)))
    # the longest strides outside: memory is then read in order, whatever the layout
    order = sorted(range(len(shape)), key=lambda d: -abs(layouts[0].strides[d]))
    return Plan(as_table(walk(shape, (onto, *layouts), order)), out)


def run_elementwise(kernel: Kernel, first: V, *others: View) -> V:
    """Run a map or zip into a fresh output of the type of ``first``. All shapes and dtypes agree."""
    plan = elementwise_plan(first.layout, *(v.layout for v in others))
    storage = first.storage
    out = np.empty(plan.out.size, storage.dtype)
    others_storage = [v.storage for v in others]
    entry = kernel.entry(*([storage.dtype] * kernel.arity))
    entry(out, storage, *others_storage, plan.dims)
    return type(first)._of(out, plan.out)


def run_reduce(kernel: Kernel, start: float, dims: Shape, first: V, *others: View) -> V:
    """Fold over ``dims`` into a fresh output that begins as ``start``; the dims stay, length 1."""
    plan = reduce_plan(dims, first.layout, *(v.layout for v in others))
    out = np.full(plan.out.size, start, first.storage.dtype)
    entry = kernel.entry(*([first.storage.dtype] * kernel.arity))
    entry(out, first.storage, *(v.storage for v in others), plan.dims)
    return type(first)._of(out, plan.out)


def run_copy(source: V, dtype: np.dtype[Any]) -> V:
    """Copy into a fresh row-major storage of ``dtype``."""
    plan = elementwise_plan(source.layout)
    out = np.empty(plan.out.size, dtype)
    COPY.entry(dtype, source.storage.dtype)(out, source.storage, plan.dims)
    return type(source)._of(out, plan.out)


COPY = elementwise_kernel("map_copy", "x", ("x",))

