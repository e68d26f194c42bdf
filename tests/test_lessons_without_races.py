"""Fast without races: its counts are those of real runs; its practice finds every slow habit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, executed, flat, printed, refused, steps_of, tried

import tensorkit as tk
from tensorkit.explore import kernels
from tensorkit.lanes import Lanes, run_lanes
from tensorkit.product import by_zip_and_reduce, tiled
from tensorkit.widgets.questions import bank

NAME = "12_without_races"
A = np.array([3.0, -1.0, 4.0, 1.5, -5.0, 9.0])
BUFFER = "it depends on threads, sizes and luck"


def lanes(kernel: Any, shape: tuple[int, int] = (2, 1)) -> Lanes:
    out = np.zeros(shape[0] * shape[1])
    return run_lanes(kernel, out, shape, (shape[1], 1), A, (2, 3), (3, 1))


def buffer() -> str:
    """One iteration after the other the numbers are right; and yet iterations meet."""
    out = np.zeros(6)
    kernels.map_shared(out, (2, 3), (3, 1), A, (2, 3), (3, 1))
    assert np.array_equal(out, 2 * A)
    ran = lanes(kernels.map_shared, (2, 3))
    assert {conflict.array for conflict in ran.conflicts} == {"index"}
    assert not lanes(kernels.map_private, (2, 3)).conflicts
    return BUFFER


def meet() -> str:
    return str(len({c.position for c in lanes(kernels.sum_over_inputs).conflicts}))


def batches() -> str:
    a, b = np.arange(6.0), np.arange(12.0)
    [count] = run_lanes(kernels.matmul_batches, np.zeros(8), (2, 4), a, (2, 3), b, (3, 4)).loops
    return str(count)


ANSWERS = {"races-buffer": buffer, "races-meet": meet, "races-batch": batches}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("without_races")
    assert set(ANSWERS) == set(ways)
    asked = bank("without_races").predictions
    for key, compute in ANSWERS.items():
        assert compute() in {asked[key].answer}, key


def test_the_quiz_says_what_is_so() -> None:
    assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3), "races-digits"
    assert not lanes(kernels.sum_over_outputs).conflicts, "races-which"
    assert lanes(kernels.sum_over_inputs).conflicts, "races-which"

    def aligned(out: Any, a: Any, b: Any) -> None:
        for i in range(len(out)):
            out[i] = a[i] + b[i]

    ran = run_lanes(aligned, np.zeros(6), A, A[:3].copy())
    assert ran.ending.how == "raised" and ran.ending.error == "IndexError", "races-aligned"

    def straight(out: Any, a: Any, b: Any) -> None:
        for i in range(2):
            for j in range(2):
                out[i * 2 + j] = sum(a[i * 3 + p] * b[p * 2 + j] for p in range(3))

    x, y = tk.tensor(A.reshape(2, 3)), tk.tensor([[2.0, 7.0], [-3.0, 1.0], [0.5, 6.0]])
    turned = y.permute(1, 0).contiguous().permute(1, 0)
    for b, right in ((y, True), (turned, False)):
        out = np.zeros(4)
        straight(out, x.storage, b.storage)
        assert np.allclose(out.reshape(2, 2), (x @ y).numpy()) == right, "races-transposed"


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    assert "right: True" in printed(empty["first-code"])
    said = printed(empty["products-code"])
    assert said.count("[[11.0, 44.0], [22.5, 59.5]]") == 3
    assert "a cube of 1000000 numbers, for 10000 results" in said
    assert "calls a library and runs no loop" in printed(empty["source-code"])
    assert "for k0 in range" in printed(empty["tiles-code"])
    assert "Yours to write" in printed(empty["sum-step"])
    assert "mine did not run to its end" in printed(empty["product-step"])
    assert "on this input" in printed(filled["sum-step"])
    counted = printed(filled["product-step"])
    assert "zip, then reduce 4, mine 2" in counted, "the count of mine that is not the best"
    assert "mine 4 (1 a cell of out)" in counted


def test_three_products_are_one() -> None:
    x, y = tk.tensor(A.reshape(2, 3)), tk.tensor(np.arange(12.0).reshape(3, 4) - 5)
    out = np.zeros((2, 4))
    tiled(x.numpy(), y.numpy(), out, 2)
    for product in (by_zip_and_reduce(x, y), x @ y):
        np.testing.assert_allclose(product.numpy(), out)
    assert flat(out[0, :2]) == "-2 4"


HEAD = "import numpy as np\nfrom numba import njit, prange\n\n"
SUM, PRODUCT = (HEAD + answer(NAME, build) for build in ("sum", "product"))
CELL = "out[i * out_strides[0]]"
TOTAL = f"{CELL} = total"
WRONG_SUM = [
    (SUM.replace("in prange", "in range"), "no parallel loop"),
    (SUM.replace("range(a_shape[1])", "prange(a_shape[1])").replace("in pprange", "in prange")
     .replace("for i in prange", "for i in range").replace("total += ", "out[i] += ")
     .replace(f"        {TOTAL}", "").replace("total = 0.0", "out[i] = 0.0"), "races: out["),
    (SUM.replace("total += ", f"{CELL} += ").replace(f"        {TOTAL}", "")
     .replace("total = 0.0", f"{CELL} = 0.0"), "write each cell once"),
    (SUM.replace(TOTAL, TOTAL.replace("=", "+=")), "added to what was in out"),
    (SUM.replace("a[i * a_strides[0] + j * a_strides[1]]", "a[i * a_shape[1] + j]"),
     "use a_strides"),
    (SUM.replace("total += ", "total = "), "the last cell of each sum"),
    (SUM.replace("range(a_shape[1])", "range(1, a_shape[1])"), "without its first cell"),
    (SUM.replace("    for i in", "    index = np.zeros(2)\n    for i in").replace(
        "total = 0.0", "total = 0.0\n        index[0] = i"), "index is shared"),
    (SUM.replace("total = 0.0", "total = 0.0\n        index = np.zeros(2)"), "no array is needed"),
    (SUM.replace("def sum_dim_1", "def place(i, j, s):\n    return i * s[0] + j * s[1]\n\n\n"
     "def sum_dim_1").replace("i * a_strides[0] + j * a_strides[1]", "place(i, j, a_strides)"),
     "helper functions"),
    (HEAD + "def sum_dim_1(out, *rest):\n    return out\n", "nothing was written into out"),
]  # fmt: skip
B_CELL = "b[p * b_strides[0] + j * b_strides[1]]"
WRONG_PRODUCT = [
    (PRODUCT.replace(B_CELL, "b[p * b_shape[1] + j]"), "reading b as it lies in storage"),
    (PRODUCT.replace("a[i * a_strides[0] + p * a_strides[1]]", "a[i * a_shape[1] + p]"),
     "reading a as it lies in storage"),
    (PRODUCT.replace("total += ", "total = "), "the last of the products alone"),
    (PRODUCT.replace("prange(out_shape[0])", "prange(1)").replace("for j in range(out_shape[1])",
     "for j in range(out_shape[0] * out_shape[1])").replace("i * a_strides", "(j // 2) * a_strides")
     .replace("j * b_strides", "(j % 2) * b_strides").replace(
     "out[i * out_strides[0] + j * out_strides[1]]", "out[j]"), "has 1 iteration"),
    (PRODUCT.replace("= total", "+= total"), "added to what was in out"),
    (PRODUCT.replace("in prange", "in range"), "no parallel loop"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "source", "sentence"),
    [("sum", *each) for each in WRONG_SUM] + [("product", *each) for each in WRONG_PRODUCT],
)
def test_a_wrong_kernel_is_told_what_is_wrong(task: str, source: str, sentence: str) -> None:
    assert source not in (SUM, PRODUCT)
    said = refused(f"without_races.{task}", source)
    assert sentence in said, said


def test_a_compiled_kernel_is_run_as_it_was_written() -> None:
    """Nothing is compiled: the decorator alone starts no compiler."""
    for task, source in (("sum", SUM), ("product", PRODUCT)):
        check = tried(f"without_races.{task}", source.replace("def ", "@njit(parallel=True)\ndef "))
        assert check.passed, check.report


def test_the_call_that_a_report_offers_runs() -> None:
    for task, source in (("sum", WRONG_SUM[1][0]), ("product", WRONG_PRODUCT[3][0])):
        check = tried(f"without_races.{task}", source)
        [call] = [line for line in check.report.splitlines() if line.startswith("try: ")]
        names: dict[str, Any] = {"tk": tk, "check": check}
        exec(source, names)
        assert eval(call.removeprefix("try: "), names)._repr_mimebundle_()["text/plain"]
    assert steps_of(tried("without_races.sum", SUM)) == []
