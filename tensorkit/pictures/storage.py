"""Tensor and storage: grids above, the flat run of numbers that they read below.

A view is a rule and no memory: its cell (i, j) sits at offset + i·s0 + j·s1. Tensors that share a
storage are drawn over one tape, so a number that is written through one is seen through all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorkit.errors import TensorkitError
from tensorkit.pictures.board import spell_index
from tensorkit.pictures.excerpt import left_out
from tensorkit.pictures.running import index_of
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.shelf import Shelf, groups, listed
from tensorkit.pictures.text import fmt
from tensorkit.tensor import Tensor

LETTERS = "ijkl"
Written = tuple[tuple[int, ...], float]


def storage_scene(
    tensors: Mapping[str, Tensor], walk: str | None = None, write: Written | None = None
) -> Scene:
    """Return the scene of named tensors over their storages: every cell of one, then a write.

    ``walk`` is the name of the tensor that is walked through and written, the last if not given;
    ``write`` an index of it and the number to be written there, 99 in the middle if not given. The
    tensors themselves are left as they are; of a large one its corner is shown. Raises
    ShapeError for more than 4 dims, ValueError for storages that overlap in part.
    """
    walk = list(tensors)[-1] if walk is None else walk
    shelf = Shelf(title_of(tensors), tensors, walk)
    _introduce(shelf, walk)
    _walk(shelf, walk)
    _write(shelf, walk, write)
    return shelf.scene


def stopped_scene(tensors: Mapping[str, Tensor], asked: str, message: str) -> Scene:
    """Return the scene of tensors on which something was asked that the kit refuses in words."""
    shelf = Shelf(f"{asked} is refused", tensors, list(tensors)[-1])
    _introduce(shelf, list(tensors)[-1])
    shelf.scene.step(f"{asked} is refused: {message}.", bad=True)
    return shelf.scene


def title_of(tensors: Mapping[str, Tensor]) -> str:
    """Return a title that says how many tensors read how many storages."""
    reads = "s over one storage" if len(groups(tensors)) == 1 else "s and their storages"
    return "A tensor and its storage" if len(tensors) == 1 else f"{len(tensors)} tensor{reads}"


def _introduce(shelf: Shelf, name: str) -> None:
    """Tell the rule by which a tensor reads its storage."""
    at = shelf.plates[name].layout
    if not at.size:
        shelf.scene.step(f"{name} has shape {at.shape}, so it has no cells to look at.")
        return
    terms = [f"{letter}·{fmt(s)}" for letter, s in zip(LETTERS, at.strides, strict=False)]
    rule = " + ".join([str(at.offset)] * bool(at.offset or not terms) + terms)
    index = spell_index(list(LETTERS[: len(at.shape)]))  # type: ignore[arg-type]
    others = shelf.sharing(name)[1:]
    moved = f" No number was moved: {listed(others)} read{'s' * (len(others) == 1)} it too."
    shelf.scene.step(
        f"{name}{index} sits at position {rule} of its storage.{moved if others else ''}"
        f"{left_out(name, at.shape, shelf.whole[name])}"
    )


def _walk(shelf: Shelf, name: str) -> None:
    """Tell where every cell of a tensor sits, in reading order."""
    plate = shelf.plates[name]
    for ordinal, position in enumerate(plate.positions.ravel().tolist()):
        keys, sums, called = shelf.shown(name, position)
        also = f" {listed(called[1:])} read{'s' * (len(called) == 2)} it too."
        index = index_of(ordinal, plate.layout.shape)
        sums[f"{name}.sum"] = shelf.sum_of(plate, ordinal)
        where = plate.arithmetic(index)
        shelf.scene.step(
            f"{name}{spell_index(index)} sits at {where}, where the storage holds "
            f"{fmt(plate.storage[position])}.{also if called[1:] else ''}",
            read=keys,
            text=sums,
            show=[shelf.jumps[jump] for jump in shelf.way(plate, ordinal) if jump in shelf.jumps],
        )


def _write(shelf: Shelf, name: str, write: Written | None) -> None:
    """Write one cell through a tensor, in a copy of its storage, and tell who sees it."""
    plate = shelf.plates[name]
    if not plate.layout.size:
        return
    middle = index_of(plate.layout.size // 2, plate.layout.shape)
    index, value = (middle, 99.0) if write is None else write
    assigned = f"{name}{spell_index(index) or '[...]'} = {fmt(value)}"
    storage = shelf.tensors[name].storage.copy()
    copies = {k: Tensor._of(storage, shelf.tensors[k].layout) for k in shelf.sharing(name)}
    try:
        position = copies[name].position(index)
        copies[name][index or ...] = value
    except TensorkitError as error:
        shown = plate.layout.shape
        part = f" Of {name} {plate.shape} the part {shown} is shown." * (shown != plate.shape)
        shelf.scene.step(f"{assigned} is refused: {error}.{part}", bad=True)
        return
    keys, sums, called = shelf.shown(name, position)
    texts: dict[str, Any] = {shelf.tapes[name][position]: storage[position]}
    for other, t in copies.items():
        seen = t.numpy().ravel().tolist()
        texts |= {k: v for k, v in zip(shelf.grids[other].keys, seen, strict=True) if k in keys}
    also = f": {listed(called[1:])} changed with it" if called[1:] else ""
    shelf.scene.step(
        f"{assigned} writes position {position} of the storage{also}.",
        write=keys,
        text=texts | sums,
    )
