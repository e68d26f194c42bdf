"""The pieces of work: each is written once and run with tensorkit's and PyTorch's tensors.

The formulas are the same text for both, because both speak the same names. NumPy takes part where
no gradient is asked for, MyGrad and autograd where calls are what costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

import tensorkit as tk

from .measure import Goal, Row, compare
from .peers import numpys, torchs

RNG = np.random.default_rng(0)
EITHER = ("torch", "numpy")
CALLS, TRAINING, PRODUCTS = "small tensors", "training", "products"
SLOW = ("log",)  # where a peer calls its vendor's library


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
    import autograd
    import autograd.numpy
    import mygrad

    def f(x: Any, y: Any) -> Any:
        return (x * y + x).log().sum()

    arrays = RNG.random((2, 4, 4)) + 0.5
    ours, theirs = both(*arrays)
    contenders: dict[str, Any] = {
        "tensorkit": lambda: f(*ours),
        "torch": lambda: f(*theirs),
        "numpy": lambda: np.log(arrays[0] * arrays[1] + arrays[0]).sum(),
    }
    row = compare("(x*y+x).log().sum() 4x4, forward", contenders)
    yield row.aiming(CALLS, Goal(0.7, ("torch",)))

    ours, theirs = both(*arrays, grad=True)
    x, y = map(mygrad.tensor, arrays)
    slopes = autograd.grad(lambda x, y: autograd.numpy.log(x * y + x).sum(), (0, 1))
    contenders = {
        "tensorkit": backward_of(f, ours),
        "torch": backward_of(f, theirs),
        "mygrad": lambda: mygrad.log(x * y + x).sum().backward(),
        "autograd": lambda: slopes(*arrays),
    }
    row = compare("the same, forward + backward", contenders)
    goals = Goal(0.35, ("torch",)), Goal(0.3, ("mygrad",)), Goal(0.2, ("autograd",))
    yield row.aiming(CALLS, *goals)


# what most work is made of
USUAL = ("exp", "log", "tanh", "sigmoid", "relu", "add", "mul", "maximum", "sum", "max")
Piece = tuple[str, str, tuple[Any, ...], Goal]


def pieces(size: int, dtype: Any) -> Iterator[tuple[bool, Piece]]:
    """Yield name, note, inputs and goal of each loop, and whether it is a usual one."""
    n, m = size // 1000, 1000
    x, y = (RNG.random((2, n, m)) + 0.5).astype(dtype)
    w = (RNG.random(m) + 0.5).astype(dtype)
    turned = (RNG.random((m, n)) + 0.5).astype(dtype).T
    near = hard = Goal(0.6, ("torch",))
    if size < 10**7:
        near, hard = Goal(1.0, EITHER), Goal(1.2, EITHER)
    for row in tk.ops.TABLE:
        name, usual = row.name, row.name in USUAL
        if row.kind == "map":
            yield usual, (name, "", (x,), hard if name in SLOW else near)
        elif row.kind == "zip" and row is not tk.where:
            yield usual, (name, "", (x, y), near)
            yield name == "mul", (name, ", (n, m) with (m,)", (x, w), near)
            yield name == "mul", (name, " with a permuted", (x, turned), hard)
        elif row.kind == "reduce":
            yield usual, (name, " over dim 0", (x, 0), near)
            yield usual, (name, " over dim 1", (x, 1), near)
    yield False, ("where", "", ((x > 1).astype(dtype), x, y), near)


def loops(size: int, every: bool = False, dtype: Any = np.float64) -> Iterator[Row]:
    """Each map, zip and reduce on about ``size`` cells: what is measured is the loop."""
    group = f"1e{len(str(size)) - 1} cells" + (", float32" if dtype == np.float32 else "")
    for usual, (name, note, inputs, goal) in pieces(size, dtype):
        if usual or every:
            row = compare(f"{name}{note}", loop(name, inputs), budget=1.5)
            yield replace(row.aiming(group, goal), usual=usual)


def loop(name: str, inputs: tuple[Any, ...]) -> dict[str, Any]:
    """Return one operation for all who have it, on the same memory; the last input may be a dim."""
    arrays = [a for a in inputs if isinstance(a, np.ndarray)]
    ours, theirs = both(*arrays)
    dims = inputs[len(arrays) :]
    if name == "where":  # the peers choose by truth values
        arrays[0], theirs[0] = arrays[0] != 0, theirs[0] != 0
    kits = {
        "tensorkit": (getattr(tk, name), ours),
        "torch": (torchs(name), theirs),
        "numpy": (numpys(name), arrays),
    }
    return {kit: lambda f=f, given=given: f(*given, *dims) for kit, (f, given) in kits.items() if f}


def chain(size: int) -> Iterator[Row]:
    """A formula of several loops, forwards and backwards."""
    n, m = size // 1000, 1000
    x, y = RNG.random((2, n, m)) + 0.5
    w, b = RNG.standard_normal((2, m))

    def f(x: Any, w: Any, b: Any, y: Any) -> Any:
        return ((x * w + b).sigmoid() * y).sum()

    ours, theirs = both(x, w, b, y, grad=True)
    work = {"tensorkit": backward_of(f, ours), "torch": backward_of(f, theirs)}
    row = compare("sum(sigmoid(x*w+b)*y), forward + backward", work)
    yield row.aiming(f"1e{len(str(size)) - 1} cells", Goal(0.6, ("torch",)))


def products(sizes: tuple[int, ...]) -> Iterator[Row]:
    """Square matrices against each other, and a convolution with its gradients."""
    for dtype in (np.float64, np.float32):
        for n in sizes:
            (x, y), theirs = both(*RNG.standard_normal((2, n, n)).astype(dtype))
            work = {
                "tensorkit": lambda x=x, y=y: x @ y,
                "torch": lambda pair=theirs: torch.mm(*pair),
            }
            row = compare(f"matmul {n}, {np.dtype(dtype).name}", work, budget=2)
            yield row.aiming(PRODUCTS, Goal(1.3, ("torch",)))

    images, weight = RNG.standard_normal((16, 3, 32, 32)), RNG.standard_normal((8, 3, 3, 3))
    ours, theirs = both(images, weight, grad=True)
    work = {
        "tensorkit": backward_of(lambda x, w: tk.conv2d(x, w).sum(), ours),
        "torch": backward_of(lambda x, w: torch.nn.functional.conv2d(x, w).sum(), theirs),
    }
    row = compare("conv2d 16x3x32x32 by 8x3x3x3, forward + backward", work)
    yield row.aiming(PRODUCTS, Goal(3.0, ("torch",)))


def training() -> Iterator[Row]:
    """MiniTorch's headline: 2-100-100-1, 50 points, batches of 10; one epoch, each with its SGD."""
    points = RNG.random((50, 2))
    labels = (points[:, :1] < points[:, 1:]).astype(float)
    sizes = [(2, 100), (100, 100), (100, 1)]
    weights = [RNG.random(s) - 0.5 for s in sizes]
    biases = [RNG.random(s[1]) - 0.5 for s in sizes]

    def epoch(kit: Any, params: list[Any], optimizer: Any) -> None:
        for k in range(0, 50, 10):
            x, y = kit.from_numpy(points[k : k + 10]), kit.from_numpy(labels[k : k + 10])
            for layer in range(3):
                x = x @ params[layer] + params[layer + 3]
                x = x.relu() if layer < 2 else x.sigmoid()
            loss = -(y * x.log() + (1 - y) * (1 - x).log()).sum()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    ours, theirs = both(*weights, *biases, grad=True)
    our_sgd, their_sgd = tk.optim.SGD(ours, lr=1e-6), torch.optim.SGD(theirs, lr=1e-6)
    yield compare(
        "MiniTorch's headline training, an epoch",
        {
            "tensorkit": lambda: epoch(tk, ours, our_sgd),
            "torch": lambda: epoch(torch, theirs, their_sgd),
        },
    )
