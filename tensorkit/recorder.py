"""A recorder runs a function over watched storages and notes what each of its lines touches.

It stops a loop that goes on and on, keeps the exception that ends one, and finds, for every read
and write, the line and the part of the line that did it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal

import numpy as np

from .listing import Listing, Span, Value, short
from .watch import Kind, Watched, watch

TOUCHES = 3000  # reads and writes after which a loop is stopped
INSTRUCTIONS = 1_000_000  # of Python, after which it is stopped if it touches its storages less


@dataclass(frozen=True)
class Touch:
    """One read or write: the positions in a storage, in order, and the values found or left there.

    ``span`` holds the columns of the expression in its line, if it fits on one line. ``wrapped``
    says that a negative index was counted from the end.
    """

    kind: Kind
    storage: str
    positions: tuple[int, ...]
    values: tuple[float, ...]
    line: int
    span: Span | None = None
    wrapped: bool = False


@dataclass(frozen=True)
class Step:
    """One line, run once: its touches, and the local variables at the last of them."""

    line: int
    touches: tuple[Touch, ...]
    variables: Mapping[str, Value]

    @property
    def reads(self) -> tuple[Touch, ...]:
        """The reads of this step."""
        return tuple(touch for touch in self.touches if touch.kind == "read")

    @property
    def writes(self) -> tuple[Touch, ...]:
        """The writes of this step."""
        return tuple(touch for touch in self.touches if touch.kind == "write")


@dataclass(frozen=True)
class Ending:
    """How a run ended: it returned, raised an exception, or was stopped as it went on and on.

    ``line`` is the last line that ran, ``error`` the name of the exception, ``message`` its text,
    and ``returned`` the type of what was returned, if that was not None.
    """

    how: Literal["returned", "raised", "stopped"]
    line: int | None = None
    error: str = ""
    message: str = ""
    returned: str = ""


class Stopped(BaseException):
    """Ends a loop that goes on and on; no ``except Exception`` of the loop can hold it."""


@dataclass(frozen=True)
class _Noted:
    touch: Touch
    frame: FrameType
    at: int
    tick: int
    variables: Mapping[str, Value]
    lane: Any = None


class Recorder:
    """Notes touches while a function runs, with the line of that function that they belong to.

    A helper's touches count at the line that called it, so one function explains all that happens.
    ``lane`` is noted with each touch: whoever runs parallel iterations one by one sets it.
    """

    lane: Any = None

    def __init__(self, function: Callable[..., Any], touches: int | None = None) -> None:
        function = inspect.unwrap(getattr(function, "py_func", function))  # numba keeps the Python
        self.function = function
        self.code: CodeType = function.__code__
        self.text = Listing.of(function)
        self._codes = {code: list(code.co_positions()) for code in _nested(self.code)}
        self._storages: dict[str, Watched] = {}
        self.noted: list[_Noted] = []
        self._open = False
        self._touches = TOUCHES if touches is None else touches
        self._count = 0  # instructions of all that runs
        self._ticks = 0  # of these, the function's own
        self._limit = INSTRUCTIONS
        self._stops: list[str] = []
        self._line = self.code.co_firstlineno

    def watch(self, name: str, values: Any) -> Watched:
        """Return a watched copy of a flat array."""
        self._storages[name] = watch(values, name, self._listen)
        return self._storages[name]

    def contents(self) -> dict[str, tuple[float, ...]]:
        """Return what the storages hold now."""
        return {
            name: tuple(map(float, storage.view(np.ndarray)))
            for name, storage in self._storages.items()
        }

    def run(self, arguments: tuple[Any, ...]) -> Ending:
        """Call the function; whatever happens, say how it ended."""
        others = sys.gettrace()
        self._open = True
        try:
            with np.errstate(all="ignore"):  # as in the compiled loop: 1 / 0 is inf
                sys._getframe().f_trace_opcodes = True  # Python 3.12 looks when tracing begins
                sys.settrace(self._count_work)
                returned = self.function(*arguments)
        except Stopped as stop:
            return Ending("stopped", self._line_of(stop.__traceback__), message=str(stop))
        except Exception as error:
            line = self._line_of(error.__traceback__)
            return Ending("raised", line, type(error).__name__, str(error))
        finally:
            sys.settrace(others)
            self._open = False
        shown = "" if returned is None else type(returned).__name__
        return Ending("returned", self._line, returned=shown)

    def steps(self) -> Iterator[Step]:
        """Gather the touches into steps: a step ends where its line does, or runs again."""
        gathered: list[_Noted] = []
        for one in self.noted:
            if gathered and not self._goes_on(gathered[-1], one):
                yield _step(gathered)
                gathered = []
            gathered.append(one)
        if gathered:
            yield _step(gathered)

    def _goes_on(self, last: _Noted, now: _Noted) -> bool:
        statements = self.text.statements
        lines = [statements.get(one.touch.line, one.touch.line) for one in (last, now)]
        if last.frame is not now.frame or lines[0] != lines[1]:
            return False
        return now.at > last.at or now.tick == last.tick  # a += 1 reads and writes in one go

    def _listen(
        self, kind: Kind, name: str, positions: list[int], values: list[float], wrapped: bool
    ) -> None:
        frame = self._frame()
        if frame is None or not self._open:
            return
        line, end, start, stop = self._codes[frame.f_code][frame.f_lasti // 2]
        line = line or frame.f_lineno
        span = self.text.span(line, start, stop) if line == end else None
        touch = Touch(kind, name, tuple(positions), tuple(values), line, span, wrapped)
        variables = self._variables(frame)
        self.noted.append(_Noted(touch, frame, frame.f_lasti, self._ticks, variables, self.lane))
        if len(self.noted) >= self._touches:
            sys.settrace(self._count_work)  # off since the last stop, if a bare except caught that
            frame.f_trace = self._count_work
            raise self._stop(f"stopped after {self._touches} reads and writes")

    def line_now(self) -> int | None:
        """Return the line of the function that is running; None while it is not."""
        frame = self._frame()
        return None if frame is None else frame.f_lineno

    def _frame(self) -> FrameType | None:
        """Return the innermost frame of the function itself: a helper belongs to its caller."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code not in self._codes:
            frame = frame.f_back
        return frame

    def _stop(self, why: str) -> Stopped:
        """Return what stops the loop, and wait a little longer next time.

        A bare ``except:`` catches even this; sooner or later it is raised outside of the ``try``.
        """
        self._limit = self._count + len(self._stops)
        self._stops.append(why)
        return Stopped(self._stops[0])

    def _variables(self, frame: FrameType) -> dict[str, Value]:
        """Return the locals that are numbers, or short runs of numbers that are no argument."""
        arguments = self.code.co_varnames[: self.code.co_argcount]
        kept = {}
        for name, value in frame.f_locals.items():
            if isinstance(value, Watched):
                continue
            shown = short(value)
            if shown is None or (name in arguments and isinstance(shown, tuple)):
                continue
            if name.isidentifier():  # a comprehension's own argument is called ".0"
                kept[name] = shown
        return kept

    def _count_work(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "call":
            caller = frame.f_back
            if frame.f_code.co_filename in _OURS or (
                frame.f_code not in self._codes and (caller is None or caller.f_trace is None)
            ):
                return None  # noting a read is our work, and all that it calls
            # lines are too coarse: ``while True: pass`` never begins a second one
            # the tracer first: since Python 3.13 opcodes begin only in a frame that has one
            frame.f_trace, frame.f_trace_opcodes = self._count_work, True
            frame.f_trace_lines = frame.f_code in self._codes
        elif event == "line":
            self._line = frame.f_lineno or self._line
        elif event == "opcode":
            self._count += 1
            self._ticks += frame.f_code in self._codes
            if self._count >= self._limit:
                raise self._stop(f"stopped after {INSTRUCTIONS} instructions")
        return self._count_work

    def _line_of(self, traceback: TracebackType | None) -> int:
        line = self._line
        while traceback is not None:
            if traceback.tb_frame.f_code in self._codes:
                line = traceback.tb_lineno or line
            traceback = traceback.tb_next
        return line


_OURS = {__file__, inspect.getfile(Watched)}


def _step(noted: list[_Noted]) -> Step:
    return Step(noted[-1].touch.line, tuple(one.touch for one in noted), dict(noted[-1].variables))


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
