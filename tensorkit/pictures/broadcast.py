"""Broadcasting is a question about shapes, and its answer is a stride of 0.

Shapes stand right-justified, and each dim gets its verdict. Nothing is copied: where a length of 1
is stretched, the same number is read again. What that saves is told in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorkit import ops
from tensorkit.errors import ShapeError
from tensorkit.layout import Shape, broadcast_shapes
from tensorkit.pictures.aligned import (
    ROW,
    Rescue,
    Table,
    Verdict,
    rescue,
    spell_shape,
    table_size,
    verdicts,
)
from tensorkit.pictures.board import EDGE, measure
from tensorkit.pictures.meeting import Meeting
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import listed
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor

MOST_DIMS = 6
CELLS = 40  # of the result; up to that many its grid is drawn and stepped through
MEMORY = 6.6  # cells that "3 numbers, 24 bytes" takes


def broadcast_scene(tensors: Mapping[str, Tensor], copied: bool = False, op: Any = None) -> Scene:
    """Return the scene of two or three named tensors that broadcast, or fail to.

    Two that do are zipped by ``op``, add if not given, as far as the result is small; ``copied``
    has the stretched ones copied first, to show what stride 0 saves. Raises ShapeError for another
    number of tensors, or more than 6 dims.
    """
    if not 2 <= len(tensors) <= 3:
        raise ShapeError(f"{len(tensors)} tensors were given: align 2 or 3")
    for name, t in tensors.items():
        if t.ndim > MOST_DIMS:
            raise ShapeError(f"{name} has {t.ndim} dims: this picture aligns at most {MOST_DIMS}")
    return _Aligner(tensors, copied, op or ops.get("add")).scene


class _Aligner:
    """The tables of lengths and strides, and below them the cells and the numbers they hold."""

    def __init__(self, tensors: Mapping[str, Tensor], copied: bool, op: Any) -> None:
        self.names, self.given = list(tensors), list(tensors.values())
        self.shapes: list[Shape] = [t.shape for t in self.given]
        self.copied = copied
        self.verdicts = verdicts(self.shapes)
        self.rescue: Rescue | None = None
        try:
            self.shape: Shape | None = broadcast_shapes(*self.shapes)
        except ShapeError as error:
            self.shape, self.message, self.rescue = None, str(error), rescue(self.shapes)
        self.expanded: list[Tensor] = []
        if self.shape is not None:
            self.expanded = [t.detach().expand(self.shape) for t in self.given]
            if copied:
                self.expanded = [t.contiguous() for t in self.expanded]
        self.meeting: Meeting | None = None
        small = self.shape is not None and len(self.shape) <= 4 and len(self.given) == 2
        if small and 0 < self.expanded[0].size <= CELLS:
            self.meeting = Meeting(self.names, self.expanded, self.given, op)
        self._draw()
        self._align()
        if self.shape is None:
            self._fail()
        else:
            self._memory(self.shape)
        if self.meeting:
            self.meeting.tell()

    def _draw(self) -> None:
        ndim, count = len(self.verdicts), len(self.names)
        wide, high = table_size(ndim, count)
        heads = [f"{n}  {shape}" for n, shape in zip(self.names, self.shapes, strict=True)]
        left = EDGE + max(measure(head, 11, bold=True) for head in heads) + 0.7
        second, top = left + wide + 1.3, 1.9
        third = second + max(wide, 2.2) + 0.3
        fixed = self.rescue is not None
        right = third + MEMORY if self.shape is not None else left + wide
        if self.rescue:
            words = max(measure(text, 11, bold=True) for text in self._rescued(self.rescue))
            right = max(right, second + words + 0.7 + table_size(len(self.rescue.result), 1)[0])
        bottom = top + high
        reach = self.meeting.plan(bottom) if self.meeting else (0.0, 0.0)
        title = f"Broadcasting {' with '.join(map(str, self.shapes))}"
        right = max(right, left + wide + 1.0, reach[0], 14.0)
        self.scene = scene = Scene(right + EDGE, max(bottom, reach[1]) + 0.3, title)
        scene.label(left, 0.75, "lengths", size=10.5, bold=True)
        self.table = Table(scene, "length", left, top, self.shapes)
        for nth, head in enumerate([*heads, "out"]):
            y = top + nth * ROW + 0.48 + 0.75 * (nth == count)
            scene.label(EDGE, y, head, "out.name" if nth == count else None, size=11, bold=True)
            if self.shape is not None and nth < count:
                scene.label(third, y, "", f"memory{nth}", size=9.5)
        if self.shape is not None:
            scene.label(second, 0.75, "strides", size=10.5, bold=True)
            self.strides = Table(scene, "stride", second, top, self._strides(), result=False)
            scene.label(third, 0.75, "memory", size=10.5, bold=True)
        if fixed:
            self._draw_rescue(second, top)
        if self.meeting:
            self.meeting.draw(scene)

    def _strides(self) -> list[Shape]:
        return [t.strides for t in self.given]

    def _rescued(self, found: Rescue) -> list[str]:
        code = dict(zip(self.names, self.names, strict=True))
        for text in found.spelled(self.names):
            code[text.split(".")[0]] = text
        return [f"{text}  {shape}" for text, shape in zip(code.values(), found.shapes, strict=True)]

    def _draw_rescue(self, x: float, top: float) -> None:
        assert self.rescue is not None
        words = self._rescued(self.rescue)
        at = x + max(measure(text, 11, bold=True) for text in words) + 0.7
        self.scene.label(x, 0.75, "what would fit", size=10.5, bold=True)
        for nth in range(len(words)):
            y = top + nth * ROW + 0.48
            self.scene.label(x, y, "", f"rescue.name{nth}", size=11, bold=True)
        blank = [("",) * len(shape) for shape in self.rescue.shapes]
        self.fix = Table(self.scene, "rescue", at, top, blank)

    def _align(self) -> None:
        self.scene.step(
            "The last dims stand in one column: shapes are aligned from the right, "
            "and a dim that is missing is missing on the left."
        )
        for verdict in reversed(self.verdicts):
            self._judge(verdict)
            if verdict.length is None:
                return

    def _judge(self, verdict: Verdict) -> None:
        d, column = verdict.dim, self.table.column(verdict.dim)
        changed = [column[k] for k in (*verdict.stretched, *verdict.new)]
        texts: dict[str, Any] = {self.table.words[d]: verdict.short(self.names)}
        texts |= {column[k]: 1 for k in verdict.new}
        kept: dict[str | None, list[str]] = {None: []}
        strides: list[str] = []
        if verdict.length is not None:
            texts[self.table.result[d]] = verdict.length
        if self.shape is not None:
            strides = [line[d] for line in self.strides.cells]
            new = [t.strides[d] for t in self.expanded]
            texts |= dict(zip(strides, map(fmt, new), strict=True))
            kept[None] = [*strides, self.table.result[d]]
            kept["dim"] = [key for key, stride in zip(strides, new, strict=True) if not stride]
        bad = verdict.length is None
        self.scene.step(
            f"{verdict.said(self.names, self.copied)}.",
            bad=bad,
            text=texts,
            keep=kept,
            read=[] if bad else [key for key in column if key not in changed],
            write=[*changed, *([] if bad else [self.table.result[d]])],
            expected=[strides[k] for k in (*verdict.stretched, *verdict.new) if strides],
            wrong=[column[k] for k, n in enumerate(verdict.lengths) if n not in (None, 1)]
            if bad
            else [],
        )

    def _fail(self) -> None:
        clash = next(v for v in reversed(self.verdicts) if v.length is None)
        self.scene.step(
            f"tensorkit refuses: {self.message}.",
            wrong=[
                self.table.column(clash.dim)[k]
                for k, n in enumerate(clash.lengths)
                if n not in (None, 1)
            ],
        )
        if self.rescue is None:
            self.scene.step("No dims of length 1 make these shapes meet.", bad=True)
            return
        found = self.rescue
        words = dict(enumerate(self._rescued(found)))
        texts: dict[str, Any] = {f"rescue.name{k}": text for k, text in words.items()}
        new = []
        for shape, line, added in zip(found.shapes, self.fix.cells, found.added, strict=False):
            missing = len(found.result) - len(shape)
            texts |= dict(zip(line[missing:], shape, strict=True))
            new += [line[missing + d] for d in added]
        views = [
            f"{code} is {name}.view({spell_shape(shape)})"
            for name, shape, added in zip(self.names, found.shapes, found.added, strict=True)
            if added
            for code in [next(c for c in found.spelled(self.names) if c.startswith(name + "."))]
        ]
        self.scene.step(
            f"A dim of length 1 put in by hand lets them meet: {listed(views)}.",
            text=texts,
            write=new,
        )
        verdict = [v.short(self.names) for v in verdicts(found.shapes)]
        self.scene.step(
            f"{' with '.join(map(str, found.shapes))} gives {found.result}: "
            "whether that is what you mean, only you know.",
            text={
                **dict(zip(self.fix.words, verdict, strict=True)),
                **dict(zip(self.fix.result, found.result, strict=True)),
            },
            write=self.fix.result,
        )

    def _memory(self, shape: Shape) -> None:
        told, texts = [], {}
        for nth, (name, given, t) in enumerate(
            zip(self.names, self.given, self.expanded, strict=True)
        ):
            held = t.storage.nbytes
            full = int(np.prod(shape)) * t.dtype.itemsize
            texts[f"memory{nth}"] = f"{_numbers(t.storage.size)}, {fmt(held)} bytes"
            if t.storage is not given.storage:
                told.append(
                    f"the copy of {name} holds {_numbers(t.storage.size)} in {fmt(held)} bytes, "
                    f"where {fmt(given.storage.nbytes)} were enough"
                )
            elif t.shape != given.shape:
                told.append(
                    f"{name} holds {_numbers(t.storage.size)} in {fmt(held)} bytes, "
                    f"a copy as {shape} would hold {fmt(full)} bytes"
                )
        said = "; ".join(told) if told else "no shape was stretched"
        self.scene.step(f"out has shape {shape}: {said}.", text=texts, write=self.table.result)


def _numbers(count: int) -> str:
    return f"{fmt(count)} number{'' if count == 1 else 's'}"
