"""The whole table against PyTorch: values, gradients, and gradients of gradients.

PyTorch is not needed to use or to test the kit, so these tests run where it is installed:
``pytest -m oracle``. NumPy and nudging judge the same rows elsewhere; here speaks a library that
many learners will go on to. Where the two differ on purpose, ``DIFFERENCES`` lists it.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from oracles import Place, laid_out, values_for

import tensorkit as tk
from tensorkit import nn

torch = pytest.importorskip(
    "torch", reason="the comparison with PyTorch needs PyTorch: pip install torch"
)
F = torch.nn.functional
pytestmark = pytest.mark.oracle

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}


# inputs, laid out in every way


def place(ndim: int, kind: str) -> Place:
    """Return how a grid lies: the plain way, permuted, with gaps, backwards, or stretched."""
    order = tuple(range(ndim))
    none, every = (False,) * ndim, (True,) * ndim
    wide = (*none[:-1], True) if ndim else ()
    return {
        "plain": Place(order, (1,) * ndim, none, none, 0, 0),
        "permuted": Place(order[::-1], (1,) * ndim, none, none, 2, 0),
        "strided": Place(order, tuple(range(2, 2 + ndim)), none, none, 1, 3),
        "backwards": Place(order, (1,) * ndim, every, none, 0, 1),
        "broadcast": Place(order, (1,) * ndim, none, wide, 1, 1),
    }[kind]


LAYOUTS = ("plain", "permuted", "strided", "backwards", "broadcast")
GRIDS = [
    ((), "plain"),
    *(((3, 4), kind) for kind in LAYOUTS),
    ((2, 3, 4), "permuted"),
    ((0, 3), "plain"),
    ((2, 0), "permuted"),
]


def pair(values: Any, kind: str, dtype: Any) -> tuple[Any, Any]:
    """Return a leaf of the kit, laid out as ``kind`` says, and PyTorch's with the same numbers."""
    ours, shown = laid_out(np.asarray(values, dtype), place(np.ndim(values), kind))
    return ours.requires_grad_(), torch.tensor(shown.copy(), requires_grad=True)


def same(ours: Any, theirs: Any, dtype: Any, factor: float = 1) -> None:
    """Assert equal shapes, and numbers equal up to rounding, measured by the largest of them."""
    got, want = np.asarray(ours), theirs.numpy(force=True)
    assert got.shape == want.shape
    assert got.dtype == dtype
    size = np.abs(want[np.isfinite(want)]).max(initial=1)
    tolerance = factor * TOLERANCE[dtype]
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * size)


def agree(ours: Any, theirs: Any, leaves: list[tuple[Any, Any]], dtype: Any) -> None:
    """Compare values, gradients from a distinct grad_out, and gradients of those gradients.

    The second time around, each gradient is weighed by numbers of its own, no two of them alike.
    """
    xs, ts = ([leaf[k] for leaf in leaves] for k in (0, 1))
    out, want = ours(*xs), theirs(*ts)
    if want.dtype == torch.bool:
        want = want.to(ts[0].dtype)
    same(out, want, dtype)
    g = values_for(out.shape, 77).astype(dtype)
    grads = tk.gradients(out, xs, g, create_graph=True) if out.requires_grad else nothing(xs)
    wanted = torch_gradients(want, ts, g)
    for a, b in zip(grads, wanted, strict=True):
        same(a, b, dtype)
    weights = [values_for(x.shape, 31 + k).astype(dtype) for k, x in enumerate(xs)]
    total = sum((a * tk.tensor(w, dtype=dtype)).sum() for a, w in zip(grads, weights, strict=True))
    want = sum((b * torch.tensor(w)).sum() for b, w in zip(wanted, weights, strict=True))
    again = tk.gradients(total, xs) if total.requires_grad else nothing(xs)
    for a, b in zip(again, torch_gradients(want, ts, np.ones((), dtype)), strict=True):
        same(a, b, dtype, 20)


def nothing(xs: list[Any]) -> list[Any]:
    return [tk.tensor(np.zeros(x.shape), dtype=x.dtype) for x in xs]


def torch_gradients(out: Any, inputs: list[Any], g: Any) -> Any:
    if not out.requires_grad:
        return [torch.zeros_like(t) for t in inputs]
    return torch.autograd.grad(
        out, inputs, torch.tensor(g), create_graph=True, allow_unused=True, materialize_grads=True
    )


# the rows of the table


