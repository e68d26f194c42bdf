"""A gradient check as a picture: what backward says, what nudging measures, where they part.

On top stands the grad_out of the test: other numbers would give other gradients. Each input has a
line of its own, three tensors of its shape side by side. Only the cells that the check found wrong
are marked, by the tolerance that the check had; nothing is judged again here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.checks import GradientReport
from tensorkit.layout import Shape
from tensorkit.pictures.cells import number, window
from tensorkit.pictures.layout import tensor_size
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL

SHAPE = (1.25, 0.82)
MARGIN = 0.5
HEAD = 1.5  # above a line of tensors: the input's name, and what the tensors are
SPACE = 0.9  # between two tensors
COLUMNS = ("backward says", "nudging measures", "difference")
TOLD = 8  # wrong cells that have a step of their own
Cells = NDArray[Any]


def gradcheck_scene(report: GradientReport) -> Scene:
    """Return the scene of a gradient check. Raises ShapeError for more than 4 dims.

    Of an input with many cells the part around the first wrong cell is shown.
    """
    return GradcheckPicture(report).scene


class GradcheckPicture:
    """A line of three tensors for every input that was checked."""

    def __init__(self, report: GradientReport) -> None:
        self.report = report
        self.parts = [part(wrong) for wrong in report.wrong]
        shown = [tensor_size(lengths(cut), SHAPE) for cut in self.parts]
        label = max(text_width(name) * 11 * 1.13 / CELL for name in COLUMNS)
        wide = max(label, *(size[0] for size in shown)) + SPACE
        weights = report.weights[tuple(map(slice, window(report.weights.shape)))]
        size = tensor_size(weights.shape, SHAPE)
        upstream = f"grad_out of the test {report.weights.shape}"
        if weights.shape != report.weights.shape:
            upstream += f", its first {weights.shape}"
        heads = [self.head(i) for i in range(len(self.parts))]
        lines = [text_width(text) * 11 / CELL for text in (upstream, *heads)]
        width = max(3 * wide - SPACE, size[0], *lines) + 2 * MARGIN
        top = MARGIN / 2 + 0.9 + size[1] + 0.3
        height = top + sum(HEAD + size[1] + 0.5 for size in shown) + MARGIN / 2
        self.scene = Scene(width, height, f"check_gradient of {report.name}")
        self.scene.label(MARGIN, MARGIN / 2 + 0.35, upstream, size=11)
        given: Any = np.reshape([number(one) for one in weights.ravel().tolist()], weights.shape)
        at = MARGIN / 2 + 0.9
        self.weights = self.scene.tensor("w", given, MARGIN, at, None, "known", SHAPE).keys
        self.keys: list[tuple[list[str], ...]] = []
        y = top
        for i, size in enumerate(shown):
            self.scene.label(MARGIN, y + 0.35, heads[i], size=11)
            y += HEAD
            blank: Any = np.full(lengths(self.parts[i]), " ")
            line = []
            for k, name in enumerate(COLUMNS):
                x = MARGIN + k * wide
                line.append(self.scene.tensor(f"t{i}{k}", blank, x, y, name, "ghost", SHAPE).keys)
            self.keys.append(tuple(line))
            for back, measured, apart in zip(*line, strict=True):
                self.scene.link(apart, (back, measured))
            y += size[1] + 0.5
        self.tell()

    def head(self, i: int) -> str:
        """Return the name of a checked input, and which part of it is shown."""
        shape, cut = self.report.wrong[i].shape, self.parts[i]
        said = f"the gradient of input {self.report.numbers[i]} {shape}"
        if lengths(cut) == shape:
            return said
        return f"{said}, cells [{', '.join(f'{c.start}:{c.stop}' for c in cut)}]"

    def cells(self, i: int, of: Cells) -> list[Any]:
        """Return the shown part of an array of input ``i``, flat."""
        return list(of[self.parts[i]].ravel().tolist())

    def tell(self) -> None:
        """Add all steps: both sides, the difference, the wrong cells one by one, the verdict."""
        scene, report, every = self.scene, self.report, range(len(self.parts))
        plain: dict[str | None, list[str]] = {None: self.all(1)}
        scene.step(
            "Nudging: each input cell is moved a little both ways. All output cells are watched, "
            "each times its own grad_out.",
            read=self.weights,
            write=self.all(1),
            text=self.texts(1, report.numeric),
            keep=plain,
        )
        scene.step(
            f"Backward: {report.name} is run once, then backward from the same grad_out.",
            grad=self.all(0),
            text=self.texts(0, report.analytic),
            keep={"known": self.all(0)},
        )
        wrong = [key for i in every for key in self.marked(i, report.wrong, 2)]
        agree = [key for key in self.all(2) if key not in wrong]
        scene.step(
            self.compared(),
            bad=bool(wrong),
            text=self.texts(2, report.difference),
            read=[*self.all(0), *self.all(1)],
            wrong=wrong,
            keep={None: wrong, "done": agree},
        )
        # a gradient that could not be used has no numbers to compare
        for i, cell in self.first() if any(np.isfinite(a).any() for a in report.analytic) else []:
            at = tuple(keys[cell] for keys in self.keys[i])
            index = np.unravel_index(cell, lengths(self.parts[i]))
            where = tuple(int(n) + c.start for n, c in zip(index, self.parts[i], strict=True))
            got, want = report.analytic[i][where], report.numeric[i][where]
            scene.step(
                f"Input {report.numbers[i]}, cell {list(where)}: backward says {got:.6g}, nudging "
                f"measures {want:.6g}.",
                bad=True,
                wrong=(at[0], at[2]),
                expected=at[1],
            )
        scene.step(
            report.message or f"{repr(report).removeprefix('GradientReport(')[:-1]}.",
            bad=bool(report.message),
            wrong=[key for i in every for k in (0, 2) for key in self.marked(i, report.wrong, k)],
        )

    def compared(self) -> str:
        """Say how many cells differ, and what a kink or a blank means if there is one."""
        report = self.report
        count, size = (sum(int(m.sum()) for m in marks) for marks in (report.wrong, report.checked))
        are = "is" if count == 1 else "are"
        said = f"Difference: {count} of {size} cells {are} wrong." if count else "They agree."
        if any(k.any() for k in report.kinks):
            said += " At a kink any slope between those on its two sides is right."
        if size < sum(c.size for c in report.checked):
            said += " Blank cells were not among the sample that was nudged."
        return said

    def all(self, k: int) -> list[str]:
        """Return the keys of all cells of a column of tensors."""
        return [key for line in self.keys for key in line[k]]

    def marked(self, i: int, marks: tuple[Cells, ...], k: int) -> list[str]:
        """Return the keys of the cells of input ``i`` that an array marks."""
        return [
            key for key, mark in zip(self.keys[i][k], self.cells(i, marks[i]), strict=True) if mark
        ]

    def texts(self, k: int, values: tuple[Cells, ...]) -> dict[str, str]:
        """Return what the cells of a column show: blank where nothing was measured."""
        found = {}
        for i, line in enumerate(self.keys):
            given = zip(
                line[k],
                self.cells(i, values[i]),
                self.cells(i, self.report.checked[i]),
                self.cells(i, self.report.wrong[i] | self.report.kinks[i]),
                strict=True,
            )
            for key, value, checked, apart in given:
                # what is left of an agreeing difference is rounding, and no number to look at
                agrees = k == 2 and not apart
                found[key] = ("≈0" if agrees else number(value)) if checked or k == 0 else " "
        return found

    def first(self) -> list[tuple[int, int]]:
        """Return the first wrong cells that are shown: (which input, number of the cell)."""
        found = [
            (i, cell)
            for i in range(len(self.parts))
            for cell, mark in enumerate(self.cells(i, self.report.wrong[i]))
            if mark
        ]
        return found[:TOLD]


def part(wrong: Cells) -> tuple[slice, ...]:
    """Return the part of an input that is shown: all, or what lies around its first wrong cell."""
    shape: Shape = wrong.shape
    first = np.argwhere(wrong)[0] if wrong.any() else (0,) * len(shape)
    return tuple(
        slice(start := min(max(int(at) - n // 2, 0), length - n), start + n)
        for at, n, length in zip(first, window(shape), shape, strict=True)
    )


def lengths(cut: tuple[slice, ...]) -> Shape:
    """Return the shape of a part."""
    return tuple(int(c.stop - c.start) for c in cut)
