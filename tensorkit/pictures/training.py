"""Training, watched: what the network believes, how its loss falls, where its gradient dies.

Left, the unit square as the network sees it, with the points it learns from. Right, the loss, and
below it, for each parameter, how large the gradient is that reaches it, by powers of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorkit.nn.watching import DECADES, Flow, Snapshot
from tensorkit.pictures.board import EDGE, measure
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import fmt

SIDE, HIGH, GAP, TOP = 0.78, 3.4, 1.2, 1.5  # cells: a field of the map, the loss, between, above
MARKS = {0: "\N{BLACK UP-POINTING TRIANGLE}", 1: "\N{BLACK CIRCLE}"}
MOST = 60  # snapshots on one curve


def training_scene(snapshots: Sequence[Snapshot], x: Any = None, y: Any = None) -> Scene:
    """Draw the snapshots of one training, a step each; ``x`` (n, 2) and ``y`` (n,) are its points.

    Raises ValueError without a snapshot. Of more than 60, evenly spaced ones are shown.
    """
    if not snapshots:
        raise ValueError("there is nothing to watch yet: give at least one snapshot")
    if len(snapshots) > MOST:
        chosen = np.unique(np.linspace(0, len(snapshots) - 1, MOST).round().astype(int))
        snapshots = [snapshots[k] for k in chosen]
    return Watching(snapshots, x, y).scene


class Watching:
    """The picture of a training, laid out once and filled by its snapshots."""

    def __init__(self, snapshots: Sequence[Snapshot], x: Any, y: Any) -> None:
        self.snapshots, first = snapshots, snapshots[0]
        self.grid = 0 if first.belief is None else len(first.belief)
        left = EDGE + (self.grid * SIDE + GAP if self.grid else 0)
        names = max(measure(one.name, 9.5) for one in first.flows)
        self.at = left + names + 0.4
        wide = max(self.at + 0.86 * (len(DECADES) + 1) + 3.6, left + 11)
        flows = TOP + HIGH + 2.4
        height = max(flows + 0.95 * len(first.flows) + 0.9, TOP + self.grid * SIDE + 1.2)
        self.scene = Scene(wide + EDGE, height, "Training, watched")
        self.fields = self._map(x, y) if self.grid else []
        self.dots = self._loss(left, wide - left)
        self.bins, self.notes = self._flows(flows)
        for k, one in enumerate(snapshots):
            self._step(k, one)

    def _map(self, x: Any, y: Any) -> list[str]:
        """Draw the square: a field for each probability, marked where points lie."""
        n, scene = self.grid, self.scene
        scene.label(EDGE, TOP - 0.8, "what it believes", bold=True, size=11)
        words = f"{MARKS[0]} label 0   {MARKS[1]} label 1   dashed: not sure"
        scene.label(EDGE, TOP - 0.32, words, size=9.5, role="dim")
        signs: NDArray[Any] = np.full((n, n), "", dtype=object)
        for point, label in zip(*given(x, y), strict=True):
            across, down = (min(max(int(v * n), 0), n - 1) for v in (point[0], 1 - point[1]))
            sign = MARKS[int(label > 0.5)]
            alone = signs[down, across] in ("", sign)
            signs[down, across] = sign if alone else "\N{WHITE DIAMOND}"
        places = [(EDGE + j * SIDE, TOP + i * SIDE) for i in range(n) for j in range(n)]
        return scene.grid("map", places, signs.ravel().tolist(), SIDE, SIDE, "ghost", 9)

    def _loss(self, left: float, width: float) -> list[str]:
        """Draw the loss of every snapshot as a dot, the largest at the top."""
        scene, losses = self.scene, np.array([one.loss for one in self.snapshots])
        scene.label(left, TOP - 0.8, "loss", bold=True, size=11)
        scene.label(left, TOP - 0.32, "", key="loss", size=9.5, role="dim")
        finite = losses[np.isfinite(losses)]
        top, low = (float(finite.max()), min(float(finite.min()), 0.0)) if finite.size else (1.0, 0)
        scale = (top - low) or 1.0
        dot = min(0.42, (width - 1) / max(len(losses), 1))
        run = np.linspace(0.0, width - 0.6 - dot, len(losses)) if len(losses) > 1 else [0.0]
        heights = [HIGH * (top - v) / scale if np.isfinite(v) else 0.0 for v in losses]
        places = [(left + float(a), TOP + h) for a, h in zip(run, heights, strict=True)]
        ends = [(TOP + 0.2, fmt(top)), (TOP + HIGH + 0.2, fmt(low))]
        for y, text in ends:
            scene.label(left + width - 0.4, y, text, size=8.5, role="dim")
        return scene.grid("dot", places, [""] * len(losses), dot, dot, "ghost")

    def _flows(self, top: float) -> tuple[list[list[str]], list[str]]:
        """Draw a histogram for each parameter: zero first, then powers of ten."""
        scene, flows = self.scene, self.snapshots[0].flows
        scene.label(self.at, top - 1.1, "gradient that arrives, share of cells", bold=True, size=11)
        heads = ["0", *(f"1e{d}".replace("-", "\N{MINUS SIGN}") for d in DECADES[:-1])]
        for k, head in enumerate(heads):
            place = self.at + 0.86 * k + 0.43, top - 0.35
            scene.label(*place, head, size=8, role="dim", align="center")
        bins, notes = [], []
        for row, one in enumerate(flows):
            y = top + 0.95 * row
            scene.label(self.at - 0.25, y + 0.45, one.name, size=9.5, align="right")
            places = [(self.at + 0.86 * k, y) for k in range(len(heads))]
            bins.append(scene.grid(f"bin{row}", places, [""] * len(heads), 0.86, 0.9, "ghost", 9))
            notes.append(f"note{row}")
            end = self.at + 0.86 * len(heads) + 0.25
            scene.label(end, y + 0.45, "", key=notes[-1], size=9.5, role="dim")
        return bins, notes

    def _step(self, k: int, one: Snapshot) -> None:
        keep: dict[str | None, list[str]] = {"read": [], "write": [], "ghost": [], None: []}
        if one.belief is not None:
            for key, p in zip(self.fields, one.belief.ravel().tolist(), strict=True):
                sure = "read" if p >= 0.75 else "write" if p <= 0.25 else "ghost"
                keep[sure].append(key)
        text = {"loss": f"after epoch {one.epoch}: {fmt(one.loss)}"}
        dead: list[str] = []
        for keys, note, flow in zip(self.bins, self.notes, one.flows, strict=True):
            shares = [flow.zeros, *flow.counts]
            for key, count in zip(keys, shares, strict=True):
                text[key] = percent(count, flow.size)
                keep["ghost" if count == 0 else None].append(key)
            text[note] = said_dead(flow)
            if 2 * flow.dead >= flow.units:  # a few dead units are the way of relu
                dead.append(keys[0])
        biggest = [
            keys[int(np.argmax([flow.zeros, *flow.counts]))]
            for keys, flow in zip(self.bins, one.flows, strict=True)
        ]
        keep[None] += self.dots[:k]
        self.scene.step(
            self._say(k, one),
            text=text,
            keep={role: keys for role, keys in keep.items() if keys},
            grad=[self.dots[k], *(key for key in biggest if key not in dead)],
            wrong=dead,
            bad=not np.isfinite(one.loss),
        )

    def _say(self, k: int, one: Snapshot) -> str:
        said = f"Epoch {one.epoch}: loss {fmt(one.loss)}, {one.right} of {one.total} right."
        if not np.isfinite(one.loss):
            return f"{said} The loss is no number any more: the steps are too long; lower lr."
        gone = [flow for flow in one.flows if flow.size == flow.zeros]
        if len(gone) == len(one.flows):
            return f"{said} No parameter gets any gradient: nothing can be learned from here on."
        dying = [flow for flow in one.flows if flow.dead]
        if dying:
            flow = max(dying, key=lambda f: f.dead / f.units)
            said += f" {flow.dead} of {flow.units} units of {flow.name} get no gradient at all."
        return said


def given(x: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points and labels as arrays, or none of them."""
    if x is None or y is None:
        return np.zeros((0, 2)), np.zeros(0)
    return np.asarray(x), np.asarray(y).reshape(-1)


def percent(count: int, size: int) -> str:
    """Return a share as a whole number of percent; less than one half is not nothing."""
    if not count:
        return ""
    share = 100 * count / size
    return f"{share:.0f}%" if share >= 0.5 else "<1%"


def said_dead(flow: Flow) -> str:
    """Return how many units get nothing."""
    return f"{flow.dead} of {flow.units} dead" if flow.dead else ""
