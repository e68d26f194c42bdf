"""Laws that every row of the table obeys: what NumPy says, what nudging says, on any layout."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import EDGES, ORACLES, close, grids, laid_out, laws, places, values_for

import tensorkit as tk
from tensorkit.checks import check_gradient
from tensorkit.elementwise import Map
from tensorkit.reduction import Reduce
from tensorkit.zips import Zip

ROWS = {row.name: row for row in tk.ops.TABLE}
MAPS, ZIPS, REDUCES, MOVES = (
    [row for row in tk.ops.TABLE if row.kind == kind and row is not tk.where]
    for kind in ("map", "zip", "reduce", "move")
)
SMOOTH = [row for row in ZIPS if row.derivatives != ("0.0", "0.0")]


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


@contextmanager
def quiet_numpy():
    """NumPy warns of nan, inf and means of nothing; the laws only compare numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def inside(row, shape, seed):
    """Return one array per input, inside the row's domain and no two cells alike."""
    return [values_for(shape, seed + k, span) for k, span in enumerate(row.domain)]


# the table itself


def test_every_row_has_an_oracle_and_a_method_and_a_function():
    assert set(ORACLES) == set(ROWS)
    assert len(ROWS) == len(tk.ops.TABLE)
    for name, row in ROWS.items():
        assert getattr(tk, name) is row
        assert tk.ops.get(name) is row
        assert callable(getattr(tk.Tensor, name))
        assert row.about in repr(row)
        assert row.about.lower() in getattr(tk.Tensor, name).__doc__.lower()
    with pytest.raises(KeyError, match="no operation 'matmul2'"):
        tk.ops.get("matmul2")
    with pytest.raises(AttributeError, match="matmul2"):
        _ = tk.matmul2


@named(tk.ops.TABLE)
def test_a_row_says_what_it_is(row):
    assert row.kind in ("map", "zip", "reduce", "move", "product")
    assert row.symbol
    assert row.latex
    assert row.about[0].islower() or row.about[0].isdigit()
    if row.kind in ("map", "zip", "reduce"):
        assert len(row.derivatives) == len(row.domain) == len(getattr(row, "names", "x"))


@named(tk.ops.TABLE)
def test_what_is_no_tensor_is_refused(row):
    more = {name: [1.0] for name in ("expand", "to", "getitem", "matmul")}
    more |= {"where": [1.0, 2.0], "scatter": [[0, 0, 1], (3,)]}
    for wrong in (3.0, np.ones(3), [1.0], None, "x"):
        wrong = [wrong] if row is tk.cat else wrong
        with pytest.raises(tk.DtypeError, match=f"{row.name} needs a tensor"):
            row(wrong, *more.get(row.name, [1.0] if row.kind == "zip" else []))


def test_a_view_is_no_tensor_even_on_a_layout_that_was_met_before():
    t, view = tk.ones(3), tk.View(np.ones(3), (3,))
    t.exp(), t + t
    for call in (lambda: tk.exp(view), lambda: tk.add(view, t), lambda: tk.add(t, view)):
        with pytest.raises(tk.DtypeError, match=r"View|add cannot use"):
            call()


