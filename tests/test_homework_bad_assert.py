"""The bad-assert homework's own checks: the reference tests refuse every mutant of a right
implementation that is wrong, weak tests keep what they deserve, and nothing tells right from wrong
but what is computed."""

import inspect

import numpy as np
import pytest
from homework import HOMEWORKS
from mutants import mutants

import tensorkit as tk
from tensorkit.grading import quiet, rights, suites
from tensorkit.grading.bad_assert import SUITES
from tensorkit.grading.messages import Finding
from tensorkit.grading.rights import Meter, changed, reducer
from tensorkit.grading.sheet import Block

HOME = HOMEWORKS["bad_assert"]
EITHER = "numbers are compared the same in either order"
WORDS = "the words of an error are free"
CLOSE = "the tolerance that NumPy chooses is as good"
PAIRED = "the same numbers are multiplied"
LENGTHS = "index and strides are of one length"
LATER = "the two lines do not depend on each other"

CLOSENESS = (
    "assert np.allclose(a, b, rtol=1e-06, atol=1e-09), f'{a} and {b}' -> assert np.allclose("
)
SHAPES = "assert np.shape(a) == np.shape(b), f'shapes {np.shape(a)} and {np.shape(b)}' -> "
SHAPE = "assert np.shape(a) == np.shape(b), f'shapes "
PLACE = "place = sum((i * s for i, s in zip(index, out_strides, strict=True)))"
FOLD = "acc = fn(acc, a[sum((i * s for i, s in zip(cell, a_strides, strict=True)))])"

OF_FIXED_ASSERT = {
    CLOSENESS + "a, b, atol=1e-09), f'{a} and {b}'": CLOSE,
    CLOSENESS + "a, b, rtol=1e-06), f'{a} and {b}'": CLOSE,
    CLOSENESS + "b, a, rtol=1e-06, atol=1e-09), f'{a} and {b}'": EITHER,
    CLOSENESS + "a, b, rtol=1e-06, atol=1e-09), f'{a} and {a}'": WORDS,
    CLOSENESS + "a, b, rtol=1e-06, atol=1e-09), f'{b} and {b}'": WORDS,
    SHAPES + SHAPE + "{np.shape(a)} and {np.shape(a)}'": WORDS,
    SHAPES + SHAPE + "{np.shape(b)} and {np.shape(b)}'": WORDS,
}
# what the reference tests let pass of all mutants of the right implementations
EQUIVALENT = {
    "check_reduce": {
        f"{PLACE} -> cell = list(index)": LATER,
        "cell = list(index) -> acc = out[place]": LATER,
        f"{PLACE} -> place = sum((i * s for s, i in zip(index, out_strides, strict=True)))": PAIRED,
        f"{PLACE} -> place = sum((i * s for i, s in zip(out_strides, index, strict=True)))": PAIRED,
        f"{PLACE} -> {PLACE.replace(', strict=True', '')}": LENGTHS,
        f"{PLACE} -> {PLACE.replace('True', 'False')}": LENGTHS,
        f"{FOLD} -> {FOLD.replace('i, s in', 's, i in')}": PAIRED,
        f"{FOLD} -> {FOLD.replace('cell, a_strides', 'a_strides, cell')}": PAIRED,
        f"{FOLD} -> {FOLD.replace(', strict=True', '')}": LENGTHS,
        f"{FOLD} -> {FOLD.replace('True', 'False')}": LENGTHS,
    },
    "check_unbroadcast": {
        "if length == 1: -> if length <= 1:": "lengths are 1 or more",
    },
    "check_backward": {},
}
TEXTS = {
    "check_reduce": rights.REDUCE,
    "check_unbroadcast": rights.UNBROADCAST,
    "check_backward": inspect.getsource(rights.Square),
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 5.0)


def test_the_bank_covers_the_known_mistakes():
    """Of a central difference and a gradient check; one that asserts a tuple in each task."""
    assert {"C01", "C02", "C03", "C06"} <= {entry.id for entry in HOME.bank}
    assert len(HOME.wrong()) >= 60


def test_as_many_implementations_as_were_promised():
    assert [len(cases) for _, cases in SUITES] == [4, 2, 2]
    hidden = HOME.hidden.values()
    assert sum(len(blocks["others"]) for blocks in hidden) == 27
    assert sum(len(blocks["alarms"]) for blocks in hidden) >= 6
    words = [case.about for blocks in hidden for case in blocks["others"]]
    assert len(words) - len(set(words)) <= 2, "inputs of the same kind share their words"


def test_a_mutant_of_fixed_assert_that_loses_nothing_is_right():
    assert HOME.survivors("fixed-assert") == set(OF_FIXED_ASSERT)


@pytest.mark.parametrize("name", TEXTS)
def test_a_mutant_that_the_reference_lets_pass_is_right(name, monkeypatch):
    """Changed data make another good test, so here it is the implementations that are changed."""
    monkeypatch.setattr(quiet, "SECONDS", 0.5)
    check = HOME.given[name]
    alive = set()
    for mutant in mutants(TEXTS[name]):
        made: dict = {"np": np, "tk": tk}
        if mutant.label.startswith("def "):
            continue  # a note about types
        try:
            exec("from __future__ import annotations\n" + mutant.source, made)
            with quiet.quiet(), quiet.limit():
                check(list(made.values())[-1])
        except (Exception, quiet.TooSlow):
            continue
        alive.add(mutant.label)
    assert alive == set(EQUIVALENT[name])


