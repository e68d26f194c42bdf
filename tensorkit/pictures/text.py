"""Numbers as a reader wants them: short, honest, and fitted to their cell.

A number that is shown exactly loses its trailing zeros (0.5); one that was rounded keeps two
decimals (0.20), so that a reader can tell 0.2 from 0.1966. A small number never turns into 0.
"""

from __future__ import annotations

import math
from numbers import Integral, Real

MINUS = "\N{MINUS SIGN}"
SMALLEST = 6.5  # px; below this a word is a smudge
LONGEST = 9  # characters; a number is no longer, and is never cut

# Advance widths of DejaVu Sans in em: Matplotlib's font, and among the widest that a browser picks.
_WIDTHS = {
    **dict.fromkeys("0123456789", 0.636),
    **dict.fromkeys(".,:;ijl|'! \N{NO-BREAK SPACE}", 0.318),
    **dict.fromkeys("()[]rft", 0.4),
    **dict.fromkeys("+=<>~\N{MULTIPLICATION SIGN}" + MINUS, 0.838),
    **dict.fromkeys("mMwW\N{INFINITY}\N{RIGHTWARDS ARROW}", 0.9),
}


def fmt(value: object) -> str:
    """Return a short text for a number, with a true minus sign; a string is returned as it is.

    At most seven characters for any real number: 1234567 is "1.2e6", 0.00042 is "4.2e-4".
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "True" if value else "False"
    if isinstance(value, Integral) and abs(int(value)) < 100_000:
        return str(int(value)).replace("-", MINUS)
    if not isinstance(value, Real):
        return str(value)
    number = float(value)
    if math.isnan(number):
        return "nan"
    if math.isinf(number):
        return "\N{INFINITY}" if number > 0 else MINUS + "\N{INFINITY}"
    return _short(number).replace("-", MINUS)


def _short(number: float) -> str:
    if number == 0:
        return "0"
    size = abs(number)
    if size < 0.005 or size >= 99_999.5:
        digits, exponent = f"{number:.1e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    places = 2 if size < 99.995 else 1 if size < 999.95 else 0
    text = f"{number:.{places}f}"
    exact = math.isclose(float(text), number, rel_tol=1e-9)
    return text.rstrip("0").rstrip(".") if exact and places else text


def exactly(value: object) -> bool:
    """Say whether the text of a number is the whole number; what is no real number always is."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        return True
    shown = float(fmt(value).replace(MINUS, "-"))
    return math.isclose(shown, float(value), rel_tol=1e-9)


def text_width(text: str) -> float:
    """Return the width of a text in em, as DejaVu Sans sets it."""
    return sum(_WIDTHS.get(letter, 0.72 if letter.isupper() else 0.64) for letter in text)


def clipped(text: str, room: float) -> str:
    """Return a text that can fit into ``room`` px: long words are cut, and end in an ellipsis."""
    if len(text) <= LONGEST or text_width(text) * SMALLEST <= room:
        return text
    end = len(text)
    while end > 1 and text_width(text[:end] + "\N{HORIZONTAL ELLIPSIS}") * SMALLEST > room:
        end -= 1
    return text[:end].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def fitted(text: str, size: float, room: float) -> float:
    """Return the largest font size, up to ``size``, that keeps ``text`` within ``room`` px."""
    width = text_width(text)
    if width * size <= room:
        return size
    return math.floor(room / width * 10) / 10
