"""Tensor: making, reading and changing it, and its operators beside numbers and arrays."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from oracles import grids, laws, values_for

import tensorkit as tk

# making


@pytest.mark.parametrize(
    "data",
    [2.5, 3, True, [1, 2.5, -3], [[1, 2, 3], [4, 5, 6]], [[[]]], [], np.arange(6).reshape(2, 3),
     np.float32(1.5), np.array([True, False]), range(4), ((1, 2), (3, 4)),
     np.array([1, 2], ">f8"), np.arange(12.0).reshape(3, 4).T[::-2]],
)  # fmt: skip
def test_a_tensor_holds_a_copy_of_numbers_of_any_kind(data):
    t = tk.tensor(data)
    want = np.array(data, dtype=np.float64)
    assert t.dtype == t.storage.dtype == np.float64
    assert t.shape == want.shape
    assert t.is_contiguous()
    assert not np.shares_memory(t.storage, np.asarray(data))
    np.testing.assert_array_equal(t.numpy(), want)
    assert t.tolist() == want.tolist()


@laws(30)
@given(grids())
def test_a_tensor_of_a_tensor_is_a_copy_in_order(grid):
    t, values = grid
    made = tk.tensor(t, requires_grad=True)
    assert made.is_contiguous()
    assert made.storage is not t.storage
    assert made.is_leaf
    assert made.requires_grad
    np.testing.assert_array_equal(made.numpy(), values)
    np.testing.assert_array_equal(np.asarray(t), values)


def test_what_is_no_grid_of_real_numbers_is_refused():
    for wrong in (1j, "one", None, ["a"], {"a": 1}, np.array([1j]), object(), 10**400):
        with pytest.raises(tk.DtypeError, match="real numbers"):
            tk.tensor(wrong)
    with pytest.raises(tk.ShapeError, match="unequal lengths"):
        tk.tensor([[1, 2], [3]])
    for wrong in (int, np.int64, "float16", complex, ">f8", "nonsense"):
        with pytest.raises(tk.DtypeError, match=r"use tk.float64 or tk.float32"):
            tk.tensor([1.0], dtype=wrong)
    for fine in (np.float32, "float32", np.dtype("f4"), tk.float32):
        assert tk.tensor([1.5], dtype=fine).dtype == tk.float32


def test_a_storage_of_no_floats_makes_no_tensor():
    for storage in (
        np.arange(6),
        np.array([True, False]),
        np.zeros(2, ">f8"),
        np.zeros(2, complex),
    ):
        with pytest.raises(tk.DtypeError, match="float64 or float32"):
            tk.Tensor(storage, (2,))


def test_makers():
    assert tk.zeros(2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert tk.ones((3, 1)).tolist() == [[1], [1], [1]]
    assert tk.full((2,), 7.5).tolist() == [7.5, 7.5]
    assert tk.full(2, 7).tolist() == [7, 7]
    assert tk.zeros().tolist() == 0
    assert tk.zeros(0, 3).shape == (0, 3)
    assert tk.arange(4).tolist() == [0, 1, 2, 3]
    assert tk.arange(1, 2, 0.25).tolist() == [1, 1.25, 1.5, 1.75]
    assert tk.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert tk.rand(2, 3, seed=4).tolist() == tk.rand((2, 3), seed=4).tolist()
    assert tk.randn(5, seed=4).tolist() != tk.randn(5, seed=5).tolist()
    assert (
        0
        <= tk.rand(1000, seed=1).numpy().min()
        < 0.1
        < 0.9
        < tk.rand(1000, seed=1).numpy().max()
        < 1
    )
    assert abs(tk.randn(4000, seed=1).mean().item()) < 0.1
    assert tk.rand(2, requires_grad=True).requires_grad
    assert tk.ones(2, dtype=tk.float32).dtype == tk.float32
    with pytest.raises(tk.ShapeError, match="negative"):
        tk.zeros(2, -1)


# sharing memory with NumPy


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "pick",
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[::-1, 1:],
        lambda a: a[1:, ::2],
        lambda a: a[2],
        lambda a: a[..., None],
        lambda a: np.broadcast_to(a[:, :1], (3, 5)),
        lambda a: a[:0],
        lambda a: a[1, 2, ...],
        lambda a: a[1:][1:, ::-1],
    ],
)
def test_from_numpy_shares_memory(pick, dtype):
    owner = values_for((3, 4), 2).astype(dtype)
    array = pick(owner)
    t = tk.from_numpy(array)
    assert t.shape == array.shape
    assert t.dtype == dtype
    np.testing.assert_array_equal(t.numpy(), array)
    owner += 1
    np.testing.assert_array_equal(t.numpy(), array)


def test_from_numpy_refuses_what_it_cannot_share():
    record = np.zeros(4, [("a", "f8"), ("b", "i4")])
    raw = np.zeros(33, np.uint8)[1:].view(np.float64)
    for wrong in (np.arange(3), [1.0], 2.0, np.zeros(3, ">f8"), np.zeros(2, "f2"), record["a"]):
        with pytest.raises(tk.DtypeError, match=r"use tk.tensor"):
            tk.from_numpy(wrong)
    with pytest.raises(tk.DtypeError, match="aligned"):
        tk.from_numpy(raw)


def test_numpy_reads_a_tensor_without_a_copy_and_cannot_write():
    t = tk.tensor([[1.0, 2, 3], [4, 5, 6]]).permute(1, 0)
    array = np.asarray(t)
    assert np.shares_memory(array, t.storage)
    assert array.strides == (8, 24)
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    copied = np.array(t)
    copied[0, 0] = 99
    assert t.tolist()[0][0] == 1
    with pytest.raises(ValueError, match="copy"):
        np.asarray(t, dtype=np.float32, copy=False)


# operators

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS, ids=lambda op: op.__name__)
def test_operators_take_numbers_and_arrays_on_either_side(op):
    values = np.array([[0.5, 2, 3], [1.5, 0.25, 4]])
    t = tk.tensor(values)
    others = [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.array(2.0)]
    others += [np.array([2.0, 3, 1]), np.array([[2], [3]]), tk.tensor([[2.0], [3]])]
    for other in others:
        plain = np.asarray(other, dtype=np.float64)
        for got, want in ((op(t, other), op(values, plain)), (op(other, t), op(plain, values))):
            assert type(got) is tk.Tensor, type(other)
            np.testing.assert_allclose(got.numpy(), want.astype(float), rtol=1e-15)


@pytest.mark.parametrize("op", ARITHMETIC, ids=lambda op: op.__name__)
def test_operators_leave_what_they_do_not_know_to_python(op):
    class Other:
        def answer(self, other):
            return "mine"

        __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = answer
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = answer

    t = tk.tensor([1.0, 2])
    assert op(t, Other()) == op(Other(), t) == "mine"
    for wrong in ("a", None, [1.0, 2.0], 1j):
        with pytest.raises(TypeError):
            op(t, wrong)
        with pytest.raises(TypeError):
            op(wrong, t)


def test_operators_keep_the_graph_on_either_side():
    for build in (
        lambda x: np.array([2.0, 3, 5]) * x,
        lambda x: x * np.array([2.0, 3, 5]),
        lambda x: np.array([2, 3, 5]) * x,
    ):
        x = tk.tensor([1.0, 2, 4], requires_grad=True)
        build(x).sum().backward()
        assert x.grad.tolist() == [2, 3, 5]
    x = tk.tensor([1.0, 2, 4], requires_grad=True)
    (1 / x - 2**x + x**2 - x).sum().backward()
    v = np.array([1.0, 2, 4])
    np.testing.assert_allclose(x.grad.numpy(), -1 / v**2 - 2**v * math.log(2) + 2 * v - 1)
    assert (-x).tolist() == [-1, -2, -4]


def test_adding_in_place_makes_a_new_tensor():
    x = tk.tensor([1.0, 2], requires_grad=True)
    y = x
    y += 1
    assert x.tolist() == [1, 2]
    assert y.tolist() == [2, 3]
    assert y is not x


def test_tensors_are_hashed_by_identity():
    a, b = tk.tensor([1.0]), tk.tensor([1.0])
    assert len({a, b, a}) == 2


# reading


def test_one_number():
    for one in (tk.tensor(2.5), tk.tensor([[2.5]]), tk.tensor([1.0, 2.5]).view(2, 1).permute(1, 0)):
        if one.size == 1:
            assert one.item() == float(one) == 2.5
            assert type(one.item()) is float
            assert bool(one) is True
    assert not tk.tensor(0.0)
    last = tk.Tensor(np.array([1.0, 2.0, 7.5]), (1, 1), (9, -9), 2)
    assert last.item() == 7.5
    for many in (tk.zeros(2), tk.zeros(0), tk.zeros(1, 3)):
        for read in (tk.Tensor.item, float, bool):
            with pytest.raises(tk.ShapeError, match=r"one element|neither true nor false"):
                read(many)


def test_length_is_that_of_the_first_dim():
    assert len(tk.zeros(3, 2)) == 3
    assert len(tk.zeros(0, 2)) == 0
    with pytest.raises(TypeError, match="0-d"):
        len(tk.tensor(1.0))


def test_a_loop_over_a_tensor_goes_along_its_first_dim():
    t = tk.tensor([[1.0, 2], [3, 4]], requires_grad=True)
    first, second = t
    assert (first.tolist(), second.tolist()) == ([1, 2], [3, 4])
    (first * second).sum().backward()
    assert t.grad.tolist() == [[3, 4], [1, 2]]
    with pytest.raises(TypeError, match="0-d"):
        list(tk.tensor(1.0))


def test_a_dtype_in_place_of_requires_grad_is_refused():
    with pytest.raises(tk.DtypeError, match=r"requires_grad is True or False.*dtype=tk.float32"):
        tk.tensor([1.0], tk.float32)
    assert tk.tensor([1.0], np.True_).requires_grad is True


def test_where_as_a_method_keeps_the_tensor_where_the_condition_holds():
    t = tk.tensor([1.0, 2, 3], requires_grad=True)
    chosen = t.where(t.numpy() > 1, -1.0)
    assert chosen.tolist() == [-1, 2, 3]
    chosen.backward([5.0, 7, 9])
    assert t.grad.tolist() == [0, 7, 9]


def test_lists_and_floats():
    assert tk.tensor([[1, 2], [3, 4.5]]).permute(1, 0).tolist() == [[1, 3], [2, 4.5]]
    assert tk.tensor(2).tolist() == 2.0
    assert tk.zeros(0, 2).tolist() == []


def test_repr():
    assert repr(tk.tensor(2.5)) == "tensor(2.5)"
    assert repr(tk.tensor([1, 2.5], requires_grad=True)) == "tensor([1. , 2.5], requires_grad=True)"
    assert repr(tk.tensor([1], dtype=tk.float32)) == "tensor([1.], dtype=float32)"
    x = tk.tensor([[1, 2], [3, 4]], requires_grad=True)
    assert repr(x * 2) == "tensor([[2., 4.],\n        [6., 8.]], from=mul)"
    assert repr(tk.zeros(2, 0)) == "tensor([], shape=(2, 0))"
    assert repr(tk.tensor([1, 2, 3]).view(3, 1).expand(3, 2)).count("2.") == 2
    assert "..." in repr(tk.zeros(30, 30))
    assert eval(repr(tk.tensor([[1.5, -2]])), {"tensor": tk.tensor}).tolist() == [[1.5, -2]]


# changing in place


def test_cells_are_overwritten_with_the_rules_of_numpy():
    t, values = tk.zeros(2, 3, 4), np.zeros((2, 3, 4))
    for index, new in [
        ((0, 1, 2), 5),
        ((slice(None), 1), [1, 2, 3, 4]),
        ((..., -1), [[7], [8]]),
        ((1, slice(None, None, -1), [0, 2]), np.arange(6).reshape(2, 3)),
        (values > 6, -1),
        (..., tk.tensor([[1.0], [2], [3]])),
    ]:
        t[index] = new
        values[index] = np.asarray(new)
        np.testing.assert_array_equal(t.numpy(), values)


def test_a_write_through_a_view_is_seen_by_all():
    t = tk.tensor([[1.0, 2, 3], [4, 5, 6]])
    t.permute(1, 0)[2, 0] = 9
    assert t.tolist() == [[1, 2, 9], [4, 5, 6]]
    t.view(6).copy_(range(6))
    assert t.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert t.copy_(t.permute(1, 0).contiguous().view(2, 3)) is t
    assert t.tolist() == [[0, 3, 1], [4, 2, 5]]


def test_an_overlapping_copy_reads_before_it_writes():
    t = tk.Tensor(np.arange(5.0), (4,), offset=1)
    t.copy_(tk.Tensor(t.storage, (4,)))
    assert t.storage.tolist() == [0, 0, 1, 2, 3]


def test_writes_that_cannot_be_are_refused_and_change_nothing():
    t = tk.tensor([[1.0, 2, 3], [4, 5, 6]])
    before = t.tolist()
    with pytest.raises(tk.IndexingError, match=r"index \(2, 0\) does not fit \(2, 3\)"):
        t[2, 0] = 1
    with pytest.raises(tk.ShapeError, match="do not fit"):
        t[0] = [1, 2]
    for wrong in ("a", 1j, None):
        with pytest.raises(tk.TensorkitError):
            t[0] = wrong
    with pytest.raises(tk.InPlaceError, match="expanded"):
        t.view(2, 1, 3).expand(2, 4, 3)[0, 0, 0] = 1
    assert t.tolist() == before
    t.view(2, 1, 3).expand(2, 1, 3)[0, 0, 0] = 7
    assert t.tolist()[0] == [7, 2, 3]


def test_memory_that_is_read_only_stays_as_it_is():
    array = np.arange(3.0)
    array.flags.writeable = False
    t = tk.from_numpy(array)
    with pytest.raises(tk.InPlaceError, match="read-only"):
        t[0] = 5
    assert (t + 1).tolist() == [1, 2, 3]


def test_copies_and_pickles_are_tensors_of_their_own():
    x = tk.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)
    (x * x).sum().backward()
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.tolist() == x.tolist()
        assert twin.requires_grad
        assert twin.grad.tolist() == x.grad.tolist()
        assert not np.shares_memory(twin.storage, x.storage)
        (twin.permute(1, 0) * 2).sum().backward()
        assert twin.grad.tolist() == (x.grad + 2).tolist()


def test_attributes():
    x = tk.Tensor(np.arange(12.0, dtype=np.float32), (3, 2), (1, 4), 2)
    assert (x.shape, x.strides, x.offset, x.ndim, x.size) == ((3, 2), (1, 4), 2, 2, 6)
    assert x.dtype == tk.float32
    assert x.tolist() == [[2, 6], [3, 7], [4, 8]]
    with pytest.raises(AttributeError):
        _ = x.nonsense
    assert {"sum", "Tensor", "check_gradient", "no_grad"} <= set(dir(tk))
    assert tk.check_gradient.__name__ == "check_gradient"


# sizes that overflow


def test_sizes_beyond_an_integer_are_refused_before_any_loop():
    huge = tk.tensor(1.0).expand(2**40, 2**40)
    assert huge.size == 2**80
    for use in (huge.sum, huge.contiguous, huge.exp, lambda: huge * 2):
        with pytest.raises(tk.ShapeError, match="cells"):
            use()


def test_a_method_of_the_table_is_documented_without_ragged_lines():
    lines = tk.Tensor.sum.__doc__.splitlines()
    assert lines[0] == "Add up."
    assert not any(line.startswith(" ") for line in lines)
