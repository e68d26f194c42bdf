"""Loops, their compiler, and running them: one text is stepped and compiled, over any strides."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import EDGES, Place, close, grids, laid_out, laws, places, shapes, ulps, values_for

import tensorkit as tk
from tensorkit import compiler, kernels, loops
from tensorkit.kernels import elementwise_plan, reduce_plan, walk
from tensorkit.layout import layout, row_major


def kernels_of(row):
    """Return every kernel that stands behind a row of the table."""
    if row.kind in ("map", "zip"):
        found = [row.kernel, *row.back]
    elif row.kind == "reduce":
        helpers = [
            kernels.reduce_kernel(
                f"reduce_{row.name}_{name}",
                formula,
                tuple(v for v in ("x", "z") if v in loops.names_in(formula)),
            )
            for name, (_, formula) in row.helpers.items()
        ]
        found = [row.kernel, row.last, row.back, *helpers]
    else:
        found = []
    return [k for k in found if k is not None]


# where the slope is 0 everywhere, backward runs no loop
ALL = {k.name: k for row in tk.ops.TABLE for k in kernels_of(row) if "= g * 0.0\n" not in k.text}


@pytest.mark.parametrize("name", ALL)
def test_the_text_is_one_function_that_names_what_it_reads(name):
    kernel = ALL[name]
    tree = ast.parse(kernel.text)
    first = tree.body[0]
    assert isinstance(first, ast.FunctionDef)
    assert first.name == kernel.name
    arguments = [a.arg for a in first.args.args]
    assert arguments[0] == "out"
    assert arguments[-1] == "dims"
    assert all(a.endswith("_storage") for a in arguments[1:-1])
    assert list(kernel.inputs) == [a.removesuffix("_storage") for a in arguments[1:-1]]
    assert kernel.path.read_text(encoding="utf-8").endswith(kernel.text)
    assert max(map(len, kernel.text.splitlines())) <= 130
    assert not set(loops.names_in(kernel.text)) & {"g_storage_storage", "TODO"}


@pytest.mark.parametrize("row", tk.ops.TABLE, ids=lambda row: row.name)
def test_the_formula_stands_in_the_loop_as_in_the_table(row):
    if row.kind in ("move", "product"):
        with pytest.raises(TypeError, match=f"{row.name} .* runs no loop"):
            tk.source(row)
        return
    assert row.formula in tk.source(row)
    assert tk.source(row) == tk.source(row.name) == row.kernel.text


def test_other_functions_have_no_loop_in_the_table():
    with pytest.raises(TypeError, match="print is no operation of the table"):
        tk.source(print)
    with pytest.raises(KeyError, match="there is no operation 'nope'; there are neg, exp"):
        tk.source("nope")


PERMUTED = Place((1, 0), (2, 1), (True, False), (False, False), 2, 1)


def edge_inputs(arity: int) -> list[np.ndarray]:
    """Return every edge value, and for several inputs every pair of them."""
    edges = np.array(EDGES)
    if arity == 1:
        return [edges]
    x, y = (a.reshape(-1) for a in np.meshgrid(edges, edges))
    others = [np.resize([0.0, 1.0, *values_for((seed,), seed)], x.size) for seed in (5, 7, 9)]
    return [x, y, *others][:arity]


def both_ways(kernel, inputs, out, dims):
    """Run a kernel compiled and plain on copies of ``out``."""
    plain, compiled = out.copy(), out.copy()
    with np.errstate(all="ignore"):
        # a plain loop computes in float64, as the compiled one does between reading and writing
        kernel.plain(plain, *(a.astype(np.float64) for a in inputs), dims.astype(np.int64))
    kernel.entry(out.dtype, *(a.dtype for a in inputs))(compiled, *inputs, dims)
    return plain, compiled


@pytest.mark.parametrize("name", [n for n, k in ALL.items() if k.kind == "elementwise"])
def test_stepped_equals_compiled_on_edge_values(name):
    kernel = ALL[name]
    inputs = edge_inputs(len(kernel.inputs))
    at = layout((inputs[0].size,), (1,))
    dims = elementwise_plan(*[at] * len(inputs)).dims
    plain, compiled = both_ways(kernel, inputs, np.empty(at.size), dims)
    # contraction rounds a * b + c once: where the terms cancel that is many ulps of a tiny number
    scale = np.max([np.abs(np.where(np.isfinite(a), a, 0)) for a in inputs], axis=0)
    differ = ~((plain == compiled) | (np.isnan(plain) & np.isnan(compiled)))
    for k in np.flatnonzero(differ):
        step = abs(plain[k] - compiled[k])
        fine = step <= 8 * np.spacing(max(abs(plain[k]), abs(compiled[k])))
        fine |= bool(step < 1e-307) or (name == "zip_pow_back_x" and bool(step < 1e-15 * scale[k]))
        assert fine, f"{[a[k] for a in inputs]}: stepped {plain[k]}, compiled {compiled[k]}"


@pytest.mark.parametrize("name", [n for n, k in ALL.items() if k.kind == "reduce"])
def test_stepped_folds_equal_compiled_ones(name):
    kernel = ALL[name]
    rng = np.random.default_rng(3)
    values = values_for((5, 7), 11)
    values[1, 2], values[3] = 0.0, values[2]
    special = rng.choice([1.0, -2.0, 0.0, math.inf, math.nan, -math.inf], (5, 7))
    for cells in (values, special):
        inputs = [cells.reshape(-1), np.resize(cells[::-1], 35)][: len(kernel.inputs)]
        for dims in [(0,), (1,), (0, 1), ()]:
            plan = reduce_plan(dims, *[layout((5, 7), (7, 1))] * len(inputs))
            start = np.resize([1.0, 0.0], plan.out.size)
            plain, compiled = both_ways(kernel, inputs, start, plan.dims)
            assert ulps(plain, compiled) <= 35


@laws(60)
@given(st.data())
def test_loops_walk_any_layout_the_same_stepped_and_compiled(data):
    shape = data.draw(shapes)
    x, xs = laid_out(values_for(shape, 1), data.draw(places(len(shape))))
    y, ys = laid_out(values_for(shape, 2), data.draw(places(len(shape))))
    kernel = tk.ops.get("sub").kernel
    plan = elementwise_plan(x.layout, y.layout)
    plain, compiled = both_ways(
        kernel, [x.storage, y.storage], np.full(plan.out.size, np.nan), plan.dims
    )
    np.testing.assert_array_equal(plain.reshape(shape), xs - ys)
    np.testing.assert_array_equal(compiled.reshape(shape), xs - ys)


@laws(80)
@given(st.data())
def test_folds_walk_any_layout_over_any_dims(data):
    t, values = data.draw(grids())
    dims = tuple(d for d in range(t.ndim) if data.draw(st.booleans()))
    kernel = tk.ops.get("sum").kernel
    plan = reduce_plan(dims, t.layout)
    plain, compiled = both_ways(kernel, [t.storage], np.zeros(plan.out.size), plan.dims)
    want = values.sum(axis=dims, keepdims=True)
    np.testing.assert_allclose(plain.reshape(want.shape), want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(compiled.reshape(want.shape), want, rtol=0, atol=1e-12)


@laws(60)
@given(st.data())
def test_a_walk_visits_every_cell_once_and_never_leaves_the_storage(data):
    t, _ = data.draw(grids())
    out = layout(t.shape, row_major(t.shape))
    head, *lines = walk(t.shape, (out, t.layout), data.draw(st.permutations(range(t.ndim))))
    lengths = [line[0] for line in lines]
    assert head[0] * lengths[-1] == t.size
    visited = []
    for index in np.ndindex(*lengths):
        visited.append(
            tuple(
                head[k] + sum(i * line[k] for i, line in zip(index, lines, strict=True))
                for k in (1, 2)
            )
        )
    assert sorted(v[0] for v in visited) == list(range(t.size))
    assert all(t.position(t.index(ordinal)) == position for ordinal, position in visited)


def test_a_walk_merges_dims_that_every_storage_walks_without_a_jump():
    a, b = layout((2, 3, 4), (12, 4, 1)), layout((2, 3, 4), (24, 4, 1), 5)
    assert walk((2, 3, 4), (a, a), [0, 1, 2]) == [[1, 0, 0], [24, 1, 1]]
    assert walk((2, 3, 4), (a, b), [0, 1, 2]) == [[2, 0, 5], [2, 12, 24], [12, 1, 1]]
    assert walk((1, 1), (layout((1, 1), (9, 9)),), [0, 1]) == [[1, 0], [1, 0]]


def test_a_loop_refuses_inputs_of_different_shapes():
    with pytest.raises(tk.ShapeError, match=r"\(2, 3\), \(3, 2\) differ"):
        elementwise_plan(layout((2, 3), (3, 1)), layout((3, 2), (2, 1)))


def test_inputs_of_different_dtypes_are_each_read_as_what_they_are():
    a = tk.tensor(values_for((3, 4), 1))
    b = tk.tensor(values_for((3, 4), 2), dtype=tk.float32)
    mul = tk.ops.get("mul").kernel
    for x, y in [(a, b), (b, a)]:
        out = kernels.run_zip(mul, x, y)
        assert out.dtype == x.dtype == out.storage.dtype
        np.testing.assert_allclose(out.numpy(), x.numpy() * y.numpy(), rtol=1e-6)


@pytest.mark.parametrize("source", [np.float64, np.float32])
@pytest.mark.parametrize("target", [np.float64, np.float32])
def test_a_copy_converts(source, target):
    values = values_for((2, 5), 3).astype(source)
    t, _ = laid_out(values, PERMUTED)
    copy = kernels.run_copy(t, np.dtype(target))
    assert copy.dtype == copy.storage.dtype == target
    assert copy.is_contiguous()
    np.testing.assert_array_equal(copy.numpy(), values.astype(target))


def fresh_kernel(name, formula):
    return compiler.Kernel(
        name, loops.elementwise_text(name, formula, ("x",)), "elementwise", ("x",)
    )


def test_the_same_text_is_compiled_once_per_dtype(monkeypatch):
    counted = count_compiles(monkeypatch)
    kernel = fresh_kernel("map_triple", "3.0 * x")
    for _ in range(3):
        out = kernels.run_map(kernel, tk.tensor([1.5, -2.0]))
        assert out.tolist() == [4.5, -6.0]
    assert counted == [("map_triple", 2)]
    kernels.run_map(kernel, tk.tensor([1.5, -2.0], dtype=tk.float32))
    kernels.run_map(kernel, tk.zeros(3, 4, 2).permute(2, 0, 1))
    assert counted == [("map_triple", 2)] * 2


def count_compiles(monkeypatch) -> list[tuple[str, int]]:
    counted = []
    original = compiler.Kernel._compile

    def counting(self, dtypes):
        counted.append((self.name, len(dtypes)))
        return original(self, dtypes)

    monkeypatch.setattr(compiler.Kernel, "_compile", counting)
    return counted


def train_a_little():
    x = tk.tensor(values_for((4, 3), 1))
    w = tk.tensor(values_for((3,), 2), requires_grad=True)
    for _ in range(2):
        w.zero_grad_()
        loss = ((x * w).sigmoid().sum(1).log() - 0.5).tanh().mean()
        loss.backward()
    return w.grad.numpy()


def test_a_warm_run_compiles_nothing(monkeypatch):
    train_a_little()
    counted = count_compiles(monkeypatch)
    train_a_little()
    assert counted == []


IN_A_NEW_PROCESS = """
import json, sys
from numba.core import event
import tensorkit as tk

