"""Matplotlib's SVG, made fit for a page: small, free of ids, its colours left to CSS.

The page may hold many pictures, so nothing is named by id: a cell has ``data-k``, its text
``data-t``, an arrow or a bracket ``data-a``. Roles stand in ``data-r``; CSS gives the looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tensorkit.pictures.theme import CELL, SIZE

if TYPE_CHECKING:
    from tensorkit.pictures.canvas import Canvas
    from tensorkit.pictures.shapes import Text
    from tensorkit.pictures.steps import State

Element = ElementTree.Element
_SPACE = "{http://www.w3.org/2000/svg}"


def svg(canvas: Canvas, start: State) -> str:
    """Return the picture before any step as the text of one ``<svg>`` element."""
    groups = _drawn(canvas, start)
    wide, high = (_number(length * CELL) for length in (canvas.width, canvas.height))
    root = Element("svg", {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high})
    root.extend(_cells(canvas, start, groups))
    for number, frame in enumerate(canvas.frames):
        path = _paths(groups[f"frame{number}"])[0]
        box = _rect(path, frame.corner * CELL)
        if frame.key is not None:
            box.attrib |= {"data-a": frame.key, "data-r": frame.role}
        _flag(box, "data-on", frame.key in start.shown)
        _flag(box, "data-dash", frame.dashed)
        root.append(box)
    for number, arrow in enumerate(canvas.arrows):
        group = ElementTree.SubElement(root, "g", {"data-a": arrow.key, "data-r": arrow.role})
        _flag(group, "data-on", arrow.visible)
        _flag(group, "data-dash", arrow.dashed)
        for part in ("head", "arrow"):
            d = _short(_paths(groups[f"{part}{number}"])[0])
            ElementTree.SubElement(group, "path", {"d": d})
    for number, text in enumerate(canvas.texts):
        root.append(_text(canvas, text, start, groups[f"text{number}"]))
    return ElementTree.tostring(root, encoding="unicode")


def _drawn(canvas: Canvas, start: State) -> dict[str, Element]:
    """Let Matplotlib draw everything, hidden lines too, and return its groups by gid."""
    from tensorkit.pictures.render import figure, save
    from tensorkit.pictures.steps import State

    hidden = {arrow.key for arrow in canvas.arrows} | {f.key for f in canvas.frames if f.key}
    everything = State(start.roles, start.texts, frozenset(hidden))
    page = figure(canvas, everything)
    tree = ElementTree.fromstring(save(page, format="svg", metadata={"Date": None}))
    return {group.get("id", ""): group for group in tree.iter(f"{_SPACE}g")}


def _cells(canvas: Canvas, start: State, groups: dict[str, Element]) -> Iterator[Element]:
    paths = _paths(groups["cells"]) if canvas.boxes else []
    for box, path in zip(canvas.boxes, paths, strict=True):
        cell = _rect(path, box.corner * CELL)
        cell.set("data-k", box.key)
        role = start.roles[box.key]
        if role:
            cell.set("data-r", role)
        yield cell


def _text(canvas: Canvas, text: Text, start: State, group: Element) -> Element:
    drawn = next(group.iter(f"{_SPACE}text"))
    words = text.text if text.key is None else start.texts[text.key]
    role = text.role if text.key is None else start.roles[text.key]
    size = text.size if text.key is None else canvas.size_of(text.key, words)
    at = {name: _number(float(drawn.get(name, "0"))) for name in ("x", "y")}
    made = Element("text", at)
    made.text = words
    bare = text.room is None
    styles = {"word": bare, "bold": text.bold, "italic": text.italic, "mono": text.mono}
    for name, value in (
        ("data-t", text.key),
        ("data-r", role),
        ("class", " ".join(f"tk-{name}" for name, on in styles.items() if on)),
        ("text-anchor", {"left": "start", "center": None, "right": "end"}[text.align]),
        ("font-size", None if size == SIZE else _number(size)),
    ):
        if value:
            made.set(name, value)
    return made


def _paths(group: Element) -> list[str]:
    return [path.get("d", "") for path in group.iter(f"{_SPACE}path")]


def _rect(path: str, corner: float) -> Element:
    """The rounded box that a path of Matplotlib's draws, in a third of its letters."""
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
    xs, ys = numbers[0::2], numbers[1::2]
    w, h = max(xs) - min(xs), max(ys) - min(ys)
    sides = {"x": min(xs), "y": min(ys), "width": w, "height": h, "rx": min(corner, w / 2, h / 2)}
    return Element("rect", {name: _number(length) for name, length in sides.items()})


def _short(path: str) -> str:
    rounded = re.sub(r"-?\d+\.\d+", lambda found: _number(float(found[0])), path)
    return re.sub(r"\s+", " ", rounded).strip()


def _number(length: float) -> str:
    return f"{round(length, 1) + 0.0:g}"  # + 0.0 turns -0 into 0


def _flag(element: Element, name: str, on: bool) -> None:
    if on:
        element.set(name, "")
