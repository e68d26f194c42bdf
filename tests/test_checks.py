"""check_gradient: passes what is right, fails a bank of wrong answers, and says why."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from oracles import Place, grids, laid_out, laws, values_for

import tensorkit as tk
from tensorkit.checks import GradientReport, check_gradient

A = tk.tensor([[1.0, -2, 3], [0.4, 5, -0.6]])
B = tk.tensor([[0.3, 1.7, -2], [2.0, 4, 7]])


def product(backward):
    """Return the product of two tensors with this backward(g, x, y)."""

    class Product(tk.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, grad_out):
            return backward(grad_out, *ctx.saved_tensors)

    return Product


def one_cell(grad, factor=0.5):
    """Return a gradient that is wrong in its very last cell."""
    wrong = np.array(grad.numpy())
    wrong[-1, -1] *= factor
    return tk.tensor(wrong)


def crossed(grad):
    return grad.permute(1, 0).contiguous().view(2, 3)


WRONG = {
    "grad_out is left out": (lambda g, x, y: (y, x), "the slope alone: multiply it by grad_out"),
    "grad_out alone": (lambda g, x, y: (g, g), ""),
    "ones": (lambda g, x, y: (tk.ones(2, 3), tk.ones(2, 3)), ""),
    "the wrong partner": (lambda g, x, y: (g * x, g * y), "the numbers of input 1"),
    "grad_out squared": (lambda g, x, y: (g * g * y, g * g * x), "multiplied in twice"),
    "size of grad_out": (lambda g, x, y: ((g * g).sqrt() * y, g * x), ""),
    "masked by the gradient": (lambda g, x, y: (g * y * (g > 0), g * x), "0 in every wrong cell"),
    "clipped gradient": (lambda g, x, y: (g.maximum(-0.4) * y, g * x), ""),
    "half": (lambda g, x, y: (g * y * 0.5, g * x), "0.5 times what it should be"),
    "a sign": (lambda g, x, y: (g * y, -(g * x)), "-1 times what it should be"),
    "mean instead of sum": (lambda g, x, y: (g * y / 6, g * x / 6), "0.1667 times"),
    "summed": (lambda g, x, y: ((g * y).sum().expand(2, 3), g * x), ""),
    "divided": (lambda g, x, y: (g / y, g * x), ""),
    "transposed": (lambda g, x, y: (crossed(g * y), g * x), "the right numbers transposed"),
    "reversed": (
        lambda g, x, y: (tk.tensor((g * y).numpy()[::-1]), g * x),
        "the right numbers in the wrong cells",
    ),
    "nothing": (lambda g, x, y: (g * y, None), "every number is 0"),
    "zeros": (lambda g, x, y: (g * 0, g * x), "every number is 0"),
    "the last cell": (lambda g, x, y: (g * y, one_cell(g * x)), ""),
    "the last cell by a thousandth": (lambda g, x, y: (one_cell(g * y, 1.001), g * x), ""),
    "the last cell is missing": (lambda g, x, y: (one_cell(g * y, 0.0), g * x), "0 in every wrong"),
    "inf": (lambda g, x, y: (g * y / 0, g * x), "leaves the domain"),
    "shape": (lambda g, x, y: ((g * y).permute(1, 0), g * x), r"shape (3, 2) for argument 0"),
    "summed shape": (lambda g, x, y: ((g * y).sum(0), g * x), r"shape (1, 3) for argument 0"),
    "one gradient": (lambda g, x, y: g * y, "returned 1 gradient, but forward takes 2"),
    "no return": (lambda g, x, y: None, "returned None, but forward takes 2"),
    "numbers": (lambda g, x, y: (g * y, 3.0), "returned float for argument 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_backward_is_caught_and_the_cause_is_guessed(name):
    backward, words = WRONG[name]
    with pytest.raises(tk.GradientError) as caught:
        check_gradient(product(backward), A, B)
    message = str(caught.value)
    assert words.lower() in message.lower(), message
    assert message.startswith("Product: ")
    report = caught.value.report
    assert not report.ok
    assert report.message == message
    assert message in repr(report)
    quiet = check_gradient(product(backward), A, B, raises=False)
    assert quiet.message == message


def test_the_right_backward_passes():
    report = check_gradient(product(lambda g, x, y: (g * y, g * x)), A, B)
    assert report.ok
    assert report.message == ""
    assert repr(report).startswith("GradientReport(Product: 12 cells agree, largest difference")


def test_the_message_names_input_cell_got_and_want():
    def last_is_wrong(g, x, y):
        return g * y, one_cell(g * x)

    report = check_gradient(product(last_is_wrong), A, B, raises=False)
    got, want = report.analytic[1][1, 2], report.numeric[1][1, 2]
    assert report.message == (
        "Product: the gradient of input 1 is wrong in 1 of 6 cells, first at (1, 2): "
        f"backward says {got:.6g}, nudging measures {want:.6g}"
    )
    assert got == pytest.approx(want / 2)
    assert [w.sum() for w in report.wrong] == [0, 1]
    np.testing.assert_allclose(report.difference[1], report.analytic[1] - report.numeric[1])
    assert abs(report.difference[0]).max() < 1e-8


def test_weights_are_distinct_and_have_both_signs_and_follow_the_seed():
    report = check_gradient(tk.mul, A, B)
    sizes = np.abs(report.weights)
    assert report.weights.shape == (2, 3)
    assert len(np.unique(sizes)) == 6
    assert sizes.min() >= 0.5
    assert sizes.max() <= 2
    assert 0 < (report.weights > 0).sum() < 6
    again, other = check_gradient(tk.mul, A, B), check_gradient(tk.mul, A, B, seed=1)
    np.testing.assert_array_equal(again.weights, report.weights)
    assert not np.array_equal(other.weights, report.weights)


def test_a_single_cell_is_checked_with_a_weight_of_each_sign():
    for forgetful in (lambda g: g * 0 + 1, lambda g: g * g, lambda g: (g * g).sqrt()):
        made = type("Made", (tk.Function,), {
            "forward": staticmethod(lambda ctx, x: x * 1),
            "backward": staticmethod(lambda ctx, g, f=forgetful: f(g)),
        })  # fmt: skip
        with pytest.raises(tk.GradientError):
            check_gradient(made, tk.tensor(2.0))


# kinks and jumps


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_at_a_kink_every_slope_between_is_right(slope):
    relu = one_sided(slope)
    report = check_gradient(relu, tk.tensor([-1.0, 0, 2]))
    assert report.kinks[0].tolist() == [False, True, False]
    assert "1 of them at a kink" in repr(report)


@pytest.mark.parametrize("slope", [-0.1, 1.1, 7.0, np.nan])
def test_at_a_kink_a_slope_outside_is_wrong(slope):
    with pytest.raises(tk.GradientError, match=r"wrong in 1 of 3 cells, first at \(1,\)"):
        check_gradient(one_sided(slope), tk.tensor([-1.0, 0, 2]))


def one_sided(slope):
    """Return relu with this slope at 0."""

    class Relu(tk.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.maximum(0.0)

        @staticmethod
        def backward(ctx, grad_out):
            x = ctx.saved_tensors[0].numpy()
            return grad_out * np.where(x > 0, 1.0, np.where(x == 0, slope, 0.0))

    return Relu


@pytest.mark.parametrize("row", [tk.lt, tk.le, tk.gt, tk.ge, tk.eq, tk.ne])
def test_at_a_jump_zero_is_right_and_a_slope_is_wrong(row):
    x, y = tk.tensor([1.0, 2, 3]), tk.tensor([1.0, 5, 3])
    report = check_gradient(row, x, y)
    assert report.kinks[0].tolist() == [True, False, True]
    with pytest.raises(tk.GradientError, match=r"wrong in 3 of 3"):
        check_gradient(lambda x, y: row(x, y) + 0.5 * (x - x.detach()), x, y)


def test_ties_of_a_maximum_are_kinks():
    report = check_gradient(lambda x: x.max(1), tk.tensor([[2.0, 5, 5], [1, 3, 2]]))
    assert report.kinks[0].tolist() == [[False, True, True], [False, False, False]]
    report = check_gradient(tk.maximum, tk.tensor([1.0, 2]), tk.tensor([1.0, 5]))
    assert [k.tolist() for k in report.kinks] == [[True, False]] * 2


def test_a_kink_beside_the_point_is_recognised():
    assert check_gradient(tk.relu, tk.tensor([5e-7, -5e-7, 1e-9])).kinks[0].all()


def test_a_strong_bend_is_no_kink():
    x = tk.tensor([0.01, 0.003, -0.02])
    report = check_gradient(tk.reciprocal, x)
    assert not report.kinks[0].any()
    wrong = type("Wrong", (tk.Function,), {
        "forward": staticmethod(lambda ctx, x: ctx.save_for_backward(x) or 1 / x),
        "backward": staticmethod(lambda ctx, g: g * -1.001 / ctx.saved_tensors[0] ** 2),
    })  # fmt: skip
    with pytest.raises(tk.GradientError, match=r"1\.001 times"):
        check_gradient(wrong, x)


# what it may be given


def test_f_may_be_a_row_a_lambda_a_function_or_its_apply():
    right = product(lambda g, x, y: (g * y, g * x))
    for f, name in [
        (tk.mul, "mul"),
        (tk.ops.get("mul"), "mul"),
        (lambda x, y: x * y, "the function"),
        (right, "Product"),
        (right.apply, "Product"),
        (named, "named"),
        (tk.Tensor.mul, "mul"),
    ]:
        assert check_gradient(f, A, B).name == name


def named(x, y):
    return (x * y).sum(0) + x.mean()


@laws(25)
@given(grids())
def test_inputs_may_lie_anyhow_and_are_left_as_they_are(grid):
    t, _ = grid
    storage, at = t.storage.copy(), t.layout
    report = check_gradient(lambda x: (x * x).sigmoid(), t)
    assert report.ok
    assert report.analytic[0].shape == t.shape
    np.testing.assert_array_equal(t.storage, storage)
    assert t.layout is at
    assert t.grad is None
    assert not t.requires_grad


def test_backward_meets_the_strides_of_the_input():
    class CountsStrides(tk.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.strides = x.strides
            return x * 2

        @staticmethod
        def backward(ctx, grad_out):
            return grad_out * (2.0 if ctx.strides == (3, 1) else 7.0)

    t, _ = laid_out(
        values_for((2, 3), 1), Place((1, 0), (1, 1), (False, False), (False, False), 0, 0)
    )
    assert check_gradient(CountsStrides, tk.tensor(t)).ok
    with pytest.raises(tk.GradientError, match=r"3\.5 times"):
        check_gradient(CountsStrides, t)


def test_an_f_that_writes_into_its_input_writes_into_a_copy():
    def overwrite(x):
        y = x + 3
        x.detach().copy_(0.0)
        return y

    t = tk.tensor([1.0, 2, 3], requires_grad=True)
    t.grad = tk.tensor([7.0, 8, 9])
    assert check_gradient(overwrite, t).ok
    assert t.tolist() == [1, 2, 3]
    assert t.grad.tolist() == [7, 8, 9]
    assert t.requires_grad


def test_gradients_of_tensors_that_f_closes_over_are_left_alone():
    w = tk.tensor([2.0, 3, 5], requires_grad=True)
    assert check_gradient(lambda x: x * w, tk.tensor([1.0, -2, 4])).ok
    assert w.grad is None
    w.grad = kept = tk.tensor([7.0, 8, 9])
    assert check_gradient(lambda x: x * w, tk.tensor([1.0, -2, 4])).ok
    assert w.grad is kept


def test_outputs_of_any_shape():
    for f in (
        lambda x: x.sum(),
        lambda x: x.sum(1),
        lambda x: x.permute(1, 0),
        lambda x: x.view(3, 1, 2).expand(2, 3, 4, 2),
        lambda x: x.view(2, 3).sum(0, keepdim=False),
    ):
        assert check_gradient(f, A).ok
    assert check_gradient(tk.exp, tk.zeros(0, 3)).ok
    assert check_gradient(tk.sum, tk.zeros(0, 3)).ok


def test_only_tensors_that_require_a_gradient_are_checked_if_any_does():
    half_right = product(lambda g, x, y: (g * y, g * 0))
    assert check_gradient(half_right, tk.tensor(A, requires_grad=True), B).ok
    with pytest.raises(tk.GradientError, match="input 1"):
        check_gradient(half_right, A, B)
    with pytest.raises(tk.GradientError, match="input 1"):
        check_gradient(half_right, A, tk.tensor(B, requires_grad=True))


def test_other_arguments_are_passed_on():
    assert check_gradient(lambda x, dim, keep: x.sum(dim, keep), A, 1, False).ok
    assert len(check_gradient(lambda n, x: x * n, 3.0, A).analytic) == 1


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(tk.DtypeError, match="needs a tensor among the inputs"):
        check_gradient(tk.exp, 3.0)
    with pytest.raises(tk.DtypeError, match="input 1 is float32"):
        check_gradient(tk.mul, A, tk.tensor(B, dtype=tk.float32))
    for wrong in (lambda x: x.sum().item(), lambda x: None, lambda x: np.ones(3)):
        with pytest.raises(tk.DtypeError, match=r"the function returned .* one tensor"):
            check_gradient(wrong, A)


def test_a_function_that_is_not_repeatable_is_refused():
    with pytest.raises(tk.GradientError, match="fix its random seed"):
        check_gradient(lambda x: x * tk.rand(2, 3), A)


def test_an_error_of_f_itself_comes_through():
    with pytest.raises(tk.ShapeError, match="cannot broadcast"):
        check_gradient(lambda x: x + tk.zeros(7), A)


def test_a_result_that_forgot_its_input_is_caught():
    with pytest.raises(tk.GradientError, match=r"Every number is 0: .* remembered"):
        check_gradient(lambda x: x.detach().exp(), A)


def test_a_point_outside_the_domain_is_named_as_such():
    for f, x in [(tk.log, -1.0), (tk.log, 0.0), (tk.sqrt, -2.0), (tk.reciprocal, 0.0)]:
        with pytest.raises(tk.GradientError, match="inside its domain"):
            check_gradient(f, tk.tensor([x, 2.0]))


def test_many_cells_are_sampled_first_and_last_included():
    x = tk.tensor(values_for((50, 60), 3))
    report = check_gradient(tk.tanh, x, limit=20)
    assert report.checked[0].sum() == 20
    assert report.checked[0][0, 0]
    assert report.checked[0][-1, -1]
    assert repr(report).startswith("GradientReport(tanh: 20 of 3000 cells agree")
    assert np.isnan(report.numeric[0][~report.checked[0]]).all()
    again = check_gradient(tk.tanh, x, limit=20)
    np.testing.assert_array_equal(again.checked[0], report.checked[0])
    ends = product(lambda g, x, y: (one_cell(g * y), g * x))
    with pytest.raises(tk.GradientError, match=r"wrong in 1 of 3000 cells, first at \(49, 59\)"):
        check_gradient(ends, x, x, limit=20)


def test_large_and_small_inputs_are_nudged_in_proportion():
    assert check_gradient(lambda x: x * x, tk.tensor([1e8, 1e-8, -1e4, 0.0])).ok
    assert check_gradient(tk.exp, tk.tensor([300.0, -30, 18])).ok


def test_a_report_is_frozen_and_can_be_drawn_from():
    report = check_gradient(tk.mul, A, B)
    assert isinstance(report, GradientReport)
    with pytest.raises(AttributeError):
        report.message = "no"
    for arrays in (report.analytic, report.numeric, report.difference, report.wrong, report.kinks):
        assert [a.shape for a in arrays] == [(2, 3), (2, 3)]


def test_checking_needs_no_matplotlib():
    program = (
        "import sys, tensorkit as tk\n"
        "print(tk.check_gradient(tk.exp, tk.tensor([1.0])).ok, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["True", "False"]
