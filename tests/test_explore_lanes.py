"""The race lens and the cost meter: the picture is the run, and a mended kernel shows as mended."""

from __future__ import annotations

import numpy as np
import pytest
from numba import prange

import tensorkit as tk
from tensorkit.explore import kernels
from tensorkit.lanes import run_lanes
from tensorkit.pictures.cost import COUNTS, cost_scene
from tensorkit.pictures.race import race_scene

CELLS = np.array([3.0, -1.0, 4.0, 1.5, -5.0, 9.0])
SHAPE, STRIDES = np.array([2, 3]), np.array([3, 1])
PAIRS = [
    (kernels.map_shared, kernels.map_private, 6, "index", "Make it inside the loop"),
    (kernels.sum_over_inputs, kernels.sum_over_outputs, 2, "out", "over the cells of out"),
]


def arguments(size):
    shape = SHAPE if size == 6 else np.array([2, 1])
    strides = STRIDES if size == 6 else np.array([1, 1])
    return np.zeros(size), shape, strides, CELLS, SHAPE, STRIDES


def marked_wrong(scene):
    return {key for key, role in scene.state(-1).roles.items() if role == "wrong"}


@pytest.mark.parametrize(("racing", "mended", "size", "array", "advice"), PAIRS)
def test_a_race_is_drawn_where_it_happens_and_the_mended_kernel_has_none(
    racing, mended, size, array, advice
):
    scene, ran = race_scene(racing, *arguments(size)), run_lanes(racing, *arguments(size))
    met = {conflict.position for conflict in ran.conflicts}
    assert {(key.split(".")[0], int(key.split(".")[2])) for key in marked_wrong(scene)} == {
        (array, position) for position in met
    }
    assert scene.steps[-1].wrong
    assert advice in scene.steps[-1].say
    good = race_scene(mended, *arguments(size))
    assert not marked_wrong(good)
    assert "may run in any order" in good.steps[-1].say
    assert "on this input" in good.steps[-1].say


@pytest.mark.parametrize("kernel", [kernels.map_shared, kernels.map_private])
def test_every_letter_is_what_the_iteration_did(kernel):
    scene, ran = race_scene(kernel, *arguments(6)), run_lanes(kernel, *arguments(6))
    did = {}
    for access in ran.accesses:
        if access.lane is not None and ran.names[access.touch.storage] != "a":
            key = f"{ran.names[access.touch.storage]}.{access.lane.number}.{access.position}"
            did.setdefault(key, set()).add(access.touch.kind[0])
    texts = scene.state(-1).texts
    shown = {key: set(text) for key, text in texts.items() if text and key.count(".") == 2}
    assert shown == did


def test_the_first_step_that_races_names_both_lines():
    scene = race_scene(kernels.sum_over_inputs, *arguments(2))
    (first, *_) = [step for step in scene.steps if step.bad]
    line = kernels.sum_over_inputs.__code__.co_firstlineno + 3
    assert f"out[0] is written by iteration 0 (line {line})" in first.say
    assert first.line == line


def test_a_kernel_without_a_parallel_loop_cannot_race():
    def serial(out, a):
        for i in range(3):
            out[i] = a[i]

    scene = race_scene(serial, np.zeros(3), np.arange(3.0))
    assert "no parallel loop" in scene.steps[0].say
    assert not any(step.wrong for step in scene.steps)
    assert "safe to share" not in scene.svg()  # out was written, by nobody's iteration


def test_a_stub_is_yours_to_write_and_shares_nothing():
    def stub(out, a):
        raise NotImplementedError("which loop?")

    scene = race_scene(stub, np.zeros(3), np.arange(3.0))
    assert scene.steps[-1].say == "Yours to write: which loop?"
    assert not any(step.bad for step in scene.steps)
    assert "safe to share" not in scene.svg()


def test_only_what_is_read_is_called_read():
    def half(out, a, unused):
        for i in prange(3):
            out[i] = a[i]

    scene = race_scene(half, np.zeros(3), np.arange(3.0), np.arange(4.0))
    assert "safe to share: a." in scene.svg()


def test_a_kernel_that_breaks_says_so_last():
    def broken(out, a):
        for i in prange(3):
            out[i + 2] = a[i]

    scene = race_scene(broken, np.zeros(3), np.arange(3.0))
    assert scene.steps[-1].bad
    assert "positions 0 to 2" in scene.steps[-1].say


def test_large_kernels_are_drawn_in_part_and_checked_whole():
    def late(out, a):
        for i in prange(20):
            out[max(i, 1) % 19] = a[i]

    scene = race_scene(late, np.zeros(20), np.arange(20.0))
    assert "first 8 are drawn, all are checked" in scene.steps[0].say
    assert "Iterations meet in 1 cell of out" in scene.steps[-1].say


def test_the_counts_are_those_of_the_run():
    n, k, m = 2, 3, 4
    a, b = np.arange(1.0, 7), np.arange(12.0) - 3
    given = np.zeros(n * m), (n, m), a, (n, k), b, (k, m)
    versions = (kernels.matmul_zip_reduce, kernels.matmul_batches, kernels.matmul_fused)
    runs = {kernel.__name__: run_lanes(kernel, *given) for kernel in versions}
    table = {name: [count.of(ran) for count in COUNTS] for name, ran in runs.items()}
    assert table == {
        # iterations, calls, arrays, bytes, read, written: worked out by hand
        "matmul_zip_reduce": [8, 24, 2, 24 * 8 + 3 * 4, 24 * 6 + 24 * 2, 24 * 4 + 24],
        "matmul_batches": [1, 0, 0, 0, 24 * 3, 24],
        "matmul_fused": [8, 0, 0, 0, 24 * 2, 8],
    }
    scene = cost_scene(runs, n * m)
    texts = scene.state(-1).texts
    assert [texts[f"{row}.2"] for row in range(6)] == ["8", "0", "0", "0", "48", "8"]
    winners = {key for key, role in scene.state(-1).roles.items() if role == "done"}
    assert {"5.2", "4.2", "0.0", "0.2"} <= winners
    assert "5.0" not in winners


def test_the_three_matmuls_multiply():
    n, k, m = 2, 3, 4
    a, b = np.arange(1.0, 7), np.arange(12.0) - 3
    for kernel in (kernels.matmul_zip_reduce, kernels.matmul_batches, kernels.matmul_fused):
        out = np.zeros(n * m)
        kernel(out, (n, m), a, (n, k), b, (k, m))
        np.testing.assert_allclose(out.reshape(n, m), a.reshape(n, k) @ b.reshape(k, m))


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        cost_scene({}, 3)


def test_a_version_that_breaks_is_named():
    def broken(out):
        out[9] = 1

    with pytest.raises(RuntimeError, match="broken did not run to its end"):
        tk.explore.cost(broken, np.zeros(3))


def test_the_entries_start_with_data_of_their_own_and_take_yours():
    for explorer in (tk.explore.race(), tk.explore.cost()):
        assert len(explorer.scene().steps) > 5
    mine = tk.explore.race(kernels.map_shared, *arguments(6))
    assert mine.scene.steps[-1].wrong
    both = {"one": kernels.map_shared, "two": kernels.map_private}
    assert "two" in tk.explore.cost(both, *arguments(6)).scene.transcript()
