"""At a kink the slope depends on the side: nudging across it measures neither, backward picks one.

The curve is L as one input cell moves; the arrows are slopes, measured to the left of the cell, to
its right, and across it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.layout import Shape
from tensorkit.pictures.probed import Probed, probe
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shapes import Frame
from tensorkit.pictures.text import fmt

NUDGE = 0.5  # far enough to be seen
POINTS = 17
WIDE, HIGH = 13.0, 7.5
LEFT, TOP = 1.9, 1.6
DOT = 0.3
SMALL = 1e-6  # the nudge that decides whether there is a kink


def kink_scene(f: Any, *inputs: Any, index: Shape | None = None) -> Scene:
    """Return the scene of the slopes of ``f`` on both sides of one input cell, and across it.

    Raises as ``probe`` does.
    """
    return _Kink(probe(f, *inputs, index=index)).scene


class _Kink:
    """The curve around one cell, and its slopes."""

    def __init__(self, found: Probed) -> None:
        self.found = found
        xs = found.x + np.linspace(-2 * NUDGE, 2 * NUDGE, POINTS)
        ys = np.array([found.at(float(x)) for x in xs])
        middle, reach = (ys.min() + ys.max()) / 2, max(float(np.ptp(ys)), 1e-9)
        self.low, self.reach = middle - 0.55 * reach, 1.1 * reach
        self.scene = scene = Scene(
            LEFT + WIDE + 0.6,
            TOP + HIGH + 1.6,
            f"{found.name} around {found.cell} = {fmt(found.x)}",
        )
        scene.frames.append(Frame(LEFT, TOP, WIDE, HIGH))
        scene.label(LEFT, TOP - 0.4, "L = Σ grad_out · out", size=10.5, bold=True)
        for share in (-2, -1, 0, 1, 2):
            x = found.x + share * NUDGE
            at = self.place(x, 0.0)[0]
            scene.label(at, TOP + HIGH + 0.4, fmt(round(x, 9)), size=9, role="dim", align="center")
        scene.label(
            LEFT + WIDE / 2, TOP + HIGH + 1.0, found.cell, size=10.5, bold=True, align="center"
        )
        for y in (ys.min(), ys.max()):
            level = self.place(found.x, float(y))[1]
            scene.label(LEFT - 0.2, level, fmt(float(y)), size=9, role="dim", align="right")
        self.dots = []
        for k, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
            px, py = self.place(x, y)
            here = k == POINTS // 2
            dot = DOT * (1.6 if here else 1)
            box = px - dot / 2, py - dot / 2
            self.dots.append(
                scene.cell(f"d{k}", *box, "", dot, dot, role="write" if here else None)
            )
        self.tell()

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the curve stands."""
        across = (x - self.found.x) / (4.4 * NUDGE) + 0.5
        return LEFT + across * WIDE, TOP + HIGH * (1 - (y - self.low) / self.reach)

    def secant(self, key: str, left: float, right: float, role: str, dashed: bool = False) -> str:
        """Draw the line through two points of the curve, an arrow from left to right."""
        start, end = (self.place(x, self.found.at(x)) for x in (left, right))
        return self.scene.arrow(key, start, end, role, dashed=dashed)

    def tell(self) -> None:
        """Add the steps: the curve, left, right, across, what backward says."""
        found, scene = self.found, self.scene
        here = self.dots[POINTS // 2]
        x, a, b = found.x, found.x - NUDGE, found.x + NUDGE
        left, right = found.left(SMALL), found.right(SMALL)
        smooth = abs(left - right) <= 1e-4 * max(1.0, abs(left), abs(right))
        scene.step(
            f"The curve is what comes out as {found.cell} moves and all else stays. "
            f"Which slope has it at {fmt(x)}?",
            read=self.dots,
            write=here,
        )
        scene.step(
            f"Measured to the left of {fmt(x)}, with a small nudge: {said(left)}.",
            read=[d for k, d in enumerate(self.dots) if k < POINTS // 2],
            write=here,
            show=self.secant("left", a, x, "read"),
        )
        scene.step(
            f"Measured to the right: {said(right)}.",
            read=[d for k, d in enumerate(self.dots) if k > POINTS // 2],
            write=here,
            show=self.secant("right", x, b, "read"),
        )
        across = found.central(SMALL)
        if smooth:
            scene.step(
                f"Both sides agree, so there is no kink: across, nudging measures {said(across)}, "
                f"and backward says {said(found.analytic)}.",
                write=here,
                show=self.secant("across", a, b, "write", dashed=True),
                bad=not near(found.analytic, across),
            )
            return
        scene.step(
            f"A kink: the sides differ. Across it nudging measures {said(across)}, which is the "
            "slope of neither side.",
            wrong=here,
            show=self.secant("across", a, b, "wrong", dashed=True),
        )
        low, high = sorted((left, right))
        fine = low - 1e-4 <= found.analytic <= high + 1e-4
        scene.step(
            f"Backward says {said(found.analytic)}. At a kink tk.check_gradient takes any slope "
            f"from {said(low)} to {said(high)}, so this is {'right' if fine else 'wrong'}.",
            bad=not fine,
            expected=here if fine else (),
            show=("left", "right"),
        )


def near(a: float, b: float) -> bool:
    """Tell whether two slopes are the same but for what nudging loses."""
    return abs(a - b) <= 1e-4 * max(1.0, abs(a), abs(b))


def said(slope: float) -> str:
    """Return a slope rounded to what nudging can tell."""
    return fmt(round(slope, 6) + 0.0)
