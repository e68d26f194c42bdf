"""NumPy functions on tensors, shared memory, and files of numbers only."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit.interop import REDUCTIONS, UFUNCS


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda u: u.__name__)
def test_a_numpy_function_is_the_row_of_the_table(ufunc):
    values = values_for((3, 3), 1, (0, 9))
    other = values_for((3, 3), 2, (0, 9))
    x = tk.tensor(values, requires_grad=True)
    rest = [other] * (ufunc.nin - 1)
    out = ufunc(x, *rest)
    assert isinstance(out, tk.Tensor)
    assert out.requires_grad
    np.testing.assert_allclose(out, ufunc(values, *rest), rtol=1e-14)
    if rest:
        swapped = ufunc(other, x)
        np.testing.assert_allclose(swapped, ufunc(other, values), rtol=1e-14)
        assert swapped.ctx is not None


def test_an_array_on_the_left_keeps_the_graph():
    x = tk.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)
    out = np.array([1.0, 10, 100]) * x + np.float64(2) - np.ones((2, 1))
    assert isinstance(out, tk.Tensor)
    out.backward([[1.0, 2, 3], [4, 5, 7]])
    assert x.grad.tolist() == [[1, 20, 300], [4, 50, 700]]
    x.zero_grad_()
    (np.eye(2) @ x).backward([[1.0, 2, 3], [4, 5, 7]])
    assert x.grad.tolist() == [[1, 2, 3], [4, 5, 7]]


def test_functions_that_are_no_rows_get_the_numbers_unless_history_would_be_lost():
    x = tk.tensor([1.0, 100])
    assert np.log10(x).tolist() == [0, 2]
    assert np.isfinite(x * x).all()
    total = np.ones(2)
    total += x
    assert total.tolist() == [2, 101]
    tracked = tk.tensor([1.0, 100], requires_grad=True)
    assert np.isfinite(tracked).all()
    with pytest.raises(tk.DtypeError, match=r"np.log10 .* would not be on the graph"):
        np.log10(tracked)
    with pytest.raises(tk.DtypeError):
        total += tracked
    assert total.tolist() == [2, 101]
    with pytest.raises(tk.DtypeError):
        np.exp(x.numpy(), out=x)


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_numpy_reductions_are_rows_with_numpys_defaults(function):
    values = values_for((2, 3), 1)
    x = tk.tensor(values, requires_grad=True)
    for settings in [{}, {"axis": 1}, {"axis": (0, 1)}, {"axis": 0, "keepdims": True}]:
        got = function(x, **settings)
        assert isinstance(got, tk.Tensor)
        assert got.requires_grad
        np.testing.assert_allclose(got, function(values, **settings), rtol=1e-13)
        assert got.shape == np.shape(function(values, **settings))
    with pytest.raises(tk.DtypeError, match=r"takes axis and keepdims, not \['out'\]"):
        function(x, out=values)


def test_ddof_and_other_functions():
    values = values_for((2, 3), 1)
    x = tk.tensor(values, requires_grad=True)
    np.testing.assert_allclose(np.std(x, 1, ddof=1), np.std(values, 1, ddof=1))
    assert np.median(x) == np.median(values)
    assert np.allclose(x, values)
    assert np.argmax(x) == np.argmax(values)
    assert np.concatenate([x, values]).shape == (4, 3)
    assert np.shape(x) == (2, 3)


def test_dlpack_hands_memory_over_without_a_copy():
    t = tk.tensor(values_for((2, 3), 1)).permute(1, 0)
    array = np.from_dlpack(t)
    np.testing.assert_array_equal(array, t)
    t[0, 1] = 77.0
    assert array[0, 1] == 77
    back = tk.from_dlpack(array)
    back[2, 0] = 55.0
    assert t.tolist()[2][0] == 55
    assert np.shares_memory(back.storage, t.storage)
    assert tk.from_dlpack(t.flip()).tolist() == t.flip().tolist()
    assert tk.from_dlpack(np.float32([1, 2])).dtype == np.float32


def test_memory_is_shared_outside_the_graph_only():
    x = tk.tensor([1.0, 2], requires_grad=True)
    with pytest.raises(tk.GraphError, match="detach"):
        np.from_dlpack(x)
    np.from_dlpack(x.detach())
    for wrong in (np.arange(3), [1.0], "x", np.ones(2, complex)):
        with pytest.raises(tk.DtypeError):
            tk.from_dlpack(wrong)


def test_from_numpy_shares_memory_in_any_order_of_dims():
    base = values_for((2, 3, 4), 1)
    for array in [
        base, base.T, np.asfortranarray(base), base[::-1, :, ::2], np.asfortranarray(base)[:, 1:],
        base.transpose(1, 2, 0).copy("K"), np.broadcast_to(base[0], (5, 3, 4)),
        base[:, :0], base[0, 0, 0:1],
    ]:  # fmt: skip
        t = tk.from_numpy(array)
        np.testing.assert_array_equal(t, array)
        assert np.shares_memory(t.storage, array) or not array.size
    fortran = np.asfortranarray(base)
    tk.from_numpy(fortran)[1, 2, 3] = 99.0
    assert fortran[1, 2, 3] == 99
    for wrong in (np.arange(3), (base + 1j).real, [1.0], base.astype(">f8")):
        with pytest.raises(tk.DtypeError):
            tk.from_numpy(wrong)


def test_files_hold_numbers_only(tmp_path):
    tensors = {
        "a": tk.tensor(values_for((2, 3), 1)).permute(1, 0),
        "layer.b": tk.tensor([1, 2], dtype=tk.float32, requires_grad=True),
        "file": tk.tensor(3.0),
        "empty": tk.zeros(0, 2),
    }
    tk.save(tmp_path / "t.npz", tensors)
    back = tk.load(str(tmp_path / "t.npz"))
    assert back.keys() == tensors.keys()
    for name, t in tensors.items():
        np.testing.assert_array_equal(back[name], t)
        assert back[name].dtype == t.dtype
        assert back[name].shape == t.shape
    with pytest.raises(tk.DtypeError, match="'w' is list"):
        tk.save(tmp_path / "u.npz", {"w": [1.0]})
    assert not (tmp_path / "u.npz").exists()
    np.savez(tmp_path / "evil.npz", x=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        tk.load(tmp_path / "evil.npz")
    (tmp_path / "p.npz").write_bytes(pickle.dumps([1]))
    with pytest.raises(ValueError, match="pickle"):
        tk.load(tmp_path / "p.npz")
