"""A Stepper shows a scene and lets the reader step through it, wherever a notebook is read.

Stepping runs in the browser: it needs no kernel, no widget manager and no network, and it still
works in a saved notebook or an exported page.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorkit.pictures.scene import Scene
from tensorkit.pictures.theme import CELL
from tensorkit.widgets.page import document, fragment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tensorkit.widgets.live import LiveStepper


MOST = 800_000  # pixels of a still: with it, a picture of a thousand cells stays below 450 kB


class Stepper:
    """A scene to step through with the arrow keys, the slider or the buttons.

    ``step`` is the one it opens at, and ``still`` the one that is seen where no script runs: the
    last, if not given. Raises IndexError for a step that the scene does not have.
    """

    def __init__(self, scene: Scene, step: int = 0, still: int = -1) -> None:
        self.step, self.still = scene.number(step), scene.number(still)
        self.scene = scene

    def figure(self, k: int = 0, dark: bool = False) -> Figure:
        """Return step k as a Matplotlib figure, for slides and papers."""
        return self.scene.figure(k, dark)

    def html(self) -> str:
        """Return the stepper as HTML that stands alone and can be put into any page."""
        data = {**self.scene.payload(), "step": self.step}
        return self.fragment(data, "mount", *(["play.js"] if self.scene.play else []))

    def fragment(self, data: dict[str, Any], starter: str, *more: str) -> str:
        """Return HTML that is this still until its script runs ``starter`` on the data.

        ``more`` names what the script needs besides the stepper.
        """
        return fragment(self._picture, self._alt(), self.scene.width, data, starter, more)

    def save(self, path: str | Path) -> Path:
        """Write one HTML page that holds all it needs, and return its path."""
        where = Path(path)
        where.write_text(document(self.scene.title, self.html()), encoding="utf-8")
        return where

    def live(self) -> LiveStepper:
        """Return a Jupyter widget of the scene whose ``step`` Python can read, set and observe.

        Raises ImportError if anywidget is not installed.
        """
        from tensorkit.widgets.live import LiveStepper

        return LiveStepper(self.scene, step=self.step)

    @cached_property
    def _picture(self) -> bytes:
        """The still: sharp on most screens, and of a size that a page and a notebook can bear."""
        pixels = self.scene.width * self.scene.height * CELL**2
        return self.scene.png(self.still, min(132, 72 * math.sqrt(MOST / pixels)))

    def _alt(self) -> str:
        steps = self.scene.steps
        if not steps:
            return self.scene.title
        return f"{self.scene.title}. Step {self.still}: {steps[self.still].caption}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/html": self.html(),
            "image/png": self._picture,
            "text/plain": self.scene.transcript(),
        }

    def __repr__(self) -> str:
        return f"Stepper({self.scene.title!r}, {len(self.scene.steps)} steps)"
