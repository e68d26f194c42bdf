"""All derivatives of a run: one backward for each output cell, which starts from 1 at that cell.

Of inputs too large for a grid of all derivatives, corners are taken on which the expression runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit.errors import ShapeError
from tensorkit.graph import Variable
from tensorkit.pictures.excerpt import repacked
from tensorkit.pictures.formulas import whole as whole_expression
from tensorkit.pictures.running import as_tensor
from tensorkit.tape import Cells, Grid, Tape, distinct, run

MOST = 16  # output cells, and input cells


def differentiated(
    f: Any, inputs: tuple[Any, ...], grad_out: Any
) -> tuple[Tape, list[int], Cells, str, str]:
    """Run ``f`` and return what a picture of its derivatives needs: the run and all of them."""
    tape = run(f, *inputs, grad_out=grad_out)
    rest = ""
    if refused := too_many(tape):
        inputs, rest = corners(f, inputs, grad_out, refused)
        grad_out, tape = None, run(f, *inputs)
    out = tape.grids[tape.result]
    if grad_out is None:
        tape = run(f, *inputs, grad_out=distinct(out.shape))
    ins = [k for k in tape.parameters if tape.grids[k].needs_grad]
    rows = [derivatives(f, inputs, out, o) for o in range(out.values.size)]
    return tape, ins, np.array(rows), name_of(f, tape), rest


def too_many(tape: Tape) -> str:
    """Return why a run has too many cells for a grid of all derivatives, or too few; else ""."""
    ins = [k for k in tape.parameters if tape.grids[k].needs_grad]
    out, columns = tape.grids[tape.result].values.size, sum(tape.grids[k].values.size for k in ins)
    if 0 < out <= MOST and 0 < columns <= MOST:
        return ""
    return (
        f"{out} output cells and {columns} input cells make a grid of {out} × {columns} "
        f"derivatives: a picture shows 1 to {MOST} each way"
    )


def corners(
    f: Any, inputs: tuple[Any, ...], grad_out: Any, refused: str
) -> tuple[tuple[Any, ...], str]:
    """Return corners of the inputs on which ``f`` runs, and a sentence; raise ShapeError if none.

    All dims are cut to the same length, so that those which have to agree still do.
    """
    kinds = Variable, np.ndarray, list
    tensors = {k: as_tensor(one) for k, one in enumerate(inputs) if isinstance(one, kinds)}
    for longest in (4, 3, 2) if grad_out is None else ():
        parts = {
            k: repacked(t, tuple(min(n, longest) for n in t.shape)) for k, t in tensors.items()
        }
        cut = tuple(parts.get(k, one) for k, one in enumerate(inputs))
        try:
            tape = run(f, *cut)
        except (IndexError, TypeError, ValueError):
            continue  # an expression that counts on its lengths
        if not too_many(tape):
            shapes = " and ".join(str(t.shape) for t in tensors.values())
            return cut, f" Of {shapes} only corners run here, up to {longest} long each way."
    raise ShapeError(refused)


def derivatives(f: Callable[..., Any], inputs: tuple[Any, ...], out: Grid, o: int) -> Cells:
    """Return the derivatives of output cell ``o``: the gradient when it alone has weight 1."""
    one: Any = np.zeros(out.values.size)
    one[o] = 1
    return flat_gradient(run(f, *inputs, grad_out=one.reshape(out.shape)))


def flat_gradient(tape: Tape) -> Cells:
    """Return the gradients of all inputs in one line."""
    parts = []
    for k in tape.parameters:
        grid, grad = tape.grids[k], tape.gradient(k)
        if grid.needs_grad:
            parts.append(np.zeros(grid.values.size) if grad is None else grad.ravel())
    return np.concatenate(parts)


def name_of(f: Any, tape: Tape) -> str:
    """Return the expression, or the name of the function if that is short and it is long."""
    name = getattr(f, "__name__", getattr(f, "name", "f"))
    return whole_expression(tape) or (name if name.isidentifier() else "f")
