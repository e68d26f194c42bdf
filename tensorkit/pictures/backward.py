"""Backward of one operation, cell by cell: upstream gradient times local derivative.

What stands in the cells is what the engine sent: products for a map or a zip, a fan-out for a
reduce, a way home for a move. Where an input was broadcast, the products come first, one for each
copy, and then the copies of every cell add.
"""

from __future__ import annotations

import inspect
from itertools import combinations
from typing import Any, cast

import numpy as np

from tensorkit.errors import DtypeError, GraphError, ShapeError
from tensorkit.functions import Operation
from tensorkit.graph import Variable
from tensorkit.layout import Shape, broadcast_shapes
from tensorkit.pictures import backward_words as words
from tensorkit.pictures.backward_picture import BackwardPicture
from tensorkit.pictures.cells import feeds, texts
from tensorkit.pictures.excerpt import left_out, limits, repacked, shown
from tensorkit.pictures.product_back import MOST as CELLS
from tensorkit.pictures.product_back import ProductPicture
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.tape import Call, Share, run

MOVED = 100  # cells that a move sends home one by one
LONGEST = 6  # of a matrix that is shown in part, each way


def backward_scene(op: Any, *inputs: Any, grad_out: Any = None, dim: Any = None) -> Scene:
    """Return the scene of one row's backward: ``backward_scene(tk.mul, x, y)``.

    ``inputs`` are what the row is called with, ``dim`` is for a reduce; ``grad_out`` has the shape
    of the output, and holds different numbers if it is left out. Of large inputs a part is shown,
    and runs alone. Raises DtypeError if ``op`` is no row of the table, GraphError if it handed its
    input on, as ``contiguous`` may, and ShapeError for a move of large tensors.
    """
    return backward_picture(op, *inputs, grad_out=grad_out, dim=dim).scene


def backward_picture(
    op: Any, *inputs: Any, grad_out: Any = None, dim: Any = None
) -> BackwardPicture | ProductPicture:
    """Return the picture of one row's backward, its steps told; see ``backward_scene``."""
    if not isinstance(op, Operation):
        raise DtypeError(
            f"backward of {getattr(op, '__name__', op)!r} has no picture cell by cell: give a row "
            "of the table, such as tk.mul, or draw the graph of the expression"
        )
    inputs, grad_out, rest = in_part(op, inputs, grad_out, dim)
    settings = {} if dim is None else {"dim": dim}
    tensors = [k for k, one in enumerate(inputs) if isinstance(one, (Variable, np.ndarray, list))]
    plain, row = list(inputs), cast(Any, op)

    def call(*given: Any) -> Any:
        for k, one in zip(tensors, given, strict=True):
            plain[k] = one
        return row(*plain, **settings)

    names = getattr(op, "names", None)
    if names is not None and len(names) == len(inputs):  # the letters of the row's own formula
        kind = inspect.Parameter.POSITIONAL_ONLY
        asked = [inspect.Parameter(names[k], kind) for k in tensors]
        call.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]
    tape = run(call, *(inputs[k] for k in tensors), grad_out=grad_out)
    if not tape.pulls:
        raise GraphError(f"{op.name} returned its input itself: there is no step to go back")
    if op.kind == "product":
        return ProductPicture(tape, rest)
    largest = max((grid.shape for grid in tape.grids if grid.number is None), key=np.prod)
    if op.kind == "move" and np.prod(largest) > MOVED:
        raise ShapeError(
            f"a tensor of shape {largest} has {np.prod(largest)} cells, and the way back of a "
            f"{op.name} is shown cell by cell for up to {MOVED}: give smaller tensors"
        )
    picture = BackwardPicture(tape)
    link(picture)
    tell(picture, rest)
    return picture


def in_part(
    op: Operation, inputs: tuple[Any, ...], grad_out: Any, dim: Any
) -> tuple[tuple[Any, ...], Any, str]:
    """Return inputs and grad_out as they are, or parts of large ones, and a sentence about it."""
    if op.kind == "product":
        return matrices_in_part(inputs, grad_out)
    if op.kind not in ("map", "zip", "reduce"):
        return inputs, grad_out, ""
    tensors = {k: as_tensor(t) for k, t in enumerate(inputs) if not isinstance(t, (int, float))}
    whole = broadcast_shapes(*(t.shape for t in tensors.values()))
    # an input has values, slopes, a gradient and perhaps products; the output values and grad_out
    lengths = shown(whole, 1.5 * len(tensors) + 1)
    if lengths == whole:
        return inputs, grad_out, ""
    parts = tuple(
        repacked(tensors[k], limits(lengths, tensors[k].shape)) if k in tensors else one
        for k, one in enumerate(inputs)
    )
    grad_out = first_cells(grad_out, lengths)
    rest = left_out("The output" if op.kind != "reduce" else "The input", lengths, whole)
    return parts, grad_out, f"{rest} This part runs alone."


def matrices_in_part(inputs: tuple[Any, ...], grad_out: Any) -> tuple[tuple[Any, ...], Any, str]:
    """Return two matrices as they are, or corners of large ones that still fit each other."""
    x, y = map(as_tensor, inputs)
    sizes = (*x.shape, *y.shape[1:])
    if (x.ndim, y.ndim) != (2, 2) or max(a * b for a, b in combinations(sizes, 2)) <= CELLS:
        return inputs, grad_out, ""
    n, inner, m = (min(length, LONGEST) for length in sizes)
    rest = f" Of {x.shape} @ {y.shape} this is {(n, inner)} @ {(inner, m)}: this part runs alone."
    return (repacked(x, (n, inner)), repacked(y, (inner, m))), first_cells(grad_out, (n, m)), rest


def first_cells(grad_out: Any, lengths: Shape) -> Any:
    """Return the corner of an upstream gradient, if one is given; a 0-d one stays whole."""
    if grad_out is None:
        return None
    out = as_tensor(grad_out).numpy()
    return out[tuple(slice(n) for n in lengths)] if out.ndim == len(lengths) else out


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


def tell(picture: BackwardPicture, rest: str = "") -> None:
    """Add the steps: forward, what arrives, every cell, then the sums over copies."""
    scene, given = picture.scene, [key for d in picture.values.values() for key in d.keys]
    out = dict(zip(picture.result.keys, texts(picture.out.values), strict=True))
    say = words.forward(picture.tape, picture.call) + rest
    scene.step(say, read=given, write=[*out, "op"], text=out)
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
        if words.names(picture.call)[k] in letters:
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
