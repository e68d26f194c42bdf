"""A step says what changes: a caption, marks that last one step, and texts or looks that stay.

The picture of step k is a fold over steps 0 to k. The browser folds the same steps in the same way,
so jumping, going back and drawing with Matplotlib all show one and the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Keys = tuple[str, ...]
WRONG = "\N{BALLOT X}"  # before a caption whose step is wrong, so that colour is not alone


@dataclass(frozen=True)
class Source:
    """The code beside a picture: its lines, and the number of the first one."""

    lines: Sequence[str]
    first: int = 1

    def holds(self, line: int) -> bool:
        """Tell whether a line number lies in this source."""
        return self.first <= line < self.first + len(self.lines)


@dataclass(frozen=True)
class Step:
    """One step: what it says, and what it changes in the picture.

    ``line`` is a line number of the Source and ``marks`` are (start, end) columns in that line.
    ``roles`` and ``show`` last for this step; ``text``, ``keep`` and ``hold`` from here on.
    """

    say: str
    line: int | None = None
    marks: tuple[tuple[int, int], ...] = ()
    bad: bool = False
    variables: str = ""
    text: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Keys] = field(default_factory=dict)
    keep: Mapping[str | None, Keys] = field(default_factory=dict)
    show: Keys = ()
    hold: Keys = ()

    @property
    def wrong(self) -> bool:
        """Whether the step is or marks something wrong; its caption then carries a cross."""
        return self.bad or bool(self.roles.get("wrong"))

    @property
    def caption(self) -> str:
        """The words of the step, with the cross of a wrong one."""
        return f"{WRONG} {self.say}" if self.wrong else self.say


@dataclass(frozen=True)
class State:
    """What is seen at one step: the role and text of every key, and the arrows and outlines."""

    roles: Mapping[str, str | None]
    texts: Mapping[str, str]
    shown: frozenset[str]


def fold(start: State, steps: Sequence[Step], k: int) -> State:
    """Return the state at step k, counted from 0."""
    roles, texts, shown = dict(start.roles), dict(start.texts), set(start.shown)
    for step in steps[: k + 1]:
        for kept, keys in step.keep.items():
            roles.update(dict.fromkeys(keys, kept))
        texts.update(step.text)
        shown.update(step.hold)
    if steps:
        for role, keys in steps[k].roles.items():
            roles.update(dict.fromkeys(keys, role))
        shown.update(steps[k].show)
    return State(roles, texts, frozenset(shown))


def pack(step: Step, size_of: Mapping[tuple[str, str], float]) -> dict[str, Any]:
    """Return a step for the browser: short names, nothing that is empty.

    ``size_of`` gives the font size of a (key, text) that differs from that of the key's first text.
    """
    packed: dict[str, Any] = {"s": step.say}
    if step.line is not None:
        packed["l"] = step.line
    if step.marks:
        packed["m"] = [list(mark) for mark in step.marks]
    if step.bad:
        packed["b"] = 1
    if step.variables:
        packed["v"] = step.variables
    if step.text:
        packed["t"] = {
            key: [text, size_of[key, text]] if (key, text) in size_of else text
            for key, text in step.text.items()
        }
    if step.roles:
        packed["r"] = {role: list(keys) for role, keys in step.roles.items()}
    if step.keep:
        packed["k"] = {role or "": list(keys) for role, keys in step.keep.items()}
    if step.show:
        packed["a"] = list(step.show)
    if step.hold:
        packed["h"] = list(step.hold)
    return packed


def keys_of(keys: Iterable[str] | str) -> Keys:
    """Return keys as a tuple; one key may be given alone."""
    return (keys,) if isinstance(keys, str) else tuple(keys)
