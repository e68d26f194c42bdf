"""A gradient check as heat maps: the stronger its colour, the larger a number, so patterns show.

A slip seldom hits one cell alone. Wrong in one line, at every negative cell, wherever two meet: the
map of the differences says it at a glance. Gradients are shaded by size, differences by powers of
ten.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.checks import GradientReport
from tensorkit.pictures.gradcheck import GradcheckPicture
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import fmt
from tensorkit.pictures.theme import HEAT

SHADES = tuple(HEAT)
# a difference below the first is rounding; from the last on it is as dark as can be
DECADES = (1e-9, 1e-6, 1e-3)


def shades_scene(report: GradientReport) -> Scene:
    """Return the scene of a gradient check with shades. Raises ShapeError for more than 4 dims."""
    return ShadesPicture(report).scene


class ShadesPicture(GradcheckPicture):
    """The three tensors of each input; at the end every cell is shaded by its size."""

    def tell(self) -> None:
        """Add the steps of the check, then the shades."""
        super().tell()
        kept: dict[str | None, list[str]] = {shade: [] for shade in SHADES}
        text: dict[str, str] = {}
        for i, (back, measured, apart) in enumerate(self.keys):
            both = np.abs(
                [self.cells(i, a[i]) for a in (self.report.analytic, self.report.numeric)]
            )
            most = float(np.nanmax(both, initial=0.0)) or 1.0
            for key, size in zip([*back, *measured], both.ravel().tolist(), strict=True):
                kept[by_size(size, most)].append(key)
            for key, one in zip(apart, self.cells(i, self.report.difference[i]), strict=True):
                kept[by_decade(abs(one))].append(key)
                text[key] = " " if np.isnan(one) else size_said(abs(one))
        differences = np.concatenate([np.abs(d).ravel() for d in self.report.difference])
        worst: Any = np.nanmax(differences, initial=0.0)
        self.scene.step(
            "As heat maps: the stronger the colour, the larger the number. The largest difference "
            f"is {size_said(float(worst))}; below 1e-9 it is rounding.",
            text=text,
            keep=kept,
        )


def by_size(size: float, most: float) -> str:
    """Return the shade of a number among numbers of at most ``most``."""
    share = 0.0 if np.isnan(size) else size / most
    return SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)]


def by_decade(difference: float) -> str:
    """Return the shade of a difference, by its power of ten; an unmeasured one is the palest."""
    return SHADES[int(sum(difference >= decade for decade in DECADES))]


def size_said(size: float) -> str:
    """Return the size of a difference: its power of ten, if it is small."""
    return fmt(size) if size >= 0.01 or size == 0 else f"{size:.0e}"
