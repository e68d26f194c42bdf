"""Names for the tensors of a run: those that its author gave them, else short ones by operation.

An expression such as ``lambda x, w: (x * w).sum()`` names its parameters only. A function that
assigns to local variables names its steps too, and a picture should use those names.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, FunctionType
from typing import Any

from .graph import Variable

# what a reader would write: m = x * w; z = m + b; y = sigmoid(z); s = y.sum()
USUAL = {
    "add": "z", "sub": "d", "mul": "m", "div": "q", "pow": "p", "maximum": "h", "relu": "h",
    "neg": "n", "exp": "e", "log": "l", "reciprocal": "r", "sqrt": "r", "sigmoid": "y",
    "tanh": "y", "sum": "s", "mean": "s", "max": "t", "prod": "p", "all": "a", "view": "v",
}  # fmt: skip
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Names:
    """Names by tensor, as they are seen; the first name of a tensor stays its name.

    The tensors are kept alive, so that an id cannot be taken over by another.
    """

    def __init__(self) -> None:
        self.seen: dict[int, tuple[Any, str]] = {}
        self.taken: set[str] = set()

    def give(self, tensor: Any, name: str) -> None:
        """Name a tensor, unless it has a name."""
        if isinstance(tensor, Variable) and id(tensor) not in self.seen:
            self.seen[id(tensor)] = tensor, self.free(name)

    def of(self, tensor: Any) -> str | None:
        """Return the name of a tensor, if it has one."""
        found = self.seen.get(id(tensor))
        return found[1] if found else None

    def free(self, wanted: str) -> str:
        """Return ``wanted``, with a number if another tensor has that name."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = wanted + str(number).translate(SUBSCRIPTS)
        self.taken.add(name)
        return name


def parameters(f: Callable[..., Any], count: int) -> list[str]:
    """Return a name for each of ``count`` arguments of ``f``: its own, else x, y, z, x4 ..."""
    spare = [*"xyz", *(f"x{k}" for k in range(4, count + 1))]
    try:
        found = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return spare[:count]
    plain = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [p.name for p in plain][:count]
    return names + [n for n in spare if n not in names][: count - len(names)]


def surroundings(f: Callable[..., Any]) -> Iterator[tuple[Any, str]]:
    """Yield the tensors that ``f`` uses without being given them, each with its name there.

    What has ``named_parameters``, as a layer does, names its own.
    """
    around: list[tuple[str, Any]] = [("", f)]
    if isinstance(f, FunctionType):
        found = inspect.getclosurevars(f)
        around += {**found.globals, **found.nonlocals}.items()
    for name, value in around:
        yield value, name
        own = getattr(value, "named_parameters", None)
        if callable(own) and not isinstance(value, type):
            for inner, parameter in own():
                yield parameter, inner


def call_watched(f: Callable[..., Any], arguments: Sequence[Any], names: Names) -> Any:
    """Return ``f(*arguments)``, and name tensors after the local variables that hold them.

    Only the lines of ``f`` itself are watched, and only while it runs.
    """
    code = getattr(f, "__code__", None)
    if code is None:
        return f(*arguments)

    def inside(frame: FrameType, event: str, detail: Any) -> Any:
        for name, value in frame.f_locals.items():
            names.give(value, name)
        return inside

    def outside(frame: FrameType, event: str, detail: Any) -> Any:
        return inside(frame, event, detail) if frame.f_code is code else None

    before = sys.gettrace()
    sys.settrace(outside)
    try:
        return f(*arguments)
    finally:
        sys.settrace(before)


def usual_name(operation: str, kind: str, last: bool, scalar: bool) -> str:
    """Return a short name for the result of an operation, as one would write it on a board."""
    if last:
        return "L" if scalar else "out"
    return USUAL.get(operation, "f" if kind == "function" else "c")