seen = []
class Listen(event.Listener):
    def on_start(self, event): seen.append(str(event.data["dispatcher"]))
    def on_end(self, event): pass
event.register("numba:compile", Listen())
x = tk.tensor([[0.5, -1.5, 2.0]], requires_grad=True)
(x * x).tanh().sum().backward()
print(json.dumps([len(seen), x.grad.tolist()]))
"""


def test_a_second_process_compiles_nothing(tmp_path):
    def run():
        done = subprocess.run(
            [sys.executable, "-c", IN_A_NEW_PROCESS],
            env={**os.environ, "TENSORKIT_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return json.loads(done.stdout)

    first, grad = run()
    assert first > 0
    made = sorted(tmp_path.rglob("*"))
    second, again = run()
    assert second == 0
    assert again == grad
    assert sorted(tmp_path.rglob("*")) == made


def test_a_kernel_file_can_be_read_by_all_who_may_read_other_files():
    kernel = fresh_kernel("map_shared", "x + 7.0")
    kernel.path.unlink(missing_ok=True)
    kernel = fresh_kernel("map_shared", "x + 7.0")
    other = kernel.path.with_suffix(".other")
    other.write_text("")
    assert kernel.path.stat().st_mode == other.stat().st_mode
    other.unlink()


def test_a_changed_formula_is_a_new_file():
    one, two = fresh_kernel("map_a", "x + 1.0"), fresh_kernel("map_a", "x + 2.0")
    assert one.path != two.path
    assert kernels.run_map(one, tk.tensor([1.0])).item() == 2
    assert kernels.run_map(two, tk.tensor([1.0])).item() == 3


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    fresh = compiler.cache_folder.__wrapped__
    monkeypatch.setenv("TENSORKIT_CACHE", str(tmp_path / "a" / "b"))
    assert fresh() == tmp_path / "a" / "b"
    assert fresh().is_dir()
    monkeypatch.delenv("TENSORKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert fresh() == tmp_path / "x" / "tensorkit"


def test_where_nothing_can_be_cached_a_temporary_folder_serves(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("TENSORKIT_CACHE", str(tmp_path / "file" / "cache"))
    folder = compiler.cache_folder.__wrapped__()
    assert folder.is_dir()
    assert folder.name.startswith("tensorkit-")
    folder.rmdir()


def test_a_traceback_shows_the_line_of_a_kernel():
    with pytest.raises(IndexError) as caught:
        tk.ops.get("neg").kernel.plain(np.zeros(1), np.zeros(1), np.array([[1, 0, 0], [3, 1, 1]]))
    assert Path(caught.traceback[-1].path).parent == compiler.cache_folder()
    assert "x_storage[" in str(caught.traceback[-1].statement)


def test_scalar_functions_are_copied_into_the_text():
    text = loops.elementwise_text("map_s", "sigmoid(x)", ("x",))
    assert "def sigmoid(x):" in text
    assert "def exp_normal(x):" in text
    assert "def exp_rest(r):" in text
    assert "LN2_HIGH = 0.6931471803691238" in text
    assert "Any" not in text
    assert "def" not in loops.scalar_text("x + y")


def test_large_and_small_loops_agree():
    # long runs go through vector instructions, with a remainder
    for size in (1, 3, 8, 31, 1000, 1003):
        values = values_for((size,), size)
        close(tk.tensor(values).exp(), np.exp(values), 4)
        close(tk.tensor(values).sum(), values.sum(), 4000)


def test_a_loop_is_told_which_inputs_stand_still():
    for row, formula in [(tk.sub, "x - y"), (tk.div, "x / y")]:
        x, one = values_for((30, 400), 3), values_for((30, 1), 5)
        got = row(tk.tensor(x), tk.tensor(one))
        np.testing.assert_array_equal(got, eval(formula, {"x": x, "y": one}))
        np.testing.assert_array_equal(row(2.5, tk.tensor(x)), eval(formula, {"x": 2.5, "y": x}))
    told = loops.standing(tk.source("sub"), ("y",))
    assert [line.strip() for line in told.splitlines() if "_step = " in line] == [
        "out_step = dims[last, 1]",
        "x_step = dims[last, 2]",
        "y_step = 0",
    ]
    counted = [((100, 100), (100, 1), ("y",)), ((10, 10), (10, 1), ()), ((900, 30), (900, 1), ())]
    for shape, other, still in counted:
        x, y = tk.zeros(shape), tk.zeros(other).expand(shape)
        kernel = tk.ops.get("sub").kernel
        assert kernels.still(kernel, elementwise_plan(x.layout, y.layout)) == still


def test_a_loop_for_near_numbers_has_no_branch_for_far_ones():
    text = tk.source("sin")
    assert "FAR = 100000.0\n" in text
    assert 'FAR = float("inf")\n' in loops.near_text(text)
    assert loops.near_text(tk.source("exp")) == tk.source("exp")
    for cells, size in [([], 0), ([3, -7.5, 2], 7.5), ([math.inf, 1], math.inf)]:
        assert compiler.largest(np.array(cells, float)) == size
    assert math.isnan(compiler.largest(np.array([1, math.nan, 2])))


@pytest.mark.parametrize("name", ["max", "min", "all", "any"])
@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf, 0.0])
def test_a_fold_misses_no_cell_wherever_it_stands(name, special):
    for n in (1, 5, 33, 130):
        for k in range(n):
            values = values_for((n,), n)
            values[k] = special
            want = getattr(np, name)(values != 0 if name in ("all", "any") else values)
            np.testing.assert_equal(getattr(tk, name)(tk.tensor(values)).item(), float(want))
