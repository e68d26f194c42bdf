"""A message tells what is wrong, where it first shows, and one thing to do next: six lines at most.

Numbers are shown as a person would write them. The line of the learner's own code is shown, never a
line of the checks.
"""

from __future__ import annotations

import functools
import linecache
import sysconfig
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .cases import Array, Case

MOST = 6  # lines of a message
WIDTH = 83  # nbgrader's validate cuts longer lines


@dataclass(frozen=True)
class Finding:
    """What one failed check has to say."""

    what: str
    where: str = ""
    data: str = ""  # of a public check
    because: str = ""  # a diagnosis
    then: str = ""  # one thing to do
    case: Case | None = None  # the public check whose data the learner gets
    hidden: bool = False
    ends: bool = False  # further checks would only repeat this one

    def lines(self) -> list[str]:
        """Return the message in lines that nbgrader's validate does not cut, six at most."""
        parts = [fold(part) for part in (self.what, self.data, self.where, self.because, self.then)]
        if sum(map(len, parts)) > MOST:
            parts[1] = []
        return [line for part in parts for line in part][:MOST]


def fold(text: str) -> list[str]:
    """Break one part of a message into two lines at most."""
    return textwrap.wrap(
        text, WIDTH, max_lines=2, placeholder=" ...", break_long_words=False, break_on_hyphens=False
    )


def number(value: float) -> str:
    """Write a number briefly: 3, -0.25, 1e-06."""
    return f"{float(value):.6g}"


def numbers(values: Any) -> str:
    """Write an array as nested lists."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        return number(float(array))
    return "[" + ", ".join(numbers(part) for part in array) + "]"


def differs(got: Array, want: Array) -> bool:
    """Whether shape or numbers differ by more than rounding. A nan is always different."""
    return got.shape != want.shape or not np.allclose(got, want, rtol=1e-6, atol=1e-9)


def unlike(got: Array, guess: Array) -> bool:
    """As ``differs``, but nan equals nan: a wrong rule that divides 0 by 0 is to be recognised."""
    same = got.shape == guess.shape and np.allclose(got, guess, rtol=1e-9, equal_nan=True)
    return not same


def first_wrong(got: Array, want: Array) -> str:
    """Say where two arrays first differ: the shape, or the first wrong cell with both numbers."""
    if got.shape != want.shape:
        return f"got shape {got.shape}, want shape {want.shape}"
    wrong = ~np.isclose(got, want, rtol=1e-6, atol=1e-9)
    index = tuple(int(i) for i in np.argwhere(wrong)[0]) if want.ndim else ()
    place = f"first wrong cell {list(index)}: " if want.ndim else ""
    others = f" ({int(wrong.sum())} of {want.size} cells are wrong)" if want.size > 1 else ""
    have, wish = number(got[index]), number(want[index])
    if have == wish:
        have, wish = f"{got[index]:.12g}", f"{want[index]:.12g}"
    return f"{place}got {have}, want {wish}{others}"


def spell(names: Sequence[str]) -> str:
    """Join names for a sentence: 'x, y and z'."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def own_line(trace: TracebackType | None) -> str:
    """Return the deepest line of the traceback that the learner wrote, or nothing."""
    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not _is_ours(code.co_filename):
            text = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            if text:
                found = f"at your line: {text}"
        trace = trace.tb_next
    return found


def slip(error: BaseException, where: str) -> str:
    """Name what a learner may have overlooked, for exceptions that many a first backward raises."""
    text = str(error)
    if "values to unpack" in text and "saved_tensors" in where:
        return "as many tensors come back as forward gave to ctx.save_for_backward(...)"
    if "'Tensor' and 'tuple'" in text or "'tuple' and 'Tensor'" in text:
        return "ctx.saved_tensors is a tuple, even of one tensor: (x,) = ctx.saved_tensors"
    if "neither true nor false" in text:
        return "an if asks once for all cells: a mask such as x > 0 asks each, and holds 1 or 0"
    if "cannot expand" in text and ".expand(" in where:
        return "a.expand(*shape) copies the cells of a into a larger shape: it never sums"
    return ""


@functools.cache  # a call of itself without end has a thousand lines in one file
def _is_ours(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return True
    path = Path(filename).resolve()
    homes = [Path(__file__).resolve().parents[1], Path(np.__file__).resolve().parents[1]]
    homes += [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib")]
    return "tensorkit_hidden" in path.parts or any(path.is_relative_to(home) for home in homes)
