"""An Explorer is a choice of scenes: each control picks a value, and the picture is that of all.

Every combination is made beforehand and packed into the output, so a control answers without a
kernel, in a saved notebook, on an exported page, on a slide; ``live()`` has the kernel make them.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from tensorkit.pictures.scene import Scene
from tensorkit.widgets.page import document
from tensorkit.widgets.stepper import Stepper

if TYPE_CHECKING:
    from tensorkit.widgets.live import LiveExplorer

Look = Literal["buttons", "menu", "slider", "switch"]
MOST = 64  # combinations in one output


@dataclass(frozen=True)
class Choice:
    """A control with a few values, given as label -> value, or as values that are their own labels.

    ``start`` is the label that it opens at, the first if not given. A switch has two options, off
    and on. Raises ValueError for anything else.
    """

    name: str
    label: str
    options: Mapping[str, Any] | Sequence[Any]
    start: str | None = None
    look: Look = "buttons"

    def __post_init__(self) -> None:
        values, who = self.values, f"the choice {self.name!r}"
        if not values or len(values) < len(self.options):
            raise ValueError(f"{who} has no options, or two of one label: {list(self.options)}")
        if self.start is not None and self.start not in values:
            raise ValueError(f"{who} starts at {self.start!r}, but has {', '.join(values)}")
        if self.look not in get_args(Look):
            raise ValueError(f"{who} looks like {self.look!r}: say one of {get_args(Look)}")
        if self.look == "switch" and len(values) != 2:
            raise ValueError(f"{who} is a switch with {len(values)} options: it needs off and on")

    @property
    def values(self) -> dict[str, Any]:
        """What each label stands for."""
        given = self.options
        return dict(given if isinstance(given, Mapping) else ((str(one), one) for one in given))

    @property
    def first(self) -> str:
        """The label that it opens at."""
        return next(iter(self.values)) if self.start is None else self.start

    def value(self, label: str) -> Any:
        """Return what a label stands for."""
        return self.values[label]

    def pack(self) -> dict[str, Any]:
        """Return the control for the browser."""
        labels = list(self.values)
        at = labels.index(self.first)
        return {
            "name": self.name,
            "label": self.label,
            "look": self.look,
            "options": labels,
            "at": at,
        }


@dataclass(frozen=True)
class Field:
    """A line to type into, for ``live()``: ``parse`` turns the text into a value.

    What ``parse`` or the scene raises is told beside it. Without a kernel it stays at ``start``.
    """

    name: str
    label: str
    start: str
    parse: Callable[[str], Any]

    @property
    def first(self) -> str:
        """The text that it opens with."""
        return self.start

    def value(self, text: str) -> Any:
        """Return what a text stands for; raises what ``parse`` raises."""
        return self.parse(text)

    def pack(self) -> dict[str, Any]:
        """Return the control for the browser."""
        return {"name": self.name, "label": self.label, "look": "field", "at": self.start}


Control = Choice | Field


class Explorer:
    """Scenes behind controls: ``scene_of(**values)`` makes the scene of one combination.

    With ``sticky``, what one scene marked wrong stays turned over in the others. Raises ValueError
    for two controls of one name, and for more than 64 combinations.
    """

    def __init__(
        self,
        title: str,
        controls: Sequence[Control],
        scene_of: Callable[..., Scene],
        sticky: bool = False,
    ) -> None:
        names = [control.name for control in controls]
        if len(set(names)) < len(names):
            raise ValueError(f"two controls have one name among {names}")
        self.title, self.controls, self.sticky = title, tuple(controls), sticky
        self.scene_of = scene_of
        self.choices = tuple(one for one in controls if isinstance(one, Choice))
        count = math.prod(len(choice.values) for choice in self.choices)
        if count > MOST:
            raise ValueError(
                f"{count} combinations of {names}: an output holds {MOST}, so offer fewer"
            )
        # every scene of one output is drawn for its still or its page, then not again
        self._make = lru_cache(MOST)(self._scene_of)

    def scene(self, **values: Any) -> Scene:
        """Return the scene of these values, which need not be among the options.

        A control that is not named keeps the value it opens at. Raises TypeError for other names.
        """
        if strange := set(values) - set(self.start()):
            names = ", ".join(self.start())
            raise TypeError(f"{self.title}: no control {', '.join(strange)}; it has {names}")
        if not values:
            return self.scene_at(self.start())
        start = {one.name: one.value(one.first) for one in self.controls if one.name not in values}
        return self.scene_of(**start, **values)

    def start(self) -> dict[str, str]:
        """Return where the controls open: name -> label, or the text of a field."""
        return {control.name: control.first for control in self.controls}

    def checked(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return labels by the name of their control, the rest as they open.

        Raises ValueError for a name that is no control, and for a label that a choice lacks.
        """
        where = {**self.start(), **labels}
        if strange := set(where) - set(self.start()):
            raise ValueError(f"{self.title}: no control {', '.join(strange)}")
        for choice in self.choices:
            if where[choice.name] not in choice.values:
                there = ", ".join(choice.values)
                raise ValueError(f"{choice.name} has no {where[choice.name]!r}; it has {there}")
        return where

    def scene_at(self, labels: Mapping[str, str]) -> Scene:
        """Return the scene where the choices stand at these labels, the fields at these texts."""
        return self._make(tuple(self.checked(labels).values()))

    def stepper(self, **values: Any) -> Stepper:
        """Return the stepper of one scene."""
        return Stepper(self.scene(**values))

    def html(self) -> str:
        """Return the explorer as HTML that stands alone and can be put into any page."""
        still = Stepper(self.scene())
        data = {**self.pack(), "packed": _zipped([one.payload() for one in self._scenes()])}
        return still.fragment(data, "explore", "play.js", "explorer.js")

    def pack(self) -> dict[str, Any]:
        """Return the title and the controls for the browser."""
        controls = [control.pack() for control in self.controls]
        return {"title": self.title, "controls": controls, "sticky": self.sticky}

    def save(self, path: str | Path) -> Path:
        """Write one HTML page that holds all it needs, and return its path."""
        where = Path(path)
        where.write_text(document(self.title, self.html()), encoding="utf-8")
        return where

    def live(self) -> LiveExplorer:
        """Return a Jupyter widget whose scenes the kernel makes; its fields can be typed into.

        Raises ImportError if anywidget is not installed.
        """
        from tensorkit.widgets.live import LiveExplorer

        return LiveExplorer(self)

    def _scene_of(self, labels: tuple[str, ...]) -> Scene:
        pairs = zip(self.controls, labels, strict=True)
        return self.scene_of(**{control.name: control.value(label) for control, label in pairs})

    def _scenes(self) -> list[Scene]:
        """All combinations, the last control's options running fastest."""
        names = [choice.name for choice in self.choices]
        return [
            self.scene_at(dict(zip(names, labels, strict=True)))
            for labels in itertools.product(*(choice.values for choice in self.choices))
        ]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**Stepper(self.scene())._repr_mimebundle_(), "text/html": self.html()}

    def __repr__(self) -> str:
        names = ", ".join(control.name for control in self.controls)
        return f"Explorer({self.title!r}, controls {names})"


def _zipped(payloads: Sequence[Mapping[str, Any]]) -> str:
    """JSON, zipped, as letters; the time is left out so that equal scenes give equal outputs."""
    text = json.dumps(payloads, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode("ascii")
