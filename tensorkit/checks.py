"""Check a gradient by nudging: move one cell of an input a little and watch the output.

Backward claims how much the output changes when a cell changes; nudging measures it, knowing
nothing of derivatives. The output cells carry distinct weights of both signs, as the gradient that
arrives from further up a graph does: with all weights one, a backward that forgets ``grad_out``
would pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .autodiff import nodes_behind
from .errors import DtypeError, GradientError, GraphError, ShapeError
from .functions import Function, Operation
from .graph import no_grad
from .layout import Shape
from .nudging import sample, slopes, upstream
from .tensor import Tensor, tensor

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class GradientReport:
    """What backward said and what nudging measured, input by input, as arrays of its shape.

    ``numbers`` tells which arguments they are. ``analytic`` is from backward, ``numeric`` from
    nudging: nan in cells that were not checked. ``checked``, ``wrong`` and ``kinks`` mark cells.
    ``weights`` is the grad_out of the test, one number for each output cell. ``message`` says what
    is wrong first; empty if all cells agree. ``tk.step(report)`` draws it.
    """

    name: str
    message: str
    weights: Array
    numbers: tuple[int, ...]
    analytic: tuple[Array, ...]
    numeric: tuple[Array, ...]
    checked: tuple[Array, ...]
    wrong: tuple[Array, ...]
    kinks: tuple[Array, ...]

    @property
    def ok(self) -> bool:
        """Whether every checked cell agrees."""
        return not self.message

    @property
    def difference(self) -> tuple[Array, ...]:
        """Backward minus nudging, for each input."""
        return tuple(a - n for a, n in zip(self.analytic, self.numeric, strict=True))

    def __repr__(self) -> str:
        if self.message:
            return f"GradientReport({self.message})"
        cells = sum(a.size for a in self.analytic)
        checked = sum(int(c.sum()) for c in self.checked)
        kinks = sum(int(k.sum()) for k in self.kinks)
        some = f"{checked} cells agree" if checked == cells else f"{checked} of {cells} cells agree"
        apart = [
            abs(d[c]).max() for d, c in zip(self.difference, self.checked, strict=True) if c.any()
        ]
        worst = max(apart, default=0.0)
        tail = f", {kinks} of them at a kink" if kinks else f", largest difference {worst:.1e}"
        return f"GradientReport({self.name}: {some}{tail})"


def check_gradient(
    f: Callable[..., Tensor] | type[Function],
    *inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    seed: int = 0,
    limit: int = 2000,
    raises: bool = True,
) -> GradientReport:
    """Compare the gradient of ``f(*inputs)`` with slopes measured by nudging each input cell.

    ``f`` is a row of the table, a Function of yours, or any function that returns one tensor.
    The tensors among ``inputs`` that require a gradient are checked, or all of them if none does;
    other arguments are passed on. Inputs are float64 and are left as they are.
    A cell x is nudged by ``eps * max(1, |x|)`` both ways; slopes a and b agree if
    ``|a - b| <= atol + rtol * max(|a|, |b|)``. More than ``limit`` cells are sampled, first and
    last included; ``seed`` fixes the sample and the weights of the output cells.

    Raises GradientError, with the report as its ``report``, unless all agree; with
    ``raises=False`` only returns the report, which ``tk.step(report)`` draws cell by cell. Raises
    DtypeError for inputs that cannot be nudged.
    """
    name, run_f = called(f)
    chosen = differentiated(inputs)
    values = [np.array(t.numpy()) if isinstance(t, Tensor) else t for t in inputs]
    rng = np.random.default_rng(seed)

    def run(number: int, index: Shape, value: float) -> Array:
        fresh = [
            tensor(v) if isinstance(t, Tensor) else v for t, v in zip(inputs, values, strict=True)
        ]
        if number >= 0:
            moved = values[number].copy()
            moved[index] = value
            fresh[number] = tensor(moved)
        with no_grad():
            return np.array(need_output(name, run_f(*fresh)).numpy(), dtype=np.float64).reshape(-1)

    def recorded() -> tuple[Tensor, list[Tensor]]:
        fresh = [same_layout(t) if isinstance(t, Tensor) else t for t in inputs]
        leaves = [fresh[k].requires_grad_() for k in chosen]
        return need_output(name, run_f(*fresh)), leaves

    middle = run(-1, (), 0.0)
    weights = upstream(middle.size, rng)
    # once more with every sign turned: a backward that looks at the sign of grad_out shows itself
    passes = (weights, -1 / weights)
    variants = np.concatenate([np.stack([w, np.ones(w.size), w * w]) for w in passes])

    kinks, checked, low, high = [], [], [], []
    for k in chosen:
        kinks.append(np.zeros(values[k].shape, bool))
        checked.append(np.zeros(values[k].shape, bool))
        low.append(np.full((len(variants), *values[k].shape), np.nan))
        high.append(low[-1].copy())
    for i, index in sample([values[k].shape for k in chosen], limit, rng):
        checked[i][index] = True
        left, right, kinks[i][index] = slopes(run, chosen[i], index, values[chosen[i]], middle, eps)
        cell: Any = (slice(None), *index)
        low[i][cell] = np.minimum(variants * left, variants * right).sum(axis=1)
        high[i][cell] = np.maximum(variants * left, variants * right).sum(axis=1)

    before = np.array(recorded()[0].numpy())
    for number, weights in enumerate(passes):
        out, leaves = recorded()
        if not np.array_equal(out.numpy(), before, equal_nan=True):
            raise GradientError(
                f"{name} gives different numbers when it is run again on the same inputs, so there "
                "is no slope to measure: fix its random seed, or do not depend on earlier calls"
            )
        part = slice(3 * number, 3 * number + 3)
        numeric = [(a[part] + b[part]) / 2 for a, b in zip(low, high, strict=True)]
        wrong, problem = [], ""
        try:
            analytic = gradients(out, weights.reshape(out.shape), leaves)
        except (ShapeError, GraphError) as error:
            problem = f"{name}: {error}"
            analytic = [np.full(values[k].shape, np.nan) for k in chosen]
        for a, lo, hi, mark in zip(analytic, low, high, checked, strict=True):
            nearest = np.clip(a, lo[part][0], hi[part][0])
            agree = np.isfinite(a) & (
                np.abs(a - nearest) <= atol + rtol * np.maximum(np.abs(a), np.abs(nearest))
            )
            wrong.append(mark & ~agree)
        if not problem and any(w.any() for w in wrong):
            problem = first_wrong(name, chosen, analytic, numeric, wrong)
        report = GradientReport(
            name,
            problem,
            weights.reshape(out.shape),
            tuple(chosen),
            tuple(analytic),
            tuple(n[0] for n in numeric),
            tuple(checked),
            tuple(wrong),
            tuple(kinks),
        )
        if problem:
            break
    if problem and raises:
        found = GradientError(problem, report)
        found.add_note("To see it cell by cell: tk.step(tk.check_gradient(..., raises=False))")
        raise found
    return report


def called(f: Any) -> tuple[str, Callable[..., Any]]:
    """Return the name of ``f`` for messages, and what to call."""
    if isinstance(f, type) and issubclass(f, Function):
        return f.__name__, f.apply
    owner = getattr(f, "__self__", None)
    if isinstance(f, Operation):
        return f.name, f  # type: ignore[return-value]  # every row can be called
    if isinstance(owner, type) and issubclass(owner, Function):
        return owner.__name__, f
    name = getattr(f, "__name__", "f")
    return ("the function" if name == "<lambda>" else name), f


def differentiated(inputs: tuple[Any, ...]) -> list[int]:
    """Return which of the inputs are checked. Raises DtypeError if there is none to nudge."""
    tensors = [k for k, t in enumerate(inputs) if isinstance(t, Tensor)]
    if not tensors:
        raise DtypeError("check_gradient needs a tensor among the inputs: give f its tensors")
    for k in tensors:
        if inputs[k].dtype != np.float64:
            raise DtypeError(
                f"input {k} is float32, in which a small nudge is lost to rounding: "
                "check the gradient with float64 inputs, the formula is the same"
            )
    return [k for k in tensors if inputs[k].requires_grad] or tensors


def need_output(name: str, out: Any) -> Tensor:
    """Return ``out`` if it is a tensor; raise DtypeError otherwise."""
    if not isinstance(out, Tensor):
        raise DtypeError(f"{name} returned {type(out).__name__}: a gradient needs one tensor")
    return out


def same_layout(t: Tensor) -> Tensor:
    """Return a copy of the whole storage under the same strides, so that backward meets them."""
    return Tensor(t.storage.copy(), t.shape, t.strides, t.offset)


def gradients(out: Tensor, weights: Array, leaves: list[Tensor]) -> list[Array]:
    """Return the gradient of each leaf. Other leaves that ``out`` rests on keep theirs."""
    if out.requires_grad:
        inputs = [t for node in nodes_behind(out) for t in node.inputs if t.is_leaf]
        before = [(t, t.grad) for t in inputs]
        out.backward(tensor(weights))
        found = [t.grad for t in leaves]
        for t, grad in before:
            t.grad = grad
    else:
        found = [None] * len(leaves)
    return [
        np.zeros(t.shape) if g is None else np.array(g.numpy())
        for t, g in zip(leaves, found, strict=True)
    ]


def first_wrong(
    name: str, chosen: list[int], analytic: list[Array], numeric: list[Array], wrong: list[Array]
) -> str:
    """Say which input is wrong, where first, what backward says there, and a guess at the cause."""
    i = next(i for i, w in enumerate(wrong) if w.any())
    index = tuple(int(n) for n in np.argwhere(wrong[i])[0])
    others = [f"input {chosen[j]}" for j, w in enumerate(wrong) if j != i and w.any()]
    also = f" ({' and '.join(others)} too)" if others else ""
    got, want = analytic[i], numeric[i]
    text = (
        f"{name}: the gradient of input {chosen[i]}{also} is wrong in {wrong[i].sum()} of "
        f"{got.size} cells, first at {index}: backward says {got[index]:.6g}, "
        f"nudging measures {want[0][index]:.6g}"
    )
    swapped = [j for j in range(len(chosen)) if j != i and alike(got, numeric[j][0])]
    reason = hint(got, want, wrong[i]) or (
        f"these are the numbers of input {chosen[swapped[0]]}: are the gradients in the order of "
        "the inputs?"
        if swapped
        else ""
    )
    return f"{text}. {reason[:1].upper()}{reason[1:]}" if reason else text


def alike(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers, up to what nudging can tell; cells of nan aside."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-5, atol=1e-6)) and bool(b.any())


def hint(got: Array, want: Array, wrong: Array) -> str:
    """Guess the cause. ``want`` is for grad_out as it was, for all one, and for its square."""
    right, alone, twice = want
    if not np.isfinite(right[wrong]).all():
        return "the function is not finite near this input: choose inputs inside its domain"
    if not np.isfinite(got[wrong]).all():
        return "backward divides by zero or leaves the domain"
    if not got.any():
        return (
            "every number is 0: is the gradient of this input returned, and the input remembered?"
        )
    if alike(got, alone):
        return "that is the slope alone: multiply it by grad_out"
    if alike(got, twice):
        return "it looks as if grad_out is multiplied in twice"
    with np.errstate(all="ignore"):
        ratio = got[right != 0] / right[right != 0]
    if wrong.all() and ratio.size and np.ptp(ratio) < 1e-4 * abs(ratio[0]):
        return f"every number is {ratio[0]:.4g} times what it should be"
    if got.ndim > 1 and alike(got.reshape(got.shape[::-1]).T, right):
        return "these are the right numbers transposed"
    if alike(np.sort(got, axis=None), np.sort(right, axis=None)):
        return "these are the right numbers in the wrong cells"
    if not got[wrong].any():
        return "backward says 0 in every wrong cell: are some cells left out?"
    return ""
