"""Indexing: NumPy's cells, on any layout; gradients go back to where the cells came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import grids, laws, values_for

import tensorkit as tk
from tensorkit.checks import check_gradient


@st.composite
def basic(draw, shape):
    """Draw an index of ints, slices, None and Ellipsis that fits a shape."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        part = st.slices(n) if not n or draw(st.booleans()) else st.integers(-n, n - 1)
        parts.append(draw(part))
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(...)
    return tuple(parts) if len(parts) != 1 or draw(st.booleans()) else parts[0]


@laws(300)
@given(st.data())
def test_an_index_without_arrays_equals_numpy_and_copies_nothing(data):
    t, values = data.draw(grids())
    index = data.draw(basic(t.shape))
    got = t[index]
    np.testing.assert_array_equal(got, values[index])
    assert got.shape == np.shape(values[index])
    assert got.storage is t.storage
    if got.size:
        assert 0 <= got.layout.low <= got.layout.high < t.storage.size
    # what was made from a view reads the right cells
    np.testing.assert_array_equal(got * 2 + 1, values[index] * 2 + 1)
    np.testing.assert_allclose(got.sum(), values[index].sum(), atol=1e-12)
    again = data.draw(basic(got.shape))
    np.testing.assert_array_equal(got[again], values[index][again])


@laws(120)
@given(st.data())
def test_an_index_with_arrays_equals_numpy(data):
    t, values = data.draw(grids())
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    if data.draw(st.booleans()) or 0 in t.shape or not t.ndim:
        index = rng.random(t.shape) < 0.5
    else:
        shape = data.draw(st.sampled_from([(), (2,), (3, 1), (0,)]))
        index = tuple(rng.integers(-n, n, shape) for n in t.shape[: data.draw(st.integers(1, 3))])
    got = t[index]
    assert got.is_contiguous()
    np.testing.assert_array_equal(got, values[index])


INDICES = [
    0, -1, (1, 2), slice(None, None, 2), slice(None, None, -1), (slice(None), slice(2, 0, -1)),
    (None, 0), (..., 1), (0, ..., None), [0, 1, 0], (slice(None), [1, 1, 0, 1]),
    ([0, 1, 1], [2, 2, 2]), ([0, 1], slice(None, None, -2)), (np.array([[0], [1]]), [2, 0]),
    np.array([[True, False, True], [False, True, True]]), (slice(0, 0),), [], (..., np.array(1)),
    True, [True, False],
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_gradients_add_up_where_a_cell_was_read_twice(index):
    values = values_for((2, 3), 3)
    x = tk.tensor(values, requires_grad=True)
    out = x[index]
    weights = values_for(out.shape, 4)
    out.backward(weights)
    want = np.zeros((2, 3))
    np.add.at(want, index, weights)
    np.testing.assert_array_equal(x.grad, want)
    if out.size:
        assert check_gradient(lambda x: x[index], tk.tensor(values)).ok
        assert check_gradient(lambda x: x[index], tk.tensor(values).permute(1, 0).flip(0).T).ok


def test_backward_knows_the_index_as_it_was():
    x = tk.tensor([1.0, 2, 3], requires_grad=True)
    places, mask, plain = np.array([0, 2]), np.array([True, False, True]), [0, 2]
    for index in (places, mask, plain, (places,)):
        x.zero_grad_()
        out = x[index]
        places[:], mask[:], plain[:] = 1, False, [1, 1]
        out.backward([5.0, 7.0])
        assert x.grad.tolist() == [5, 0, 7]
        places[:], mask[:], plain[:] = [0, 2], [True, False, True], [0, 2]


def test_an_index_that_does_not_fit_is_refused():
    t = tk.zeros(2, 3)
    for index in (
        2,
        (0, 3),
        (0, 0, 0),
        [0, 2],
        np.ones(3, bool),
        1.5,
        "a",
        slice(0.5),
        [[0], [0, 1]],
    ):
        with pytest.raises(tk.IndexingError):
            t[index]
    with pytest.raises(tk.IndexingError, match=r"shape \(\)"):
        tk.tensor(1.0)[0]
    with pytest.raises(tk.IndexingError):
        t["a"] = 1.0


def test_a_tensor_is_no_index():
    """Its floats could be a mask, as 0 and 1, or positions."""
    t = tk.tensor([5.0, 6, 7])
    for index in (t > 5, (t > 5,), tk.tensor([0.0, 1])):
        with pytest.raises(tk.DtypeError, match=r"mask.numpy\(\) != 0"):
            t[index]
        with pytest.raises(tk.DtypeError, match=r"mask.numpy\(\) != 0"):
            t[index] = 0.0
    assert t[(t > 5).numpy() != 0].tolist() == [6, 7]
    assert t[t.argmax().numpy().astype(int)].item() == 7


def test_index_of_an_ordinal_is_still_there():
    assert tk.zeros(2, 3).index(4) == (1, 1)


def test_writing_through_an_index_is_outside_the_graph():
    t = tk.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)
    t[::-1, [0, 2]] = [[10, 20], [30, 40]]
    assert t.tolist() == [[30, 2, 40], [10, 5, 20]]
    t[t.numpy() > 25] = 0
    assert t.tolist() == [[0, 2, 0], [10, 5, 20]]
    assert t.is_leaf
    view = tk.tensor([1.0, 2, 3, 4])[::-2]
    view[0] = 9.0
    assert view.storage.tolist() == [1, 2, 3, 9]
    with pytest.raises(tk.InPlaceError, match="computed from others"):
        t[0][0] = 1.0


