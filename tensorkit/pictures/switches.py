"""Which wrong rules a test cannot see: the backward of an operation, and slips tried on it.

A test is the numbers it is run on. Below the gradients stand the slips; each is run on the same
tensors and the same grad_out, and what it gives is compared with what the engine sent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorkit.errors import DtypeError
from tensorkit.pictures.backward import backward_picture
from tensorkit.pictures.cells import texts
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.slips import RIGHT, Slip, slips
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tensor import Tensor, tensor

SEEN, HIDDEN = "seen", "not seen"
ANSWER = 2.3  # width of the cell that says which
LINE = 1.05
WIDE = 28.0  # cells; a picture that would be wider has its slips below


def switches_scene(op: Any, *inputs: Tensor, grad_out: Any, dim: Any = None, about: str) -> Scene:
    """Return the scene of ``op``'s backward from ``grad_out``, and of its slips.

    ``about`` names the numbers of this test in the last sentence: "all ones and contiguous
    tensors". Raises DtypeError for an operation whose slips are not written down, and what
    ``backward_scene`` raises.
    """
    if op.name not in RIGHT:
        known = ", ".join(RIGHT)
        raise DtypeError(f"no wrong rules of {op.name} are known: there are those of {known}")
    picture = backward_picture(op, *inputs, grad_out=grad_out, dim=dim)
    scene, tape = picture.scene, picture.tape
    grad = grad_out if isinstance(grad_out, Tensor) else tensor(grad_out)
    out = tensor(tape.grids[tape.result].values)
    right = {k: tape.gradient(number) for k, number in enumerate(tape.parameters)}
    tried = list(slips(op.name))
    answers = wall(scene, [slip.name for slip in tried])
    hidden = []
    for slip, key in zip(tried, answers, strict=True):
        found, why = run_slip(slip, grad, out, inputs, dim)
        text: dict[str, str] = {}
        wrong: list[str] = []
        for k, drawn in picture.grads.items():
            if k not in right or found is None:
                continue
            want = np.asarray(right[k])
            text |= dict(zip(drawn.keys, texts(found[k]), strict=True))
            same = np.isclose(found[k], want, rtol=1e-9, atol=1e-12).ravel()
            wrong += [one for one, ok in zip(drawn.keys, same, strict=True) if not ok]
        seen = bool(wrong) or found is None
        if not seen:
            hidden.append(slip.name)
        count = f"{len(wrong)} numbers differ" if len(wrong) != 1 else "one number differs"
        told = why or (count if seen else "every number is right, although the rule is wrong")
        scene.step(
            f"A wrong rule, {slip.name}: {told}.",
            text={**text, key: SEEN if seen else HIDDEN},
            wrong=wrong if seen else [*wrong, key],
            expected=[key] if seen else [],
            keep={"done" if seen else "wrong": [key]},
        )
    scene.step(
        verdict(hidden, len(tried), about),
        text={
            key: one
            for k, drawn in picture.grads.items()
            if k in right
            for key, one in zip(drawn.keys, texts(np.asarray(right[k])), strict=True)
        },
    )
    return scene


def run_slip(
    slip: Slip, grad: Tensor, out: Tensor, inputs: tuple[Tensor, ...], dim: Any
) -> tuple[list[Any] | None, str]:
    """Return what a slip gives, or None and why it gives nothing."""
    try:
        with np.errstate(all="ignore"):
            return slip.try_on(grad, out, inputs, dim), ""
    except ValueError:
        return None, "it stops with an error, as the shapes do not fit"


def verdict(hidden: list[str], count: int, about: str) -> str:
    """Say how many slips these numbers cannot tell from the right rule, and which."""
    if not hidden:
        return f"With {about}, each of the {count} wrong rules is seen."
    listed = ", ".join(hidden)
    be = "looks" if len(hidden) == 1 else "look"
    return f"With {about}, {len(hidden)} of {count} wrong rules {be} right: {listed}."


def wall(scene: Scene, names: list[str]) -> list[str]:
    """Draw the slips beside a picture, or below a wide one, and return their answers' keys."""
    label = max(text_width(name) for name in names) * 10.5 / CELL
    each = ANSWER + 0.25 + label
    beside = scene.width + each <= WIDE
    left, top = (scene.width + 0.4, 1.5) if beside else (0.5, scene.height + 0.9)
    per_line = 1 if beside else max(1, int((scene.width - left) // (each + 0.8)))
    lines = -(-len(names) // per_line)
    scene.width = max(scene.width, left + per_line * (each + 0.8))
    scene.height = max(scene.height, top + lines * LINE + 0.2)
    said = "wrong rules, tried on these numbers"
    scene.label(left, top - 0.55, said, size=10.5, role="dim", italic=True)
    keys = []
    for number, name in enumerate(names):
        x, y = left + number % per_line * (each + 0.8), top + number // per_line * LINE
        scene.label(x + ANSWER + 0.25, y + 0.42, name, size=10.5)
        keys.append(scene.cell(f"slip.{number}", x, y, " ", ANSWER, 0.84, role="ghost"))
    return keys
