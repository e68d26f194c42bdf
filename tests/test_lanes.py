"""Lanes: what each iteration of a parallel loop touches, where two of them meet, what it costs."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numba import njit, prange

from tensorkit.lanes import run_lanes

SHAPE, STRIDES = (2, 3), (3, 1)


def to_index(ordinal, shape, index):
    for dim in range(len(shape) - 1, -1, -1):
        index[dim] = ordinal % shape[dim]
        ordinal = ordinal // shape[dim]


def shared(out, out_shape, out_strides, a, a_shape, a_strides):
    index = np.zeros(2, np.int32)
    for i in prange(len(out)):
        to_index(i, out_shape, index)
        out[i] = 2 * a[index[0] * a_strides[0] + index[1] * a_strides[1]]


def private(out, out_shape, out_strides, a, a_shape, a_strides):
    for i in prange(len(out)):
        index = np.zeros(2, np.int32)
        to_index(i, out_shape, index)
        out[i] = 2 * a[index[0] * a_strides[0] + index[1] * a_strides[1]]


def over_inputs(out, out_shape, out_strides, a, a_shape, a_strides):
    for i in prange(len(a)):
        out[i // 3] += a[i]


def nested(out, out_shape, out_strides, a, a_shape, a_strides):
    for i in numba.prange(len(out)):
        for j in numba.prange(3):
            out[i] += a[i * 3 + j]


def shifted(out, out_shape, out_strides, a, a_shape, a_strides):
    for i in prange(len(out)):
        out[i] = a[i]
        if i > 0:
            out[i] += out[i - 1]


def run(kernel, cells=6):
    a = np.array([3.0, -1.0, 4.0, 1.5, -5.0, 9.0])
    return run_lanes(kernel, np.zeros(cells), SHAPE, STRIDES, a, SHAPE, STRIDES)


def test_a_buffer_made_outside_the_loop_is_shared():
    ran = run(shared)
    assert ran.ending.how == "returned"
    assert {(c.array, c.position) for c in ran.conflicts} == {("index", 0), ("index", 1)}
    first = shared.__code__.co_firstlineno
    assert str(ran.conflicts[0]) == (
        f"index[1] is written by iteration 0 (line {first + 3}) and by iteration 1 "
        f"(line {first + 3})"
    )
    assert [(one.name, one.size, one.lane) for one in ran.made] == [("index", 2, None)]


def test_a_buffer_made_inside_is_private():
    ran = run(private)
    assert ran.conflicts == ()
    assert [one.lane.number for one in ran.made] == [0, 1, 2, 3, 4, 5]
    assert sum(one.nbytes for one in ran.made) == 6 * 2 * 4
    assert ran.loops == (6,)
    assert ran.calls == {"to_index": 6}
    assert ran.count("read") == ran.count("write") == 6


def test_a_parallel_loop_over_what_is_summed_races_in_every_cell_of_out():
    conflicts = run(over_inputs, cells=2).conflicts
    assert [(c.array, c.position) for c in conflicts] == [("out", 0), ("out", 1)]
    assert {a.lane.number for c in conflicts for a in (c.first, c.second)} == {0, 1, 3, 4}


def test_of_nested_loops_only_the_outer_one_is_parallel():
    ran = run(nested, cells=2)
    assert ran.loops == (2,)
    assert ran.conflicts == ()


def test_a_read_of_what_another_iteration_writes_is_a_race():
    (first, *rest) = run(shifted, cells=3).conflicts
    assert (first.first.touch.kind, first.second.touch.kind) == ("write", "read")
    assert "out[0] is written by iteration 0" in str(first)
    assert "and read by iteration 1" in str(first)
    assert len(rest) == 1


def test_compiled_kernels_run_as_the_python_they_were_written_in():
    helper = njit(to_index)

    def make(fn):
        @njit(parallel=True)
        def kernel(out, out_shape, out_strides, a, a_shape, a_strides):
            for i in prange(len(out)):
                index = np.empty_like(out_shape)
                helper(i, out_shape, index)
                out[i] = fn(a[index[0] * a_strides[0] + index[1] * a_strides[1]])

        return kernel

    out, shape, strides = np.zeros(6), np.array([2, 3]), np.array([1, 2])
    kernel = make(njit(lambda x: -x))
    ran = run_lanes(kernel, out, shape, strides, np.arange(6.0), shape, strides)
    assert ran.ending.how == "returned"
    assert ran.conflicts == ()
    assert ran.calls == {"to_index": 6, "<lambda>": 6}
    assert not kernel.signatures, "nothing was compiled"
    assert not out.any(), "the caller's arrays stay as they were"


def test_two_loops_after_one_another_do_not_race_with_each_other():
    def twice(out, out_shape, out_strides, a, a_shape, a_strides):
        for i in prange(3):
            out[i] = a[i]
        for i in prange(3):
            out[2 - i] *= 2

    ran = run(twice, cells=3)
    assert ran.loops == (3, 3)
    assert ran.conflicts == ()


def test_what_is_not_parallel_cannot_race():
    def serial(out, out_shape, out_strides, a, a_shape, a_strides):
        for i in range(6):
            out[0] += a[i]

    ran = run(serial)
    assert ran.loops == ()
    assert ran.conflicts == ()


@pytest.mark.parametrize(
    ("body", "how", "words"),
    [("out[9] = 1", "raised", "positions 0 to 2"), ("while True: out[0] += 1", "stopped", "after")],
)
def test_a_run_that_breaks_ends_with_the_reason(body, how, words):
    names = {"prange": prange}
    exec(f"def broken(out, a):\n for i in prange(3):\n  {body}\n", names)
    ran = run_lanes(names["broken"], np.zeros(3), np.arange(3.0))
    assert ran.ending.how == how
    assert words in ran.ending.message


def test_every_lane_counts_as_many_cells_as_it_touches():
    def rows(out, out_shape, out_strides, a, a_shape, a_strides):
        for i in prange(2):
            out[3 * i : 3 * i + 3] = a[3 * i : 3 * i + 3]

    ran = run(rows)
    per_lane = {(a.lane.number, a.position) for a in ran.accesses if a.touch.kind == "write"}
    assert per_lane == {(0, 0), (0, 1), (0, 2), (1, 3), (1, 4), (1, 5)}
    assert ran.conflicts == ()
