"""The law of the steppers: for every row of the table, what is stepped is what the engine computes.

Each loop runs as plain Python over watched storages, and each of its writes is compared with the
compiled result: on contiguous, permuted and strided inputs, on edge values, forward and backward.
Rows without a loop are held to the same law by the steps of their backward.
"""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.checks import same_layout
from tensorkit.explore.layouts import KINDS, laid_out
from tensorkit.pictures.backward import backward_scene
from tensorkit.pictures.cells import texts
from tensorkit.pictures.expected import run_cells
from tensorkit.pictures.fold import run_fold
from tensorkit.pictures.forward import forward_scene
from tensorkit.pictures.running import run_kernel
from tensorkit.pictures.text import fmt
from tensorkit.reduction import EXPAND
from tensorkit.tape import distinct, run

X = [[0.75, -2.0, 0.5], [0.25, 3.0, 2.0]]
Y = [[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]]
POSITIVE = [[0.75, 2.5, 0.5], [0.25, 3.0, 2.0]]
EDGES = [[0.0, -0.0, np.inf], [-np.inf, np.nan, 5e-324]]
CHOICE = [[1.0, 0.0, -2.0], [0.0, np.nan, 1.0]]
OTHER = [[1.0, -3.0, 0.0], [2.0, 2.0, np.inf]]

LOOPS = [row for row in tk.ops.TABLE if row.kind in ("map", "zip", "reduce")]
POINTWISE = [row for row in LOOPS if row.kind != "reduce"]
FOLDS = [row for row in LOOPS if row.kind == "reduce"]
# rows without a loop: how each is called, and the shapes and values of its tensors
REST = {
    "expand": (lambda x: tk.expand(x, 4, 2, 3), [X]),
    "permute": (lambda x: tk.permute(x, 1, 0), [X]),
    "transpose": (lambda x: tk.transpose(x, 0, 1), [X]),
    "view": (lambda x: tk.ops.get("view")(tk.contiguous(x), 3, 2), [X]),
    "contiguous": (lambda x: tk.contiguous(tk.expand(x, 2, 2, 3)), [X]),
    "to": (lambda x: tk.ops.get("to")(x, tk.float32) * 2.0, [X]),
    "getitem": (lambda x: tk.ops.get("getitem")(x, (slice(None), [2, 0, 2])), [X]),
    "scatter": (lambda g: tk.ops.get("scatter")(g, (slice(None), [2, 0, 2]), (2, 5)), [X]),
    "cat": (lambda x, y: tk.ops.get("cat")([x, y], 1), [X, Y]),
    "matmul": (lambda x, y: tk.matmul(x, tk.permute(y, 1, 0)), [X, Y]),
}
by_name = {"ids": lambda row: getattr(row, "name", row)}


def test_the_law_leaves_no_row_out():
    assert {row.name for row in LOOPS} | set(REST) == set(tk.ops.ROWS)


def tensors(row, layout, edges=False):
    if row.name == "where":
        values = [CHOICE, EDGES if edges else X, OTHER if edges else Y]
    elif edges:
        values = [EDGES, OTHER]
    else:  # inside every domain, so that slopes are finite
        values = [POSITIVE, Y]
    count = len(row.names) if row.kind != "reduce" else 1
    return [laid_out(tk.tensor(v), layout) for v in values[:count]]


def close(a, b):
    # compiled, 1 - z * z may be rounded once instead of twice, which shows where z is near 1
    np.testing.assert_allclose(a, b, rtol=1e-13, atol=0, equal_nan=True)


def writes(ran):
    """Yield (position, value) for every write of a run, in order."""
    for step in ran.steps:
        for touch in step.writes:
            yield from zip(touch.positions, touch.values, strict=True)


@pytest.mark.parametrize("row", POINTWISE, **by_name)
@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize("edges", [False, True], ids=["inside", "edges"])
def test_every_write_of_a_map_or_zip_is_the_compiled_cell(row, layout, edges):
    inputs = tensors(row, layout, edges)
    result = row(*inputs)
    out = np.full(result.storage.size, 123.0)
    ran = run_kernel(row.kernel, result.layout, out, row.names, inputs)
    assert ran.ending.how == "returned"
    done = list(writes(ran))
    assert sorted(p for p, _ in done) == list(range(result.size)), "each cell once"
    close([value for _, value in done], [result.storage[p] for p, _ in done])


@pytest.mark.parametrize("row", FOLDS, **by_name)
@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("edges", [False, True], ids=["inside", "edges"])
def test_every_write_of_a_fold_leads_to_the_compiled_cell(row, layout, dim, edges):
    (x,) = tensors(row, layout, edges)
    dims = (0, 1) if dim is None else (dim,)
    order = sorted(range(2), key=lambda d: -abs(x.strides[d]))
    result = row(x, dim).numpy().ravel()
    ran, rest = run_fold(row, x, dims, order)
    last = dict(writes(rest or ran))
    assert sorted(last) == list(range(result.size))
    close([last[p] for p in range(result.size)], result)
    met: dict[int, list[float]] = {}
    waiting: list[float] = []
    for step in ran.steps:  # on the way, each write is the fold of what was read for it so far
        waiting += [v for touch in step.reads if touch.storage == "x_storage" for v in touch.values]
        for touch in step.writes:
            so_far = met.setdefault(touch.positions[0], [])
            so_far += waiting
            waiting = []
            with np.errstate(all="ignore"):  # inf - inf is nan here too
                close(touch.values[0], run_cells(row.kernel.plain, row.start, [np.array(so_far)]))
    assert sum(map(len, met.values())) == x.size


