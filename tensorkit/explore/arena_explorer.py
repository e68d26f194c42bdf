"""The arena: which input finds out which wrong rule? Choose shape, layout, values and upstream."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from tensorkit.explore.suspects import Suspect, Trial, suspects
from tensorkit.grading.cases import Array, Laid, Layout, mixed
from tensorkit.pictures.arena import Verdict, arena_scene
from tensorkit.pictures.graph_nodes import listed
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.tape import distinct
from tensorkit.tensor import Tensor
from tensorkit.widgets.explorer import Choice, Explorer

Where = tuple[tuple[int, ...], Layout, str, str]  # what the four controls say

SHAPES = {str(shape): shape for shape in ((2, 3), (3, 3), (4,))}
LAYOUTS: dict[str, Layout] = {"in reading order": "plain", "transposed": "permuted"}
VALUES = ("all ones", "all different", "all negative", "zero and tie")
UPSTREAMS = ("ones", "distinct")
OPTIONS: dict[str, tuple[Any, ...]] = {
    "shape": tuple(SHAPES.values()),
    "layout": tuple(LAYOUTS.values()),
    "values": VALUES,
    "upstream": UPSTREAMS,
}
OTHER = ("another shape", "another layout", "other values", "another upstream gradient")
TIED = (2.0, 0.0, 2.0, -1.0, 3.0, -4.0, 0.5, -3.0, 1.0)
MOST = 24  # cells


def arena(x: Any = None, y: Any = None, grad_out: Any = None) -> Explorer:
    """Find out 24 wrong rules with as few inputs as you can: ``tk.explore.arena()``.

    Or meet them with an input of your own, as it lies in memory: ``tk.explore.arena(x.T)``. ``y``
    and ``grad_out`` have the shape of x; left out, they hold different numbers. Raises ValueError
    for other shapes, for a 0-d tensor and for more than 24 cells.
    """
    if x is not None:
        return own_arena(x, y, grad_out)
    return Explorer(
        "The arena",
        [
            Choice("shape", "shape", SHAPES),
            Choice("layout", "layout", LAYOUTS),
            Choice("values", "values", VALUES),
            Choice("upstream", "upstream gradient", UPSTREAMS),
        ],
        lambda **where: judged(tuple(where[name] for name in OPTIONS)),
        sticky=True,
    )


def own_arena(x: Any, y: Any, grad_out: Any) -> Explorer:
    """Return the arena for one input of the learner."""
    a = doubled(as_tensor(x))
    b = doubled(as_tensor(cells("all different", a.shape, 2) if y is None else y))
    if not 1 <= a.size <= MOST or not a.ndim or a.shape != b.shape:
        raise ValueError(
            f"x of shape {a.shape} and y of shape {b.shape}: give one shape for both, with 1 dim "
            f"or more and 1 to {MOST} cells"
        )
    if any(stride < 0 for t in (a, b) for stride in t.strides):
        raise ValueError("a stride is negative, and the suspects' loops start at the first cell")
    starts = {"ones": np.ones(a.shape), "distinct": distinct(a.shape)}
    if grad_out is not None:
        starts = {"yours": as_tensor(grad_out).numpy(), **starts}
        if starts["yours"].shape != a.shape:
            raise ValueError(f"grad_out has shape {starts['yours'].shape}, x has {a.shape}")
    trials = {label: Trial(a, b, cells) for label, cells in starts.items()}

    def scene(upstream: str) -> Scene:
        verdicts = []
        for one in suspects():
            other = any(one.evidence(trials[k]) for k in trials if k != upstream)
            found = one.evidence(trials[upstream])
            hides = OTHER[3:] if other and not found else ()
            verdicts.append(Verdict(one.name, one.claim, one.sentence, found, hides))
        return arena_scene("The arena: your input", described(trials[upstream]), verdicts)

    start = Choice("upstream", "upstream gradient", list(trials))
    return Explorer("The arena", [start], scene, sticky=True)


def doubled(t: Tensor) -> Tensor:
    """Return a tensor in float64 that lies in memory as ``t`` does."""
    return Tensor(t.storage.astype(np.float64), t.shape, t.strides, t.offset)


def everywhere() -> list[Where]:
    """Return every input that the controls can choose."""
    return list(itertools.product(*OPTIONS.values()))


def cells(kind: str, shape: tuple[int, ...], seed: int) -> Array:
    """Return the numbers of a tensor by what the control calls them."""
    different: Array = np.abs(mixed(shape, seed))
    if kind == "zero and tie":
        return np.array(TIED[: different.size]).reshape(shape) if seed == 1 else different
    return {"all ones": different * 0 + 1, "all negative": -different}.get(kind, different)


@cache
def trial(where: Where) -> Trial:
    """Return the input that the controls choose; y lies in reading order always."""
    shape, layout, values, upstream = where
    x, y = Laid(cells(values, shape, 1), layout), Laid(cells(values, shape, 2))
    grad_out = np.ones(shape) if upstream == "ones" else distinct(shape)
    return Trial(x.tensor(), y.tensor(), grad_out)


@cache
def results(where: Where) -> Mapping[str, str | None]:
    """Return the evidence against each suspect on one input, by name."""
    return {one.name: one.evidence(trial(where)) for one in suspects()}


def hides(one: Suspect, where: Where) -> tuple[str, ...]:
    """Return which changes would give a survivor away, each made alone."""
    found = []
    for place, (other, options) in enumerate(zip(OTHER, OPTIONS.values(), strict=True)):
        changed = ((*where[:place], option, *where[place + 1 :]) for option in options)
        if any(results(near)[one.name] for near in changed):
            found.append(other)
    return tuple(found)


@cache
def smallest() -> tuple[Where, ...]:
    """Return the fewest inputs that find out every suspect that any input does; the first such."""
    table = {w: {name for name, evidence in results(w).items() if evidence} for w in everywhere()}
    mortal = set().union(*table.values())
    return next(
        chosen
        for count in range(1, len(table))
        for chosen in itertools.combinations(table, count)
        if set().union(*(table[w] for w in chosen)) == mortal
    )


def judged(where: Where) -> Scene:
    """Return the wall after one input."""
    found = results(where)
    verdicts = [
        Verdict(
            one.name,
            one.claim,
            one.sentence,
            found[one.name],
            () if found[one.name] else hides(one, where),
        )
        for one in suspects()
    ]
    best = smallest()
    listing = "; ".join(spoken(w) for w in best)
    ends = (
        f"Of all {len(everywhere())} inputs here, {len(best)} are enough to find out all "
        f"{len(verdicts)}. Try to name them before you step on.",
        f"Enough for all {len(verdicts)}: {listing}.",
    )
    return arena_scene("The arena", described(trial(where)), verdicts, ends)


def spoken(where: Where) -> str:
    """Return an input in words."""
    shape, layout, values, upstream = where
    lies = next(label for label, one in LAYOUTS.items() if one == layout)
    return f"{shape}, {lies}, {values}, upstream {upstream}"


def described(one: Trial) -> list[str]:
    """Return the lines above the wall."""
    parts = [
        (f"x {one.x.shape} strides {one.x.strides}", one.x.numpy()),
        (f"y {one.y.shape} strides {one.y.strides}", one.y.numpy()),
        (f"grad_out {one.grad_out.shape}", one.grad_out),
    ]
    wide = max(len(head) for head, _ in parts) + 2
    heads = [f"{head:<{wide}}".replace(" ", "\N{NO-BREAK SPACE}") for head, _ in parts]
    return [head + listed(values, 90) for head, (_, values) in zip(heads, parts, strict=True)]
