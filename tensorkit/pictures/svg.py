"""A scene as SVG for a page: small, free of ids, its colours left to CSS.

It reads the same plain data as render.py, so both put everything at the same place, in a hundredth
of the time that Matplotlib needs to write it. The page may hold many pictures, so nothing is named
by id: a cell has ``data-k``, its text ``data-t``, an arrow or a bracket ``data-a``. Roles stand in
``data-r``; CSS gives the looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from tensorkit.pictures.shapes import Arrow, Frame, Stroke, Text, baseline, inside
from tensorkit.pictures.theme import CELL, SIZE

if TYPE_CHECKING:
    from tensorkit.pictures.canvas import Canvas
    from tensorkit.pictures.steps import State

Attributes = Mapping[str, str | bool | None]


def svg(canvas: Canvas, start: State) -> str:
    """Return the picture before any step as the text of one ``<svg>`` element."""
    wide, high = _px(canvas.width), _px(canvas.height)
    body = [
        *(
            _rect(
                *inside(box),
                box.corner,
                {"data-k": box.key, "data-r": start.roles[box.key]},
                canvas.notes.get(box.key, ""),
            )
            for box in canvas.boxes
        ),
        *(_frame(frame, start) for frame in canvas.frames),
        *(_arrow(arrow) for arrow in canvas.arrows),
        *(_text(canvas, text, start) for text in canvas.texts),
    ]
    return _tag("svg", {"viewBox": f"0 0 {wide} {high}", "width": wide, "height": high}, body)


def _frame(frame: Frame, start: State) -> str:
    named = {} if frame.key is None else {"data-a": frame.key, "data-r": frame.role}
    on = frame.key in start.shown
    flags = {"data-on": on, "data-dash": frame.dashed}
    return _rect(frame.x, frame.y, frame.w, frame.h, frame.corner, {**named, **flags})


def _arrow(arrow: Arrow) -> str:
    # the head first and apart from the line, so that dashes cannot cut it
    tip, *rest = arrow.head
    head: Stroke = [("M", (tip,)), *(("L", (point,)) for point in rest)]
    paths = [_tag("path", {"d": d}) for d in (_strokes(head) + "z", _strokes(arrow.line))]
    named = {"data-a": arrow.key, "data-r": arrow.role}
    return _tag("g", {**named, "data-on": arrow.visible, "data-dash": arrow.dashed}, paths)


def _text(canvas: Canvas, text: Text, start: State) -> str:
    words = text.text if text.key is None else start.texts[text.key]
    role = text.role if text.key is None else start.roles[text.key]
    size = text.size if text.key is None else canvas.size_of(text.key, words)
    styles = {
        "word": text.room is None,
        "bold": text.bold,
        "italic": text.italic,
        "mono": text.mono,
    }
    attributes = {
        "x": _px(text.x),
        "y": _px(baseline(text, size)),
        "data-t": text.key,
        "data-r": role,
        "class": " ".join(f"tk-{name}" for name, on in styles.items() if on) or None,
        "text-anchor": {"left": "start", "center": None, "right": "end"}[text.align],
        "font-size": None if size == SIZE else _number(size),
    }
    return _tag("text", attributes, [escape(words)])


def _rect(
    x: float, y: float, w: float, h: float, corner: float, more: Attributes, note: str = ""
) -> str:
    sides = {"x": x, "y": y, "width": w, "height": h, "rx": min(corner, w / 2, h / 2)}
    body = [_tag("title", {}, [escape(note)])] if note else []
    return _tag("rect", {**{name: _px(length) for name, length in sides.items()}, **more}, body)


def _strokes(line: Stroke) -> str:
    return "".join(
        letter + " ".join(f"{_px(x)} {_px(y)}" for x, y in points) for letter, points in line
    )


def _tag(name: str, attributes: Attributes, body: Sequence[str] = ()) -> str:
    """One element. An attribute that is None or False is left out, and one that is True empty."""
    given = "".join(
        f" {key}={quoteattr('' if value is True else value)}"
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{name}{given}>{''.join(body)}</{name}>" if body else f"<{name}{given}/>"


def _px(length: float) -> str:
    return _number(length * CELL)


def _number(length: float) -> str:
    return f"{round(length, 1) + 0.0:g}"  # + 0.0 turns -0 into 0
