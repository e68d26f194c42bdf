"""Why ``view`` is refused: a shape needs one stride for each dim, and these cells have two.

The cells are walked in reading order. Where the same step along a dim is once a jump of 2 in
storage and once of 6, no layout tells both, and only a copy can put the cells in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tensorkit.errors import ShapeError
from tensorkit.layout import Shape
from tensorkit.pictures.board import spell_index
from tensorkit.pictures.running import index_of
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import WHOLE, Shelf, signed
from tensorkit.pictures.storage import stopped_scene
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor


def refused_scene(tensors: Mapping[str, Tensor], name: str, shape: Shape) -> Scene:
    """Return the scene of ``name.view(shape)``, which the kit refuses for its strides.

    ``shape`` has no -1. Raises ValueError if the view is not refused, or only for its size.
    """
    y = tensors[name]
    try:
        y.view(shape)
    except ShapeError as error:
        message = str(error)
    else:
        raise ValueError(f"{name}.view{shape} is not refused: draw it as one more tensor")
    if int(np.prod(shape)) != y.size:
        raise ValueError(f"{name} has {y.size} cells, which do not fill {shape} in any order")
    if max(y.size, y.storage.size) > WHOLE:
        return stopped_scene(tensors, f"{name}.view{shape}", message)
    asked = f"{name}.view({', '.join(map(str, shape))})"
    shelf = Shelf(f"{asked} is refused", tensors, name, (f"{name}.contiguous()", y.size))
    scene, plate = shelf.scene, shelf.plates[name]
    dim, pairs = contradiction(plate.positions.reshape(shape))
    flat = plate.positions.ravel().tolist()
    cells = shelf.copy.keys
    scene.step(
        f"{asked} asks for the cells of {name} in reading order under {shape}: "
        f"its dim {dim} would need one stride.",
        keep={"ghost": cells},
    )
    jumps = [flat[b] - flat[a] for a, b in pairs]
    for (a, b), jump in zip(pairs, jumps, strict=True):
        keys, sums, _ = shelf.shown(name, flat[b])
        before, after = (
            f"{name}{spell_index(index_of(k, y.shape))} at position {flat[k]}" for k in (a, b)
        )
        agrees = jump == jumps[0]
        role = "write" if agrees else "wrong"
        verdict = f"as before: dim {dim} of {shape} would have stride {fmt(jumps[0])}"
        if (a, b) == pairs[0]:
            verdict = f"so dim {dim} of {shape} would have stride {fmt(jumps[0])}"
        elif not agrees:
            verdict = f"and not {signed(jumps[0])} as before. A dim has one stride only"
        scene.step(
            f"From {before} to {after}: {signed(jump)} in storage, {verdict}.",
            bad=not agrees,
            text=sums,
            read=shelf.shown(name, flat[a])[0] if agrees else (),
            write=keys if agrees else (),
            wrong=() if agrees else keys,
            show=shelf.arc("step", name, flat[a], flat[b], a, role),
        )
    scene.step(f"{asked} raises ShapeError: {message}.", bad=True)
    copied = y.contiguous()
    plain: dict[str | None, list[str]] = {None: cells}
    scene.step(
        f"{name}.contiguous() copies the {y.size} cells into a storage of its own, in reading "
        f"order. There .view({', '.join(map(str, shape))}) has strides "
        f"{copied.view(shape).strides}, and what is written there is not seen in {name}.",
        write=cells,
        keep=plain,
        text=dict.fromkeys(shelf.sums, "") | dict(zip(cells, copied.storage.tolist(), strict=True)),
    )
    return scene


def contradiction(positions: NDArray[np.int64]) -> tuple[int, list[tuple[int, int]]]:
    """Return a dim along which one stride is not enough, and the steps that show it.

    A step is a pair of ordinals, next to each other along that dim; the last contradicts the first.
    """
    ordinals = np.arange(positions.size).reshape(positions.shape)
    for dim in reversed(range(positions.ndim)):
        starts = np.moveaxis(ordinals, dim, -1)
        pairs = [
            pair for line in starts.reshape(-1, positions.shape[dim]) for pair in pairwise(line)
        ]
        flat = positions.ravel()
        jumps = [flat[b] - flat[a] for a, b in pairs]
        odd = next((k for k, jump in enumerate(jumps) if jump != jumps[0]), None)
        if odd is not None:
            return dim, [(int(a), int(b)) for a, b in pairs[: odd + 1]]
    raise ValueError("one stride for each dim is enough: this view is possible")