# equals NumPy


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@named(MAPS)
@laws(25)
@given(st.data())
def test_a_map_equals_numpy(row, dtype, data):
    t, values = data.draw(grids(dtype, edges=True))
    before = t.storage.copy()
    with quiet_numpy():
        want = ORACLES[row.name](values.astype(np.float64)).astype(dtype)
    got = getattr(t, row.name)()
    assert got.dtype == dtype
    assert got.is_contiguous()
    np.testing.assert_array_equal(t.storage, before)
    tiny = np.abs(want) < 1e-307  # sigmoid rounds subnormal answers to 0
    np.testing.assert_allclose(got.numpy()[tiny], want[tiny], rtol=0, atol=1e-307)
    close(got.numpy()[~tiny], want[~tiny], 4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@named(ZIPS)
@laws(25)
@given(st.data())
def test_a_zip_equals_numpy_with_broadcasting_both_ways(row, dtype, data):
    shape = data.draw(st.lists(st.integers(0, 3), max_size=4).map(tuple))
    pair = []
    for seed in (1, 2):
        cut = data.draw(st.integers(0, len(shape))) if seed == data.draw(st.integers(1, 2)) else 0
        own = tuple(1 if data.draw(st.booleans()) else n for n in shape[cut:])
        if data.draw(st.booleans()):
            values = values_for(own, seed, row.domain[seed - 1])
        else:
            values = np.random.default_rng(data.draw(st.integers(0, 99))).choice(EDGES, own)
        with quiet_numpy():
            values = values.astype(dtype)
        pair.append(laid_out(values, data.draw(places(len(own)))))
    (x, xs), (y, ys) = pair
    with quiet_numpy():
        want = ORACLES[row.name](xs, ys).astype(dtype)
    got = row(x, y)
    assert got.dtype == dtype
    assert got.shape == want.shape == tk.broadcast_shapes(x.shape, y.shape)
    close(got, want, 4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@laws(40)
@given(st.data())
def test_where_equals_numpy_with_broadcasting(dtype, data):
    shape = data.draw(st.lists(st.integers(0, 3), max_size=3).map(tuple))
    three = []
    for seed in (1, 2, 3):
        own = tuple(1 if data.draw(st.booleans()) else n for n in shape)
        own = own[data.draw(st.integers(0, len(own))) :]
        with quiet_numpy():
            values = np.random.default_rng(seed).choice(EDGES, own).astype(dtype)
        three.append(laid_out(values, data.draw(places(len(own)))))
    (c, cs), (x, xs), (y, ys) = three
    got = tk.where(c, x, y)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, np.where(cs != 0, xs, ys))
    np.testing.assert_array_equal(tk.where(cs != 0, x, ys), np.where(cs != 0, xs, ys))


def test_where_takes_its_dtype_from_what_it_chooses():
    x = tk.tensor([1, 2, 3], dtype=tk.float32)
    tiny = tk.tensor([1e-300, 0, 1])  # would be 0 in float32
    assert tk.where(tiny, x, 0.5).dtype == np.float32
    assert tk.where(tiny, x, 0.5).tolist() == [1, 0.5, 3]
    assert tk.where([1, 0, 1], x, x).dtype == np.float32
    assert tk.where(True, x, tk.tensor([[1.0], [2.0]])).dtype == np.float64
    for wrong in [("a", x, x), (x, "a", x), (x, x, None)]:
        with pytest.raises(tk.DtypeError, match="where cannot use"):
            tk.where(*wrong)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@named(REDUCES)
@laws(30)
@given(st.data())
def test_a_reduction_equals_numpy(row, dtype, data):
    t, values = data.draw(grids(dtype))
    if data.draw(st.booleans()):
        values = np.where(values > 2, 0, np.round(values)).astype(dtype)  # ties and zeros
        t, _ = laid_out(values, data.draw(places(t.ndim, stretch=False)))
    chosen = tuple(d for d in range(t.ndim) if data.draw(st.booleans()))
    single = data.draw(st.integers(-t.ndim, t.ndim - 1)) if t.ndim else None
    dim = data.draw(st.sampled_from([None, chosen, list(chosen), single]))
    keepdim = data.draw(st.sampled_from([None, True, False]))
    keep = (dim is not None) if keepdim is None else keepdim
    axis = tuple(dim) if isinstance(dim, list) else dim
    axes = tuple(range(t.ndim)) if axis is None else np.atleast_1d(axis).tolist()
    if not row.of_nothing and math.prod(t.shape[d] for d in axes) == 0:
        with pytest.raises(tk.ShapeError, match=f"{row.name} of no numbers"):
            row(t, dim, keepdim)
        return
    with quiet_numpy():
        want = np.asarray(ORACLES[row.name](values.astype(np.float64), axis=axis, keepdims=keep))
    got = getattr(t, row.name)(dim=dim, keepdim=keepdim)
    assert got.dtype == dtype
    assert got.shape == want.shape
    assert got.is_contiguous()
    if row.name in ("max", "min", "all", "any"):
        np.testing.assert_array_equal(got.numpy(), want.astype(dtype))
    else:
        # order of adding is free: bounded by the sum of sizes
        sizes = np.abs(values.astype(np.float64))
        with quiet_numpy():
            scale = ORACLES[row.name](sizes, axis=axis, keepdims=keep)
        error = np.abs(got.numpy() - want)
        limit = 100 * np.finfo(dtype).eps * scale
        assert ((error <= limit) | np.isnan(want) & np.isnan(got.numpy())).all()


@named(REDUCES)
def test_a_reduction_of_special_values_equals_numpy(row):
    rows = [[math.nan, 1, 2], [math.inf, 1, 2], [-math.inf, 3, -2], [math.inf, -math.inf, 1]]
    rows += [[-0.0, -0.0, -0.0], [1e308, 1e-308, 1.0], [2, math.nan, math.inf], [0, math.inf, 5]]
    values = np.array(rows)
    with quiet_numpy():
        for axis, layout in [(1, values), (0, values.T.copy())]:
            want = ORACLES[row.name](layout, axis=axis, keepdims=True)
            got = row(tk.tensor(layout), axis)
            np.testing.assert_array_equal(got.numpy(), want)


def test_a_reduction_of_nothing():
    empty = tk.zeros(2, 0, 3)
    assert empty.sum(1).tolist() == [[[0, 0, 0]], [[0, 0, 0]]]
    assert empty.prod().item() == 1
    assert empty.all().item() == 1
    assert math.isnan(empty.mean().item())
    assert empty.sum(0).shape == (1, 0, 3)
    assert empty.max(0).shape == (1, 0, 3)
    with pytest.raises(tk.ShapeError, match=r"shape \(2, 0, 3\) has no cells along dim 1"):
        empty.max(1)


def test_keepdim_is_true_or_false():
    t = tk.zeros(2, 3)
    for row in REDUCES:
        row(t, 0, True)  # a call that went well must not excuse one that looks alike
        for wrong in (1, 0, "no", (1,)):
            with pytest.raises(tk.DtypeError, match=r"True or False.*give them as a tuple"):
                row(t, 0, wrong)


def test_a_dim_that_is_not_there_is_refused():
    t = tk.zeros(2, 3)
    for row in REDUCES:
        with pytest.raises(tk.IndexingError, match=r"no dim 2: shape \(2, 3\) has dims 0 to 1"):
            row(t, 2)
        with pytest.raises(tk.ShapeError, match="twice"):
            row(t, (1, -1))
        for wrong in (True, 1.0, "0"):
            row(t, 1)  # a call that went well must not excuse one that looks alike
            with pytest.raises(tk.DtypeError, match="whole number"):
                row(t, wrong)


@laws(40)
@given(st.data())
def test_moves_equal_numpy_and_copy_nothing(data):
    t, values = data.draw(grids())
    order = tuple(data.draw(st.permutations(range(t.ndim))))
    moved = t.permute(order)
    np.testing.assert_array_equal(moved.numpy(), np.transpose(values, order))
    np.testing.assert_array_equal(t.permute([d - t.ndim for d in order]).numpy(), moved.numpy())
    wide = tuple(data.draw(st.lists(st.integers(0, 2), max_size=2))) + tuple(
        data.draw(st.integers(0, 3)) if n == 1 else n for n in t.shape
    )
    stretched = t.expand(wide)
    np.testing.assert_array_equal(stretched.numpy(), np.broadcast_to(values, wide))
    assert moved.storage is stretched.storage is t.storage
    copy = moved.contiguous()
    assert copy.is_contiguous()
    np.testing.assert_array_equal(copy.numpy(), moved.numpy())
    assert copy is moved if moved.is_contiguous() else copy.storage is not t.storage


def test_moves_refuse_what_does_not_fit():
    t = tk.zeros(2, 3)
    cases = [
        (lambda: t.expand(2), "cannot expand"),
        (lambda: t.expand(4, 3), "cannot expand"),
        (lambda: t.expand(-1, 3), "negative"),
        (lambda: t.permute(0, 0), "exactly once"),
        (lambda: t.permute(0), "exactly once"),
        (lambda: t.view(4, 2), "6 cells do not fill 8"),
        (lambda: t.view(-1, -1), "only one may be -1"),
        (lambda: t.view(-1, 4), "no whole length"),
        (lambda: t.view(-1, 0), "no whole length"),
        (lambda: t.view(-2, 3), "negative"),
    ]
    for call, words in cases:
        with pytest.raises(tk.ShapeError, match=words):
            call()
    assert t.view(-1).shape == (6,)
    assert t.view(3, -1).shape == (3, 2)
    assert t.view((6,)).shape == (6,)
    assert tk.tensor(5.0).permute().shape == ()
    assert tk.tensor(5.0).view(1, 1).view(()).shape == ()
    assert tk.zeros(4).permute(np.int64(0)).shape == (4,)


# equals nudging


@named(MAPS)
@laws(6)
@given(st.data())
def test_the_gradient_of_a_map_equals_nudging(row, data):
    shape = data.draw(st.sampled_from([(), (1,), (3,), (2, 3), (0, 2), (2, 1, 3), (2, 1, 2, 1, 2)]))
    (values,) = inside(row, shape, 3)
    t, _ = laid_out(values, data.draw(places(len(shape))))
    assert check_gradient(row, t).ok
    same_as_by_hand(row, t)


@named(ZIPS)
@laws(6)
@given(st.data())
def test_the_gradient_of_a_zip_equals_nudging_with_broadcasting(row, data):
    pairs = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((3, 1, 2), (2, 1))]
    shape, other = data.draw(st.sampled_from([*pairs, *((b, a) for a, b in pairs), ((1,), (0,))]))
    xs, ys = (inside(row, s, k)[k] for k, s in enumerate((shape, other)))
    x, _ = laid_out(xs, data.draw(places(len(shape))))
    y, _ = laid_out(ys, data.draw(places(len(other))))
    assert check_gradient(row, x, y).ok
    same_as_by_hand(row, x, y)


