"""A parallel loop, run plainly: which iteration touched which cell, and what the run cost.

Threads make a race a matter of luck. Here the loop runs in plain Python, one iteration after the
other, each in a lane of its own, and every touch is noted with its lane. Two lanes that meet in one
cell, at least one of them writing, would race; whether they do on a given day does not matter.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .recorder import Ending, Recorder, Touch
from .watch import Watched

MAKERS = (
    "empty", "zeros", "ones", "full", "array", "arange", "copy",
    "empty_like", "zeros_like", "ones_like", "full_like",
)  # fmt: skip
MOST = 100_000  # touches of a run


@dataclass(frozen=True)
class Lane:
    """One iteration of a parallel loop: the ``loop``-th that ran, its iteration ``number``."""

    loop: int
    number: int


@dataclass(frozen=True)
class Access:
    """One touch of one cell, by a lane, or by none where the code is not parallel."""

    touch: Touch
    position: int
    lane: Lane | None


@dataclass(frozen=True)
class Made:
    """An array that the run made: where, how large in bytes, and in which lane."""

    name: str
    line: int | None
    size: int
    nbytes: int
    lane: Lane | None


@dataclass(frozen=True)
class Conflict:
    """A cell in which two lanes of one loop meet, ``second`` writing or ``first`` having written.

    ``array`` is the name that the reader knows; ``key`` tells arrays of one name apart.
    """

    key: str
    array: str
    position: int
    first: Access
    second: Access

    def __str__(self) -> str:
        one, two = self.first, self.second
        assert one.lane is not None and two.lane is not None
        verbs = {"read": "read", "write": "written"}
        again = "" if one.touch.kind == two.touch.kind else f"{verbs[two.touch.kind]} "
        return (
            f"{self.array}[{self.position}] is {verbs[one.touch.kind]} by iteration "
            f"{one.lane.number} (line {one.touch.line}) and {again}by iteration "
            f"{two.lane.number} (line {two.touch.line})"
        )


@dataclass(frozen=True)
class Lanes:
    """What one plain run of a kernel did.

    ``loops`` holds the number of iterations of every parallel loop that was entered; ``calls`` how
    often each helper function was called; ``made`` the arrays that the run made. ``names`` maps the
    key of an array to its name.
    """

    function: str
    lines: tuple[str, ...]
    first: int
    accesses: tuple[Access, ...]
    names: Mapping[str, str]
    sizes: Mapping[str, int]
    loops: tuple[int, ...]
    calls: Mapping[str, int]
    made: tuple[Made, ...]
    arguments: tuple[str, ...]
    ending: Ending

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The first meeting of two lanes in each cell where any meet, in the order of the run."""
        seen: dict[tuple[str, int, int], list[Access]] = {}
        met: dict[tuple[str, int, int], Conflict] = {}
        for access in self.accesses:
            if access.lane is None:
                continue
            cell = (access.touch.storage, access.position, access.lane.loop)
            before = seen.setdefault(cell, [])
            if cell not in met:
                for other in before:
                    kinds = (other.touch.kind, access.touch.kind)
                    if other.lane != access.lane and "write" in kinds:
                        name = self.names[cell[0]]
                        met[cell] = Conflict(cell[0], name, access.position, other, access)
                        break
            if all(a.lane != access.lane or a.touch.kind != access.touch.kind for a in before):
                before.append(access)
        return tuple(met.values())

    def count(self, kind: str, storage: str | None = None) -> int:
        """Return how many cells were read or written, of one array or of all arguments."""
        wanted = self.arguments if storage is None else (storage,)
        return sum(a.touch.kind == kind and a.touch.storage in wanted for a in self.accesses)


def run_lanes(kernel: Callable[..., Any], *arguments: Any) -> Lanes:
    """Run ``kernel`` plainly on copies of ``arguments`` and return what each iteration did.

    A function that numba compiled runs as the Python that it was written in, and so do the helpers
    that it calls; ``prange`` counts lanes, and arrays that NumPy makes are watched. Flat arrays of
    numbers among the arguments that are floats are watched too; shapes and strides are passed as
    they are. An exception ends the run and is kept in ``ending``.
    """
    return Runner(kernel).run(arguments)


