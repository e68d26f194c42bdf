"""A scene is one picture and the steps that change it; whoever shows it only reads this data.

Draw on it as on any canvas, then tell the steps, each naming the keys that it marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorkit.pictures.canvas import Canvas
from tensorkit.pictures.play import Play
from tensorkit.pictures.steps import Source, State, Step, fold, keys_of, pack
from tensorkit.pictures.text import fmt
from tensorkit.pictures.theme import MARKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Marked = Iterable[str] | str


class Scene(Canvas):
    """A picture with steps: ``width`` by ``height`` cells, a title, perhaps code beside it.

    Drawing again under a key that is taken, or naming one that is not drawn, raises ValueError.
    """

    def __init__(self, width: float, height: float, title: str, code: Source | None = None) -> None:
        super().__init__(width, height, title, code)
        self.steps: list[Step] = []
        self._play: Play | None = None

    @property
    def play(self) -> Play | None:
        """The game on this scene, if there is one; its keys have to be drawn before it is set."""
        return self._play

    @play.setter
    def play(self, game: Play | None) -> None:
        if game:
            self._check_keys(game.picks(), self._cells, "the game", "a cell")
            self._check_keys(game.cells(), self._text_of, "the game", "a cell or a label")
            self._check_keys(game.lines(), self._lines, "the game", "an arrow or an outline")
            for role in game.roles():
                self._check_role(role)
        self._play = game

    def step(
        self,
        say: str,
        *,
        line: int | None = None,
        marks: Iterable[Sequence[int]] = (),
        bad: bool = False,
        variables: str = "",
        text: Mapping[str, object] | None = None,
        show: Marked = (),
        hold: Marked = (),
        keep: Mapping[str, Marked] | Mapping[str | None, Marked] | None = None,
        read: Marked = (),
        write: Marked = (),
        grad: Marked = (),
        expected: Marked = (),
        wrong: Marked = (),
    ) -> None:
        """Add a step; see Step for what lasts one step and what stays.

        Where a cell has several marks, the last of read, write, grad, expected, wrong is seen.
        """
        given = zip(MARKS, (read, write, grad, expected, wrong), strict=True)
        roles = {role: keys_of(keys) for role, keys in given}
        kept = {role: keys_of(keys) for role, keys in (keep or {}).items()}
        shown, held = keys_of(show), keys_of(hold)
        name = f"step {len(self.steps)}"
        for keys in (*roles.values(), *kept.values(), keys_of(text or ())):
            self._check_keys(keys, self._text_of, name, "a cell or a label with a key")
        self._check_keys((*shown, *held), self._lines, name, "an arrow or an outline")
        for role in kept:
            self._check_role(role)
        texts = {key: self._clip(key, fmt(value)) for key, value in (text or {}).items()}
        if line is not None and not (self.code and self.code.holds(line)):
            raise ValueError(f"{name} lights line {line}, which the scene's code does not hold")
        self.steps.append(
            Step(
                say,
                line,
                tuple((int(a), int(b)) for a, b in marks),
                bad,
                variables,
                texts,
                {role: keys for role, keys in roles.items() if keys},
                {role: keys for role, keys in kept.items() if keys},
                shown,
                held,
            )
        )

    def start(self) -> State:
        """Return the state before any step."""
        roles = {key: one.role for key, one in self._text_of.items()}
        texts = {key: one.text for key, one in self._text_of.items()}
        shown = frozenset(arrow.key for arrow in self.arrows if arrow.visible)
        return State(roles, texts, shown)

    def number(self, k: int) -> int:
        """Return k as a step number from 0; -1 is the last. Raises IndexError outside the steps."""
        last = max(len(self.steps) - 1, 0)
        if not -last - 1 <= k <= last:
            raise IndexError(f"step {k}: the scene has steps 0 to {last}")
        return k % (last + 1)

    def state(self, k: int) -> State:
        """Return the role and text of every key at step k, and which arrows and outlines show."""
        return fold(self.start(), self.steps, self.number(k))

    def figure(self, k: int = 0, dark: bool = False) -> Figure:
        """Return step k as a Matplotlib figure."""
        from tensorkit.pictures.render import figure

        return figure(self, self.state(k), dark)

    def png(self, k: int = 0, dpi: float = 144, dark: bool = False) -> bytes:
        """Return step k as a small PNG; at 72 dpi a cell is 34 pixels."""
        from tensorkit.pictures.render import png

        return png(self.figure(k, dark), dpi, dark)

    def svg(self) -> str:
        """Return the picture for the browser, before any step: no ids, colours from CSS."""
        from tensorkit.pictures.svg import svg

        return svg(self, self.start())

    def payload(self) -> dict[str, Any]:
        """Return all that the browser needs, ready for JSON."""
        sizes = {
            (key, text): self.size_of(key, text)
            for step in self.steps
            for key, text in step.text.items()
            if self.size_of(key, text) != self.size_of(key, self._text_of[key].text)
        }
        data: dict[str, Any] = {
            "title": self.title,
            "svg": self.svg(),
            "steps": [pack(step, sizes) for step in self.steps],
        }
        if self.links:
            data["links"] = {key: list(keys) for key, keys in self.links.items()}
        if self.code:
            data["code"] = {"lines": list(self.code.lines), "first": self.code.first}
        if self.play:
            data["play"] = self.play.pack()
        return data

    def transcript(self) -> str:
        """Return the steps in words, one a line."""
        said = [f"{k}. {step.caption}" for k, step in enumerate(self.steps)]
        return "\n".join([self.title, *said])