SPELLED = {
    "softplus": lambda x: F.softplus(x, threshold=1e9),
    "gelu": F.gelu,
    "is_close": torch.isclose,
    "where": lambda c, x, y: torch.where(c != 0, x, y),
    "max": torch.amax,
    "min": torch.amin,
    "all": lambda x, dim, keepdim: torch.all(x != 0, dim, keepdim),
    "any": lambda x, dim, keepdim: torch.any(x != 0, dim, keepdim),
}


def torchs(name: str) -> Any:
    return SPELLED.get(name) or getattr(torch, name)


def rows(kind: str) -> Any:
    found = [row for row in tk.ops.TABLE if row.kind == kind]
    return pytest.mark.parametrize("row", found, ids=[row.name for row in found])


@DTYPES
@rows("map")
def test_maps(row, dtype):
    (span,) = row.domain
    for shape, kind in GRIDS:
        agree(row, torchs(row.name), [pair(values_for(shape, 1, span), kind, dtype)], dtype)


SHAPES = [
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3, 4), (3, 1)),
    ((), ()), ((0, 3), (3,)), ((2, 1), (2, 0)),
]  # fmt: skip


@DTYPES
@rows("zip")
def test_zips(row, dtype):
    kinds = itertools.cycle(itertools.product(LAYOUTS, LAYOUTS))
    for shapes in [*SHAPES, *(pair[::-1] for pair in SHAPES), *SHAPES[:1] * 9]:
        three = len(row.domain) == 3
        places = next(kinds)
        leaves = [
            pair(values_for(shape, k, span), kind, dtype)
            for k, (shape, kind, span) in enumerate(
                zip(shapes, places, row.domain[-2:], strict=True)
            )
        ]
        if three:
            mask = np.arange(math.prod(shapes[0])).reshape(shapes[0]) % 3 > 0
            leaves.insert(0, pair(mask, "plain", dtype))
        agree(row, torchs(row.name), leaves, dtype)


@DTYPES
@rows("zip")
def test_ties_of_zips(row, dtype):
    """Equal cells, where comparisons turn and maximum and minimum share the gradient."""
    x = values_for((2, 3), 1, (0, math.inf))
    y = x.copy()
    y[0] += [0.5, 0, -0.125]
    leaves = [pair(x, "plain", dtype), pair(y, "permuted", dtype)]
    extra = [pair([[1, 0, 1]], "plain", dtype)] if len(row.domain) == 3 else []
    agree(row, torchs(row.name), [*extra, *leaves], dtype)


@DTYPES
@rows("reduce")
def test_reductions(row, dtype):
    for shape, kind in GRIDS:
        values = values_for(shape, 5)
        dims = [tuple(range(len(shape))), *range(-len(shape), len(shape)), (0, -1)[: len(shape)]]
        for dim, keepdim in itertools.product(dims, (True, False)):
            along = dim if isinstance(dim, tuple) else (dim,)
            if not row.of_nothing and 0 in [shape[d] for d in along]:
                continue
            if row.name in ("prod", "all", "any") and len(along) != 1:
                continue  # PyTorch takes one dim here, and several at once are tested below
            dim = along[0] if row.name in ("prod", "all", "any") else along
            if row.name in ("max", "min") and kind == "broadcast":
                continue  # no more than ties, which have a test of their own
            agree(
                lambda x, d=dim, k=keepdim: row(x, d, k),
                lambda t, d=dim, k=keepdim: torchs(row.name)(t, d, k),
                [pair(values, kind, dtype)],
                dtype,
            )


@DTYPES
def test_reductions_over_everything(dtype):
    for name in ("sum", "mean", "max", "min", "prod"):
        leaf = [pair(values_for((2, 3), 5), "permuted", dtype)]
        agree(getattr(tk, name), getattr(torch, name), leaf, dtype)


@DTYPES
def test_ties_zeros_and_the_first_gradient(dtype):
    """A gradient shared among ties, and a product of which none, one or two factors are 0."""
    ties = [[2, 5, 5], [7, 7, 7], [1, 3, 2]]
    zeros = [[2, -3, 5], [2, 0, 5], [0, -3, 0], [0, 0, 0]]
    g = np.array([[3], [-5], [7], [2]], dtype)
    for values, names in [(ties, ("max", "min")), (zeros, ("prod",))]:
        for name in names:
            x, t = pair(values, "permuted", dtype)
            getattr(tk, name)(x, 1).backward(g[: len(values)])
            torchs(name)(t, 1, keepdim=True).backward(torch.tensor(g[: len(values)]))
            same(x.grad, t.grad, dtype)