FRESH = {
    "reduce-test": """
def check_reduce(tensor_reduce):
    for dim, want in ((0, [[5, 7, 9]]), (1, [[6], [15]])):
        want = np.array(want)
        out, a = np.zeros(want.size), np.arange(1.0, 7.0)
        strides = (3, 1) if dim == 0 else (1, 1)
        tensor_reduce(lambda acc, x: acc + x)(out, want.shape, strides, a, (2, 3), (3, 1), dim)
        assert np.allclose(out, want.reshape(-1))
""",
    "unbroadcast-test": """
def check_unbroadcast(unbroadcast):
    grad = tk.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert np.allclose(unbroadcast(grad, (3,)).numpy(), [5, 7, 9])
    assert np.allclose(unbroadcast(grad, (2, 1)).numpy(), [[6], [15]])
""",
    "backward-test": """
def check_backward(fn_cls):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) / 2
    ctx = tk.Context()
    out = fn_cls.forward(ctx, tk.tensor(values))
    got = fn_cls.backward(ctx, tk.tensor(np.ones(out.shape)))
    got = (got[0] if isinstance(got, tuple) else got).numpy()
    for index in np.ndindex(2, 3):
        up = values.copy()
        up[index] += 1e-6
        after = fn_cls.forward(tk.Context(), tk.tensor(up)).numpy().sum()
        assert abs((after - out.numpy().sum()) / 1e-6 - got[index]) < 1e-3
""",
}


def test_plain_data_and_ones_upstream_keep_about_half():
    assert 7 <= HOME.total(FRESH) <= 11


def test_empty_tests_and_tests_that_always_raise_keep_nothing():
    names = {
        "reduce-test": "reduce",
        "unbroadcast-test": "unbroadcast",
        "backward-test": "backward",
    }
    for body in ("pass", "raise AssertionError"):
        source = {cell: f"def check_{name}(given):\n    {body}\n" for cell, name in names.items()}
        assert HOME.total(source) == 1, "fixed_assert is right, and nothing else"


@pytest.mark.parametrize(("exam", "cases"), SUITES, ids=lambda value: getattr(value, "name", ""))
def test_from_outside_all_implementations_look_the_same(exam, cases):
    seen = [case.extra[k](Meter()) for case in cases for k in (0, 1)]
    hidden = HOME.hidden[f"{exam.name}_any"]
    seen += [case.extra[k](Meter()) for each in hidden.values() for case in each for k in (0, 1)]

    def look(made):
        inner = [made.forward, made.backward] if isinstance(made, type) else [made]
        code = [each.__code__ for each in inner]
        return made.__name__, made.__module__, made.__qualname__, made.__doc__, code

    assert all(look(made) == look(seen[0]) for made in seen)
    assert len(set(map(id, seen))) == len(seen)


def test_shares_are_rounded_down_to_quarters_and_an_end_takes_them_all():
    block = Block("others", "", 3, HOME.hidden["check_reduce_any"]["others"], shares=True)
    lost = Finding("still alive")
    assert [block.earned([lost] * k) for k in (0, 1, 3, 9)] == [3, 2.5, 2, 0]
    assert block.earned([lost, Finding("not written yet", ends=True)]) == 0
    assert Block("whole", "", 3, block.cases).earned([lost]) == 0


def test_a_change_that_does_not_fit_the_text_is_an_error_here():
    with pytest.raises(ValueError, match="stands 0 times"):
        reducer(("no such words", ""))
    with pytest.raises(ValueError, match="times"):
        changed("a a", ("a", "b"))


def test_thrift_counts_cells_and_calls_of_all_three_together(monkeypatch):
    names = HOME.reference("thrift")
    sizes = []
    for exam, cases in SUITES:
        meter = Meter()
        names[exam.name](cases[0].extra[1](meter))
        sizes.append(meter)
    cells = sum(meter.cells for meter in sizes)
    calls = sum(meter.calls for meter in sizes)
    assert cells <= suites.CELLS / 2
    assert calls <= suites.CALLS / 2
    for most, points in ((cells, 2), (cells - 1, 1)):
        monkeypatch.setattr(suites, "CELLS", most)
        assert HOME.score("thrift", names) == points
    monkeypatch.setattr(suites, "CALLS", calls - 1)
    assert HOME.score("thrift", names) == 0


def test_the_implementation_is_at_hand_after_a_failed_check():
    names = HOME.run("def check_reduce(tensor_reduce):\n    tensor_reduce(max)\n")
    sheet = HOME.sheet("check_reduce", names, hidden=False)
    assert sheet.score() == 0
    results = []
    for made in (sheet.wrong, sheet.right):
        out = np.array([10.0, 20.0])
        a = np.arange(1.0, 7.0)
        made(lambda acc, x: acc + x)(out, (2, 1), (1, 1), a, (2, 3), (3, 1), 1)
        results.append(out.tolist())
    assert results == [[15, 31], [16, 35]]
