"""What a grid of derivatives says by where it is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorkit.pictures.cells import number


def row_said(out: str, names: Sequence[str], line: Any) -> str:
    """Say on which inputs one output cell depends, and how strongly."""
    live = [(name, float(slope)) for name, slope in zip(names, line, strict=True) if slope != 0]
    if not live:
        return f"One backward for {out} alone: no input moves it, every derivative is 0."
    listed = ", ".join(f"{name}: {number(slope)}" for name, slope in live[:4])
    more = f" and {len(live) - 4} more" if len(live) > 4 else ""
    rest = "; the others 0" if len(live) < len(line) else ""
    return f"One backward for {out} alone. It moves with {listed}{more}{rest}."


def patterns(blocks: Sequence[tuple[str, Any]]) -> str:
    """Say what stands out in the columns of each input."""
    said = [(name, pattern(block)) for name, block in blocks]
    if len(said) == 1:
        return f"The pattern: {said[0][1]}."
    return f"The pattern: {'; '.join(f'for {name}, {text}' for name, text in said)}."


def pattern(matrix: Any) -> str:
    """Say what the places of the derivatives that are not 0 have in common."""
    live = np.asarray(matrix) != 0
    rows, columns = live.shape
    across, down = live.sum(1), live.sum(0)
    if not live.any():
        return "all zeros, so the input moves nothing"
    if live.all():
        return "full: every output cell depends on every input cell"
    if rows == columns and not (live & ~np.eye(rows, dtype=bool)).any():
        return "only the diagonal: every output cell depends on its own input cell"
    if (across == 1).all() and (down == 1).all():
        return "one derivative in each row and each column: the cells only change places"
    if (across <= 1).all() and (down > 1).any():
        return "several rows in one column: a cell is read for several outputs, as in a broadcast"
    if (down <= 1).all() and (across > 1).any():
        return "several columns in one row: input cells meet in one output cell, as in a reduce"
    return f"{int(live.sum())} of {live.size} derivatives are not 0"
