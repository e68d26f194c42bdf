"""One palette for every picture: Matplotlib and the browser's CSS both read it here.

A colour never speaks alone: what is wrong or not there yet is dashed, and captions tell the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorkit.pictures.text import MINUS, fmt

__all__ = [
    "CELL",
    "DARK",
    "GAP",
    "HEAT",
    "LIGHT",
    "MARKS",
    "MINUS",
    "QUIET",
    "SIZE",
    "TINTS",
    "Look",
    "Palette",
    "channels",
    "fmt",
    "inks",
    "look",
    "mix",
    "palette",
]

CELL = 34  # px, the pitch of a cell
GAP = 0.07  # of a cell, left free between neighbours
SIZE = 11.5  # px, the text in a cell


@dataclass(frozen=True)
class Palette:
    """The colours of one theme as ``#rrggbb``."""

    bg: str
    fg: str
    dim: str
    line: str
    cell: str
    read: str
    write: str
    grad: str
    expected: str
    wrong: str


LIGHT = Palette(
    bg="#ffffff",
    fg="#1c2024",
    dim="#5f6875",
    line="#c3c9d0",
    cell="#f7f8fa",
    read="#0369b3",
    write="#c23d0a",
    grad="#512a80",
    expected="#0e5428",
    wrong="#a8265f",
)
DARK = Palette(
    bg="#111111",
    fg="#e8eaed",
    dim="#9aa3ad",
    line="#4a525b",
    cell="#1d2125",
    read="#53b0e9",
    write="#f0972e",
    grad="#a673ff",
    expected="#afd37c",
    wrong="#f45691",
)

# The marks of a step, in the order in which they are laid on: a later one wins.
MARKS = ("read", "write", "grad", "expected", "wrong")
# Shades of a heat map, from small to large: how much of the gradient's colour, in face and edge.
HEAT = {"heat1": (0.06, 0.25), "heat2": (0.18, 0.40), "heat3": (0.32, 0.60), "heat4": (0.48, 0.85)}
# Quiet looks that stay: set aside, not there yet, finished, gradient known, and the shades.
QUIET = ("dim", "ghost", "done", "known", *HEAT)
# How much of a mark's colour is mixed into the background of its cell.
TINTS = {"read": 0.20, "write": 0.26, "grad": 0.20, "expected": 0.14, "wrong": 0.22}


@dataclass(frozen=True)
class Look:
    """How a cell is painted: colours, the width of its edge in px, whether the edge is dashed."""

    face: str
    edge: str
    width: float
    text: str
    dashed: bool


def palette(dark: bool) -> Palette:
    """Return the dark or the light palette."""
    return DARK if dark else LIGHT


def mix(colour: str, ground: str, share: float) -> str:
    """Return ``share`` of one ``#rrggbb`` over another, as CSS ``color-mix(in srgb)`` does."""
    pairs = zip(channels(colour), channels(ground), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of ``#rrggbb``, from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def look(role: str | None, colours: Palette) -> Look:
    """Return how a cell in ``role`` looks; None is a plain cell. Raises ValueError for no role."""
    p = colours
    if role in TINTS:
        edge: str = getattr(p, role)
        return Look(mix(edge, p.bg, TINTS[role]), edge, 2.2, p.fg, role == "wrong")
    if role in HEAT:
        face, rim = HEAT[role]
        return Look(mix(p.grad, p.bg, face), mix(p.grad, p.bg, rim), 1.0, p.fg, False)
    quiet = {
        None: Look(p.cell, p.line, 1.0, p.fg, False),
        "dim": Look(p.bg, p.line, 1.0, p.dim, False),
        "ghost": Look(p.bg, p.line, 1.0, p.dim, True),
        "done": Look(mix(p.expected, p.bg, 0.14), p.line, 1.0, p.fg, False),
        "known": Look(mix(p.grad, p.bg, 0.10), mix(p.grad, p.bg, 0.55), 1.0, p.fg, False),
    }
    if role not in quiet:
        names = ", ".join((*MARKS, *QUIET))
        raise ValueError(f"no role {role!r}: the roles are {names}, or None for a plain cell")
    return quiet[role]


def inks(colours: Palette) -> list[str]:
    """Return every colour that a picture can hold, the soft edges of lines and letters included."""
    p = colours
    pairs = [(getattr(p, name), p.bg) for name in ("fg", "dim", "line", *MARKS)]
    for role in (None, *MARKS, *QUIET):
        seen = look(role, p)
        pairs += [(seen.edge, p.bg), (seen.edge, seen.face), (seen.text, seen.face)]
    mixed = [mix(ink, ground, part / 4) for ink, ground in pairs for part in range(5)]
    return list(dict.fromkeys(mixed))
