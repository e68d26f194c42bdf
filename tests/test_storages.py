"""Large storages are used again, and only those that nobody can reach any more."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest

import tensorkit as tk
from tensorkit import storages

N = storages.LARGE
F64 = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def _nothing_kept():
    # what other tests still hold is not forgotten, only set aside
    before, storages.kept = storages.kept, {}
    yield
    storages.kept = before


def address(array):
    return array.__array_interface__["data"][0]


def test_what_nobody_uses_is_used_again():
    first = storages.reused(N, F64)
    at = address(first)
    assert first.shape == (N,)
    assert first.dtype == F64
    assert address(storages.reused(N, F64)) != at
    del first
    assert at in {address(storages.reused(N, F64)), address(storages.reused(N, F64))}


HOLDERS = {
    "the storage": lambda t: t.storage,
    "a tensor": lambda t: t,
    "a view": lambda t: t.view(2, N // 2).permute(1, 0)[3:5],
    "an array": lambda t: t.numpy(),
    "a slice of an array": lambda t: t.numpy()[5:9].reshape(2, 2),
    "a window on memory": lambda t: memoryview(t.storage)[7:9],
    "an array over DLPack": np.from_dlpack,
    "an array that asks": lambda t: np.asarray(t)[::7],
    "an iterator": lambda t: iter(t.storage),
    "a graph": lambda t: (t * tk.ones(N, requires_grad=True)).sum(),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_somebody_can_reach_is_not_used_again(holder):
    t = tk.full((N,), 2.0) + 1.0
    at = address(t.storage)
    held = HOLDERS[holder](t)
    del t
    later = [storages.reused(N, F64) for _ in range(4)]
    assert at not in map(address, later)
    assert len({address(a) for a in later}) == 4
    del held


def test_a_result_survives_whatever_is_computed_after_it():
    x = tk.tensor(np.linspace(-3, 3, N), requires_grad=True)
    kept, want = [], []
    for k in range(1, 6):
        out = (x * float(k)).tanh()
        out.backward(np.ones(N))
        kept.append((out, x.grad))
        want.append((np.tanh(k * x.numpy()), k * (1 - np.tanh(k * x.numpy()) ** 2)))
        x.grad = None
    for got, expected in zip(kept, want, strict=True):
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_small_storages_are_left_to_the_c_library():
    _ = tk.ones(N - 1) + 1.0
    assert not storages.kept


def test_no_more_is_kept_than_allowed(monkeypatch):
    monkeypatch.setattr(storages, "MOST", 3 * 8 * N)
    in_use = [storages.reused(N, F64) for _ in range(5)]
    assert storages.held() == 3 * 8 * N
    assert len({address(a) for a in in_use}) == 5
    watched = [weakref.ref(memory) for memory in storages.kept[N, F64]]
    del in_use
    large = storages.reused(2 * N, F64)  # the others make room for it
    assert storages.held() == large.nbytes
    assert [ref() for ref in watched] == [None] * 3
    assert storages.reused(4 * N, F64).size == 4 * N
    assert storages.held() == large.nbytes


def test_threads_never_share_a_storage():
    wrong = []

    def work(number):
        for _ in range(300):
            mine = storages.reused(N, F64)
            mine[::997] = number
            for _ in range(20):
                if (mine[::997] != number).any():
                    wrong.append(number)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