@pytest.mark.parametrize(
    "wrong", [lambda x: x * x * 1.0001, lambda x: x * x.detach(), lambda x: x.square().sum(0)]
)
def test_another_value_gradient_or_shape_is_noticed(wrong):
    with pytest.raises(AssertionError):
        agree(wrong, torch.square, [pair(values_for((2, 3), 1), "plain", np.float64)], np.float64)


# moves, the product, and what is made of rows: name -> shapes, ours, PyTorch's


INDEX = ([0, 2, 2, 1], slice(None, None, 2))
CLASSES = np.array([2, 0, 1, 1])
LABELS = np.arange(12.0).reshape(4, 3) % 2


def torch_scatter(t: Any) -> Any:
    return torch.zeros(4, 3, dtype=t.dtype).index_put((torch.tensor([2, 0, 2]),), t, True)


def torch_bce(t: Any) -> Any:
    return F.binary_cross_entropy(t.sigmoid(), torch.tensor(LABELS).to(t))


def torch_cross_entropy(t: Any) -> Any:
    return F.cross_entropy(t, torch.tensor(CLASSES))


# where one formula stands, both libraries read it alike
CASES: dict[str, tuple[Any, ...]] = {
    "expand": ([(3, 1, 4)], lambda x: x.expand(2, 3, 5, 4)),
    "permute": ([(2, 3, 4)], lambda x: x.permute(2, 0, 1)),
    "view": ([(4, 6)], lambda x: x.contiguous().view(3, -1)),
    "contiguous": ([(4, 6)], lambda x: x.contiguous()),
    "transpose": ([(2, 3, 4)], tk.transpose, lambda x: x.transpose(-2, -1)),
    "T": ([(2, 3)], lambda x: x.T),
    "getitem": ([(3, 5)], lambda x: x[INDEX]),
    "getitem, basic": ([(3, 5)], lambda x: x[1:, None, ..., 2]),
    "scatter": ([(3, 3)], lambda x: tk.scatter(x, [2, 0, 2], (4, 3)), torch_scatter),
    "cat": ([(2, 3), (2, 1)], lambda x, y: tk.cat([x, y], 1), lambda x, y: torch.cat([x, y], 1)),
    "cat, nothing": ([(2, 3), (0, 3)], lambda x, y: tk.cat([x, y]), lambda x, y: torch.cat([x, y])),
    "stack": ([(2, 3)] * 2, lambda *xs: tk.stack(xs, -1), lambda *xs: torch.stack(xs, -1)),
    "split": ([(5, 3)], lambda x: x.split(2)[1] * x.split([1, 4])[0]),
    "tile": ([(2, 3)], lambda x: x.tile(2, 1, 3)),
    "flip": ([(2, 3)], lambda x: x.flip(1)),
    "squeeze": ([(2, 1, 3)], lambda x: x.squeeze(1)),
    "unsqueeze": ([(2, 3)], lambda x: x.unsqueeze(-2)),
    "flatten": ([(2, 3, 4)], lambda x: x.flatten(1)),
    "reshape": ([(4, 6)], lambda x: x.reshape(3, -1)),
    "diagonal": ([(3, 5)], lambda x: x.diagonal(1), lambda x: x.diagonal(1, -2, -1)),
    "clip": ([(3, 5)], lambda x: x.clip(-1, 1.5)),
    "matmul": ([(3, 5), (5, 2)], lambda x, y: x @ y),
    "matmul, batches": ([(4, 1, 3, 5), (2, 5, 2)], lambda x, y: x @ y),
    "matmul, a vector": ([(4, 3, 5), (5,)], lambda x, y: x @ y),
    "matmul, two vectors": ([(5,), (5,)], lambda x, y: x @ y),
    "matmul, nothing": ([(3, 0), (0, 2)], lambda x, y: x @ y),
    "var": ([(3, 5)], lambda x: x.var(0, keepdim=True)),
    "var, the whole": ([(3, 5)], lambda x: x.var(correction=0)),
    "std": ([(3, 5)], lambda x: x.std(1, keepdim=False)),
    "norm": ([(3, 5)], lambda x: x.norm(dim=1, keepdim=True)),
    "logsumexp": ([(3, 5)], lambda x: x.logsumexp(1, keepdim=False)),
    "softmax": ([(3, 5)], lambda x: x.softmax(0)),
    "log_softmax": ([(3, 5)], lambda x: x.log_softmax(-1)),
    "cross_entropy": ([(4, 3)], lambda x: tk.cross_entropy(x, CLASSES), torch_cross_entropy),
    "pad": ([(2, 3)], lambda x: tk.pad(x, (1, 2)), lambda x: F.pad(x, (2, 2, 1, 1))),
    "conv1d": (
        [(2, 3, 9), (4, 3, 2), (4,)],
        lambda *xs: tk.conv1d(*xs, 2, 1),
        lambda *xs: F.conv1d(*xs, 2, 1),
    ),
    "conv2d": (
        [(2, 3, 7, 6), (4, 3, 2, 3), (4,)],
        lambda *xs: tk.conv2d(*xs, (2, 1), (1, 0)),
        lambda *xs: F.conv2d(*xs, (2, 1), (1, 0)),
    ),
    "max_pool2d": (
        [(2, 3, 6, 7)], lambda x: tk.max_pool2d(x, 3, 2), lambda x: F.max_pool2d(x, 3, 2)
    ),
    "avg_pool2d": (
        [(2, 3, 6, 7)], lambda x: tk.avg_pool2d(x, (2, 3)), lambda x: F.avg_pool2d(x, (2, 3))
    ),
    "MSELoss": ([(4, 3)] * 2, nn.MSELoss(), F.mse_loss),
    "BCELoss": ([(4, 3)], lambda x: nn.BCELoss()(x.sigmoid(), LABELS.astype(x.dtype)), torch_bce),
    "CrossEntropyLoss": (
        [(4, 3)], lambda x: nn.CrossEntropyLoss()(x, CLASSES), torch_cross_entropy
    ),
}  # fmt: skip
TIED = ("max_pool2d", "std")  # where cells repeat, windows tie, and std is 0 but for rounding


