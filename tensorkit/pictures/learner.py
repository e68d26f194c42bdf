"""Your own loop, as it really ran: each read and write in its place, and the first wrong one told.

The loop runs as it is, over watched storages. What it should have read and written follows from the
shapes and from the operation that it is to be like; nothing is guessed from its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np

from tensorkit import ops
from tensorkit.pictures.board import Board
from tensorkit.pictures.expected import Call, Cell, Expected, expect, prepare
from tensorkit.pictures.running import spell_variables
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source
from tensorkit.pictures.text import fmt
from tensorkit.pictures.verdict import Finding, Verdict
from tensorkit.reduction import Reduce
from tensorkit.trace import Step, Touch, Trace, trace

SHOWN, ENDLESS = 400, 60  # steps that are told: of a loop that ends, and of one that does not


def learner_scene(
    loop: Callable[..., Any],
    *inputs: Any,
    dim: int | None = None,
    like: Callable[..., Any] | None = None,
    start: float | None = None,
    out_strides: Sequence[int] | None = None,
) -> Scene:
    """Run a learner's loop on ``inputs`` and return the scene of what it did.

    ``like`` is the operation that it should be, a row of the table or a function of cells; a loop
    with a ``dim`` is a sum if nothing else is said. ``start`` is what out holds before (for a fold
    its usual start, else 0) and ``out_strides`` how out is laid out. Raises as ``prepare`` and
    ``expect`` do; what the loop itself raises becomes the last step.
    """
    if dim is not None and like is None:
        like = cast(Reduce, ops.get("sum"))
    if start is None:
        start = like.start if isinstance(like, Reduce) else 0.0
    call = prepare(loop, inputs, dim, start, out_strides)
    expected = expect(call, like, start)
    ran = trace(loop, call.arguments, call.returns)
    board = Board(f"Your {ran.function}", Source(ran.lines, ran.first) if ran.lines else None)
    lay_out(board, call, like)
    return Story(board, call, expected, ran, like).scene


def lay_out(board: Board, call: Call, like: Any) -> None:
    """Put the inputs, the sign of the operation if there is one, and out on a board."""
    sign = getattr(like, "symbol", "")
    for number, plate in enumerate(call.inputs):
        board.tensor(plate)
        if sign and number == 0:
            board.sign(sign)
    if sign and len(call.inputs) > 1:
        board.sign("=", pill=False)
    board.tensor(call.out)


class Story:
    """A run told step by step on a board, and judged."""

    def __init__(
        self, board: Board, call: Call, expected: Expected, ran: Trace, like: Any = None
    ) -> None:
        self.board, self.call, self.expected, self.ran, self.like = board, call, expected, ran, like
        self.scene = board.scene()
        self.verdict = Verdict(call, ran, expected)
        self.found = {finding.step: finding for finding in self.verdict.findings}
        # the loop calls its storages by its own parameters
        self.seats = {plate.name: board.seats[plate.key] for plate in (*call.inputs, call.out)}
        self._link()
        self._begin()
        self.numbers: dict[int, int] = {}  # of the trace's steps, in the scene
        most = ENDLESS if ran.ending.how == "stopped" else SHOWN
        for number, step in enumerate(ran.steps[:most]):
            self.numbers[number] = len(self.scene.steps)
            self.tell(step, self.found.get(number))
        self._end()

    def keys(self, cells: Iterable[Cell]) -> list[str]:
        """Return the keys of cells, in the grids and on the tapes."""
        return [key for name, p in cells for key in self.seats[name].at([p])]

    def tell(self, step: Step, finding: Finding | None) -> None:
        """Tell one step of the loop."""
        reads = [(t.storage, p) for t in step.reads for p in t.positions]
        writes = {
            (t.storage, p): value
            for t in step.writes
            for p, value in zip(t.positions, t.values, strict=True)
        }
        say = say_step(step, self.call)
        wrong: tuple[Cell, ...] = ()
        expected: tuple[Cell, ...] = ()
        if finding is not None:
            say, wrong, expected = f"{say} {finding.say}", finding.wrong, finding.expected
        done = self.keys(cell for cell in reads if cell[0] != "out")
        self.scene.step(
            say,
            **self._code(step, wrong),
            bad=finding is not None,
            text={key: value for cell, value in writes.items() for key in self.keys([cell])},
            read=self.keys(reads),
            write=self.keys(writes),
            wrong=self.keys(wrong),
            expected=self.keys(cell for cell in expected if cell not in wrong),
            keep={"dim": done} if self.call.kind != "zip" else {},
        )

    def _code(self, step: Step, wrong: Sequence[Cell]) -> dict[str, Any]:
        touches = [touch for touch in step.touches if touch.span and touch.line == step.line]
        blamed = [t for t in touches if any((t.storage, p) in wrong for p in t.positions)]
        marks = dict.fromkeys(touch.span for touch in blamed or touches if touch.span)
        line = step.line if self.ran.lines else None
        return {"line": line, "marks": marks, "variables": spell_variables(step.variables)}

    def _link(self) -> None:
        seat = self.seats["out"]
        for ordinal, position in enumerate(self.call.out.positions.ravel().tolist()):
            fed = self.keys(self.expected.feeds[position])
            if fed:
                self.scene.link(seat.grid.keys[ordinal], fed)

    def _begin(self) -> None:
        inputs = ", ".join(plate.name for plate in self.call.inputs)
        holds = f", which holds {fmt(self.expected.start)}" if self.call.out.storage else ""
        out = "; out is what it returns" if self.call.returns else f" and out{holds}"
        say = f"{self.ran.function} is called with {inputs}{out}.{self.call.rest}"
        self.scene.step(say, line=self._top)

    @property
    def _top(self) -> int | None:
        """The line of ``def``, below any decorators."""
        for number, line in enumerate(self.ran.lines):
            if line.startswith(("def ", "async def ")):
                return self.ran.first + number
        return self.ran.first if self.ran.lines else None

    def _end(self) -> None:
        say, bad = ending(self.call, self.ran, self.verdict, self.like, self.numbers)
        after = self.ran.after["out"]
        out = [("out", p) for p in self.expected.feeds]
        wrong = [("out", p) for p in self.verdict.wrong] if bad else []
        for finding in self.verdict.findings:
            wrong += finding.wrong if finding.step is None else ()
        line = self.ran.ending.line if self.ran.ending.how != "returned" else None
        self.scene.step(
            say,
            line=line if self.ran.lines else None,
            bad=bad,
            text={key: after[p] for _, p in out for key in self.keys([("out", p)])},
            wrong=self.keys(dict.fromkeys(wrong)),
            expected=[] if bad or self.expected.want is None or idle(self.ran) else self.keys(out),
        )


def idle(ran: Trace) -> bool:
    """Tell whether a run left out as it was, as far as anyone can see."""
    wrote = any(t.storage == "out" for step in ran.steps for t in step.writes)
    return not wrote and np.array_equal(ran.before["out"], ran.after["out"], equal_nan=True)


def say_step(step: Step, call: Call) -> str:
    """Return what a step read and wrote: ``Reads a[4] = 0: out[1] goes from 6 to 6.``"""
    read = [(t, p, v) for t in step.reads for p, v in zip(t.positions, t.values, strict=True)]
    written = [(t, p, v) for t in step.writes for p, v in zip(t.positions, t.values, strict=True)]
    old = {(t.storage, p): value for t, p, value in read}
    targets = {(t.storage, p) for t, p, _ in written}
    parts = [_say_read(call, t, p, v) for t, p, v in read if (t.storage, p) not in targets]
    changes = []
    for t, p, value in written:
        before = old.get((t.storage, p))
        went = "becomes" if before is None else f"goes from {fmt(before)} to"
        changes.append(f"{call.named((t.storage, p))} {went} {fmt(value)}")
    if not parts:
        return f"{_some(changes)}."
    return f"Reads {_some(parts)}{': ' if changes else ''}{_some(changes)}."


def _say_read(call: Call, touch: Touch, position: int, value: float) -> str:
    counted = ", counted from the end," if touch.wrapped else ""
    return f"{call.named((touch.storage, position))}{counted} = {fmt(value)}"


def _some(words: Sequence[str], most: int = 4) -> str:
    extra = [f"{len(words) - most} more"] if len(words) > most else []
    return ", ".join([*words[:most], *extra])


def ending(
    call: Call, ran: Trace, verdict: Verdict, like: Any, numbers: dict[int, int]
) -> tuple[str, bool]:
    """Return the last sentence of a run, and whether something was wrong with it."""
    end, cut = ran.ending, ""
    if len(ran.steps) > len(numbers):
        cut = f" Of its {len(ran.steps)} steps, the first {len(numbers)} are shown."
    where = f"line {end.line}" if ran.lines else "one line"
    if end.how == "stopped":
        why = f"It was {end.message}, at {where}: is there a loop that never ends?"
        return why + cut, True
    if end.how == "raised" and end.error == "NotImplementedError":
        return f"Yours to write: {where} raises NotImplementedError. Put your loop there.", False
    if end.how == "raised":
        why = f"{end.error}: {end.message}".rstrip(": .")
        return f"{where.capitalize()} stopped with {why}.{cut}", True
    if not verdict.expected.feeds:
        return "out has no cells, so there was nothing to do.", False
    if idle(ran) and any(verdict.expected.feeds.values()):
        return _nothing_written(ran), False
    found, want = verdict.findings, verdict.expected.want
    more = [finding.say for finding in found if finding.step is None]
    if found and found[0].step in numbers:
        more.append(f"Look at step {numbers[found[0].step]} first.")
    if want is not None and verdict.wrong:
        p = verdict.wrong[0]
        say = (
            f"{len(verdict.wrong)} of {len(want)} cells of out are wrong: "
            f"{call.named(('out', p))} is "
            f"{fmt(ran.after['out'][p])}, and should be {fmt(want[p])}."
        )
        return " ".join([say, *more]) + cut, True
    if found:
        return " ".join(["Every cell of out is right, but not all else is.", *more]) + cut, True
    if want is None:
        return f"The loop has ended. With like=tk.neg, say, out would be compared.{cut}", False
    name = getattr(like, "name", getattr(like, "__name__", "the function"))
    over = "" if call.dim is None else f" over dim {call.dim}"
    return f"Every cell of out is right: it agrees with {name}{over}.{cut}", False


def _nothing_written(ran: Trace) -> str:
    if ran.ending.returned == "generator":
        return "Nothing ran: with a yield in it, the function only made a generator."
    if ran.ending.returned:
        kind = ran.ending.returned.replace("Watched", "ndarray")
        return f"It returned a {kind} and wrote nothing: fill out instead, out[position] = value."
    return "Nothing was written: a loop fills out, with lines such as out[position] = value."
