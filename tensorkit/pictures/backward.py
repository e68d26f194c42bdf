"""Backward of one operation, cell by cell: upstream gradient times local derivative.

What stands in the cells is what the engine sent: products for a map or a zip, a fan-out for a
reduce, a way home for a move. Where an input was broadcast, the products come first, one for each
copy, and then the copies of every cell add.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from tensorkit.errors import DtypeError, GraphError, ShapeError
from tensorkit.functions import Operation
from tensorkit.graph import Variable
from tensorkit.pictures import backward_words as words
from tensorkit.pictures.backward_picture import BackwardPicture
from tensorkit.pictures.cells import MOST, feeds, texts
from tensorkit.pictures.scene import Scene
from tensorkit.tape import Call, Share, run


def backward_scene(op: Any, *inputs: Any, grad_out: Any = None, dim: Any = None) -> Scene:
    """Return the scene of one row's backward: ``backward_scene(tk.mul, x, y)``.

    ``inputs`` are what the row is called with, ``dim`` is for a reduce; ``grad_out`` has the shape
    of the output, and holds different numbers if it is left out. Raises DtypeError if ``op`` is no
    row of the table, GraphError if it handed its input on, as ``contiguous`` may, and ShapeError if
    a tensor has more than 24 cells: each cell is a step.
    """
    if not isinstance(op, Operation):
        raise DtypeError(
            f"backward of {getattr(op, '__name__', op)!r} has no picture cell by cell: give a row "
            "of the table, such as tk.mul, or draw the graph of the expression"
        )
    if op.kind == "product" or len(getattr(op, "names", ())) > 2:
        raise DtypeError(
            f"backward of {op.name} has no picture cell by cell: step through the graph of an "
            f"expression that uses it, such as lambda x, y: tk.{op.name}(...).sum()"
        )
    settings = {} if dim is None else {"dim": dim}
    tensors = [k for k, one in enumerate(inputs) if isinstance(one, (Variable, np.ndarray, list))]
    plain, row = list(inputs), cast(Any, op)

    def call(*given: Any) -> Any:
        for k, one in zip(tensors, given, strict=True):
            plain[k] = one
        return row(*plain, **settings)

    tape = run(call, *(inputs[k] for k in tensors), grad_out=grad_out)
    if not tape.pulls:
        raise GraphError(f"{op.name} returned its input itself: there is no step to go back")
    largest = max((grid.shape for grid in tape.grids if grid.number is None), key=np.prod)
    if np.prod(largest) > MOST:
        raise ShapeError(
            f"a tensor of shape {largest} has {np.prod(largest)} cells, and backward is shown cell "
            f"by cell for up to {MOST}: give smaller tensors"
        )
    picture = BackwardPicture(tape)
    link(picture)
    tell(picture)
    return picture.scene


def link(picture: BackwardPicture) -> None:
    """Link the cells of every gradient to what they are made of."""
    for k in picture.drawn_ins:
        drawn, undo = picture.values[k], picture.undo(k)
        homes = feeds(picture.tape, undo[0], 0) if undo else None
        for o, cells in enumerate(feeds(picture.tape, picture.call, k)):
            for cell in cells:
                home = homes[cell][0] if homes else cell
                picture.scene.link(picture.result.keys[o], drawn.keys[home])
                if k not in picture.ways:
                    continue
                made = [picture.upstream.keys[o]]
                if k in picture.slopes:
                    made.append(picture.slopes[k].keys[cell])
                picture.scene.link(picture.products[k].keys[cell], made)
                if homes:
                    picture.scene.link(picture.grads[k].keys[home], picture.products[k].keys[cell])


def tell(picture: BackwardPicture) -> None:
    """Add the steps: forward, what arrives, every cell, then the sums over copies."""
    scene, given = picture.scene, [key for d in picture.values.values() for key in d.keys]
    out = dict(zip(picture.result.keys, texts(picture.out.values), strict=True))
    scene.step(words.forward(picture.tape, picture.call), read=given, write=[*out, "op"], text=out)
    up = dict(zip(picture.upstream.keys, texts(picture.tape.grad_out), strict=True))
    scene.step(words.arrives(picture.tape), grad=up, text=up, keep={"known": up})
    if picture.call.kind == "move":
        go_home(picture)
        return
    for o in range(picture.out.values.size):
        tell_cell(picture, o)
    for k in picture.ways:
        undo = picture.undo(k)
        if undo:
            tell_sums(picture, k, *undo)


def tell_cell(picture: BackwardPicture, o: int) -> None:
    """Add the step of one cell of the output: its gradient goes to all that it was made of."""
    read, marked, arrows = [picture.upstream.keys[o]], [], []
    filled: dict[str, str] = {}
    for k in picture.ways:
        cells = feeds(picture.tape, picture.call, k)[o]
        marked += [picture.products[k].keys[cell] for cell in cells]
        sent = texts(picture.share(k))
        filled |= {picture.products[k].keys[cell]: sent[cell] for cell in cells}
        arrows.append(f"b{k}")
        slopes = picture.pull.slopes[k]
        if k in picture.slopes and slopes is not None:
            local = texts(slopes)
            filled |= {picture.slopes[k].keys[cell]: local[cell] for cell in cells}
            read += [picture.slopes[k].keys[cell] for cell in cells]
            arrows.append(f"m{k}")
    read += mentioned(picture, o)
    picture.scene.step(
        words.cell(picture.tape, picture.pull, o, picture.leaf),
        read=read,
        grad=marked,
        text=filled,
        hold=arrows,
        keep={"known": marked, None: [key for key in filled if key not in marked]},
    )


def mentioned(picture: BackwardPicture, o: int) -> list[str]:
    """Return the cells whose values the local derivatives mention at output cell ``o``."""
    keys = []
    letters = words.letters(picture.call, picture.ways)
    for k in picture.drawn_ins:
        if ("x", "y")[k] in letters:
            undo = picture.undo(k)
            homes = feeds(picture.tape, undo[0], 0) if undo else None
            cells = feeds(picture.tape, picture.call, k)[o]
            keys += [picture.values[k].keys[homes[c][0] if homes else c] for c in cells]
    return [*keys, picture.result.keys[o]] if "z" in letters else keys


def tell_sums(picture: BackwardPicture, k: int, undo: Call, share: Share) -> None:
    """Add a step for every cell that was broadcast: the gradients of its copies add."""
    copies: dict[int, list[int]] = {}
    for o, (home,) in enumerate(feeds(picture.tape, undo, 0)):
        copies.setdefault(home, []).append(o)
    for home, met in copies.items():
        key = picture.grads[k].keys[home]
        picture.scene.step(
            words.copies_add(
                picture.tape, undo, share, home, [picture.share(k).flat[o] for o in met]
            ),
            read=[picture.products[k].keys[o] for o in met],
            grad=key,
            text={key: texts(share.values)[home]},
            hold=f"u{k}",
            keep={"known": key},
        )


def go_home(picture: BackwardPicture) -> None:
    """Add the steps of a move: every cell of the input takes the gradients of its places."""
    share = picture.pull.shares[0]
    assert share is not None
    places: dict[int, list[int]] = {}
    for o, (home,) in enumerate(feeds(picture.tape, picture.call, 0)):
        places.setdefault(home, []).append(o)
    for home, met in places.items():
        key = picture.grads[0].keys[home]
        sent = [float(picture.tape.grad_out.flat[o]) for o in met]
        picture.scene.step(
            words.home(picture.tape, picture.call, share, home, met, sent),
            read=[picture.upstream.keys[o] for o in met],
            grad=key,
            text={key: texts(share.values)[home]},
            hold="b0",
            keep={"known": key},
        )
