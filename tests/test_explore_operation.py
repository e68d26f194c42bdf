"""The operation explorer: any layout gives the same result, and a loop with a slip is found out."""

import numpy as np
import pytest
from seeing import seen, show, stop_time

import tensorkit as tk
from tensorkit.explore.layouts import KINDS, laid_out
from tensorkit.explore.operation_explorer import OUT, operation_scene
from tensorkit.pictures.text import fmt

X = tk.tensor([[3.0, 1.0], [4.0, -2.0], [5.0, 9.0]])
Y = tk.tensor([0.5, -7.0])
ROWS = [row for row in tk.ops.TABLE if row.kind in ("map", "zip", "reduce")]


def cells(scene, key="out"):
    texts = scene.state(-1).texts
    return [texts[name] for name in texts if name.startswith(f"{key}.")]


def inputs_of(row):
    if row is tk.where:
        return tk.tensor([[1.0, 0], [0, 1], [1, 1]]), X, Y
    return (X, Y) if row.kind == "zip" else (X * X,)


def expected(row, dim):
    result = row(*inputs_of(row), **({} if dim is None else {"dim": dim}))
    return [fmt(value) for value in result.numpy().ravel().tolist()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_layout_does_not_change_what_comes_out(row):
    dim = 0 if row.kind == "reduce" else None
    want = expected(row, dim)
    for inputs in KINDS:
        for out in ("contiguous", "permuted", "strided"):
            scene = operation_scene(row, inputs_of(row), dim, None, inputs, out)
            assert cells(scene) == want
            assert all(step.line is not None for step in scene.steps), "the code is always lit"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("x", [X, tk.tensor(4.5), tk.zeros(2, 0), X.permute(1, 0)], ids=str)
def test_a_tensor_laid_out_otherwise_has_the_same_numbers(kind, x):
    moved = laid_out(x, kind)
    np.testing.assert_array_equal(moved.numpy(), x.numpy())
    if x.ndim == 2 and x.size:
        assert moved.is_contiguous() == (kind == "contiguous")


def test_a_map_overwrites_what_was_in_out_and_a_fold_goes_on_from_it():
    explorer = tk.explore.operation()
    labels = {control.name: control.values for control in explorer.controls}["what"]
    scene = explorer.scene(what=labels["map −x"], out="dirty")
    assert "out holds 7 from before: a map overwrites it." in scene.steps[0].say
    assert cells(scene) == ["−3", "−1", "−4", "2", "−5", "−9"]
    fold = explorer.scene(what=labels["reduce Σ"], out="dirty")
    assert cells(fold) == ["19", "15"], "7 too much in each"
    assert "sum should start from 0" in fold.steps[-1].say


def test_the_slip_shows_only_where_storage_is_not_in_reading_order():
    explorer = tk.explore.operation()
    slip = explorer.controls[0].values["a loop with a slip"]
    for inputs in KINDS:
        for out in OUT.values():
            scene = explorer.scene(what=slip, inputs=inputs, out=out)
            # both storages run alike where both are laid out alike
            right = (inputs, out) in [("contiguous", "contiguous"), ("contiguous", "dirty"),
                                      ("permuted", "permuted")]  # fmt: skip
            assert scene.steps[-1].bad is not right, (inputs, out)
            assert any(step.bad for step in scene.steps) is not right
    wrong = explorer.scene(what=slip, inputs="permuted", out="contiguous")
    first = next(step for step in wrong.steps if step.bad)
    assert first.say == (
        "Reads a[1] = 4: out[1] becomes −4. out[1] is made from a[3]: a[1] is not it. "
        "The strides of a are (1, 3)."
    )


def my_sum(out, a, dim):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[0, j] += a[i, j]


def my_sum_shifted(out, a, dim):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[0, j] += a[i, j - 1]


def my_outer(out, a, b):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = a[i, 0] * b[j]


@pytest.mark.parametrize("inputs", KINDS)
@pytest.mark.parametrize("out", OUT.values())
def test_a_loop_over_arrays_is_told_by_index(inputs, out):
    scene = tk.explore.operation(my_sum, X, dim=0).scene(inputs=inputs, out=out)
    assert scene.steps[2].say.startswith("Reads a[0, 1] = 1: out[0, 1] goes from")
    assert not scene.steps[-1].bad
    read = [key for key in scene.steps[2].roles["read"] if key.startswith("a.")]
    assert read == ["a.1"], "whatever the layout, it is that cell of the grid"


def test_the_first_wrong_read_of_an_array_is_explained():
    scene = tk.explore.operation(my_sum_shifted, X, dim=0).scene()
    first = next(step for step in scene.steps if step.bad)
    assert (
        "out[0, 0] is the sum of a[0, 0], a[1, 0], a[2, 0]: a[0, 1] is not one of them."
        in first.say
    )
    assert "a[0, 1], counted from the end, = 1" in first.say
    assert first.roles["wrong"] == ("a.1", "a_storage.1")


def test_arrays_of_a_zip_broadcast_by_hand():
    scene = tk.step(my_outer, tk.tensor([[2.0], [3.0]]), tk.tensor([5.0, 7.0, -1.0]), like=tk.mul)
    assert scene.scene.steps[-1].say == "Every cell of out is right: it agrees with mul."


def returned_neg(a):
    result = np.zeros(a.shape)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            result[i, j] = -a[i, j]
    return result


def returned_sum(a, dim):
    result = np.zeros(a.shape[1])
    for i in range(a.shape[0]):
        result += a[i]
    return result


def test_a_function_that_returns_its_array_is_stepped_and_compared():
    scene = tk.step(returned_neg, X.permute(1, 0), like=tk.neg).scene
    assert scene.steps[0].say == "returned_neg is called with a; out is what it returns."
    assert scene.steps[2].say == "Reads a[0, 1] = 4."
    assert cells(scene) == [fmt(-v) for v in X.numpy().T.ravel().tolist()]
    assert scene.steps[-1].say == "Every cell of out is right: it agrees with neg."
    wrong = tk.step(returned_neg, X, like=tk.exp).scene
    assert (
        wrong.steps[-1].bad
        and "6 of 6 cells of out are wrong: out[0, 0] is −3" in wrong.steps[-1].say
    )
    explored = tk.explore.operation(returned_neg, X, like=tk.neg).scene(inputs="strided")
    assert not explored.steps[-1].bad
    folded = tk.step(returned_sum, X, dim=0, like=tk.sum).scene
    assert folded.steps[-1].say == "Every cell of out is right: it agrees with sum over dim 0."


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda a: None, "TypeError: it returned None: return the result"),
        (lambda a: a[0], "ValueError: it returned shape (2,), and out has shape (3, 2)"),
    ],
)
def test_what_does_not_return_out_ends_clearly(function, says):
    scene = tk.step(function, X, like=tk.neg).scene
    assert scene.steps[-1].bad and says in scene.steps[-1].say


