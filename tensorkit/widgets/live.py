"""Steppers and explorers as Jupyter widgets: what the reader does reaches Python, and back.

They run the same script as their plain forms. A live stepper adds ``step``, which goes both ways;
a live explorer has the kernel make each scene, so that its fields take whatever is typed.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from tensorkit.pictures.scene import Scene
from tensorkit.widgets.explorer import Explorer
from tensorkit.widgets.page import css, looks, payload, script


class LiveStepper(anywidget.AnyWidget):
    """A stepper with a ``step`` that Python can read, set and observe."""

    _esm = script("play.js") + "\nexport default { render };\n"
    _css = css()
    payload = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, scene: Scene, step: int = 0, **traits: Any) -> None:
        self.scene = scene
        super().__init__(payload=payload(scene), step=step, **traits)

    def show(self, scene: Scene) -> None:
        """Draw another scene in the place of this one, at the same step if it has that."""
        self.scene = scene
        with self.hold_sync():
            self.step = min(self.step, max(len(scene.steps) - 1, 0))
            self.payload = payload(scene)

    @traitlets.validate("step")
    def _check_step(self, proposal: dict[str, Any]) -> int:
        try:
            return self.scene.number(proposal["value"])
        except IndexError as error:
            raise traitlets.TraitError(str(error)) from None


class LiveExplorer(anywidget.AnyWidget):
    """An explorer whose ``values`` Python can read, set and observe.

    They are the label of each choice and the text of each field, by the control's name; ``scene``
    is the one that is shown. A text that gives no scene is answered in ``problem``, and the scene
    before stays.
    """

    _esm = script("play.js", "explorer.js") + "\nexport default { render: renderExplorer };\n"
    _css = css()
    told = traitlets.Dict().tag(sync=True)
    payload = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, explorer: Explorer, **traits: Any) -> None:
        self.explorer = explorer
        self.scene = explorer.scene()
        super().__init__(
            told={**explorer.pack(), **looks()},
            payload=self.scene.payload(),
            values=explorer.start(),
            **traits,
        )

    @traitlets.validate("values")
    def _check_values(self, proposal: dict[str, Any]) -> dict[str, str]:
        try:
            return self.explorer.checked(proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    @traitlets.observe("values")
    def _draw(self, change: dict[str, Any]) -> None:
        if change["old"] is traitlets.Undefined or not change["old"]:
            return
        try:
            scene = self.explorer.scene_at(change["new"])
            drawn = scene.payload()
        except Exception as error:  # whatever a learner types may raise anything
            self.problem = f"{type(error).__name__}: {error}"
            return
        with self.hold_sync():
            self.scene, self.problem, self.payload = scene, "", drawn
