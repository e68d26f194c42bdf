"""The fast homework's own checks: which mistakes they know, what half an answer keeps, and which
mutants of the right answers are right as well."""

import numpy as np
import pytest
from homework import HOMEWORKS, check_style, messages
from numba import njit

from tensorkit.grading import quiet
from tensorkit.grading.cases import Case, laid
from tensorkit.grading.fast_exams import FastExam
from tensorkit.grading.loop_rules import digits, shifted

HOME = HOMEWORKS["fast"]
ORDER = "either of the two lines may come first"
OVERWRITTEN = "every entry of the buffer is written before it is read"
KEPT = "a reduced dim stays with length 1, so both have the same number of dims"
TERMS = "an index and strides are multiplied in pairs, so either may come first"
SMALLER = "no input has more dims than out, and none of its dims is longer"
LONGER = "only as many entries of the buffer are used as the input has dims"
THREE = "two of three pairs that agree are enough, whichever they are"
SHARED = "out has dim 1 of a and dim 2 of b"
PLACE = "place = index_to_position(index, out_strides)"
POSITION = "position = index_to_position(index, a_strides)"
INDEX = "index = np.zeros(len(out_shape), np.int64)"
A_INDEX = "a_index = np.zeros(len(a_shape), np.int64)"
B_INDEX = "b_index = np.zeros(len(b_shape), np.int64)"
SHORT = "aligned = (out_shape == a_shape).all() and (out_strides == a_strides).all()"
VALUE = "value = a[index_to_position(a_index, a_strides)]"
WRITE = "out[index_to_position(index, out_strides)] = fn(value)"
LENGTHS = "aligned = len(out_shape) == len(a_shape) and len(out_shape) == len(b_shape)"
ALSO = "aligned = aligned and (out_shape == b_shape).all() and (out_strides == b_strides).all()"
B_VALUE = "b_value = b[index_to_position(b_index, b_strides)]"
A_STRETCHED = "broadcast_index(index, out_shape, a_shape, a_index)"
B_STRETCHED = "broadcast_index(index, out_shape, b_shape, b_index)"
BOTH = "out[index_to_position(index, out_strides)] = fn(a_value, b_value)"
J = "j = cell % out_shape[2]"
I = "i = cell // out_shape[2] % out_shape[1]"  # noqa: E741
N = "n = cell // (out_shape[2] * out_shape[1])"
P = "p = n * a_batch + i * a_strides[1]"
Q = "q = n * b_batch + j * b_strides[2]"


def instead(line: str, old: str, new: str) -> str:
    """The label of the mutant that has one thing else in a line."""
    assert line.count(old) == 1
    return f"{line} -> {line.replace(old, new)}"


