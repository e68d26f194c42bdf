"""The graph of an expression, in the order in which the engine walks it, and in an order of yours.

Small graphs hold what goes wrong most: a tensor that two operations use, one that an operation uses
twice, and two ways of different length to the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorkit.pictures.graph import graph_scene
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.schedule import schedule_scene
from tensorkit.tensor import Tensor, tensor
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.stepper import Stepper

Example = tuple[Callable[..., Any], tuple[Tensor, ...]]
SHOW = {"every cell, if they fit": None, "a box each": "boxes", "moves folded away": "folded"}


def graph(f: Callable[..., Any] | None = None, *inputs: Any, grad_out: Any = None) -> Explorer:
    """Explore the graph of an expression: ``tk.explore.graph(lambda x, w: (x * w).sum(), x, w)``.

    Without one, choose among examples. Boxes hold long expressions, up to 120 tensors, and moves
    such as permute, view and expand can be folded away. Raises what ``tk.step`` raises.
    """
    show = Choice("look", "show", SHOW)
    if f is None:
        example = Choice("example", "graph", EXAMPLES)
        return Explorer("graph", [example, show], _example_scene)

    def scene(look: str | None) -> Scene:
        return graph_scene(f, *inputs, grad_out=grad_out, look=look)

    explorer = Explorer("graph", [show], scene)
    explorer.scene()  # what cannot be drawn is refused here, and not when it is shown
    return explorer


def schedule(
    f: Callable[..., Any] | None = None, *inputs: Any, grad_out: Any = None
) -> Explorer | Stepper:
    """Pick the next node of backward yourself: ``tk.explore.schedule(lambda x: x * x + x, x)``.

    A node is refused while a consumer of its tensor has not reported. Without an expression, choose
    among three graphs. Raises what ``tk.step`` raises.
    """
    if f is not None:
        return Stepper(schedule_scene(f, *inputs, grad_out=grad_out))
    example = Choice("example", "graph", {name: EXAMPLES[name] for name in GAMES})
    return Explorer("schedule", [example], lambda example: schedule_scene(example[0], *example[1]))


def _example_scene(example: Example, look: str | None) -> Scene:
    f, inputs = example
    return graph_scene(f, *inputs, look=look)


def long_and_short(x: Any) -> Any:
    """Return the sum of h and of something that took h a longer way."""
    h = x * x
    e = h.exp()
    k = e + 1
    s = k.log()
    return (h + s).sum()


def neuron(x: Any, w: Any, b: Any) -> Any:
    """Return a layer of one neuron: two broadcasts, one map, one fold."""
    m = x * w
    z = m + b
    return z.sigmoid().sum()


def network(x: Any, w: Any, b: Any, v: Any, c: Any, t: Any) -> Any:
    """Return the loss of two layers, with what keeps the weights small: 40 operations."""
    h = (x.view(2, 3, 1) * w.view(1, 3, 4)).sum(1).view(2, 4)
    h = (h + b).relu()
    y = (h.view(2, 4, 1) * v.view(1, 4, 1)).sum(1).view(2, 1)
    p = (y + c).sigmoid()
    loss = -(t * p.log() + (1 - t) * (1 - p).log()).mean()
    return loss + 0.01 * ((w * w).sum() + (v * v).sum())


def _leaf(data: Any) -> Tensor:
    return tensor(data, requires_grad=True)


_X = _leaf([[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]])
_W = _leaf([0.5, -1.0, 2.0])
_LAYERS = (
    _X,
    _leaf([[0.5, -1.0, 0.25, 2.0], [1.5, 0.75, -0.5, 0.1], [-0.2, 0.4, 1.0, -1.5]]),
    _leaf([0.1, -0.3, 0.6, 0.2]),
    _leaf([[1.0], [-0.5], [0.8], [0.3]]),
    _leaf([0.4]),
    tensor([[1.0], [0.0]]),
)
EXAMPLES: dict[str, Example] = {
    "long and short path": (long_and_short, (_leaf([0.5, -1.5]),)),
    "diamond": (lambda x, y: x * y + x, (_leaf([1.0, -2.0, 0.5]), _leaf([4.0, 3.0, -1.0]))),
    "used twice": (lambda x: (x * x).exp().sum(), (_leaf([0.5, -1.0, 0.25]),)),
    "neuron": (neuron, (_X, _W, _leaf([[0.5], [-1.0]]))),
    "network": (network, _LAYERS),
}
GAMES = ("long and short path", "diamond", "neuron")
