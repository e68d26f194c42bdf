"""Random numbers: one shared generator that can be seeded, or one that you hold."""

from __future__ import annotations

import numpy as np
import pytest

import tensorkit as tk


def test_a_seed_repeats_the_run():
    tk.manual_seed(3)
    first = tk.rand(2, 3), tk.randn(4), tk.ones(50).dropout(0.5)
    tk.manual_seed(3)
    again = tk.rand(2, 3), tk.randn(4), tk.ones(50).dropout(0.5)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert tk.rand(2, 3).tolist() != first[0].tolist()


def test_a_generator_of_ones_own_is_apart_from_the_shared_one():
    own = tk.Generator(5)
    a = tk.rand(3, generator=own)
    tk.manual_seed(1)
    shared = tk.rand(3)
    tk.manual_seed(1)
    tk.rand(100, generator=own)
    np.testing.assert_array_equal(tk.rand(3), shared)
    np.testing.assert_array_equal(tk.rand(3, generator=own.manual_seed(5)), a)
    np.testing.assert_array_equal(tk.rand(3, seed=5), a)
    with pytest.raises(tk.DtypeError, match="not both"):
        tk.rand(3, generator=own, seed=5)


def test_what_is_drawn_is_numpys_pcg64():
    np.testing.assert_array_equal(
        tk.randn(2, 2, seed=8), np.random.default_rng(8).standard_normal((2, 2))
    )
    many = tk.rand(10_000, seed=2).numpy()
    assert 0 <= many.min() < 0.01 < 0.99 < many.max() < 1
    assert tk.rand(2, seed=1, dtype=tk.float32).dtype == np.float32
    assert tk.randn((2, 3), requires_grad=True).requires_grad


def test_the_state_of_numpy_is_left_alone():
    np.random.seed(4)
    want = np.random.random()
    np.random.seed(4)
    tk.manual_seed(9)
    tk.rand(5)
    assert np.random.random() == want
