"""What stands in one box of a graph's picture: values, below them what arrives, and their sum.

A broadcast is folded into the tensor that is stretched, if nothing else uses it: solid cells are
its memory, dashed ones the same memory read again. Below, every copy has a gradient of its own, and
they add up to the gradient of the tensor. This is where the sum over the stretched dims happens.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tensorkit.layout import Shape
from tensorkit.pictures.cells import window
from tensorkit.pictures.formulas import expression, over, rule, stretched
from tensorkit.pictures.layout import tensor_size
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Tape

SHAPE = (1.04, 0.8)  # a cell
HEAD = 1.0  # above the values: the name, and below it the shape
GAP = 0.2  # between values and gradients
SHARE = 0.46  # above a block of gradients, to say where it comes from
FOLD = 0.36  # above and below the sum over the copies
RULE = 0.62


def folds(tape: Tape) -> dict[int, int]:
    """Return the calls that are folded away, by the tensor that each of them stretches."""
    uses = Counter(k for call in tape.calls for k in call.inputs)
    found = {}
    for number, call in enumerate(tape.calls):
        if call.name != "expand" or not stretched(call):
            continue
        (source,) = call.inputs
        made = tape.grids[source].call
        twice = made is not None and tape.calls[made].name == "expand"
        if uses[source] == 1 and source != tape.result and call.out != tape.result and not twice:
            found[source] = number
    return found


@dataclass
class Stack:
    """The blocks of one box, as heights from the top edge of its values."""

    grid: int
    shown: Shape
    title: str
    subtitle: str
    size: tuple[float, float]
    arrivals: list[float] = field(default_factory=list)  # tops of the blocks that shares land in
    heads: list[str] = field(default_factory=list)  # what stands above these blocks and the total
    total: float | None = None  # top of the complete gradient
    source: int | None = None  # the tensor that is stretched here
    source_shown: Shape = ()
    source_total: float | None = None
    sum_said: str = ""
    low: float = 0.0

    @property
    def width(self) -> float:
        """How wide the box is with all that is written on it."""
        words = [text_width(self.title) * 11 * 1.13, text_width(self.subtitle) * 9]
        words += [text_width(said) * 9 for said in self.heads]
        return max(self.size[0], max(words) / CELL + 0.12, self.sum_width)

    @property
    def sum_width(self) -> float:
        """How wide the sum over the copies is, if there is one."""
        return text_width(self.sum_said) * 9 / CELL + 0.3 if self.sum_said else 0.0

    def leaves_from(self) -> float:
        """Return the middle of the gradient that goes on to whatever made this tensor."""
        if self.source_total is not None:
            return self.source_total + tensor_size(self.source_shown, SHAPE)[1] / 2
        return (self.total if self.total is not None else 0.0) + self.size[1] / 2


def stack(tape: Tape, grid: int, fold: int | None) -> Stack:
    """Return the blocks of a tensor; ``fold`` is the expand that made it, if that is folded in."""
    shape = tape.grids[grid].shape
    shown = window(shape)
    size = tensor_size(shown, SHAPE)
    made = Stack(grid, shown, *titles(tape, grid, fold, shown), size, low=size[1])
    shares = tape.shares_to(grid)
    if not shares and grid != tape.result:
        return made
    high = size[1]
    if len(shares) > 1:
        made.arrivals = [high + SHARE + k * (SHARE + high) for k in range(len(shares))]
        made.total = high + len(shares) * (SHARE + high) + SHARE
        came = [came_from(tape, call) for call, _, _ in shares]
        made.heads = [f"{'+ ' if k else ''}from {name}" for k, name in enumerate(came)]
        made.heads.append("= gradient")
    else:
        made.total = high + GAP
        made.arrivals = [made.total]
    made.low = made.total + high
    if fold is not None:
        (made.source,) = tape.calls[fold].inputs
        before = tape.grids[made.source].shape
        ends = shown[len(shown) - len(before) :]
        made.source_shown = tuple(min(a, b) for a, b in zip(before, ends, strict=True))
        made.sum_said = sum_said(tape, fold)
        made.source_total = made.low + 2 * FOLD + RULE
        made.low = made.source_total + tensor_size(made.source_shown, SHAPE)[1]
    return made


def came_from(tape: Tape, call: int) -> str:
    """Return the name of the result that a share came from, past a broadcast of the same name."""
    out = tape.calls[call].out
    if tape.calls[call].name == "expand":
        out = next((user.out for user in tape.calls if out in user.inputs), out)
    return tape.grids[out].name


def sum_said(tape: Tape, fold: int) -> str:
    """Return what is written on the sum over the copies of a folded broadcast."""
    return f"{rule(tape, tape.calls[fold], 0)}: copies add"


def titles(tape: Tape, grid: int, fold: int | None, shown: Shape) -> tuple[str, str]:
    """Return the two lines above a tensor: what it is, and its shape."""
    own = tape.grids[grid]
    shape = str(own.shape)
    if shown != own.shape:
        shape += f", first {' × '.join(map(str, shown))}"
    if fold is not None:
        (source,) = tape.calls[fold].inputs
        title, before = titles(tape, source, None, tape.grids[source].shape)
        stride = f", stride ({', '.join(map(str, own.strides))})"
        return title, f"{before} as {shape}{'' if 'over' in before else stride}"
    if own.call is None:
        return own.name, shape if own.needs_grad else f"{shape} constant"
    call = tape.calls[own.call]
    if call.name == "expand" and own.name == tape.grids[call.inputs[0]].name:
        return f"{own.name} stretched", f"{shape} stride ({', '.join(map(str, own.strides))})"
    if call.kind == "reduce" and len(call.settings["dims"]) < len(call.settings["from_shape"]):
        shape += f" over {over(call)}"
    return f"{own.name} = {expression(tape, call)}", shape
