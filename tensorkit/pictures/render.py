"""Matplotlib draws a scene: for slides, papers and PDF, and as the source of the browser's SVG.

All cells are one collection, because a thousand separate patches take a hundred times as long.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context, rcdefaults
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from tensorkit.pictures.shapes import Arrow, Box, Frame, Stroke, Text, baseline, inside
from tensorkit.pictures.theme import CELL, Palette, channels, inks, look, palette

if TYPE_CHECKING:
    from tensorkit.pictures.canvas import Canvas
    from tensorkit.pictures.steps import State

SOLID: Any = "solid"
SHORT: Any = (0, (3, 2))  # dashes of a cell, in units of the line's width
LONG: Any = (0, (3, 1.6))  # dashes of an arrow or a bracket
_BLANK = "\N{NO-BREAK SPACE}"  # Matplotlib leaves out a text that is empty


def figure(canvas: Canvas, state: State, dark: bool = False) -> Figure:
    """Return a figure of the scene in one state, 34 px a cell at 72 dpi.

    Every artist has a gid, its kind and number, by which a figure's own SVG names it.
    """
    colours = palette(dark)
    size = canvas.width * CELL / 72, canvas.height * CELL / 72
    page = Figure(figsize=size, dpi=72, facecolor=colours.bg)
    FigureCanvasAgg(page)
    axes = page.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(canvas.height, 0)
    _cells(axes, canvas.boxes, state, colours)
    for number, frame in enumerate(canvas.frames):
        if frame.key is None or frame.key in state.shown:
            _frame(axes, frame, colours).set_gid(f"frame{number}")
    for number, arrow in enumerate(canvas.arrows):
        if arrow.key in state.shown:
            _arrow(axes, arrow, number, colours)
    for number, text in enumerate(canvas.texts):
        words = text.text if text.key is None else state.texts[text.key]
        role = text.role if text.key is None else state.roles[text.key]
        fits = text.size if text.key is None else canvas.size_of(text.key, words)
        _text(axes, text, words, role, fits, colours).set_gid(f"text{number}")
    return page


def png(page: Figure, dpi: float, dark: bool) -> bytes:
    """Return a figure as PNG in the colours of its palette alone, a third of the usual size."""
    from PIL import Image

    few, small = Image.new("P", (1, 1)), io.BytesIO()
    few.putpalette([channel for ink in inks(palette(dark)) for channel in channels(ink)])
    with rc_context():
        rcdefaults()  # the reader's own Matplotlib settings do not reach it
        page.set_dpi(dpi)
        canvas: Any = FigureCanvasAgg(page)
        canvas.draw()
    raw = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    raw.quantize(palette=few, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    return small.getvalue()


def _cells(axes: Any, boxes: list[Box], state: State, colours: Palette) -> None:
    looks = [look(state.roles[box.key], colours) for box in boxes]
    paths = [_rounded(*inside(box), box.corner) for box in boxes]
    style: dict[str, Any] = {
        "facecolor": [one.face for one in looks],
        "edgecolor": [one.edge for one in looks],
        "linewidth": [one.width for one in looks],
        "linestyle": [SHORT if one.dashed else SOLID for one in looks],
    }
    if len(paths) == 1:  # Matplotlib would draw a collection of one as a marker, defined elsewhere
        alone = PathPatch(paths[0], **{name: values[0] for name, values in style.items()})
        axes.add_artist(alone).set(clip_on=False, zorder=2, gid="cells")
    elif paths:
        group = PathCollection(paths, clip_on=False, zorder=2, gid="cells", **style)
        axes.add_collection(group, autolim=False)


def _frame(axes: Any, frame: Frame, colours: Palette) -> Any:
    path = _rounded(frame.x, frame.y, frame.w, frame.h, frame.corner)
    edge, width = colours.line, 1.0
    if frame.key is not None:
        edge, width = _line_colour(frame.role, colours), 1.6
    dashes = LONG if frame.dashed else SOLID
    patch = PathPatch(path, fc="none", ec=edge, lw=width, ls=dashes, clip_on=False, zorder=4)
    return axes.add_artist(patch)


def _arrow(axes: Any, arrow: Arrow, number: int, colours: Palette) -> None:
    colour = _line_colour(arrow.role, colours)
    # the head first and apart from the line, so that dashes cannot cut it
    head = Path([*arrow.head, arrow.head[0]], closed=True)
    tip = PathPatch(head, fc=colour, ec="none", clip_on=False, zorder=5, gid=f"head{number}")
    axes.add_artist(tip)
    dashes = LONG if arrow.dashed else SOLID
    line = PathPatch(
        _path(arrow.line), fc="none", ec=colour, lw=1.7, ls=dashes, clip_on=False, zorder=5
    )
    axes.add_artist(line).set_gid(f"arrow{number}")


def _text(
    axes: Any, text: Text, words: str, role: str | None, size: float, colours: Palette
) -> Any:
    return axes.text(
        text.x,
        baseline(text, size),
        words or _BLANK,
        fontsize=size,
        color=_text_colour(text, role, colours),
        ha=text.align,
        va="baseline",
        weight="bold" if text.bold else "normal",
        style="italic" if text.italic else "normal",
        family="monospace" if text.mono else "sans-serif",
        parse_math=False,
        usetex=False,
        clip_on=False,
        zorder=6,
    )


def _text_colour(text: Text, role: str | None, colours: Palette) -> str:
    if text.room is None and role is not None:
        return _line_colour(role, colours)
    return look(role, colours).text


def _line_colour(role: str, colours: Palette) -> str:
    """The colour of a line or a bare word: a mark's own, else that of quiet text."""
    return str(getattr(colours, role, colours.dim))


def _rounded(x: float, y: float, w: float, h: float, corner: float) -> Path:
    r = min(corner, w / 2, h / 2)
    right, low = x + w, y + h
    stroke: Stroke = [
        ("M", ((x + r, y),)),
        ("L", ((right - r, y),)),
        ("Q", ((right, y), (right, y + r))),
        ("L", ((right, low - r),)),
        ("Q", ((right, low), (right - r, low))),
        ("L", ((x + r, low),)),
        ("Q", ((x, low), (x, low - r))),
        ("L", ((x, y + r),)),
        ("Q", ((x, y), (x + r, y))),
    ]
    return _path(stroke)


def _path(stroke: Stroke) -> Path:
    codes = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3}
    points = [point for _, group in stroke for point in group]
    return Path(points, [codes[letter] for letter, group in stroke for _ in group])
