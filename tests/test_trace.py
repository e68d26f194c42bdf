"""Traces: every touch finds its place, its line and its expression; every run comes to an end."""

import json
import sys

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.kernels import as_table, elementwise_plan, walk
from tensorkit.layout import layout
from tensorkit.trace import Touch, trace

A = np.array([7.0, -3.0, 4.0, 0.5, -1.0, 2.0, 9.0, 11.0, -6.0, 5.0, 8.0, -2.0])


def traced(function, *, out=2, a=A):
    """Trace function(out, a) on storages whose values are all different."""
    return trace(function, {"out": np.full(out, 0.25), "a": a})


def touched(result, kind="read", storage="a"):
    return [
        touch.positions
        for step in result.steps
        for touch in step.touches
        if (touch.kind, touch.storage) == (kind, storage)
    ]


def text_of(result, touch):
    line = result.lines[touch.line - result.first]
    return line[slice(*touch.span)]


def add_up(out, a):
    for o in range(2):
        for p in range(3):
            out[o] += a[o + 4 * p]


def test_one_line_run_once_is_one_step():
    result = traced(add_up)
    assert len(result.steps) == 6
    first = result.steps[0]
    assert [(t.kind, t.storage, t.positions, t.values) for t in first.touches] == [
        ("read", "out", (0,), (0.25,)),
        ("read", "a", (0,), (7.0,)),
        ("write", "out", (0,), (7.25,)),
    ]
    assert [text_of(result, t) for t in first.touches] == ["out[o]", "a[o + 4 * p]", "out[o]"]
    assert first.variables == {"o": 0, "p": 0}
    assert result.steps[-1].variables == {"o": 1, "p": 2}
    assert touched(result) == [(0,), (4,), (8,), (1,), (5,), (9,)]
    assert result.before["out"] == (0.25, 0.25)
    assert result.after["out"] == (0.25 + 7 - 1 - 6, 0.25 - 3 + 2 + 5)


def test_the_callers_arrays_stay_as_they_were():
    def fill(out, a):
        a[3] = 99
        out[1] = 5

    out, a = np.zeros(2), A.copy()
    result = trace(fill, {"out": out, "a": a})
    assert result.after["a"][3] == 99
    assert out.tolist() == [0, 0] and a.tolist() == A.tolist()


@pytest.mark.parametrize(
    ("what", "places"),
    [
        (lambda out, a: a.reshape(3, 4).T[2, 1], [(6,)]),
        (lambda out, a: a[::-1][1], [(10,)]),
        (lambda out, a: a.reshape(3, 4)[1].sum(), [(4, 5, 6, 7)]),
        (lambda out, a: a[2:5][1:].max(), [(3, 4)]),
        (lambda out, a: a[[5, 1]], [(5, 1)]),
        (lambda out, a: a[a > 6][0], [tuple(range(12)), (0, 6, 7, 10)]),
        (lambda out, a: [v for v in a[3:5]], [(3,), (4,)]),
        (lambda out, a: float(a[..., 4]), [(4,)]),
        (lambda out, a: a[4:6].tolist(), [(4, 5)]),
        (lambda out, a: a.item(7), [(7,)]),
        (lambda out, a: np.dot(a[:2], a[8:10]), [(0, 1), (8, 9)]),
        (lambda out, a: np.concatenate([a[:1], a[3:4]]), [(0,), (3,)]),
        (lambda out, a: np.add.reduce(a[1:3]), [(1, 2)]),
        (lambda out, a: a[1:3] @ a[5:7], [(1, 2), (5, 6)]),
        (lambda out, a: (a.shape, len(a), np.zeros_like(a), a.reshape(2, 6)), []),
        (lambda out, a: a.copy()[3] + a.astype(int)[2], [tuple(range(12))] * 2),
    ],
)
def test_a_view_finds_its_place_in_storage(what, places):
    assert touched(traced(what)) == places


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ("out[1:3] += a[5]", [(1, 2)]),
        ("out *= 2", [(0, 1, 2, 3)]),
        ("out[:] = a[2:6]", [(0, 1, 2, 3)]),
        ("out.reshape(2, 2).T[0, 1] = 4", [(2,)]),
        ("np.add.at(out, [3, 0], 5)", [(3, 0)]),
        ("out.fill(3)", [(0, 1, 2, 3)]),
        ("np.copyto(out[1:2], a[3])", [(1,)]),
        ("np.exp(a[:2], out=out[2:])", [(2, 3)]),
        ("np.sum(a, out=out[3:].reshape(()))", [(3,)]),
        ("out.sort()", [(0, 1, 2, 3)]),
    ],
)
def test_every_way_of_writing_is_noted_once(change, places):
    names = {"np": np}
    exec(f"def loop(out, a):\n    {change}", names)
    plain = np.full(4, 0.25)
    names["loop"](plain, A.copy())
    result = traced(names["loop"], out=4)
    assert touched(result, "write", "out") == places
    assert result.after["out"] == tuple(plain)
    assert len(result.steps) == 1, "one line is one step"


