"""The things that a scene is made of, as plain data: boxes, texts, arrows.

They know where they are and how they may look, and nothing of Matplotlib or of a browser. Lengths
are in cells, and y grows downwards; font sizes are in px.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tensorkit.pictures.layout import Point
from tensorkit.pictures.theme import CELL, GAP

Align = Literal["left", "center", "right"]
# A drawn line: the letter of the SVG command, then its points.
Stroke = list[tuple[Literal["M", "L", "Q"], tuple[Point, ...]]]

HEAD_LENGTH, HEAD_WIDTH = 0.23, 0.2
CORNER = 0.11


@dataclass(frozen=True)
class Box:
    """A cell, or a pill when its corners are round."""

    key: str
    x: float
    y: float
    w: float
    h: float
    role: str | None
    corner: float = CORNER


@dataclass(frozen=True)
class Frame:
    """An edge without a face: the border of a slice (no key), or a bracket that steps may show."""

    x: float
    y: float
    w: float
    h: float
    key: str | None = None
    role: str = "line"
    dashed: bool = False
    corner: float = 0.18


@dataclass(frozen=True)
class Text:
    """A text at a point. ``room`` is the width in px that it has to fit into, if any."""

    x: float
    y: float
    text: str
    size: float
    key: str | None = None
    role: str | None = None
    align: Align = "left"
    bold: bool = False
    italic: bool = False
    mono: bool = False
    room: float | None = None


@dataclass(frozen=True)
class Arrow:
    """A line from one point to another, bent or led through points, and its head."""

    key: str
    line: Stroke
    head: tuple[Point, Point, Point]
    role: str
    dashed: bool
    visible: bool


def inside(box: Box) -> tuple[float, float, float, float]:
    """Return x, y, width and height of what is painted: the box without its half of the gaps."""
    return box.x + GAP / 2, box.y + GAP / 2, box.w - GAP, box.h - GAP


def baseline(text: Text, size: float) -> float:
    """Return the y that a text of so many px stands on, so that texts of any shape stay level."""
    return text.y + 0.36 * size / CELL


def bend(
    start: Point, end: Point, curve: float, via: Sequence[Point]
) -> tuple[Stroke, tuple[Point, Point, Point]]:
    """Return the line of an arrow and the triangle of its head.

    With ``via`` the line runs straight from point to point with round corners. Otherwise ``curve``
    moves the middle sideways by that share of the length: upwards, on an arrow to the right.
    """
    if via:
        points = [start, *via, end]
        tip_from = points[-2]
    else:
        dx, dy = end[0] - start[0], end[1] - start[1]
        middle = ((start[0] + end[0]) / 2 + curve * dy, (start[1] + end[1]) / 2 - curve * dx)
        points = [start, middle, end]
        tip_from = middle if curve else start
    length = math.dist(tip_from, end)
    if length == 0:
        raise ValueError(f"an arrow from {start} to {end} has no length, so no direction")
    ux, uy = (end[0] - tip_from[0]) / length, (end[1] - tip_from[1]) / length
    neck = (end[0] - ux * HEAD_LENGTH, end[1] - uy * HEAD_LENGTH)
    head = (
        end,
        (neck[0] - uy * HEAD_WIDTH / 2, neck[1] + ux * HEAD_WIDTH / 2),
        (neck[0] + uy * HEAD_WIDTH / 2, neck[1] - ux * HEAD_WIDTH / 2),
    )
    points[-1] = neck
    if via:
        return _through(points), head
    if curve:
        return [("M", (start,)), ("Q", (points[1], neck))], head
    return [("M", (start,)), ("L", (neck,))], head


def points_of(via: Point | Sequence[Point] | None) -> list[Point]:
    """Return the points of a way that is given as several, as one, or not at all."""
    if not via:
        return []
    if isinstance(via[0], int | float):
        return [via]  # type: ignore[list-item]
    return list(via)  # type: ignore[arg-type]


def _through(points: Sequence[Point], radius: float = 0.22) -> Stroke:
    line: Stroke = [("M", (points[0],))]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        entry = _towards(corner, before, radius)
        line += [("L", (entry,)), ("Q", (corner, _towards(corner, after, radius)))]
    return [*line, ("L", (points[-1],))]


def _towards(start: Point, end: Point, most: float) -> Point:
    length = math.dist(start, end)
    if length == 0:
        return start
    share = min(most, length / 2) / length
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
