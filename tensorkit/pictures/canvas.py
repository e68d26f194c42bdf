"""A canvas takes cells, tensors, labels and arrows, each with a key, and keeps them as plain data.

One cell is 34 px, and y grows downwards. Nothing is painted here: Matplotlib and the browser both
read what is kept, so they cannot disagree about where a cell is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np

from tensorkit.pictures.layout import BoxEdges, Drawn, Layout, Point, arrange, tape
from tensorkit.pictures.shapes import Align, Arrow, Box, Frame, Text, bend, points_of
from tensorkit.pictures.steps import Keys, Source, keys_of
from tensorkit.pictures.text import clipped, fitted, fmt
from tensorkit.pictures.theme import CELL, GAP, LIGHT, SIZE, look


class Canvas:
    """A picture of ``width`` by ``height`` cells with a title, and perhaps code beside it.

    Drawing again under a key that is taken, or linking one that is not drawn, raises ValueError.
    """

    def __init__(self, width: float, height: float, title: str, code: Source | None = None) -> None:
        self.width, self.height, self.title, self.code = width, height, title, code
        self.boxes: list[Box] = []
        self.frames: list[Frame] = []
        self.texts: list[Text] = []
        self.arrows: list[Arrow] = []
        self.links: dict[str, Keys] = {}
        self.notes: dict[str, str] = {}
        self._keys: set[str] = set()
        self._cells: set[str] = set()
        self._lines: set[str] = set()
        self._text_of: dict[str, Text] = {}

    def cell(
        self,
        key: str,
        x: float,
        y: float,
        text: object = "",
        w: float = 1,
        h: float = 1,
        role: str | None = None,
        size: float | None = None,
    ) -> str:
        """Draw one cell with its top left corner at (x, y) and return its key."""
        self._box(Box(key, x, y, w, h, role), text, size)
        return key

    def grid(
        self,
        key: str,
        places: Sequence[Point],
        texts: Sequence[object],
        w: float = 1,
        h: float = 1,
        role: str | None = None,
        size: float | None = None,
    ) -> list[str]:
        """Draw a cell at every place and return their keys: ``key.0``, ``key.1`` ..."""
        if len(places) != len(texts):
            raise ValueError(f"{len(places)} places and {len(texts)} texts: give one text a place")
        keys = [f"{key}.{i}" for i in range(len(places))]
        for one, (x, y), text in zip(keys, places, texts, strict=True):
            self.cell(one, x, y, text, w, h, role, size)
        return keys

    def tensor(
        self,
        key: str,
        values: object,
        x: float,
        y: float,
        label: str | None = None,
        role: str | None = None,
        cell: tuple[float, float] = (1, 1),
        size: float | None = None,
        ghost: object = None,
    ) -> Drawn:
        """Draw a tensor of 0 to 4 dims with its top left corner at (x, y), its label above that.

        ``values`` is anything that NumPy turns into an array, strings too. ``ghost`` is True, for
        all cells, or an array of booleans: the cells that are no memory of their own.
        """
        array = np.asarray(values)
        plan = arrange(array.shape, cell)
        dashed = np.broadcast_to(np.asarray(False if ghost is None else ghost), array.shape)
        roles = ["ghost" if one else role for one in dashed.ravel().tolist()]
        drawn = self._lay(key, array, array.shape, plan, (x, y), cell, size, roles, label)
        for x0, y0, x1, y1 in plan.frames:
            self.frames.append(Frame(x + x0, y + y0, x1 - x0, y1 - y0))
        for at, top, head in plan.heads:
            self.label(x + at, y + top, head, size=9.5, role="dim", align="center", mono=True)
        if array.size == 0:
            self.frames.append(Frame(x, y, *plan.size, dashed=True))
            middle = x + plan.size[0] / 2, y + plan.size[1] / 2
            self.label(*middle, "no cells", size=8.5, role="dim", align="center")
        return drawn

    def strip(
        self,
        key: str,
        values: object,
        x: float,
        y: float,
        label: str | None = None,
        per_line: int = 12,
        cell: tuple[float, float] = (1.0, 0.92),
        numbers: Sequence[int] | None = None,
        dense: bool = False,
    ) -> Drawn:
        """Draw storage: a flat tape with the position of every cell below it.

        ``numbers`` are the positions if they are not 0, 1, 2 ...; with ``dense`` only the first of
        each line is written, before it.
        """
        array = np.asarray(values)
        flat = array.reshape(-1)
        plan = tape(flat.size, per_line, cell, dense)
        drawn = self._lay(
            key, flat, flat.shape, plan, (x, y), cell, None, [None] * flat.size, label
        )
        for x0, y0, x1, y1 in plan.frames:
            edge = Frame(x + x0 - 0.07, y + y0 - 0.07, x1 - x0 + 0.14, y1 - y0 + 0.14, corner=0.14)
            self.frames.append(edge)
        for nth, (px, py) in enumerate(plan.places):
            align: Align
            at, align = (x + px + cell[0] / 2, y + py + cell[1] + 0.3), "center"
            if dense:  # before its line
                at, align = (x - 0.16, y + py + cell[1] / 2), "right"
            if nth % per_line == 0 or not dense:
                number = str(nth if numbers is None else numbers[nth])
                self.label(*at, number, size=8.5, role="dim", align=align)
        return drawn

    def label(
        self,
        x: float,
        y: float,
        text: str,
        key: str | None = None,
        size: float | None = None,
        role: str | None = None,
        bold: bool = False,
        italic: bool = False,
        align: Align = "left",
        mono: bool = False,
    ) -> None:
        """Write a text at (x, y), which is its left end, middle or right end, at half its height.

        A label with a key can be marked and its text changed by the steps.
        """
        if key is not None:
            self._take(key)
        self._check_role(role)
        one = Text(x, y, text, size or SIZE, key, role, align, bold, italic, mono)
        self.texts.append(one)
        if key is not None:
            self._text_of[key] = one

    def pill(
        self,
        key: str,
        x: float,
        y: float,
        w: float,
        h: float,
        text: object,
        size: float | None = None,
        role: str | None = None,
    ) -> str:
        """Draw an operation: a cell with round ends."""
        self._box(Box(key, x, y, w, h, role, corner=min(w, h) * (1 - GAP) / 2 * 0.85), text, size)
        return key

    def arrow(
        self,
        key: str,
        start: Point,
        end: Point,
        role: str = "read",
        curve: float = 0.0,
        dashed: bool = False,
        visible: bool = False,
        via: Point | Sequence[Point] | None = None,
    ) -> str:
        """Draw an arrow, hidden until a step shows it unless ``visible``.

        ``curve`` bends it by that share of its length, upwards on an arrow to the right; ``via``
        leads it through one point or several, in straight lines.
        """
        self._check_role(role)
        line, head = bend(start, end, curve, points_of(via))
        self._take(key)
        self._lines.add(key)
        self.arrows.append(Arrow(key, line, head, role, dashed, visible))
        return key

    def outline(
        self,
        key: str,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        role: str = "write",
        dashed: bool = True,
    ) -> str:
        """Draw a bracket around a part of the picture, hidden until a step shows it."""
        self._check_role(role)
        self._take(key)
        self._lines.add(key)
        pad = 0.04
        edge = Frame(x0 - pad, y0 - pad, x1 - x0 + 2 * pad, y1 - y0 + 2 * pad, key, role, dashed)
        self.frames.append(edge)
        return key

    def link(self, output_key: str, input_keys: Iterable[str] | str) -> None:
        """Say which cells feed one: pointing at it lights them, and the other way round."""
        keys = keys_of(input_keys)
        self._check_keys((output_key, *keys), self._cells, "a link", "a cell")
        self.links[output_key] = self.links.get(output_key, ()) + keys

    def note(self, key: str, text: str) -> None:
        """Say what a cell has no room for: it is seen by who points at the cell and waits."""
        self._check_keys((key,), self._cells, "a note", "a cell")
        self.notes[key] = text

    def size_of(self, key: str, text: str) -> float:
        """Return the font size in px at which a text fits the cell of a key."""
        one = self._text_of[key]
        return one.size if one.room is None else fitted(text, one.size, one.room)

    def _clip(self, key: str, text: str) -> str:
        room = self._text_of[key].room
        return text if room is None else clipped(text, room)

    def _box(self, box: Box, text: object, size: float | None) -> None:
        self._check_role(box.role)
        self._take(box.key)
        self._cells.add(box.key)
        self.boxes.append(box)
        room = (box.w - GAP) * CELL - 2
        one = Text(
            box.x + box.w / 2,
            box.y + box.h / 2,
            clipped(fmt(text), room),
            size or min(SIZE, 12.5 * box.h),
            box.key,
            box.role,
            "center",
            room=room,
        )
        self.texts.append(one)
        self._text_of[box.key] = one

    def _lay(
        self,
        key: str,
        array: np.ndarray[Any, Any],
        shape: tuple[int, ...],
        plan: Layout,
        at: Point,
        cell: tuple[float, float],
        size: float | None,
        roles: Sequence[str | None],
        label: str | None,
    ) -> Drawn:
        x, y = at
        places = tuple((x + dx, y + dy) for dx, dy in plan.places)
        keys = [f"{key}.{i}" for i in range(len(places))]
        texts = array.ravel().tolist()
        for one, (cx, cy), text, role in zip(keys, places, texts, roles, strict=True):
            self.cell(one, cx, cy, text, *cell, role=role, size=size)
        if label:
            self.label(x, y - 0.42, label, bold=True, size=11)
        box: BoxEdges = (x, y, x + plan.size[0], y + plan.size[1])
        return Drawn(keys, shape, places, cell, box)

    def _take(self, key: str) -> None:
        if not key or key in self._keys:
            raise ValueError(f"the key {key!r} is empty or taken: every key names one thing")
        self._keys.add(key)

    def _check_keys(self, keys: Iterable[str], known: Container[str], who: str, what: str) -> None:
        for key in keys:
            if key not in known:
                raise ValueError(f"{who} names {key!r}, which is not {what} of this scene")

    def _check_role(self, role: str | None) -> None:
        if role is not None:
            look(role, LIGHT)
