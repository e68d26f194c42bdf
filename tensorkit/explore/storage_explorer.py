"""Storage: move, view or slice a tensor, and watch the same numbers being read in another way."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorkit.errors import DtypeError, ShapeError, TensorkitError
from tensorkit.layout import Shape, fill_in
from tensorkit.pictures.refusal import refused_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.storage import Written, stopped_scene, storage_scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer, Field

Change = Callable[[Tensor], Tensor]


def storage(*tensors: Any, **named: Any) -> Explorer:
    """Explore how a tensor reads its storage: ``tk.explore.storage(x)``.

    One tensor, or none for one of shape (2, 3, 2), gets controls that permute, transpose, view and
    slice it; every scene ends with a write. Several, as in ``tk.explore.storage(x=x, y=x.T)``, are
    drawn together over the storages that they share. Raises ShapeError for one that is too large.
    """
    spare = [name for name in "abcdefgh" if name not in named]
    if len(tensors) > len(spare):
        raise TypeError(f"{len(tensors)} tensors do not fit into one picture: give at most 8")
    if not named and len(tensors) < 2:
        return _moved(as_tensor(tensors[0]) if tensors else cube())
    given = {**dict(zip(spare, tensors, strict=False)), **named}
    together = {name: as_tensor(value) for name, value in given.items()}
    *others, last = together
    walk = Choice("walk", "step through", [*others, last], start=last)
    explorer = Explorer(
        "storage", [walk] if others else [], lambda walk=last: storage_scene(together, walk)
    )
    explorer.scene()  # so that what cannot be drawn is refused here, and not when it is shown
    return explorer


def cube() -> Tensor:
    """Return the (2, 3, 2) tensor that the explorer opens with."""
    return tensor([[[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]], [[2.0, 6.0], [-1.0, 8.0], [7.0, 0.5]]])


def _moved(x: Tensor) -> Explorer:
    def scene(first: str, then: str, own: Tensor | None, write: Written | None) -> Scene:
        if own is not None:
            return storage_scene({"x": x, "y": own}, write=write)
        return chain_scene(x, [text for text in (first, then) if text], write)

    moves = first_moves(x.shape)
    first = Choice("first", "y = x …", {"x itself": "", **_same(moves)}, start=moves[0])
    then = Choice("then", "then …", {"no more": "", **_same(MOVES)})
    own = Field("own", "or your own y =", "", lambda text: parse(text, x))
    write = Field("write", "write", "", parse_write)
    explorer = Explorer("storage", [first, then, own, write], scene)
    explorer.scene()
    return explorer


def chain_scene(x: Tensor, moves: Sequence[str], write: Written | None = None) -> Scene:
    """Return the scene of x and of what each move makes of the tensor before it.

    A move is code that follows a tensor's name, such as ``.view(-1)`` or ``[1:]``. ``write`` is an
    index of the last one, and the number to be written there.
    """
    tensors = {"x": x}
    for name, move in zip("yz", moves, strict=False):
        before = list(tensors)[-1]
        try:
            tensors[name] = evaluate("t" + move, {"t": tensors[before]})
        except TensorkitError as error:
            shape = _wanted(move, tensors[before])
            if shape is not None:
                return refused_scene(tensors, before, shape)
            return stopped_scene(tensors, before + move, str(error))
    scene = storage_scene(tensors, write=write)
    if moves:
        scene.title = f"{list(tensors)[-1]} = x{''.join(moves)}"
    return scene


# what can be done to any tensor of two dims or more
MOVES = (".transpose(-2, -1)", ".view(-1)", ".view(-1, 2)", "[1:]")


def first_moves(shape: Shape) -> list[str]:
    """Return moves that suit a shape: put dims in another order, regroup, leave cells out."""
    moves = []
    if len(shape) > 2:
        moves.append(f".permute{(len(shape) - 1, *range(len(shape) - 1))}")
    if len(shape) > 1:
        moves += [".transpose(-2, -1)", f".view(-1, {shape[-2]})", "[:, 1:]"]
    elif shape:
        moves += [".view(2, -1)", "[1:]", "[::2]"]
    return [*moves, "[..., ::-1]"] if shape else [".view(1, 1)"]


def evaluate(text: str, names: Mapping[str, Any]) -> Tensor:
    """Return the tensor that an expression makes. Raises DtypeError if it makes none."""
    value = eval(text, {"__builtins__": {}}, dict(names))  # the reader's code, in their kernel
    if not isinstance(value, Tensor):
        raise DtypeError(f"{text} is {type(value).__name__}, no tensor: write such as x[1:].T")
    return value


def parse(text: str, x: Tensor) -> Tensor | None:
    """Return what an expression about ``x`` makes; None for an empty text."""
    return evaluate(text, {"x": x}) if text.strip() else None


def parse_write(text: str) -> Written | None:
    """Return the index and the number of a text such as ``[1, 0] = 42``; None for an empty text.

    Raises ValueError for anything else.
    """
    if not text.strip():
        return None
    left, _, right = text.partition("=")
    try:
        index = ast.literal_eval(left.strip())
        return tuple(operator.index(i) for i in index), float(right)
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(f"{text!r} is no write: type such as [1, 0] = 42") from None


def _same(texts: Sequence[str]) -> dict[str, str]:
    return {text: text for text in texts}


def _wanted(move: str, t: Tensor) -> Shape | None:
    """Return the shape that a view asked for, if only the strides of ``t`` stand against it."""
    if not move.startswith(".view"):
        return None
    asked = eval(move.removeprefix(".view"))
    try:
        shape = fill_in(asked if isinstance(asked, tuple) else (asked,), t.size)
        t.contiguous().view(shape)
    except ShapeError:
        return None
    return shape