class Runner:
    """Rebuilds a kernel and its helpers so that they tell what they do, and runs it once."""

    def __init__(self, kernel: Callable[..., Any]) -> None:
        self.calls: Counter[str] = Counter()
        self.loops: list[int] = []
        self.made: list[Made] = []
        self.names: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._plain: dict[int, FunctionType] = {}
        self._numbers: dict[str, Iterator[int]] = {}
        self.recorder = Recorder(self.plain(kernel), touches=MOST)

    def run(self, arguments: tuple[Any, ...]) -> Lanes:
        """Run once; see ``run_lanes``."""
        recorder = self.recorder
        names = inspect.getfullargspec(recorder.function).args
        given = []
        for name, value in zip(names, arguments, strict=True):
            if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f":
                value = self._watch(name, name, value)
            given.append(value)
        watched = tuple(self.names)
        ending = recorder.run(tuple(given))
        accesses = tuple(
            Access(noted.touch, position, noted.lane)
            for noted in recorder.noted
            for position in noted.touch.positions
        )
        return Lanes(
            recorder.code.co_name, recorder.text.lines, recorder.text.first, accesses, self.names,
            self.sizes, tuple(self.loops), self.calls, tuple(self.made), watched, ending,
        )  # fmt: skip

    def plain(self, function: Callable[..., Any]) -> FunctionType:
        """Return a function whose globals and enclosed names are ours where they need to be."""
        bare = inspect.unwrap(getattr(function, "py_func", function))
        if id(bare) not in self._plain:
            names: dict[str, Any] = {}
            cells = tuple(CellType() for _ in bare.__closure__ or ())
            made = FunctionType(bare.__code__, names, bare.__name__, bare.__defaults__, cells)
            self._plain[id(bare)] = made  # known before its names are: it may call itself
            names.update({name: self.ours(value) for name, value in bare.__globals__.items()})
            for cell, given in zip(cells, bare.__closure__ or (), strict=True):
                cell.cell_contents = self.ours(given.cell_contents)
            made.__kwdefaults__ = bare.__kwdefaults__
        return self._plain[id(bare)]

    def ours(self, value: Any) -> Any:
        """Return what a kernel finds in the place of ``value``."""
        if is_prange(value):
            return self.lanes
        if value is np:
            return Stand(np, {name: self._maker(name) for name in MAKERS})
        if isinstance(value, ModuleType) and value.__name__ == "numba":
            return Stand(value, {"prange": self.lanes})
        if isinstance(getattr(value, "py_func", value), FunctionType):
            return self.counted(value)
        return value

    def counted(self, function: Any) -> Callable[..., Any]:
        """Return a helper that counts its calls; it is made plain when it is first called."""
        name = function.__name__

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls[name] += 1
            return self.plain(function)(*arguments, **options)

        call.__name__ = name
        return call

    def lanes(self, *bounds: int) -> Iterator[int]:
        """Stand for ``prange``: each iteration in its lane. Inside a lane it is a plain range."""
        if self.recorder.lane is not None:
            yield from range(*bounds)  # as numba does: only the outermost loop runs in parallel
            return
        loop = len(self.loops)
        self.loops.append(len(range(*bounds)))
        for i in range(*bounds):  # to its end: numba allows no way out of a parallel loop
            self.recorder.lane = Lane(loop, i)
            yield i
        self.recorder.lane = None

    def _maker(self, name: str) -> Callable[..., Any]:
        make = getattr(np, name)

        def call(*arguments: Any, **options: Any) -> Any:
            array = make(*arguments, **options)
            if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
                return array
            line = self.recorder.line_now()
            text = self.recorder.text
            source = text.lines[line - text.first] if line is not None and text.lines else ""
            found = re.match(r"\s*(\w+)\s*(:[^=]+)?=[^=]", source)
            label = found.group(1) if found else f"np.{name}(...)"
            number = next(self._numbers.setdefault(label, itertools.count(1)))
            self.made.append(Made(label, line, array.size, array.nbytes, self.recorder.lane))
            return self._watch(f"{label} #{number}", label, array)

        return call

    def _watch(self, key: str, name: str, values: Any) -> Watched:
        self.names[key], self.sizes[key] = name, values.size
        return self.recorder.watch(key, values)


class Stand:
    """Stands for a module: some names are replaced, the others are its own."""

    def __init__(self, module: ModuleType, replaced: Mapping[str, Any]) -> None:
        self._module, self._replaced = module, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced[name] if name in self._replaced else getattr(self._module, name)


def is_prange(value: Any) -> bool:
    """Tell whether a value is numba's ``prange``, without importing numba."""
    named = getattr(value, "__name__", "") == "prange"
    return named and str(getattr(value, "__module__", "")).startswith("numba")
