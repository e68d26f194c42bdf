"""The stepper as a Jupyter widget, for explorers whose controls change inputs and draw anew.

It runs the same script as the plain stepper; what it adds is ``step``, which goes both ways.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from tensorkit.pictures.scene import Scene
from tensorkit.widgets.page import css, payload, script


class LiveStepper(anywidget.AnyWidget):
    """A stepper with a ``step`` that Python can read, set and observe."""

    _esm = script() + "\nexport default { render };\n"
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
