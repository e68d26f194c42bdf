"""A game on a scene: the reader picks the next cell, or draws the arrows, and is answered.

It is plain data that the scene carries as ``play``; its steps stay the demonstration, which is also
what is seen where no script runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorkit.pictures.steps import Keys, keys_of
from tensorkit.pictures.text import fmt

Edge = tuple[str, str]


@dataclass(frozen=True)
class Turn:
    """One thing to pick: the cell ``key``, once every key in ``needs`` was picked.

    Picked too early, the sentence in ``refused`` for the first key that is missing is said, and
    nothing changes. Picked in time, ``say``, ``text``, ``keep`` and ``hold`` act as in Scene.step,
    and the cell is marked ``mark`` for this step. ``arrivals`` maps another key to the texts that
    it shows by how many of the turns that name it were picked; with the last it is marked known.
    ``name`` is what a screen reader calls the cell; without it, the text of the cell.
    """

    key: str
    say: str
    needs: Iterable[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, Iterable[str] | str] = field(default_factory=dict)
    text: Mapping[str, object] = field(default_factory=dict)
    hold: Iterable[str] | str = ()
    arrivals: Mapping[str, Sequence[object]] = field(default_factory=dict)
    mark: str = "grad"
    name: str = ""

    def cells(self) -> Keys:
        """Return every key of a cell or a label that this turn changes."""
        kept = [key for keys in self.keep.values() for key in keys_of(keys)]
        return (*self.text, *self.arrivals, *kept)

    def lines(self) -> Keys:
        """Return every key of an arrow or an outline that this turn names."""
        return keys_of(self.hold)

    def roles(self) -> Keys:
        """Return every role that this turn gives."""
        return (self.mark, *self.keep)

    def pack(self) -> dict[str, Any]:
        """Return the turn for the browser: short names, as those of a step, nothing empty."""
        packed = {
            "key": self.key,
            "s": self.say,
            "needs": list(self.needs),
            "refused": dict(self.refused),
            "k": {role: list(keys_of(keys)) for role, keys in self.keep.items()},
            "t": {key: fmt(text) for key, text in self.text.items()},
            "h": list(keys_of(self.hold)),
            "arrivals": {key: [fmt(one) for one in texts] for key, texts in self.arrivals.items()},
            "mark": self.mark,
            "name": self.name,
        }
        return {name: value for name, value in packed.items() if value}


@dataclass(frozen=True)
class Turns:
    """Pick all turns in an order that each allows; every pick is a step to go back to.

    Raises ValueError if a key comes twice, needs a key that is no turn, or lacks the sentence for a
    key that it needs, and if no order can finish.
    """

    turns: Sequence[Turn]
    opening: str
    done: str

    def __post_init__(self) -> None:
        keys = self.picks()
        if len(set(keys)) < len(keys):
            raise ValueError(f"a key has two turns among {keys}: every turn picks its own cell")
        for turn in self.turns:
            for key in turn.needs:
                if key not in keys:
                    raise ValueError(f"{turn.key!r} needs {key!r}, which no turn picks")
                if key not in turn.refused:
                    raise ValueError(f"{turn.key!r} needs {key!r}, but refused has no word on it")
        picked: set[str] = set()
        while ready := [
            turn.key
            for turn in self.turns
            if turn.key not in picked and picked.issuperset(turn.needs)
        ]:
            picked.update(ready)
        if stuck := set(keys) - picked:
            raise ValueError(f"{sorted(stuck)} wait for one another: no order finishes the game")

    def picks(self) -> Keys:
        """Return the cells that the reader picks."""
        return tuple(turn.key for turn in self.turns)

    def cells(self) -> Keys:
        """Return every key of a cell or a label that the game changes."""
        return tuple(key for turn in self.turns for key in turn.cells())

    def lines(self) -> Keys:
        """Return every key of an arrow or an outline that the game names."""
        return tuple(key for turn in self.turns for key in turn.lines())

    def roles(self) -> Keys:
        """Return every role that the game gives."""
        return tuple(role for turn in self.turns for role in turn.roles())

    def pack(self) -> dict[str, Any]:
        """Return the game for the browser."""
        turns = [turn.pack() for turn in self.turns]
        return {"kind": "turns", "turns": turns, "opening": self.opening, "done": self.done}


@dataclass(frozen=True)
class Connect:
    """Draw the arrows ``edges`` from cells in ``sources`` to cells in ``targets``, then check.

    ``why`` says for an edge what is said when it is missing, or drawn though it is wrong; other
    edges get a plain sentence. ``names`` are what a screen reader calls the cells. Raises
    ValueError if there are no edges, or one does not lead from a source to a target.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    edges: Sequence[Edge]
    opening: str
    done: str
    why: Mapping[Edge, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.edges:
            raise ValueError("no edges to draw: the game would be won before it begins")
        for a, b in (*self.edges, *self.why):
            if a not in self.sources or b not in self.targets:
                raise ValueError(f"the edge {(a, b)} does not lead from a source to a target")

    def picks(self) -> Keys:
        """Return the cells that the reader picks."""
        return (*self.sources, *self.targets)

    def cells(self) -> Keys:
        """Return the cells that the game changes: none, the reader draws on the picture."""
        return ()

    def lines(self) -> Keys:
        """Return the arrows of the scene that the game names: none, the reader draws them."""
        return ()

    def roles(self) -> Keys:
        """Return the roles that the game gives: none but those of its own arrows."""
        return ()

    def pack(self) -> dict[str, Any]:
        """Return the game for the browser."""
        return {
            "kind": "connect",
            "sources": list(self.sources),
            "targets": list(self.targets),
            "edges": [list(edge) for edge in self.edges],
            "opening": self.opening,
            "done": self.done,
            "why": [[a, b, said] for (a, b), said in self.why.items()],
            "names": dict(self.names),
        }


Play = Turns | Connect
