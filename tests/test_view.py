"""Views: indices, positions, layouts, and the refusal to reach outside a storage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import grids, laws, shapes

import tensorkit as tk
from tensorkit.layout import as_shape, layout, normal_dim, regrouped


@laws(60)
@given(grids())
def test_a_view_shows_its_numbers_at_their_positions(grid):
    t, values = grid
    assert t.shape == values.shape
    assert t.size == values.size
    assert t.ndim == values.ndim
    np.testing.assert_array_equal(t.numpy(), values)
    for ordinal, index in enumerate(np.ndindex(values.shape)):
        assert t.index(ordinal) == index
        assert t.storage[t.position(index)] == values[index]


@laws(40)
@given(shapes)
def test_index_and_position_undo_each_other_in_reading_order(shape):
    view = tk.View(np.arange(float(math.prod(shape))), shape)
    assert view.strides == tk.row_major(shape)
    positions = [view.position(view.index(k)) for k in range(view.size)]
    assert positions == list(range(view.size))


def test_an_index_outside_the_grid_is_refused():
    view = tk.View(np.arange(7.0), (2, 3), offset=1)
    for wrong in [(2, 0), (0, 3), (-1, 0), (0, -1)]:
        with pytest.raises(tk.IndexingError, match=r"leaves shape \(2, 3\): dim [01] goes from 0"):
            view.position(wrong)
    for wrong in [(), (1,), (0, 0, 0)]:
        with pytest.raises(tk.IndexingError, match="has 2 dims"):
            view.position(wrong)
    for wrong in [-1, 6]:
        with pytest.raises(tk.IndexingError, match="has 6 cells"):
            view.index(wrong)


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "where"),
    [
        ((2, 3), (3, 1), 1, 6),
        ((2, 3), (4, 1), 0, 6),
        ((2, 3), (3, 1), -1, -1),
        ((3,), (-1,), 1, -1),
        ((2, 2), (-2, 5), 2, 7),
        ((), (), 6, 6),
        ((1,), (99,), 6, 6),
        ((2**40, 3), (2**40, 1), 0, (2**40 - 1) * 2**40 + 2),
    ],
)
def test_strides_that_leave_the_storage_are_refused(shape, strides, offset, where):
    with pytest.raises(tk.ShapeError, match=f"reaches position {where}, .* positions 0 to 5"):
        tk.View(np.arange(6.0), shape, strides, offset)


def test_a_view_without_cells_reads_nothing_so_its_strides_are_free():
    for shape in [(0,), (0, 3), (3, 0), (2, 0, 4)]:
        view = tk.View(np.arange(2.0), shape, [50] * len(shape), 70)
        assert view.numpy().shape == shape
        assert tk.Tensor(np.arange(2.0), shape, [50] * len(shape), 70).sum().item() == 0.0


def test_every_view_that_fits_is_accepted_and_no_other():
    storage = np.arange(5.0)
    for a in range(-3, 4):
        for b in range(-3, 4):
            for offset in range(-2, 7):
                reached = [offset + i * a + j * b for i in range(2) for j in range(3)]
                if min(reached) >= 0 and max(reached) < 5:
                    view = tk.View(storage, (2, 3), (a, b), offset)
                    assert view.numpy().reshape(-1).tolist() == reached
                else:
                    with pytest.raises(tk.ShapeError):
                        tk.View(storage, (2, 3), (a, b), offset)


def test_a_storage_is_one_flat_unbroken_run():
    with pytest.raises(tk.DtypeError, match="1-D"):
        tk.View(np.zeros((2, 3)), (2, 3))
    with pytest.raises(tk.DtypeError, match="1-D"):
        tk.View([1.0, 2.0], (2,))
    with pytest.raises(tk.DtypeError, match="unbroken"):
        tk.View(np.arange(6.0)[::2], (3,))


def test_bad_shapes_and_strides_are_refused():
    with pytest.raises(tk.ShapeError, match="negative length"):
        tk.View(np.arange(6.0), (2, -3))
    with pytest.raises(tk.ShapeError, match="one stride for each dim"):
        tk.View(np.arange(6.0), (2, 3), (3,))


@pytest.mark.parametrize("wrong", [(2.5, 3), ("2", 3), (None,)])
def test_a_length_that_is_no_whole_number_is_refused_not_rounded(wrong):
    with pytest.raises(tk.DtypeError, match="whole"):
        as_shape(wrong)
    with pytest.raises(tk.DtypeError, match="whole"):
        tk.zeros(2, 3).view(*wrong)


def test_lengths_may_be_numpy_integers():
    assert as_shape(np.array([2, 3])) == (2, 3)
    assert tk.zeros(np.int64(2), np.int32(3)).view(np.int64(6)).shape == (6,)


def test_strides_and_offsets_are_not_rounded():
    with pytest.raises(tk.DtypeError, match="whole"):
        tk.View(np.arange(6.0), (2,), (1.5,))
    with pytest.raises(tk.DtypeError, match="whole"):
        tk.View(np.arange(6.0), (2,), (1,), 0.5)


def test_numpy_shares_memory_and_is_read_only():
    storage = np.arange(6.0)
    array = tk.View(storage, (3, 2), (-1, 3), 2).numpy()
    assert array.tolist() == [[2, 5], [1, 4], [0, 3]]
    assert np.shares_memory(array, storage)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 9


@pytest.mark.parametrize(
    ("shape", "strides", "expected"),
    [
        ((2, 3), (3, 1), True),
        ((2, 3), (1, 2), False),
        ((2, 1, 3), (3, 77, 1), True),
        ((1, 3), (-5, 1), True),
        ((2, 3), (0, 1), False),
        ((0, 3), (9, 9), True),
        ((), (), True),
        ((3,), (-1,), False),
        ((3,), (2,), False),
    ],
)
def test_contiguous_means_in_reading_order_without_gaps(shape, strides, expected):
    view = tk.View(np.arange(10.0), shape, strides, 5 if min(strides, default=0) < 0 else 0)
    assert view.is_contiguous() is expected


@laws(80)
@given(st.lists(st.lists(st.integers(0, 3), max_size=4).map(tuple), max_size=4))
def test_broadcast_shapes_agrees_with_numpy(several):
    try:
        expected = np.broadcast_shapes(*several)
    except ValueError:
        with pytest.raises(tk.ShapeError):
            tk.broadcast_shapes(*several)
    else:
        assert tk.broadcast_shapes(*several) == expected


@pytest.mark.parametrize(
    ("several", "words"),
    [
        (((1, 3), (1, 2)), ["(1, 3) with (1, 2)", "dim 1 has lengths 3 and 2", "operand 1"]),
        (((2, 3), (4, 3)), ["dim 0 has lengths 2 and 4", "operand 1"]),
        (((3,), (5, 1, 1), (4, 2)), ["dim 2 has lengths 3 and 2", "operand 2"]),
        (((0,), (2,)), ["dim 0 has lengths 0 and 2"]),
    ],
)
def test_a_broadcast_that_fails_names_the_dim_the_lengths_and_the_operand(several, words):
    with pytest.raises(tk.ShapeError) as caught:
        tk.broadcast_shapes(*several)
    for word in [*words, "aligned from the right", "must be equal or 1"]:
        assert word in str(caught.value)


@st.composite
def regroupings(draw):
    t, values = draw(grids())
    factors = [f for n in values.shape for f in _factors(n)] + [1] * draw(st.integers(0, 2))
    order = draw(st.permutations(factors))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    parts = np.split(np.array(order, int), cuts)
    return t, values, tuple(int(np.prod(part)) for part in parts)


def _factors(n: int) -> list[int]:
    return [2, 2] if n == 4 else [n]


def may_regroup(array, shape):
    """Whether NumPy can give the array this shape without a copy."""
    try:
        return np.reshape(array, shape, copy=False)
    except ValueError:
        return None


@laws(300)
@given(regroupings())
def test_view_needs_a_copy_exactly_when_numpy_does(case):
    t, values, shape = case
    moved = may_regroup(t.numpy(), shape)
    if moved is None:
        assert regrouped(t.layout, shape) is None
        with pytest.raises(tk.ShapeError, match="contiguous"):
            t.view(shape)
        again = t.contiguous().view(shape)
    else:
        again = t.view(shape)
        assert again.storage is t.storage
    np.testing.assert_array_equal(again.numpy(), values.reshape(shape))


def test_view_meets_both_cases_of_copying():
    t = tk.arange(24).view(2, 3, 4)
    assert t.permute(1, 0, 2).view(3, 2, 2, 2).strides == (4, 12, 2, 1)
    with pytest.raises(tk.ShapeError, match="contiguous"):
        t.permute(1, 0, 2).view(6, 4)


def test_equal_layouts_are_one_object():
    one = layout((2, 3), (3, 1), 0, np.dtype(np.float64))
    assert one is layout((2, 3), (3, 1), 0, np.dtype(np.float64))
    assert one is not layout((2, 3), (3, 1), 0, np.dtype(np.float32))
    assert "(2, 3)" in repr(one)


def test_a_dim_counts_from_either_end():
    assert [normal_dim(d, (2, 3, 4)) for d in (0, 2, -1, -3, np.int64(1))] == [0, 2, 2, 0, 1]
    for wrong in (3, -4):
        with pytest.raises(tk.IndexingError, match=r"no dim .*has dims 0 to 2"):
            normal_dim(wrong, (2, 3, 4))
    with pytest.raises(tk.IndexingError, match="has no dims"):
        normal_dim(0, ())
    for wrong in (True, 1.0, "1", None):
        with pytest.raises(tk.DtypeError, match="whole number"):
            normal_dim(wrong, (2, 3))


def test_a_view_is_read_again_without_a_copy():
    values = np.arange(24.0).reshape(2, 3, 4)
    view = tk.View(values.reshape(-1), (2, 3, 4))
    for got, want in [
        (view.permute(2, 0, 1), values.transpose(2, 0, 1)),
        (view.permute((-1, 0, 1)), values.transpose(2, 0, 1)),
        (view.view(6, -1), values.reshape(6, 4)),
        (view.permute(1, 0, 2).view(3, 1, 2, 4), values.transpose(1, 0, 2)[:, None]),
        (
            view.view((2, 1, 12)).expand(5, 2, 3, 12),
            np.broadcast_to(values.reshape(2, 1, 12), (5, 2, 3, 12)),
        ),
    ]:
        assert type(got) is tk.View
        assert got.storage is view.storage
        np.testing.assert_array_equal(got.numpy(), want)
    for wrong in (
        lambda: view.permute(0, 1),
        lambda: view.expand(2, 3, 5),
        lambda: view.view(5, 5),
        lambda: view.permute(1, 0, 2).view(24),
    ):
        with pytest.raises(tk.ShapeError):
            wrong()


def test_a_view_says_how_it_reads_its_storage():
    view = tk.View(np.arange(6.0), (3, 2), (1, 3))
    assert repr(view) == "View(shape=(3, 2), strides=(1, 3), offset=0, float64)"