@named(REDUCES)
@laws(10)
@given(st.data())
def test_the_gradient_of_a_reduction_equals_nudging(row, data):
    shape = data.draw(st.sampled_from([(), (1,), (4,), (2, 3), (3, 1, 2), (2, 2, 1, 2)]))
    dim = data.draw(st.sampled_from([None, *range(len(shape)), tuple(range(len(shape)))[::2]]))
    keepdim = data.draw(st.sampled_from([None, True, False]))
    t, _ = laid_out(values_for(shape, 5), data.draw(places(len(shape), stretch=False)))
    assert check_gradient(lambda x: row(x, dim, keepdim), t).ok
    same_as_by_hand(lambda x: row(x, dim, keepdim), t)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.expand(4, 2, 3),
        lambda x: x.view(2, 1, 3).expand(2, 4, 3),
        lambda x: x.permute(1, 0),
        lambda x: x.view(2, 3, 1).permute(2, 0, 1),
        lambda x: x.view(6),
        lambda x: x.permute(1, 0).contiguous().view(2, 3),
        lambda x: x.permute(1, 0).contiguous(),
        lambda x: x.view(3, 2).permute(1, 0).expand(2, 2, 3) * x,
        lambda x: x.view(6).expand(2, 6).permute(1, 0).contiguous().view(4, 3),
    ],
)
def test_the_gradient_of_moves_equals_nudging(f):
    assert check_gradient(f, tk.tensor(values_for((2, 3), 9))).ok
    same_as_by_hand(f, tk.tensor(values_for((2, 3), 9)))


