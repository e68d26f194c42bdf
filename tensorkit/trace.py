"""A trace is what a loop did to its storages, step by step: plain data, made by running it.

One step is one line of the loop, run once, with all that it read and wrote: ``out[o] += a[p]`` is
two reads and a write. The kit's kernels and a learner's own loop are traced in the same way.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from .layout import Layout
from .recorder import Ending, Recorder, Step, Touch

__all__ = ["Ending", "Laid", "Recorder", "Step", "Touch", "Trace", "trace"]


@dataclass(frozen=True)
class Laid:
    """An array for a traced function: a flat storage, and the layout by which it is read."""

    storage: NDArray[Any]
    layout: Layout


@dataclass(frozen=True)
class Trace:
    """What a function did: its source, its steps, its storages before and after, and its end."""

    function: str
    lines: tuple[str, ...]
    first: int
    steps: tuple[Step, ...]
    before: Mapping[str, tuple[float, ...]]
    after: Mapping[str, tuple[float, ...]]
    ending: Ending

    def as_dict(self) -> dict[str, Any]:
        """Return the trace as dicts, lists, numbers and strings; nan and inf become strings."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain

    def to_json(self) -> str:
        """Return the trace as JSON."""
        return json.dumps(self.as_dict(), allow_nan=False)


def trace(
    function: Callable[..., Any], arguments: Mapping[str, Any], returns: bool = False
) -> Trace:
    """Run ``function`` on the values of ``arguments``, in order, and return what it did.

    Every 1-D array among them is watched under its name, as a copy: the caller's array stays as it
    was; so is one that is Laid, which the function gets in its shape. An exception of the function
    ends the trace and is kept in it; so does a loop that runs for more than TOUCHES reads and
    writes, or INSTRUCTIONS instructions of Python. With ``returns`` the function is not given the
    first argument: what it returns is put there.
    """
    recorder = Recorder(function)
    if returns:
        recorder.function = _kept(recorder.function)
    given = {name: _watched(recorder, name, value) for name, value in arguments.items()}
    before = recorder.contents()
    ending = recorder.run(tuple(given.values()))
    text = recorder.text
    steps = tuple(recorder.steps())
    return Trace(
        recorder.code.co_name, text.lines, text.first, steps, before, recorder.contents(), ending
    )


def _watched(recorder: Recorder, name: str, value: Any) -> Any:
    """Return what the function is given: storages and arrays watched, the rest as it is."""
    if isinstance(value, Laid):
        at, flat = value.layout, recorder.watch(name, value.storage)
        steps = [step * flat.itemsize for step in at.strides]
        return as_strided(flat[at.offset :], at.shape, steps, subok=True)
    storage = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f"
    return recorder.watch(name, value) if storage else value


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that puts what ``function`` returns into its first argument."""

    def call(out: Any, *given: Any) -> None:
        result = function(*given)
        if result is None:
            raise TypeError("it returned None: return the result")
        array = np.asarray(result)
        if array.shape == tuple(n for n in out.shape if n != 1):  # a reduced dim may be dropped
            array = array.reshape(out.shape)
        if array.shape != out.shape:
            raise ValueError(f"it returned shape {array.shape}, and out has shape {out.shape}")
        out[...] = array

    return call


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