EQUIVALENT = {
    "tensor-map": {
        "aligned = len(out_shape) == len(a_shape) -> aligned = len(out_shape) <= len(a_shape)": (
            SMALLER
        ),
        instead(SHORT, "out_shape ==", "out_shape <="): SMALLER,
        f"{INDEX} -> {A_INDEX}": ORDER,
        f"{A_INDEX} -> to_index(i, out_shape, index)": ORDER,
        instead(INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(A_INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(A_INDEX, "a_shape", "out_shape"): LONGER,
        instead(VALUE, "a_index, a_strides", "a_strides, a_index"): TERMS,
        instead(WRITE, "index, out_strides", "out_strides, index"): TERMS,
    },
    "tensor-zip": {
        instead(LENGTHS, "len(out_shape) == len(a_shape)", "len(out_shape) <= len(a_shape)"): (
            SMALLER
        ),
        instead(LENGTHS, "len(out_shape) == len(b_shape)", "len(out_shape) <= len(b_shape)"): (
            SMALLER
        ),
        instead(LENGTHS, "len(out_shape) == len(a_shape)", "len(b_shape) == len(a_shape)"): THREE,
        instead(LENGTHS, "len(out_shape) == len(b_shape)", "len(a_shape) == len(b_shape)"): THREE,
        instead(SHORT, "out_shape ==", "out_shape <="): SMALLER,
        instead(SHORT, "out_shape", "b_shape"): THREE,
        instead(SHORT, "out_strides", "b_strides"): THREE,
        instead(ALSO, "out_shape ==", "out_shape <="): SMALLER,
        instead(ALSO, "out_shape", "a_shape"): THREE,
        instead(ALSO, "out_strides", "a_strides"): THREE,
        f"{INDEX} -> {A_INDEX}": ORDER,
        f"{A_INDEX} -> {B_INDEX}": ORDER,
        f"{B_INDEX} -> to_index(i, out_shape, index)": ORDER,
        f"{A_STRETCHED} -> {B_STRETCHED}": ORDER,
        f"{B_STRETCHED} -> a_{VALUE}": ORDER,
        f"a_{VALUE} -> {B_VALUE}": ORDER,
        instead(INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(A_INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(B_INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(A_INDEX, "a_shape", "out_shape"): LONGER,
        instead(B_INDEX, "b_shape", "out_shape"): LONGER,
        instead(f"a_{VALUE}", "a_index, a_strides", "a_strides, a_index"): TERMS,
        instead(B_VALUE, "b_index, b_strides", "b_strides, b_index"): TERMS,
        instead(BOTH, "index, out_strides", "out_strides, index"): TERMS,
    },
    "tensor-reduce": {
        f"{PLACE} -> {POSITION}": ORDER,
        f"{POSITION} -> t = out[place]": ORDER,
        instead(PLACE, "index, out_strides", "out_strides, index"): TERMS,
        instead(POSITION, "index, a_strides", "a_strides, index"): TERMS,
        instead(INDEX, "zeros", "ones"): OVERWRITTEN,
        instead(INDEX, "out_shape", "a_shape"): KEPT,
    },
    "matmul": {
        f"{J} -> {I}": ORDER,
        f"{I} -> {N}": ORDER,
        f"{P} -> {Q}": ORDER,
        f"{Q} -> total = 0.0": ORDER,
        "p += a_strides[2] -> q += b_strides[1]": ORDER,
        instead(J, "out_shape", "b_shape"): SHARED,
        instead(I, "out_shape[2]", "b_shape[2]"): SHARED,
        instead(I, "out_shape[1]", "a_shape[1]"): SHARED,
        instead(N, "out_shape[2]", "b_shape[2]"): SHARED,
        instead(N, "out_shape[1]", "a_shape[1]"): SHARED,
    },
}


def test_the_bank_covers_the_known_mistakes():
    known = "N01 N02 N03 N04 N06 N08 N09 N11 N12 N14 N15"
    assert set(known.split()) <= {entry.id for entry in HOME.bank}


@pytest.mark.parametrize("cell", HOME.answers)
def test_a_mutant_that_loses_nothing_is_right(cell, monkeypatch):
    """Without compiling, which shows what numba refuses: no matter of one sign."""
    monkeypatch.setattr(FastExam, "_check_compiled", lambda *given: None)
    monkeypatch.setattr(quiet, "SECONDS", 0.5)
    assert HOME.survivors(cell) == set(EQUIVALENT[cell])


# right for fresh tensors of two dims, and for nothing else
FLAT = {
    "tensor-map": """
def tensor_map(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        for c in prange(len(out)):
            i, j = c // out_shape[1], c % out_shape[1]
            out[c] = fn(a[i % a_shape[0] * a_shape[1] + j % a_shape[1]])

    return njit(parallel=True)(loop)
""",
    "tensor-zip": """
def tensor_zip(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
        for c in prange(len(out)):
            i, j = c // out_shape[1], c % out_shape[1]
            p = i % a_shape[0] * a_shape[1] + j % a_shape[1]
            out[c] = fn(a[p], b[i % b_shape[0] * b_shape[1] + j % b_shape[1]])

    return njit(parallel=True)(loop)
""",
    "tensor-reduce": """
def tensor_reduce(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides, reduce_dim):
        n = a_shape[1]
        for c in prange(len(out)):
            t = out[c]
            for k in range(a_shape[reduce_dim]):
                t = fn(t, a[c * n + k if reduce_dim == 1 else k * n + c])
            out[c] = t

    return njit(parallel=True)(loop)
""",
    "matmul": """
@njit(parallel=True)
def tensor_matrix_multiply(
    out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides
):
    q, r = b_shape[1], b_shape[2]
    for c in prange(len(out)):
        total = 0.0
        for k in range(q):
            total += a[c // r * q + k] * b[k * r + c % r]
        out[c] = total
""",
}


def test_right_only_for_fresh_tensors_of_two_dims_keeps_about_half():
    assert 8 <= HOME.total(FLAT) <= 12  # of 18


def test_the_reference_in_threads_gives_the_same_numbers():
    """Everything else runs it plainly or without threads."""
    given = HOME.given
    shapes = [np.array(shape) for shape in [(2, 3), (3, 1), (2, 1), (1, 1), (3,), (1,)]]
    wide, steps, tall, ones, short, one = shapes
    out = np.zeros(6)
    given["tensor_map"](njit(shifted))(out, wide, steps, np.array([1.0, 2.0]), tall, ones)
    assert out.tolist() == [11, 11, 11, 21, 21, 21]
    a, b = (np.array([1.0, 2.0]), tall, ones), (np.array([3.0, 4.0, 5.0]), short, one)
    given["tensor_zip"](njit(digits))(out, wide, steps, *a, *b)
    assert out.tolist() == [13, 14, 15, 23, 24, 25]
    folds = np.array([7.0, 0.0])
    given["tensor_reduce"](njit(digits))(folds, tall, ones, np.arange(6.0), wide, steps, 1)
    assert folds.tolist() == [7012, 345]
    a = np.arange(6.0), np.array([1, 2, 3]), np.array([6, 3, 1])
    b = np.arange(6.0), np.array([1, 3, 2]), np.array([6, 2, 1])
    square = np.zeros(4)
    given["tensor_matrix_multiply"](square, np.array([1, 2, 2]), np.array([4, 2, 1]), *a, *b)
    assert square.tolist() == [10, 13, 28, 40]


LOOP = """
def tensor_map(fn):
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        for i in prange(len(out)):
            index = np.zeros(len(out_shape), np.int64)
            a_index = np.zeros(len(a_shape), np.int64)
            to_index(i, out_shape, index)
            broadcast_index(index, out_shape, a_shape, a_index)
            place = index_to_position(index, out_strides)
            LINE
            out[place] = fn(a[index_to_position(a_index, a_strides)])

    return njit(parallel=True)(loop)
"""
CANNOT = "tensor_map: numba cannot compile this"
REFUSED = {
    "a dict of two types": ("d = {1: 2.0, 'a': 3}", "all keys of a dict are of one type"),
    "a type that changes": (
        "t = 1\n            if a[0] > 99:\n                t = 'x'\n            _ = t",
        "t is of one type here and of another",
    ),
    "two ways": ("t = 'x' if a[0] > 99 else 1", "both ways of an if give values of one type"),
    "a generator": ("t = sum(x for x in a)", "numba knows numbers, tuples, arrays, loops"),
    "a tuple": ("t = tuple(out_shape)", "a tuple cannot be made of an array"),
    "another module": ("t = tk.row_major((2, 3))", "numba has no row_major here"),
    "a dict outside": ("t = table[0]", "table is no number, tuple, array or function under njit"),
    "a helper": ("t = plain(3)", "plain is not under njit: write @njit above it"),
    "int": ("t = np.zeros(3, int)", "write np.int64"),
    "an index of floats": ("t = 0 if len(a) else a[1 / 2]", "an index is made of ints"),
    "an import": ("import math", "numba knows numbers, tuples, arrays, loops"),
    "zip": ("for _ in zip(a, a, strict=True): pass", "numba knows numbers, tuples, arrays, loops"),
    "a name not reached": ("t = 1 if len(a) else nothing", "nothing is not defined"),
}


@pytest.mark.parametrize("slip", REFUSED)
def test_what_numba_refuses_is_said_in_a_sentence_about_the_line(slip):
    line, because = REFUSED[slip]
    names = {"table": {0: 1.0}, "plain": lambda x: x} | HOME.run(LOOP.replace("LINE", line), slip)
    names["tensor_map"].__globals__.update(names)
    result = HOME.score("tensor_map", names, hidden=False)
    assert result == 1, result.report  # nor does it take the short way
    (lines,) = messages(result.report)
    check_style(lines)
    assert lines[0] == CANNOT
    where = f"at your line: {line.rpartition(chr(10))[2].strip()}"
    assert where in lines or slip == "zip"  # numba fails without a word
    assert because in " ".join(lines)


@pytest.mark.parametrize("task", HOME.tasks)
def test_a_loop_without_end_costs_its_own_task_only(task, monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.2)
    source = HOME.solutions[HOME.answer_of(task)]
    head, loop, rest = source.partition("    for i" if "i in prange" in source else "    for cell")
    indent = head.rpartition("\n")[2]
    names = HOME.run(f"{head}    while True:\n{indent}        pass\n{indent}{loop}{rest}", task)
    (lines,) = messages(HOME.score(task, names).report)
    assert "no answer within 0.2 seconds. Is there a loop without end?" in " ".join(lines)


def test_a_loop_without_end_in_the_short_way_is_stopped_as_well(monkeypatch):
    monkeypatch.setattr(quiet, "SECONDS", 0.2)
    source = HOME.solutions["tensor-map"].replace("out[i] = fn(a[i])", "while a[i] > 8: pass")
    assert source != HOME.solutions["tensor-map"]
    check = Case("", (laid([[9, 1]]),), (shifted,), how="aligned")
    found = HOME.tasks["tensor_map"].exam.examine(HOME.run(source)["tensor_map"], check)
    assert found.ends
    assert "Is there a loop without end?" in found.what


@pytest.mark.parametrize("given", ["out, out_shape, a", "*everything", "out, *rest"])
def test_other_arguments_are_told_with_what_was_wanted(given):
    source = f"""
def tensor_map(fn):
    def loop({given}):
        for i in prange(len(out)):
            out[i] = 1

    return njit(parallel=True)(loop)
"""
    result = HOME.score("tensor_map", HOME.run(source))
    assert result == 0
    (lines,) = messages(result.report)
    check_style(lines)
