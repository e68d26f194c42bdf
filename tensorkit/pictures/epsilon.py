"""How far to nudge: too far and the curve bends away, too little and rounding drowns the slope.

Both axes count powers of ten. On one side the error falls by 100 when the nudge shrinks by 10, as
it goes with its square; on the other it grows by 10, as what rounding loses is divided by it.
"""

from __future__ import annotations

import math
from typing import Any

from tensorkit.layout import Shape
from tensorkit.pictures.probed import Probed, probe
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shapes import Frame
from tensorkit.pictures.text import fmt
from tensorkit.pictures.theme import MINUS

POWERS = range(1, 16)  # nudges of 1e-1 to 1e-15
LOW, HIGH = -13, 1  # powers of ten of the errors that the picture has room for
STEP = (1.35, 0.62)  # cells a power of ten, across and down
DOT = 0.42
LEFT, TOP = 2.6, 1.6


def epsilon_scene(f: Any, *inputs: Any, index: Shape | None = None) -> Scene:
    """Return the scene of the error of nudging one input cell, for nudges of 1e-1 to 1e-15.

    Raises as ``probe`` does.
    """
    found = probe(f, *inputs, index=index)
    errors = {k: abs(found.central(10.0**-k) - found.analytic) for k in POWERS}
    wide, high = LEFT + len(POWERS) * STEP[0] + 0.6, TOP + (HIGH - LOW) * STEP[1] + 1.7
    scene = Scene(wide, high, f"Nudging {found.cell} of {found.name}: the error for each ε")
    draw(scene)
    for k in POWERS:
        x, y = place(k, errors[k])
        scene.cell(f"e{k}", x - DOT / 2, y - DOT / 2, "", DOT, DOT, role="ghost")
    scene.step(
        f"Backward says that the slope at {found.cell} = {fmt(found.x)} is {found.analytic:.9g}. "
        f"Nudging measures (L(x + ε) {MINUS} L(x {MINUS} ε)) / 2ε."
    )
    for k in POWERS:
        scene.step(
            f"ε = 1e-{k}: nudging measures {found.central(10.0**-k):.9g}, and is off by "
            f"{spelled(errors[k])}.",
            write=f"e{k}",
            keep={"read": f"e{k}"},
        )
    tell_end(scene, found, errors)
    return scene


def draw(scene: Scene) -> None:
    """Draw the frame, the powers of ten along both axes, and what they count."""
    right, low = LEFT + len(POWERS) * STEP[0], TOP + (HIGH - LOW) * STEP[1]
    scene.frames.append(Frame(LEFT, TOP, right - LEFT, low - TOP))
    for k in POWERS:
        x, _ = place(k, 1.0)
        scene.label(x, low + 0.4, f"1e-{k}", size=9, role="dim", align="center")
    for power in range(HIGH - 1, LOW, -2):
        _, y = place(1, 10.0**power)
        scene.label(LEFT - 0.2, y, f"1e{power}", size=9, role="dim", align="right")
    scene.label(LEFT, TOP - 0.4, "error: how far nudging is from backward", size=10.5, bold=True)
    middle = (LEFT + right) / 2
    scene.label(
        middle, low + 1.05, "ε: how far the cell is nudged", size=10.5, align="center", bold=True
    )


def place(k: int, error: float) -> tuple[float, float]:
    """Return where the error of a nudge of 1e-k stands; what has none lies at the bottom."""
    power = math.log10(error) if 0 < error < math.inf else (LOW if error == 0 else HIGH)
    power = min(max(power, LOW + 0.5), HIGH - 0.5)
    return LEFT + (k - POWERS[0] + 0.5) * STEP[0], TOP + (HIGH - power) * STEP[1]


def tell_end(scene: Scene, found: Probed, errors: dict[int, float]) -> None:
    """Say which nudge is best and why it is worse on both sides, or why none is good."""
    finite = {k: e for k, e in errors.items() if math.isfinite(e)}
    best = min(finite, key=lambda k: finite[k], default=0)
    size = max(abs(found.analytic), 1.0)
    if not best or finite[best] > 1e-4 * size:
        less = spelled(finite.get(best, math.nan))
        scene.step(
            f"No ε comes closer than {less}: either backward is wrong here, or there is a kink.",
            bad=True,
            wrong=[f"e{k}" for k in POWERS],
        )
        return
    if finite[POWERS[0]] < 1e-12 * size:
        scene.step(
            "Even a large ε has no error but rounding: along this cell the function is straight, "
            "or bends alike on both sides.",
            expected=f"e{best}",
        )
        return
    coarse = [k for k in POWERS if k < best]
    fine = [k for k in POWERS if k > best]
    for name, side in (("truncation", coarse), ("rounding", fine)):
        if side:
            box = [place(k, errors[k]) for k in side]
            xs, ys = [x for x, _ in box], [y for _, y in box]
            scene.outline(
                name, min(xs) - 0.5, min(ys) - 0.45, max(xs) + 0.5, max(ys) + 0.45,
                role="grad" if name == "rounding" else "write",
            )  # fmt: skip
    if coarse:
        scene.step(
            "With a large ε the curve bends away within the nudge: that error is truncation. It "
            "goes with ε², so it falls by 100 when ε shrinks by 10.",
            write=[f"e{k}" for k in coarse],
            show="truncation",
        )
    if fine:
        scene.step(
            f"With a small ε, L(x + ε) and L(x {MINUS} ε) agree in almost all their digits: the "
            "error is rounding. It grows by about 10 when ε shrinks by 10.",
            grad=[f"e{k}" for k in fine],
            show="rounding",
        )
    scene.step(
        f"The best of these is ε = 1e-{best}, off by {spelled(errors[best])}. tk.check_gradient "
        "nudges by 1e-6 times the size of x, and allows for both errors.",
        expected=f"e{best}",
    )


def spelled(error: float) -> str:
    """Return an error with two digits."""
    if error == 0:
        return "nothing"
    return f"{error:.2g}" if error >= 0.01 else f"{error:.1e}"
