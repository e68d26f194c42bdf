"""Running a loop: out and the inputs become one small table of lengths and steps, and off it goes.

All storages of a loop share one shape. A plan drops dims of length 1 and merges dims that every
storage walks without a jump, so that most loops become a single long run. Plans are kept by layout:
a second call with the same layouts only looks its plan up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .compiler import Entry, Kernel
from .errors import ShapeError
from .layout import Layout, Shape, in_order, layout
from .loops import elementwise_text, reduce_text
from .storages import LARGE, reused
from .swaps import own_entry
from .view import View, new

V = TypeVar("V", bound=View)
LONG = 10_000  # cells that are worth the time to compile a loop once more
LARGEST = 1 << 59  # cells: the number of their bytes still fits in 64 bits


class Plan(NamedTuple):
    """The table ``dims`` that a loop reads, and the layout of its output."""

    dims: NDArray[Any]
    out: Layout


@lru_cache(maxsize=1 << 12)
def elementwise_kernel(name: str, formula: str, inputs: tuple[str, ...]) -> Kernel:
    """Return the kernel that computes ``formula`` cell by cell."""
    return Kernel(name, elementwise_text(name, formula, inputs), "elementwise", inputs, formula)


@lru_cache(maxsize=1 << 12)
def reduce_kernel(name: str, formula: str, inputs: tuple[str, ...]) -> Kernel:
    """Return the kernel that folds with ``formula``, where ``t`` is the running value."""
    return Kernel(name, reduce_text(name, formula, inputs), "reduce", inputs, formula)


def walk(shape: Shape, layouts: tuple[Layout, ...], order: list[int]) -> list[list[int]]:
    """Return the lines of ``dims`` for a walk over ``shape``; the dims in ``order``, outer first.

    Line 0 is [runs, begin of each storage]; every later line [length, step of each storage].
    """
    if math.prod(shape) > LARGEST:
        raise ShapeError(f"shape {shape} has {math.prod(shape)} cells: no loop can walk so many")
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


def one_shape(*layouts: Layout) -> Shape:
    """Return the shape that all have. Raises ShapeError if they differ: nothing checks it later."""
    shape = layouts[0].shape
    if any(at.shape != shape for at in layouts):
        raise ShapeError(
            f"shapes {', '.join(str(at.shape) for at in layouts)} differ: a map or zip reads one "
            "cell of each input for each cell of the output; expand them to one shape first"
        )
    return shape


def elementwise_plan(*layouts: Layout, dtype: np.dtype[Any] | None = None) -> Plan:
    """Plan a fresh row-major output for inputs of one shape. Raises ShapeError if shapes differ."""
    shape = one_shape(*layouts)
    out = in_order(shape, dtype or layouts[0].dtype)
    return Plan(as_table(walk(shape, (out, *layouts), list(range(len(shape))))), out)


def reduce_plan(dims: Shape, *layouts: Layout) -> Plan:
    """Plan a fold of inputs of one shape over ``dims``, which stay with length 1.

    The output is row-major; the walk sees it with step 0 along ``dims``, so that cells meet.
    """
    shape = layouts[0].shape
    kept = tuple(1 if d in dims else n for d, n in enumerate(shape))
    out = in_order(kept, layouts[0].dtype)
    onto = layout(shape, tuple(0 if d in dims else s for d, s in enumerate(out.strides)))
    # the longest strides outside: memory is then read in order, whatever the layout
    order = sorted(range(len(shape)), key=lambda d: -abs(layouts[0].strides[d]))
    return Plan(as_table(walk(shape, (onto, *layouts), order)), out)


@dataclass(slots=True)
class Call:
    """All that one call of a kernel on given layouts needs, looked up in one step."""

    entry: Entry
    dims: NDArray[Any]
    out: Layout
    size: int
    dtype: np.dtype[Any]
    empty: Callable[[int, np.dtype[Any]], NDArray[Any]]  # makes the output's storage
    reads: tuple[Layout, ...] = ()  # how the inputs are read, where broadcasting stretches them


def prepare(kernel: Kernel, key: Any, plan: Plan, *layouts: Layout) -> Call:
    """Compile if need be, and keep the call under ``key``; all go when there are very many."""
    if len(kernel.calls) >= 1 << 12:
        kernel.calls.clear()
    dtype = plan.out.dtype
    entry = own_entry(kernel, plan.out, layouts) or kernel.entry(
        dtype, *(at.dtype for at in layouts), still=still(kernel, plan)
    )
    size = plan.out.size
    call = Call(entry, plan.dims, plan.out, size, dtype, reused if size >= LARGE else np.empty)
    kernel.calls[key] = call
    return call


def still(kernel: Kernel, plan: Plan) -> tuple[str, ...]:
    """Return the inputs with step 0 in the run, if it is long enough to be compiled for that."""
    runs, (length, _, *steps) = int(plan.dims[0, 0]), plan.dims[-1].tolist()
    if length < 64 or runs * length < LONG:
        return ()
    return tuple(v for v, step in zip(kernel.inputs, steps, strict=True) if step == 0)


def run_map(kernel: Kernel, x: V) -> V:
    """Run a loop over one input into a fresh row-major output of its type."""
    call = kernel.calls.get(x.layout)
    if call is None:
        call = prepare(kernel, x.layout, elementwise_plan(x.layout), x.layout)
    storage = call.empty(call.size, call.dtype)
    call.entry(storage, x.storage, call.dims)
    out: V = new(x.made)
    out.storage, out.layout = storage, call.out
    return out


def run_zip(kernel: Kernel, x: V, y: View) -> V:
    """Run a loop over two inputs of one shape and dtype into a fresh row-major output."""
    key = (x.layout, y.layout)
    call = kernel.calls.get(key)
    if call is None:
        call = prepare(kernel, key, elementwise_plan(*key), *key)
    storage = call.empty(call.size, call.dtype)
    call.entry(storage, x.storage, y.storage, call.dims)
    out: V = new(x.made)
    out.storage, out.layout = storage, call.out
    return out


def run_elementwise(kernel: Kernel, first: V, *others: View) -> V:
    """Run a loop over any number of inputs, all of one shape and dtype."""
    if len(others) < 2:
        return run_zip(kernel, first, *others) if others else run_map(kernel, first)
    key = (first.layout, *[v.layout for v in others])
    call = kernel.calls.get(key)
    if call is None:
        call = prepare(kernel, key, elementwise_plan(*key), *key)
    storage = call.empty(call.size, call.dtype)
    call.entry(storage, first.storage, *[v.storage for v in others], call.dims)
    made: V = first.made._of(storage, call.out)
    return made


def run_reduce(kernel: Kernel, start: float, dims: Shape, first: V, *others: View) -> V:
    """Fold over ``dims`` into a fresh output that begins as ``start``; the dims stay, length 1."""
    key = (dims, first.layout, *[v.layout for v in others]) if others else (dims, first.layout)
    call = kernel.calls.get(key)
    if call is None:
        layouts = (first.layout, *[v.layout for v in others])
        call = prepare(kernel, key, reduce_plan(dims, *layouts), *layouts)
    storage = call.empty(call.size, call.dtype)
    storage.fill(start)
    call.entry(storage, first.storage, *[v.storage for v in others], call.dims)
    out: V = first.made._of(storage, call.out)
    return out


def run_into(kernel: Kernel, out: View, x: View, y: View) -> None:
    """Fold two inputs of the shape of ``out`` into what it holds: in place, cell by cell.

    Raises ShapeError if a shape differs.
    """
    key = (out.layout, x.layout, y.layout)
    call = kernel.calls.get(key)
    if call is None:
        shape = one_shape(*key)
        lines = walk(shape, key, list(range(len(shape))))
        call = prepare(kernel, key, Plan(as_table(lines), out.layout), x.layout, y.layout)
    call.entry(out.storage, x.storage, y.storage, call.dims)


def run_copy(source: V, dtype: np.dtype[Any]) -> V:
    """Copy into a fresh row-major storage of ``dtype``."""
    key = (source.layout, dtype)
    call = COPY.calls.get(key)
    if call is None:
        call = prepare(COPY, key, elementwise_plan(source.layout, dtype=dtype), source.layout)
    out = call.empty(call.size, dtype)
    call.entry(out, source.storage, call.dims)
    made: V = source.made._of(out, call.out)
    return made


COPY = elementwise_kernel("map_copy", "x", ("x",))
