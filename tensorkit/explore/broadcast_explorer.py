"""Broadcast: which shapes fit, which dim says no, and what a stride of 0 saves."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.layout import Shape, as_shape
from tensorkit.pictures.broadcast import broadcast_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer, Field

Shapes = tuple[Shape, ...]

PAIRS: list[Shapes] = [
    ((3, 1), (4,)),
    ((4, 3), (3,)),
    ((4, 3), (4,)),
    ((2, 3), ()),
    ((3, 1), (1, 2)),
    ((2, 3), (2, 4)),
    ((3, 4, 5), (3, 1, 5)),
    ((3, 4, 1), (1, 5)),
    ((3, 4, 1), (3, 5)),
    ((2, 3, 1), (7, 2, 1, 5)),
]


def broadcast(*tensors: Any, op: Any = None) -> Explorer:
    """Explore how shapes broadcast: ``tk.explore.broadcast((3, 1), (4,))``.

    Takes 2 or 3 shapes (tuples of ints) or tensors; without any, a choice of pairs. Small pairs
    are zipped by ``op``, add if not given. Raises ShapeError for other numbers of them.
    """
    memory = Choice("copied", "memory", {"stride 0": False, "copied": True})
    if tensors:
        given = [of_shape(t, k) if is_shape(t) else as_tensor(t) for k, t in enumerate(tensors)]
        explorer = Explorer("broadcast", [memory], lambda copied: draw(given, copied, op))
    else:
        pairs = {" with ".join(map(str, pair)): pair for pair in PAIRS}
        explorer = Explorer(
            "broadcast",
            [
                Choice("shapes", "shapes", pairs, look="menu"),
                memory,
                Field("own", "or your own shapes", "", parse),
            ],
            lambda shapes, copied, own: draw(
                [of_shape(shape, k) for k, shape in enumerate(own or shapes)], copied, op
            ),
        )
    explorer.scene()  # so that what cannot be drawn is refused here, and not when it is shown
    return explorer


def draw(given: list[Tensor], copied: bool, op: Any) -> Scene:
    """Return the scene of tensors named x, y, z."""
    if not 2 <= len(given) <= 3:
        raise ShapeError(f"{len(given)} tensors or shapes were given: align 2 or 3")
    return broadcast_scene(dict(zip("xyz", given, strict=False)), copied, op)


def is_shape(value: Any) -> bool:
    """Whether a value is a shape: a tuple of ints, or of nothing."""
    return isinstance(value, tuple) and all(type(n) is int for n in value)


def of_shape(shape: Shape, number: int) -> Tensor:
    """Return a tensor of a shape: the first counts in ones, the next in tens, then in hundreds."""
    shape = as_shape(shape)
    return tensor((np.arange(1.0, 1.0 + math.prod(shape)) * 10**number).reshape(shape))


def parse(text: str) -> Shapes | None:
    """Return the shapes that were typed, such as ``(3, 1), (4,)``; None for an empty text.

    Raises ShapeError for anything else.
    """
    if not text.strip():
        return None
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        value = None
    if not isinstance(value, tuple) or not value or not all(map(is_shape, value)):
        raise ShapeError(f"{text!r} is not two or three shapes: type such as (3, 1), (4,)")
    return value
