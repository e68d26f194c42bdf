"""Two tensors of one shape meet cell by cell; below them stand the numbers that they really hold.

A cell that is drawn dashed holds no memory: with stride 0, a number is read that stands before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorkit.graph import no_grad
from tensorkit.layout import Shape
from tensorkit.pictures.board import EDGE, Plate, measure, spell_index, write_head
from tensorkit.pictures.cells import equals
from tensorkit.pictures.layout import Drawn, tensor_size
from tensorkit.pictures.running import index_of, spelled
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import listed
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor

STORED = 24  # numbers of a storage that are drawn
APART = 1.6  # between two grids, for a sign
STRIP = 2.3  # from one storage to the next


class Meeting:
    """Two tensors expanded to one shape, a sign, and out; ``given`` are the tensors before that.

    Plan it, draw it on a scene, then tell it: a step for each cell of out.
    """

    def __init__(
        self, names: Sequence[str], tensors: Sequence[Tensor], given: Sequence[Tensor], op: Any
    ) -> None:
        self.names, self.tensors, self.given, self.op = names, tensors, given, op
        self.shape = tensors[0].shape
        self.plates = [
            Plate(name, name, t.layout, t.storage) for name, t in zip(names, tensors, strict=True)
        ]
        self.stored = max(t.storage.size for t in tensors) <= STORED

    def plan(self, top: float) -> tuple[float, float]:
        """Find the place of everything below ``top``; return how far it reaches."""
        wide, high = tensor_size(self.shape)
        step = max([wide, 3.0, *(measure(plate.note, 9.5) for plate in self.plates)]) + APART
        self.at = [(EDGE + k * step, top + 1.5) for k in range(3)]
        self.below = top + 1.5 + high
        right = self.at[2][0] + wide
        if not self.stored:
            return right, self.below + 0.3
        longest = max(t.storage.size for t in self.tensors)
        return max(right, EDGE + longest), self.below + 2 * STRIP + 0.75

    def draw(self, scene: Scene) -> None:
        """Draw the grids with their signs, and the storages."""
        self.scene, self.grids, self.strips = scene, list[Drawn](), list[Drawn]()
        for plate, t, at in zip(self.plates, self.tensors, self.at, strict=False):
            write_head(scene, *at, f"{plate.name} as {self.shape}", plate.note)
            self.grids.append(scene.tensor(plate.key, t.numpy(), *at, ghost=plate.copies))
        blank = np.full(self.shape, "", dtype=object)
        write_head(scene, *self.at[2], f"out  {self.shape}", "")
        self.out = scene.tensor("out", blank, *self.at[2], ghost=True)
        middle = (self.out.box[1] + self.out.box[3]) / 2
        for (x, _), sign in zip(self.at[1:], (self.op.symbol, "="), strict=True):
            scene.label(x - APART / 2, middle, sign, size=16, align="center")
        for nth, (plate, given) in enumerate(zip(self.plates, self.given, strict=True)):
            if self.stored:
                y = self.below + 1.4 + nth * STRIP
                size = len(plate.storage)
                copy = "a copy of " * (self.tensors[nth].storage is not given.storage)
                name = f"storage of {copy}{plate.name}"
                scene.label(EDGE, y - 0.4, name, bold=True, size=10.5)
                key = f"{plate.key}_storage"
                self.strips.append(scene.strip(key, plate.storage, EDGE, y, per_line=max(size, 1)))
        for ordinal, key in enumerate(self.out.keys):
            scene.link(key, [k for nth in (0, 1) for k in self.cells(nth, ordinal)])

    def cells(self, nth: int, ordinal: int) -> list[str]:
        """Return the keys of a cell of an input: in its grid, and in its storage."""
        position = int(self.plates[nth].positions.ravel()[ordinal])
        stored = [self.strips[nth].keys[position]] if self.stored else []
        return [self.grids[nth].keys[ordinal], *stored]

    def tell(self) -> None:
        """Tell, for each cell of out, which cells meet in it and where they are read."""
        with no_grad():
            out = self.op(*self.tensors)
        for ordinal, value in enumerate(out.numpy().ravel().tolist()):
            index, key = index_of(ordinal, self.shape), self.out.keys[ordinal]
            met = [float(t.numpy()[index]) for t in self.tensors]
            own = [
                f"{name}{spell_index(own_index(index, t.shape))}"
                for name, t in zip(self.names, self.given, strict=True)
            ]
            worked = f"{spelled(self.op, met)} {equals(*met, value)} {fmt(value)}"
            where = [f"{p.name} at {p.arithmetic(index)}" for p in self.plates]
            plain: dict[str | None, str] = {None: key}
            self.scene.step(
                f"out{spell_index(index)} = {worked}, from {listed(own)}: {listed(where)}.",
                read=[k for nth in (0, 1) for k in self.cells(nth, ordinal)],
                write=key,
                text={key: value},
                keep=plain,
            )


def own_index(index: Shape, given: Shape) -> Shape:
    """Return the index, in a tensor as it was given, of the cell that is read at ``index``."""
    tail = index[len(index) - len(given) :]
    return tuple(0 if n == 1 else i for i, n in zip(tail, given, strict=True))