def test_the_undo_of_a_permutation_is_its_inverse():
    x = tk.tensor(values_for((2, 3, 4), 1), requires_grad=True)
    g = values_for((4, 2, 3), 2)
    x.permute(2, 0, 1).backward(g)
    np.testing.assert_array_equal(x.grad.numpy(), np.transpose(g, (1, 2, 0)))


def same_as_by_hand(f, *inputs):
    """Compare with central differences written here once more, apart from check_gradient."""
    leaves = [tk.tensor(t, requires_grad=True) for t in inputs]
    out = f(*leaves)
    g = values_for(out.shape, 77)
    out.backward(g)
    for k, leaf in enumerate(leaves):
        want = np.zeros(leaf.shape)
        for index in np.ndindex(leaf.shape):
            ends = []
            for h in (1e-5, -1e-5):
                moved = [np.array(t.numpy()) for t in inputs]
                moved[k][index] += h
                ends.append(f(*map(tk.tensor, moved)).numpy())
            want[index] = (g * (ends[0] - ends[1])).sum() / 2e-5
        np.testing.assert_allclose(leaf.grad.numpy(), want, rtol=1e-6, atol=1e-6)


@named([*MAPS, *SMOOTH, *REDUCES])
def test_float32_has_the_gradient_of_float64(row):
    arrays = inside(row, (3, 4), 21)
    found = []
    for dtype in (np.float64, np.float32):
        leaves = [tk.tensor(a.astype(np.float32), True, dtype) for a in arrays]
        out = row(leaves[0], 1) if row.kind == "reduce" else row(*leaves)
        out.backward(values_for(out.shape, 8).astype(np.float32))
        assert all(t.grad.dtype == t.grad.storage.dtype == dtype for t in leaves)
        found.append([t.grad.numpy() for t in leaves])
    for exact, rough in zip(*found, strict=True):
        np.testing.assert_allclose(rough, exact, rtol=3e-6, atol=1e-6)


