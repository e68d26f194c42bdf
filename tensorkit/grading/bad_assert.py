"""The bad-assert homework: 18 points in 8 graded cells. The learner writes the tests.

Each test meets wrong implementations that are named in the notebook, others that are not, and right
ones that are made in another way. The wrong ones that are caught earn equal shares of the points.
"""

from __future__ import annotations

import numpy as np

from .bad_assert_exam import FIXED_ASSERT, PAIRS
from .cases import Case
from .rights import Build, function, reducer, undoer
from .sheet import Block, Task
from .suites import SuiteExam, ThriftExam, right, wrong

NAMED = "the wrong ones that are named"
OTHERS = "wrong ones of other kinds"
ALARMS = "no false alarms"

REDUCE = SuiteExam("check_reduce", (), of="tensor_reduce")
UNBROADCAST = SuiteExam("check_unbroadcast", (), of="unbroadcast")
BACKWARD = SuiteExam("check_backward", (), of="forward or backward")

# what they compute is that of the notebook's; whoever compares code finds another one
RIGHT_REDUCE = reducer(("acc = out[place]", "acc = out[place] + 0.0"))
RIGHT_UNBROADCAST = undoer(("grad.numpy()", "grad.numpy() + 0.0"))
RIGHT_BACKWARD = function(lambda x: x**2, lambda x, grad_out: grad_out.numpy() * 2 * x)

PLACE = "sum(i * s for i, s in zip(index, out_strides, strict=True))"

NAMED_REDUCE = (
    wrong(
        "it leaves the first cell of every fold out",
        reducer(("range(a_shape[dim])", "range(1, a_shape[dim])")),
        RIGHT_REDUCE,
    ),
    wrong(
        "it begins with 0, whatever out holds",
        reducer(("acc = out[place]", "acc = 0.0")),
        RIGHT_REDUCE,
    ),
    wrong(
        "it writes the results side by side, whatever out_strides says",
        reducer((PLACE, "int(np.ravel_multi_index(index, out_shape))")),
        RIGHT_REDUCE,
    ),
    wrong(
        "it calls fn(x, acc), not fn(acc, x)",
        reducer(("fn(acc, a[", "fn(a["), ("strict=True))])", "strict=True))], acc)")),
        RIGHT_REDUCE,
    ),
)
NAMED_UNBROADCAST = (
    wrong(
        "it takes the mean over the copies, not the sum",
        undoer((".sum(axis=0)", ".mean(axis=0)"), (".sum(axis=dim", ".mean(axis=dim")),
        RIGHT_UNBROADCAST,
    ),
    wrong(
        "it sums over added dims, and leaves stretched ones as they are",
        undoer(("length == 1", "False")),
        RIGHT_UNBROADCAST,
    ),
)
NAMED_BACKWARD = (
    wrong(
        "exp whose backward returns the slope alone, without grad_out",
        function(np.exp, lambda x, grad_out: np.exp(x)),
        RIGHT_BACKWARD,
    ),
    wrong(
        "the mean over dim 1 with the gradient of a sum",
        function(
            lambda x: x.mean(axis=1, keepdims=True),
            lambda x, grad_out: np.broadcast_to(grad_out.numpy(), x.shape),
        ),
        RIGHT_BACKWARD,
    ),
)

# wrong in ways that many a test sees; what they are is not said
OPEN_REDUCE = wrong(
    "one that is wrong on nearly every input",
    reducer(("cell[dim] = j", "cell[dim] = 0")),
    RIGHT_REDUCE,
)
OPEN_UNBROADCAST = wrong(
    "one whose numbers are right",
    undoer(("tk.tensor(values)", "tk.tensor(values[None])")),
    RIGHT_UNBROADCAST,
)
OPEN_BACKWARD = wrong(
    "one that is right whenever grad_out is all ones",
    function(np.exp, lambda x, grad_out: grad_out.numpy() ** 2 * np.exp(x)),
    RIGHT_BACKWARD,
)

# wrong on any input at all: whoever lets these pass has not looked
NO_REDUCE = reducer(("out[place] = acc", "out[place] = math.nan"))
NO_UNBROADCAST = undoer(("tk.tensor(values)", "tk.tensor(np.full(7, math.nan))"))
NO_BACKWARD = function(np.exp, lambda x, grad_out: np.full(7, np.nan))


def _named(exam: SuiteExam, points: float, cases: tuple[Case, ...]) -> Task:
    return Task(exam, (Block("named", NAMED, points, cases, shares=True),))


def _any(exam: SuiteExam, points: float, plain: Case, first: Case) -> Task:
    alarms = Block("alarms", ALARMS, 1, (plain,))
    return Task(exam, (alarms, Block("others", OTHERS, points, (first,), shares=True)))


def _plain(what: str, build: Build, beside: Build) -> Case:
    return right(f"the right {what} of this notebook", build, beside)


PLAIN_REDUCE = _plain("tensor_reduce", RIGHT_REDUCE, NO_REDUCE)
PLAIN_UNBROADCAST = _plain("unbroadcast", RIGHT_UNBROADCAST, NO_UNBROADCAST)
PLAIN_BACKWARD = _plain("Square", RIGHT_BACKWARD, NO_BACKWARD)

SUITES = (
    (REDUCE, NAMED_REDUCE),
    (UNBROADCAST, NAMED_UNBROADCAST),
    (BACKWARD, NAMED_BACKWARD),
)
THRIFT = ThriftExam("check_backward", (), suites=SUITES)

TASKS = {
    "fixed_assert": Task(
        FIXED_ASSERT,
        (
            Block(
                "every",
                "fails exactly when it should",
                1,
                PAIRS,
            ),
        ),
    ),
    "check_reduce": _named(REDUCE, 2, NAMED_REDUCE),
    "check_reduce_any": _any(
        REDUCE, 3, _plain("tensor_reduce", RIGHT_REDUCE, NO_REDUCE), OPEN_REDUCE
    ),
    "check_unbroadcast": _named(UNBROADCAST, 1, NAMED_UNBROADCAST),
    "check_unbroadcast_any": _any(UNBROADCAST, 2, PLAIN_UNBROADCAST, OPEN_UNBROADCAST),
    "check_backward": _named(BACKWARD, 1, NAMED_BACKWARD),
    "check_backward_any": _any(
        BACKWARD, 3, _plain("Square", RIGHT_BACKWARD, NO_BACKWARD), OPEN_BACKWARD
    ),
    "thrift": Task(
        THRIFT,
        (
            Block("cells", "at most 200 cells in all", 1, (Case("cells", how="cells"),)),
            Block("calls", "at most 1000 calls in all", 1, (Case("calls", how="calls"),)),
        ),
    ),
}