@DTYPES
@pytest.mark.parametrize("name", CASES)
def test_what_moves_and_what_is_composed(name, dtype):
    shapes, ours, *other = CASES[name]
    theirs = other[0] if other else ours
    for kind in LAYOUTS:
        if name in TIED and kind == "broadcast":
            continue
        leaves = [pair(values_for(s, 3 + k), kind, dtype) for k, s in enumerate(shapes)]
        agree(ours, theirs, leaves, dtype)


def test_every_row_and_composition_is_compared():
    loops = {row.name for row in tk.ops.TABLE if row.kind in ("map", "zip", "reduce")}
    elsewhere = {"argmax", "argmin", "dropout", "to"}  # below
    compared = {name.partition(",")[0] for name in CASES} | loops | elsewhere
    assert {row.name for row in tk.ops.TABLE} | set(tk.COMPOSED) <= compared


def test_conversion_to_another_dtype_and_back():
    x, t = pair(values_for((2, 3), 4), "permuted", np.float32)
    g = values_for((2, 3), 5)
    out, want = x.to(np.float64).exp(), t.double().exp()
    same(out, want, np.float64)
    out.backward(g), want.backward(torch.tensor(g))
    same(x.grad, t.grad, np.float32)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions(name):
    for kind, dim in itertools.product(LAYOUTS, (None, 0, -1)):
        x, t = pair([[2, 5, 5], [7, 1, 7]], kind, np.float64)
        want = getattr(torch, name)(t, dim, keepdim=dim is not None)
        np.testing.assert_array_equal(getattr(tk, name)(x, dim), want.numpy())


def test_dropout_drops_and_scales_as_pytorch_does():
    x, t = pair(values_for((40, 50), 4), "plain", np.float64)
    out, want = tk.dropout(x, 0.3, tk.Generator(1)), F.dropout(t, 0.3)
    for got in (out.numpy(), want.detach().numpy()):
        kept = got != 0
        assert abs(kept.mean() - 0.7) < 0.05
        np.testing.assert_allclose(got[kept], x.numpy()[kept] / 0.7)


# training