def grad_of(f, values, g=None):
    x = tk.tensor(values, requires_grad=True)
    f(x).backward(g)
    return x.grad.tolist()


def test_ties_share_the_gradient_equally():
    assert grad_of(lambda x: x.max(1), [[2, 5, 5], [7, 7, 7], [1, 3, 2]], [[3], [-6], [5]]) == [
        [0, 1.5, 1.5],
        [-2, -2, -2],
        [0, 5, 0],
    ]
    x = tk.tensor([1.0, 2, 3], requires_grad=True)
    y = tk.tensor([1.0, 5, -3], requires_grad=True)
    x.maximum(y).backward([2.0, 3, 5])
    assert x.grad.tolist() == [1, 0, 5]
    assert y.grad.tolist() == [1, 3, 0]
    x.zero_grad_(), y.zero_grad_()
    x.minimum(y).backward([2.0, 3, 5])
    assert x.grad.tolist() == [1, 3, 0]
    assert y.grad.tolist() == [1, 0, 5]
    assert grad_of(lambda x: x.min(1), [[2, 5, 2], [7, 7, 7]], [[3], [-6]]) == [
        [1.5, 0, 1.5],
        [-2, -2, -2],
    ]


@pytest.mark.parametrize("arrives", [math.inf, -math.inf, math.nan])
def test_where_the_slope_is_0_whatever_arrives_is_0(arrives):
    """As PyTorch does: a branch not taken sends nothing, not 0 times inf."""
    g = [arrives, 2.0, arrives]
    assert grad_of(tk.relu, [-1, 3, 0], g) == [0, 2, 0]
    low, high = tk.tensor([1.0, 2, 3], True), tk.tensor([4.0, 5, 6], True)
    low.maximum(high).backward(g)
    assert low.grad.tolist() == [0, 0, 0]
    low.zero_grad_()
    tk.where([0, 0, 0], low, high).backward(g)
    assert low.grad.tolist() == [0, 0, 0]
    low.zero_grad_()
    high.minimum(low * 1).backward(g)
    np.testing.assert_array_equal(low.grad, g)
    assert grad_of(lambda x: x.max(1), [[1, 3, 2]], [[arrives]])[0][::2] == [0, 0]
    assert grad_of(lambda x: x.clip(0, 1), [-1, 0.5, 9], g) == [0, 2, 0]
    assert grad_of(tk.abs, [0, -3, 0], g) == [0, -2, 0]


@named(
    [row for row in tk.ops.TABLE if row.kind in ("map", "zip", "reduce") and row is not tk.where]
)
def test_second_derivatives_equal_nudging_the_first(row):
    def first(*inputs):
        leaves = [t if t.requires_grad else t.detach().requires_grad_() for t in inputs]
        out = row(leaves[0], 1) if row.kind == "reduce" else row(*leaves)
        if not out.requires_grad:
            return inputs[0] * 0.0
        found = tk.gradients(out, leaves, values_for(out.shape, 8), create_graph=True)
        return sum((g * w).sum() for g, w in zip(found, (2.0, -3.0), strict=False))

    arrays = inside(row, (2, 3), 21)
    leaves = [tk.tensor(a, True) for a in arrays]
    total = first(*leaves)
    got = tk.gradients(total, leaves) if total.requires_grad else [tk.zeros(2, 3) for _ in leaves]
    for k, a in enumerate(arrays):
        want = np.zeros(a.shape)
        for index in np.ndindex(a.shape):
            ends = []
            for h in (1e-5, -1e-5):
                moved = [v.copy() for v in arrays]
                moved[k][index] += h
                ends.append(first(*map(tk.tensor, moved)).item())
            want[index] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(got[k], want, rtol=1e-5, atol=1e-5)