def test_a_helper_counts_at_the_line_that_called_it():
    def take(storage, position):
        return storage[position]

    def loop(out, a):
        for p in (4, 2):
            out[p // 4] = take(a, p)

    result = traced(loop)
    assert [len(step.touches) for step in result.steps] == [2, 2]
    assert {text_of(result, step.reads[0]) for step in result.steps} == {"take(a, p)"}


def test_a_comprehension_runs_inside_the_function():
    def loop(out, a):
        out[0] = sum(a[2 * p] for p in range(3))

    result = traced(loop)
    assert touched(result) == [(0,), (2,), (4,)]
    assert [text_of(result, step.touches[0]) for step in result.steps] == ["a[2 * p]"] * 3 + [
        "out[0]"
    ]
    assert [step.variables.get("p") for step in result.steps[:3]] == [0, 1, 2]


def test_a_statement_may_take_several_lines():
    def loop(out, a):
        out[0] = (
            a[3]
            + a[5]
        )  # fmt: skip

    (step,) = traced(loop).steps
    assert [touch.positions for touch in step.touches] == [(3,), (5,), (0,)]


def test_columns_count_characters_not_bytes():
    def loop(out, a):
        out[0] = len("größe") + a[2]

    result = traced(loop)
    assert text_of(result, result.steps[0].reads[0]) == "a[2]"


def test_variables_leave_out_storages_shapes_and_long_lists():
    def loop(out, out_shape, a, dim):
        index, long, total, done = [0, 1], list(range(9)), 1.5, False
        out[0] = a[0] + index[0] + len(long) + total + done

    arguments = {"out": np.zeros(2), "out_shape": (2,), "a": A, "dim": 1}
    (step,) = trace(loop, arguments).steps
    assert step.variables == {"dim": 1, "index": (0, 1), "total": 1.5, "done": False}


def test_a_negative_position_is_counted_from_the_end_and_says_so():
    result = traced(lambda out, a: a[-2] + a[[3, -1]].sum() + a[1:-1][0])
    touches = next(step.touches for step in result.steps)
    assert [(t.positions, t.wrapped) for t in touches] == [
        ((10,), True),
        ((3, 11), True),
        ((1,), False),
    ]


def test_an_exception_is_the_end():
    def loop(out, a):
        out[0] = a[11]
        out[1] = a[12]

    result = traced(loop)
    assert len(result.steps) == 1
    assert result.ending.how == "raised" and result.ending.error == "IndexError"
    assert result.ending.message == "a[12]: the storage of a has positions 0 to 11"
    assert result.ending.line == result.first + 2
    sliced = traced(lambda out, a: a[2:4][2]).ending
    assert sliced.message == "a[2]: this part of the storage of a has positions 0 to 1"
    odd = traced(lambda out, a: a[1.5]).ending
    assert odd.error == "IndexError" and "integers" in odd.message


def test_an_exception_in_a_helper_ends_at_the_callers_line():
    def fail():
        raise ValueError("not today")

    def loop(out, a):
        out[0] = a[0]
        fail()

    ending = traced(loop).ending
    assert (ending.error, ending.message) == ("ValueError", "not today")
    assert ending.line == loop.__code__.co_firstlineno + 2


def test_what_is_returned_is_named():
    assert traced(lambda out, a: a[:2]).ending.returned == "Watched"
    assert traced(lambda out, a: None).ending.returned == ""


def endless_touches(out, a):
    while True:
        out[0] += a[1]


def endless_work(out, a):
    while True:
        pass


def endless_helper(out, a):
    def spin():
        n = 0
        while True:
            n += 1

    spin()


def deaf(out, a):
    while True:
        try:
            out[0] += a[1]
        except Exception:
            out[1] = 0


def deaf_to_all(out, a):
    while True:
        try:
            out[0] = a[0]
        except:  # noqa: E722
            out[1] = a[1]


@pytest.mark.parametrize("loop", [endless_touches, endless_work, endless_helper, deaf, deaf_to_all])
def test_an_endless_loop_is_stopped(monkeypatch, loop):
    monkeypatch.setattr("tensorkit.recorder.TOUCHES", 50)
    monkeypatch.setattr("tensorkit.recorder.INSTRUCTIONS", 5000)
    result = traced(loop)
    assert result.ending.how == "stopped"
    assert result.ending.line is not None
    assert sum(len(step.touches) for step in result.steps) <= 500


def test_tracing_leaves_no_tracer_behind():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        traced(add_up)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_a_storage_that_outlives_its_loop_is_silent():
    kept = []

    def loop(out, a):
        kept.append(a)
        out[0] = a[2]

    result = traced(loop)
    assert kept[0][5] == 2.0
    assert len(result.steps) == 1


def test_a_function_without_source_still_runs():
    names = {}
    exec("def loop(out, a):\n    out[1] = a[3]", names)
    result = traced(names["loop"])
    assert result.lines == () and result.after["out"] == (0.25, 0.5)


def test_numba_functions_run_as_python():
    class Compiled:
        py_func = staticmethod(add_up)

    assert traced(Compiled()).steps == traced(add_up).steps


def test_a_trace_is_plain_data():
    def loop(out, a):
        out[0] = a[0] / 0
        out[1] = np.inf - np.inf

    result = traced(loop)
    data = json.loads(result.to_json())
    assert data["after"]["out"] == ["inf", "nan"]
    assert data["steps"][0]["touches"][0]["positions"] == [0]
    assert data == result.as_dict()
    assert result.steps[0].touches[0] == Touch(
        "read", "a", (0,), (7.0,), result.first + 1, result.steps[0].touches[0].span
    )
    with pytest.raises(AttributeError):
        result.steps = ()


@pytest.mark.parametrize("row", [r for r in tk.ops.TABLE if r.kind in ("map", "zip")], ids=repr)
def test_a_traced_kernel_gives_what_the_compiled_one_gives(row):
    x = tk.tensor([[-1.5, 0.0, 2.0], [np.inf, np.nan, 5e-324]]).permute(1, 0)
    y = tk.tensor([[0.5, 0.0], [-2.0, 3.0], [1e300, -0.0]])
    inputs = (x, y, y * 2)[: len(row.names)]
    plan = elementwise_plan(*(v.layout for v in inputs))
    storages = {f"{name}_storage": v.storage for name, v in zip(row.names, inputs, strict=True)}
    dims = plan.dims.astype(np.int64)
    result = trace(row.kernel.plain, {"out": np.zeros(6), **storages, "dims": dims})
    assert result.ending.how == "returned"
    # compiled, a * b + c may be rounded once
    np.testing.assert_allclose(result.after["out"], row(*inputs).storage, rtol=1e-15)
    assert row.kernel.text.startswith("\n".join(result.lines))


def test_a_traced_fold_gives_what_the_compiled_one_gives():
    x = tk.tensor(A.reshape(2, 3, 2))
    onto = layout((2, 3, 2), (2, 0, 1))
    dims = as_table(walk((2, 3, 2), (onto, x.layout), [0, 1, 2])).astype(np.int64)
    arguments = {"out": np.zeros(4), "x_storage": x.storage, "dims": dims}
    result = trace(tk.sum.kernel.plain, arguments)
    np.testing.assert_array_equal(result.after["out"], x.sum(dim=1).storage)