OPTIMISERS = {
    "SGD": (lambda p: tk.optim.SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (lambda p: tk.optim.SGD(p, 0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, 0.9)),
    "Adam": (lambda p: tk.optim.Adam(p, 0.1), lambda p: torch.optim.Adam(p, 0.1)),
}


@DTYPES
@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_network_is_trained_alike(name, dtype):
    """A network with a convolution and a linear layer walks the same way down."""
    images, labels = values_for((6, 1, 5, 5), 1).astype(dtype), np.array([0, 2, 1, 1, 0, 2])
    shapes = [(2, 1, 2, 3), (2,), (24, 3), (3,)]
    starts = [values_for(shape, 7 + k) / 9 for k, shape in enumerate(shapes)]

    def forward(kit: Any, x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
        h = kit.conv2d(x, w, b).tanh().reshape(6, 24)
        return kit.cross_entropy(h @ v + c, labels if kit is tk else torch.tensor(labels))

    class Torch:
        conv2d, cross_entropy = staticmethod(F.conv2d), staticmethod(F.cross_entropy)

    both = [pair(start, "plain", dtype) for start in starts]
    ours, theirs = (
        OPTIMISERS[name][0]([p for p, _ in both]),
        OPTIMISERS[name][1]([q for _, q in both]),
    )
    first = None
    for _ in range(6):
        ours.zero_grad(), theirs.zero_grad()
        loss = forward(tk, tk.tensor(images, dtype=dtype), *(p for p, _ in both))
        want = forward(Torch, torch.tensor(images), *(q for _, q in both))
        same(loss, want, dtype, 10)
        first = loss.item() if first is None else first
        loss.backward(), want.backward()
        ours.step(), theirs.step()
    assert loss.item() < first / 2
    for p, q in both:
        same(p, q, dtype, 10)


# where the two differ on purpose


def slope(f: Any, *at: float) -> Any:
    x = tk.tensor(at, requires_grad=True)
    f(x).sum().backward()
    return x.grad.tolist()


def torch_slope(f: Any, *at: float) -> Any:
    t = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    f(t).sum().backward()
    return t.grad.tolist()


def smaller_than_2(x: Any) -> Any:
    return (x < 2).tolist()


MATRIX = np.arange(6.0).reshape(2, 3)
WINDOW = (1, 1, 1, 2)
DIFFERENCES: list[tuple[str, Any, Any, Any, Any]] = [
    # what, ours, its answer, PyTorch's, its answer
    (
        "a reduction over a dim keeps it",
        lambda: tk.tensor(MATRIX).sum(0).shape, (1, 3),
        lambda: torch.tensor(MATRIX).sum(0).shape, (3,),
    ),
    (
        "a comparison gives numbers",
        lambda: smaller_than_2(tk.tensor([1.0, 3])), [1.0, 0.0],
        lambda: smaller_than_2(torch.tensor([1.0, 3])), [True, False],
    ),
    (
        "max over a dim: ties share, nobody wins",
        lambda: slope(lambda x: x.max(0), 5, 5, 1), [0.5, 0.5, 0],
        lambda: torch_slope(lambda t: t.max(0).values, 5, 5, 1), [1, 0, 0],
    ),
    (
        "ties in a pooled window share",
        lambda: slope(lambda x: tk.max_pool2d(x.view(WINDOW), (1, 2)), 3, 3), [0.5, 0.5],
        lambda: torch_slope(lambda t: F.max_pool2d(t.view(WINDOW), (1, 2)), 3, 3), [1, 0],
    ),
    (
        "softplus does not become x at 20",
        lambda: tk.tensor(21.0).softplus().item() > 21, True,
        lambda: F.softplus(torch.tensor(21.0, dtype=torch.float64)).item() > 21, False,
    ),
    (
        "positions are numbers, too",
        lambda: tk.tensor([1.0, 3]).argmax().dtype, np.float64,
        lambda: torch.tensor([1.0, 3]).argmax().dtype, torch.int64,
    ),
    (
        "the weight of a layer is (inputs, outputs)",
        lambda: nn.Linear(3, 2).weight.shape, (3, 2),
        lambda: torch.nn.Linear(3, 2).weight.shape, (2, 3),
    ),
    (
        "numbers are float64",
        lambda: tk.tensor([1.5]).dtype, np.float64,
        lambda: torch.tensor([1.5]).dtype, torch.float32,
    ),
]  # fmt: skip


@pytest.mark.parametrize("difference", DIFFERENCES, ids=[d[0] for d in DIFFERENCES])
def test_where_they_differ(difference):
    _, ours, our_answer, theirs, their_answer = difference
    for got, stated in ((ours(), our_answer), (theirs(), their_answer)):
        if isinstance(stated, list):
            np.testing.assert_array_equal(got, stated)
        else:
            assert got == stated
