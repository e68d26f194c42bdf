"""A Stepper shows a scene and lets the reader step through it, wherever a notebook is read.

Stepping runs in the browser: it needs no kernel, no widget manager and no network, and it still
works in a saved notebook or an exported page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorkit.pictures.scene import Scene
from tensorkit.pictures.theme import CELL
from tensorkit.widgets.page import document, fragment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tensorkit.widgets.live import LiveStepper


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
        return self.fragment({**self.scene.payload(), "step": self.step}, "start")

    def fragment(self, data: dict[str, Any], starter: str) -> str:
        """Return HTML that is this still until its script runs ``starter`` on the data."""
        return fragment(self._picture(1200, 108), self._alt(), self.scene.width, data, starter)

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

    def _picture(self, most: int, dpi: float) -> bytes:
        """The still, at most so many pixels wide."""
        return self.scene.png(self.still, min(dpi, 72 * most / (self.scene.width * CELL)))

    def _alt(self) -> str:
        steps = self.scene.steps
        if not steps:
            return self.scene.title
        return f"{self.scene.title}. Step {self.still}: {steps[self.still].caption}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/html": self.html(),
            "image/png": self._picture(2000, 144),
            "text/plain": self.scene.transcript(),
        }

    def __repr__(self) -> str:
        return f"Stepper({self.scene.title!r}, {len(self.scene.steps)} steps)"