def test_prod_with_no_one_and_two_zeros():
    f = lambda x: x.prod(1)  # noqa: E731
    rows = [[2, -3, 5], [2, 0, 5], [0, -3, 0], [0, 0, 0]]
    assert grad_of(f, rows, [[1], [-2], [3], [5]]) == [
        [-15, 10, -6],
        [0, -20, 0],
        [0, 0, 0],
        [0, 0, 0],
    ]
    assert grad_of(f, np.array(rows), [[1], [-2], [3], [5]]) == grad_of(
        lambda x: x.permute(1, 0).contiguous().permute(1, 0).prod(1), rows, [[1], [-2], [3], [5]]
    )


def test_prod_where_it_leaves_the_range_of_floats():
    f = tk.prod
    assert grad_of(f, [1e200, 1e200, 1e-300]) == pytest.approx([1e-100, 1e-100, math.inf])
    assert grad_of(f, [1e-200, 1e-200, 1e100]) == pytest.approx([1e-100, 1e-100, 0], rel=1e-12)
    assert grad_of(f, [2, math.inf, 3]) == [math.inf, 6, math.inf]
    assert grad_of(f, [5e-324, 4]) == [4, 5e-324]
    np.testing.assert_array_equal(grad_of(f, [0, math.inf, 3]), [math.inf, 0, math.nan])
    assert grad_of(lambda x: x.prod(1).sum(), [[1e200, 1e200, 1e-300], [0, 3, 4]])[1] == [12, 0, 0]
    many = tk.tensor(values_for((20001,), 3) / 9, requires_grad=True)
    many.prod().backward()  # underflows; the others of every cell in time and memory of one walk
    assert not many.grad.numpy().any()
    assert grad_of(f, 3.0) == 1


def test_slopes_at_the_edge_of_a_domain():
    assert grad_of(tk.relu, [-2, 0, 3], [2.0, 3, 5]) == [0, 0, 5]
    for base, exponent, dx, dy in [
        (0.0, 0.0, 0, 0),
        (0.0, 1.0, 1, 0),
        (0.0, 2.0, 0, 0),
        (-2.0, 3.0, 12, math.nan),
        (3.0, 0.0, 0, math.log(3)),
    ]:
        x, y = tk.tensor(base, True), tk.tensor(exponent, True)
        (x**y).backward()
        np.testing.assert_allclose([x.grad.item(), y.grad.item()], [dx, dy])


def test_flat_rows_have_gradient_zero_everywhere():
    for row in ZIPS:
        if row in SMOOTH:
            continue
        x = tk.tensor([1.0, 2, math.inf], requires_grad=True)
        y = tk.tensor([[1.0], [3.0]], requires_grad=True)
        row(x, y).backward(values_for((2, 3), 4))
        assert x.grad.tolist() == [0, 0, 0]
        assert y.grad.tolist() == [[0], [0]]
        x.grad[1] = 7  # a leaf's gradient is storage of its own, cell by cell
        assert x.grad.tolist() == [0, 7, 0]


# dtypes and operands


@named(ZIPS)
def test_dtype_rules(row):
    a64, a32 = tk.tensor([[1.5], [2.5]]), tk.tensor([0.5, 3, 2], dtype=tk.float32)
    for x, y, want in [
        (a64, a32, np.float64),
        (a32, a64, np.float64),
        (a32, 2, np.float32),
        (2.5, a32, np.float32),
        (a32, np.float64(2.5), np.float32),
        (a32, True, np.float32),
        (a32, np.array([1, 2, 3]), np.float32),
        (a32, np.array([1.0, 2, 3]), np.float64),
        (a32, np.array([1, 2, 3], np.float32), np.float32),
        (a64, np.array([1, 2, 3], np.float32), np.float64),
        (a64, np.array([1, 2, 3], ">f4"), np.float64),
    ]:
        out = row(x, y)
        assert out.dtype == out.storage.dtype == want
        close(out, ORACLES[row.name](*(np.asarray(v, want) for v in (x, y))))


def test_gradients_come_back_in_the_dtype_of_their_tensor():
    a = tk.tensor([[1.5], [2.5]], requires_grad=True)
    b = tk.tensor([0.5, 3, 2], requires_grad=True, dtype=tk.float32)
    (a * b).backward([[1.0, 2, 3], [4, 5, 7]])
    assert a.grad.dtype == np.float64
    assert b.grad.dtype == b.grad.storage.dtype == np.float32
    assert a.grad.tolist() == [[12.5], [31.0]]
    assert b.grad.tolist() == [11.5, 15.5, 22]