def test_a_write_through_a_view_is_noticed_by_backward():
    x = tk.tensor([1.0, 2, 3], requires_grad=True)
    y = (x * x).sum()
    x.detach()[1:][0] = 7.0
    with pytest.raises(tk.InPlaceError):
        y.backward()
    z = (x * x)[::-1].sum()
    x.detach().flip()[0] = 7.0
    with pytest.raises(tk.InPlaceError):
        z.backward()


def test_scatter_puts_cells_among_zeros():
    g = tk.tensor([1.0, 10, 100], requires_grad=True)
    out = tk.scatter(g, [2, 0, 2], (4,))
    assert out.tolist() == [10, 0, 101, 0]
    out.backward([1.0, 2, 3, 5])
    assert g.grad.tolist() == [3, 1, 3]
    assert check_gradient(lambda g: tk.scatter(g, (slice(None, None, -1), 1), (3, 2)), g).ok
    with pytest.raises(tk.ShapeError, match=r"have shape \(2,\)"):
        tk.scatter(g, [0, 1], (4,))
    with pytest.raises(tk.IndexingError):
        tk.scatter(g, [0, 1, 4], (4,))
    with pytest.raises(tk.ShapeError, match="negative"):
        tk.scatter(g, [0, 1, 2], (-4,))


def test_cat_joins_and_cuts():
    a, b = tk.tensor(values_for((2, 3), 1)), tk.tensor(values_for((2, 1), 2))
    np.testing.assert_array_equal(tk.cat([a, b, a], 1), np.concatenate([a, b, a], 1))
    assert check_gradient(lambda a, b: tk.cat([a, b, a * b], -1), a, b).ok
    assert check_gradient(lambda a: tk.cat([a.T.flip(0), a.T], 0), a).ok
    assert tk.cat([tk.zeros(0, 2), tk.ones(1, 2)]).tolist() == [[1, 1]]
    for wrong in ([a, tk.zeros(3, 1)], [a, tk.zeros(2)], []):
        with pytest.raises(tk.ShapeError):
            tk.cat(wrong, 1)
    with pytest.raises(tk.IndexingError):
        tk.cat([a, a], 2)


def test_cat_of_two_dtypes_gives_each_its_own_back():
    a = tk.tensor([1.0, 2], requires_grad=True)
    b = tk.tensor([3], requires_grad=True, dtype=tk.float32)
    out = tk.cat([a, b])
    assert out.dtype == np.float64
    out.backward([1.0, 2, 3])
    assert (a.grad.dtype, b.grad.dtype) == (np.float64, np.float32)
    assert b.grad.tolist() == [3]
