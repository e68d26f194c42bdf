"""Odometer: an ordinal in mixed radix is an index, and the layout alone makes it a position."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.pictures.odometer import odometer_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Control, Explorer, Field


def odometer(x: Any = None, ordinal: int | None = None) -> Explorer:
    """Explore ordinal, index and position: ``tk.explore.odometer(x)``.

    Without ``x``, one tensor in four layouts. ``ordinal`` takes apart that one only. Raises
    ShapeError for a tensor without cells or dims, IndexingError for no such ordinal.
    """
    layouts = layouts_of(tensor(NUMBERS)) if x is None else {"x": as_tensor(x)}
    if x is not None and layouts["x"].ndim > 1:
        layouts["x.T"] = layouts["x"].T
    controls: list[Control] = [
        Choice("x", "x is", layouts, start=None if x is not None else list(layouts)[-1]),
        Choice(
            "how", "see it", {"count up": "count", "divide an ordinal": "divide"},
            start="count up" if ordinal is None else "divide an ordinal",
        ),
        Field("ordinal", "ordinal to divide", str("all" if ordinal is None else ordinal), parse),
    ]  # fmt: skip
    explorer = Explorer(
        "odometer",
        controls,
        lambda x, how, ordinal: odometer_scene(x, how, ordinal if how == "divide" else None),
    )
    explorer.scene()  # so that what cannot be drawn is refused here, and not when it is shown
    return explorer


NUMBERS = 10 * (np.arange(1, 19).reshape(2, 3, 3) * 7 % 19)  # not to be taken for positions


def layouts_of(x: Tensor) -> dict[str, Tensor]:
    """Return a tensor of three dims in four layouts, named by the code that makes them."""
    return {
        "contiguous": x[:, 1:].contiguous(),
        "sliced [:, 1:]": x[:, 1:],
        "permuted (2, 0, 1)": x[:, 1:].contiguous().permute(2, 0, 1),
        "sliced, then permuted": x[:, 1:].permute(2, 0, 1),
    }


def parse(text: str) -> int | None:
    """Return the ordinal that was typed; None for "all". Raises ValueError for anything else."""
    if text.strip() in ("", "all"):
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no ordinal: type a whole number, or all") from None
