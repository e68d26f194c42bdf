"""The pieces of work: each is written once and run with tensorkit's and PyTorch's tensors.

The formulas are the same text for both, because both speak the same names. NumPy takes part where
no gradient is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import tensorkit as tk

from .measure import Row, compare

RNG = np.random.default_rng(0)


def both(*arrays: Any, grad: bool = False) -> tuple[list[Any], list[Any]]:
    """Return the arrays as tensorkit's and as PyTorch's tensors, over the same memory."""
    ours, theirs = [tk.from_numpy(a) for a in arrays], [torch.from_numpy(a) for a in arrays]
    for t in (*ours, *theirs) if grad else ():
        t.requires_grad_()
    return ours, theirs


def backward_of(f: Any, inputs: list[Any]) -> Any:
    """Return work that computes ``f`` and its gradients from fresh."""

    def run() -> None:
        for t in inputs:
            t.grad = None
        f(*inputs).backward()

    return run


def small() -> Iterator[Row]:
    """Work on 4x4 tensors: what is measured is the cost of a call."""

    def f(x: Any, y: Any) -> Any:
        return (x * y + x).log().sum()

    arrays = RNG.random((2, 4, 4)) + 0.5
    ours, theirs = both(*arrays)
    contenders = {
        "tensorkit": lambda: f(*ours),
        "torch": lambda: f(*theirs),
        "numpy": lambda: np.log(arrays[0] * arrays[1] + arrays[0]).sum(),
    }
    yield compare("(x*y+x).log().sum() 4x4, forward", contenders)
    ours, theirs = both(*arrays, grad=True)
    contenders = {"tensorkit": backward_of(f, ours), "torch": backward_of(f, theirs)}
    yield compare("the same, forward + backward", contenders)


def large(size: int) -> Iterator[Row]:
    """Work on about ``size`` cells: what is measured is the loop."""
    n, m = size // 1000, 1000
    x, y = RNG.random((2, n, m)) + 0.5
    other = RNG.random((m, n)) + 0.5
    w, b = RNG.standard_normal((2, m))
    label = f"1e{len(str(size)) - 1}"
    ours, theirs = both(x, y, w, other.T)
    yield compare(f"x * y, {label}", pairs(ours, theirs, (x, y), lambda x, y, *_: x * y))
    yield compare(
        f"x (n, m) * w (m,), {label}", pairs(ours, theirs, (x, w), lambda x, y, w, o: x * w)
    )
    yield compare(
        f"x * permuted, {label}", pairs(ours, theirs, (x, other.T), lambda x, y, w, o: x * o)
    )
    for name in ("exp", "log", "tanh", "sigmoid", "relu"):
        work = pairs(ours, theirs, (x,), lambda x, *_, name=name: getattr(x, name)())
        if hasattr(np, name):
            work["numpy"] = lambda name=name: getattr(np, name)(x)
        else:
            del work["numpy"]
        yield compare(f"{name}, {label}", work)
    for dim in (0, 1):
        work = pairs(ours, theirs, (x,), lambda x, *_, dim=dim: x.sum(dim))
        yield compare(f"sum over dim {dim}, {label}", work)
    work = {"tensorkit": lambda: ours[0].max(0), "torch": lambda: theirs[0].amax(0)}
    yield compare(f"max over dim 0, {label}", work | {"numpy": lambda: x.max(0)})

    def f(x: Any, w: Any, b: Any, y: Any) -> Any:
        return ((x * w + b).sigmoid() * y).sum()

    ours, theirs = both(x, w, b, y, grad=True)
    contenders = {"tensorkit": backward_of(f, ours), "torch": backward_of(f, theirs)}
    yield compare(f"sum(sigmoid(x*w+b)*y) forward + backward, {label}", contenders)


def pairs(ours: list[Any], theirs: list[Any], arrays: tuple[Any, ...], f: Any) -> dict[str, Any]:
    """Return the work of the three contenders for one formula of (x, y, w, other)."""
    x, *rest = arrays
    numpy_args = (x, rest[0], rest[0], rest[0]) if rest else (x, x, x, x)
    return {
        "tensorkit": lambda: f(*ours),
        "torch": lambda: f(*theirs),
        "numpy": lambda: f(*numpy_args),
    }


def training() -> Iterator[Row]:
    """MiniTorch's headline: 2-100-100-1, 50 points, batches of 10; one epoch."""
    points = RNG.random((50, 2))
    labels = (points[:, :1] < points[:, 1:]).astype(float)
    sizes = [(2, 100), (100, 100), (100, 1)]
    weights = [RNG.random(s) - 0.5 for s in sizes]
    biases = [RNG.random(s[1]) - 0.5 for s in sizes]

    def epoch(kit: Any, params: list[Any], update: Any) -> None:
        for k in range(0, 50, 10):
            x, y = kit(points[k : k + 10]), kit(labels[k : k + 10])
            for layer in range(3):
                x = x @ params[layer] + params[layer + 3]
                x = x.relu() if layer < 2 else x.sigmoid()
            loss = -(y * x.log() + (1 - y) * (1 - x).log()).sum()
            loss.backward()
            for p in params:
                update(p)

    def ours_update(p: Any) -> None:
        p.copy_(p.numpy() - 1e-6 * p.grad.numpy())
        p.zero_grad_()

    def theirs_update(p: Any) -> None:
        with torch.no_grad():
            p -= 1e-6 * p.grad
        p.grad = None

    ours, theirs = both(*weights, *biases, grad=True)
    yield compare(
        "MiniTorch's headline training, an epoch",
        {
            "tensorkit": lambda: epoch(tk.from_numpy, ours, ours_update),
            "torch": lambda: epoch(torch.from_numpy, theirs, theirs_update),
        },
    )