@pytest.mark.parametrize(
    "wrong", [1j, "1", None, np.array(["a"]), np.array([1j]), [[1], [2, 3]], 10**400]
)
def test_an_operand_that_is_no_number_is_refused(wrong):
    with pytest.raises(tk.DtypeError, match="mul cannot use"):
        tk.mul(tk.zeros(3), wrong)


def test_a_shape_error_of_an_operator_names_the_shapes():
    with pytest.raises(tk.ShapeError, match=r"\(2, 3\) with \(2, 4\).*dim 1 has lengths 3 and 4"):
        _ = tk.zeros(2, 3) * tk.zeros(2, 4)


# the laws can fail


@pytest.mark.parametrize(
    "wrong",
    [
        Zip("mul", "×", "x * y", "x", "y", latex="", about="swapped"),
        Zip("mul", "×", "x * y", "y", "1.0", latex="", about="upstream only"),
        Zip("mul", "×", "x * y", "y", "0.0", latex="", about="nothing"),
        Map("exp", "e", "exp(x)", "x", latex="", about="derivative of the wrong variable"),
        Map("tanh", "t", "tanh(x)", "1 - z", latex="", about="a square is missing"),
        Map("sigmoid", "s", "sigmoid(x)", "z * (1 - z) * 1.001", latex="", about="nearly"),
        Map("relu", "r", "0.0 if x <= 0 else x", "1.0", latex="", about="no mask"),
        Map(
            "relu",
            "r",
            "0.0 if x <= 0 else x",
            "1.0 if g > 0 else 0.0",
            latex="",
            about="mask by grad",
        ),
        Reduce("mean", "m", "t + x", "1.0", start=0.0, finish="t / n", latex="", about="sum"),
        Reduce("prod", "p", "t * x", "z", start=1.0, latex="", about="forgets to divide"),
        Reduce(
            "max",
            "m",
            "x if x > t else t",
            "1.0 if x >= 0 else 0.0",
            start=-math.inf,
            latex="",
            about="sign",
        ),
    ],
    ids=lambda row: f"{row.name}: {row.about}",
)
def test_a_wrong_derivative_is_caught(wrong):
    arrays = inside(wrong, (2, 3), 13)
    call = (lambda x: wrong(x, 1)) if wrong.kind == "reduce" else wrong
    with pytest.raises(tk.GradientError):
        check_gradient(call, *map(tk.tensor, arrays))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        same_as_by_hand(call, *map(tk.tensor, arrays))


@pytest.mark.parametrize(
    ("wrong", "formula"),
    [("sub", "y - x"), ("le", "1.0 if x < y else 0.0"), ("maximum", "x if x > y else y")],
)
def test_a_wrong_formula_is_caught(wrong, formula, monkeypatch):
    broken = Zip(wrong, "?", formula, "0.0", "0.0", latex="", about="wrong")
    x, y = tk.tensor([1.0, 2, math.nan]), tk.tensor([1.0, 3, 0])
    want = ORACLES[wrong](x.numpy(), y.numpy())
    close(ROWS[wrong](x, y), want)
    with pytest.raises(AssertionError, match="got"):
        close(broken(x, y), want)


@pytest.mark.parametrize(("power", "name"), [(2, "square"), (0.5, "sqrt"), (-1.0, "reciprocal")])
def test_a_power_that_is_a_row_of_its_own_is_that_row(power, name):
    x = tk.tensor([[0.25, 3.0, 1.7], [2.0, 0.5, 9.0]], requires_grad=True)
    for out in (x**power, tk.pow(x, power), x.pow(power)):
        assert out.ctx.function.name == name
    exponents = tk.tensor(float(power)).expand(2, 3)  # a tensor is not looked into
    slow, fast = tk.tensor(x, requires_grad=True), x**power
    (slow**exponents * tk.tensor([[1.0, -2, 3], [5, 7, -4]])).sum().backward()
    (fast * tk.tensor([[1.0, -2, 3], [5, 7, -4]])).sum().backward()
    assert (slow**exponents).ctx.function.name == "pow"
    np.testing.assert_allclose(fast, slow**exponents, rtol=1e-15)
    np.testing.assert_allclose(x.grad, slow.grad, rtol=1e-14)