@pytest.mark.parametrize("row", POINTWISE, **by_name)
@pytest.mark.parametrize("layout", KINDS)
def test_every_write_of_a_gradient_loop_is_the_engines(row, layout):
    inputs = [same_layout(one).requires_grad_() for one in tensors(row, layout)]
    out = row(*inputs)
    g = laid_out(tk.tensor(distinct(out.shape)), layout)
    out.backward(g)
    cells = dict(zip((*row.names, "z"), (*inputs, out), strict=True))
    for kernel, needed, x in zip(row.back, row.needed, inputs, strict=True):
        if kernel is None:
            np.testing.assert_array_equal(x.grad.numpy(), g.numpy())
            continue
        names = (row.upstream, *needed)
        given = [g if name == row.upstream else cells[name] for name in names]
        ran = run_kernel(kernel, out.layout, np.full(out.size, 123.0), names, given)
        want = x.grad.contiguous().storage
        done = list(writes(ran))
        assert len(done) == x.size
        close([value for _, value in done], [want[p] for p, _ in done])


@pytest.mark.parametrize("row", [row for row in FOLDS if row.back is not None], **by_name)
@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize("dim", [0, 1])
def test_every_write_of_a_folds_gradient_loop_is_the_engines(row, layout, dim):
    (x,) = tensors(row, layout)
    x = same_layout(x).requires_grad_()
    out = row(x, dim)
    cells = row.cells(out.ctx) if row.saves else {}
    small = row.count(x.shape, (dim,), out)
    g = tk.tensor(distinct(out.shape))
    out.backward(g, retain_graph=True)
    with tk.no_grad():
        wide = EXPAND.stretch(g, x.shape) if row.saves else g
    given = (wide, *(cells.get(name, small) for name in row.reads))
    at = tk.zeros(*wide.shape)
    ran = run_kernel(row.back, at.layout, np.full(at.size, 123.0), ("g", *row.reads), given)
    result = np.zeros(at.size)
    for position, value in writes(ran):
        result[position] = value
    close(np.broadcast_to(result.reshape(at.shape), x.shape), x.grad.numpy())


@pytest.mark.parametrize("row", LOOPS, **by_name)
@pytest.mark.parametrize("layout", KINDS)
def test_every_cell_that_a_forward_picture_writes_is_the_compiled_one(row, layout):
    inputs = tensors(row, layout)
    more = {"dim": 1} if row.kind == "reduce" else {}
    scene = forward_scene(row, *inputs, **more)
    result = [fmt(v) for v in row(*inputs, **more).numpy().ravel().tolist()]
    keys = [f"out.{k}" for k in range(len(result))]
    final: dict[str, str] = {}
    for step in scene.steps:
        written = {key: step.text[key] for key in keys if key in step.text}
        final |= written
        if row.kind != "reduce":
            assert all(text == result[keys.index(key)] for key, text in written.items())
    assert [final[key] for key in keys] == result


@pytest.mark.parametrize("row", LOOPS, **by_name)
@pytest.mark.parametrize("layout", KINDS)
def test_every_cell_that_a_backward_picture_writes_is_the_engines(row, layout):
    inputs = tensors(row, layout)
    more = {"dim": 1} if row.kind == "reduce" else {}
    given = [same_layout(one).requires_grad_() for one in inputs]
    out = row(*given, **more)
    g = laid_out(tk.tensor(distinct(out.shape)), layout)
    out.backward(g)
    scene = backward_scene(row, *inputs, grad_out=g, **more)
    want = {
        f"g{k}.{c}": text
        for k, t in enumerate(given)
        for c, text in enumerate(texts(t.grad.numpy()))
    }
    seen: set[str] = set()
    for step in scene.steps:
        for key, text in step.text.items():
            if key in want:
                assert text == want[key], f"{key} in: {step.say}"
                seen.add(key)
    assert seen == set(want)


@pytest.mark.parametrize("name", REST)
@pytest.mark.parametrize("layout", KINDS)
def test_rows_without_a_loop_keep_the_law_too(name, layout):
    f, values = REST[name]
    inputs = [laid_out(tk.tensor(v), layout) for v in values]
    given = [same_layout(one).requires_grad_() for one in inputs]
    out = f(*given)
    g = tk.tensor(distinct(out.shape), dtype=out.dtype)
    out.backward(g)
    tape = run(f, *inputs, grad_out=g)
    np.testing.assert_array_equal(tape.grids[tape.result].values, out.numpy())
    assert any(call.name == name for call in tape.calls)
    for number, leaf in zip(tape.parameters, given, strict=True):
        np.testing.assert_array_equal(tape.gradient(number), leaf.grad.numpy())


def test_the_law_would_notice_a_wrong_write():
    inputs = tensors(tk.mul, "permuted")
    result = tk.mul(*inputs)
    ran = run_kernel(tk.add.kernel, result.layout, np.zeros(6), ("x", "y"), inputs)
    with pytest.raises(AssertionError):
        close([v for _, v in writes(ran)], [result.storage[p] for p, _ in writes(ran)])