def test_an_index_outside_an_array_is_a_clear_end():
    def beyond(out, a):
        for i in range(9):
            out[i, 0] = -a[i, 0]

    scene = tk.step(beyond, X, like=tk.neg).scene
    assert scene.steps[-1].bad and "a[3, 0]: a has shape (3, 2)" in scene.steps[-1].say
    assert scene.code.lines[scene.steps[-1].line - scene.code.first].strip().startswith("out[i, 0]")


def test_an_endless_loop_is_a_clear_end():
    def endless(out, a):
        i = 0
        while i < 2:
            out[i, 0] = a[i, 0]

    scene = tk.step(endless, X, like=tk.neg).scene
    assert scene.steps[-1].bad and "is there a loop that never ends?" in scene.steps[-1].say


def test_what_is_neither_operation_nor_loop_is_refused():
    with pytest.raises(TypeError, match="no operation and no loop"):
        tk.explore.operation(lambda x: x * 2, X)
    with pytest.raises(TypeError, match="takes 2 inputs"):
        tk.explore.operation(tk.mul, X)
    assert "tk.explore.operation(tk.mul, x, y)" in tk.explore.operation.__doc__


def test_playing_stops_at_the_first_wrong_step_and_goes_on_from_there(page):
    stepper = tk.step(my_sum_shifted, X, dim=0)
    bad = [number for number, step in enumerate(stepper.scene.steps) if step.bad]
    assert bad[0] < bad[1] < len(stepper.scene.steps) - 1
    stop_time(page)
    root = show(page, stepper.html())
    root.focus()
    for number in bad[:2]:
        page.keyboard.press("Space")
        page.clock.run_for(60_000)
        assert seen(root)["count"].startswith(f"{number} / ")


def test_all_of_it_is_light():
    assert len(tk.explore.operation().html()) < 450_000
