"""The hidden checks of the gradients homework, by task and block, the most telling first."""

from tensorkit.grading.cases import Case, laid

from .making import (
    ANY_SHAPE,
    IN_GRAPH,
    IN_MEMORY,
    INPUT_LAYOUT,
    LAYOUT,
    OF_INPUT,
    OWN_CONTEXT,
    REPEATED,
    SHAPES,
    THROUGH_APPLY,
    USED_TWICE,
    elementwise,
    moved,
    numbers,
    reduced,
    reducing,
    undone,
    viewed,
)

TIES = "equal winners: their shares of grad_out add up to grad_out, no more and no less"
TRY_TIES = "count the winners along dim, [5, 5, 2] has two, and share grad_out among them"
NEGATIVE = "the largest may be negative"
ZEROS = "a zero among the factors: its slope is the product of the others"
TWO_ZEROS = "two zeros: every product of the others is 0, and nothing is nan"
NO_DIVISION = "try [0, 2, 3] by hand: multiply the others, do not divide by the cell"


JACOBIANS = "it works for any number of outputs and inputs"
COUNT = "one result for each input (column): the sum of grad_out times that column"
DIMS_ADDED = "every added dim is summed, however many there are"
LENGTH_ONE = "every dim of length 1 that was stretched is summed, wherever it stands"
EXACT = "the result has exactly the shape asked for"
FROM_RIGHT = "shapes are aligned from the right, also when lengths happen to agree on the left"
SQUARE = "try grad (3, 3) with shape (3,): write 1 to 9 and compare by hand"
ORDERS = "every order is followed and undone, not only swaps, not only cycles of three"
INVERSE = (
    "write down where each dim of grad_out came from: order (2, 0, 3, 1) is not its own inverse"
)

CHECKS = {
    "pull_back": {
        "every": (
            Case(JACOBIANS, (numbers((4, 2), 1), numbers((4,), 2)), hint=COUNT),
            Case(JACOBIANS, (numbers((1, 3), 3), numbers((1,), 2)), hint=COUNT),
            Case(JACOBIANS, (numbers((3, 3), 2), numbers((3,), 4)), hint=COUNT),
            Case(JACOBIANS, (numbers((3, 1), 2), numbers((3,), 5)), hint=COUNT),
            Case(
                "jacobian and grad_out are as before after the call",
                (numbers((2, 3), 1), numbers((2,), 3)),
                untouched=True,
                hint="put the products into a list of your own, not back into the rows",
            ),
        )
    },
    "log": {
        "every": (
            Case(
                "the slope is exact for small inputs too: nothing is added to x",
                (laid([[1e-3, 2e-3, 5e-4], [4e-3, 3e-3, 6e-4]]),),
                grad_out=laid([[1, -10, 3], [7, 2, -5]]),
                hint="compare forward and backward at x = 0.001 with log(x) and 1/x",
            ),
            *elementwise(1, positive=True),
        )
    },
    "sigmoid": {
        "every": (
            Case(
                "far from zero the sigmoid is flat: the gradient is 0 there, not nan",
                (laid([[-800, 800, -30], [30, -750, 720]]),),
                grad_out=laid([[2, -3, 5], [7, 4, -9]]),
                hint="save the output s: s(1 - s) needs no exp and cannot overflow",
            ),
            *elementwise(1),
        )
    },
    "relu": {
        "every": (
            Case(
                "the gate is open for every positive number, however small, and shut below 0",
                (laid([[1e-6, -1e-6, 2e-3], [-3e-3, 5e-9, -0.25]]),),
                grad_out=laid([[2, -3, 5], [7, 4, -9]]),
                hint="ask x > 0 and nothing else",
            ),
            *elementwise(1),
        )
    },
    "sub": {
        "every": (
            *elementwise(2),
            Case(
                "one tensor used as both inputs gets the sum of both gradients",
                (numbers((2, 3), 4),) * 2,
                grad_out=numbers((2, 3), 3),
                how="shared",
                hint="x - x is always 0: its gradient is 0 as well",
            ),
        )
    },
    "mul": {
        "every": (
            *elementwise(2),
            Case(
                "one tensor used as both inputs gets the sum of both gradients",
                (numbers((2, 3), 4),) * 2,
                grad_out=numbers((2, 3), 3),
                how="shared",
                hint="x · x has slope 2x: check what each of the two arguments receives",
            ),
            Case(
                "an input may be zero",
                (laid([[0, 2], [-3, 0], [0, 5]]), laid([[4, 0], [0, -6], [0, 7]])),
                grad_out=laid([[1, -10], [100, 3], [-5, 8]]),
                hint="do not divide the output by an input: multiply by the other one",
            ),
        )
    },
    "sum": {"every": reducing()},
    "mean": {"every": reducing()},
    "max": {
        "every": reducing(
            reduced(TIES, [[5, 5, 2], [1, 4, 4]], 1, [[6], [-10]], TRY_TIES),
            reduced(TIES, [[3, 1], [3, 2], [3, 2], [0, -1]], 0, [[12, -3]], TRY_TIES),
            reduced(
                "only equal numbers tie: not almost equal ones, nor those of the other sign",
                [[2, 2.0001, -2.0001], [3, 1, -3]],
                1,
                [[3], [-10]],
                "compare with ==, not within a tolerance, and mind the sign",
            ),
            reduced(
                NEGATIVE,
                [[-5, -1.5, -3], [-2, -7, -4]],
                1,
                [[3], [-10]],
                "try a tensor without a positive number",
            ),
            reduced(
                "a zero may win",
                [[-5, 0, -3], [0, -7, -4]],
                1,
                [[3], [-10]],
                "try a tensor whose largest number is 0",
            ),
            reduced(
                "each output cell has a winner of its own",
                [[9, 8, 7], [3, 1, 2]],
                1,
                [[4], [-10]],
                "compare x with out, which has kept dim with length 1",
            ),
        )
    },
    "prod": {
        "every": reducing(
            reduced(ZEROS, [[0, 2, 3], [4, -5, 0.5]], 1, [[7], [-10]], NO_DIVISION),
            reduced(ZEROS, [[2, 0], [3, -4], [0, 5]], 0, [[7, -10]], NO_DIVISION),
            reduced(TWO_ZEROS, [[0, 0, 3], [0, 5, 0]], 1, [[7], [-10]], NO_DIVISION),
        )
    },
    "unbroadcast": {
        "added": (
            undone(DIMS_ADDED, (4, 2, 3), (3,), "try grad (4, 2, 3) with shape (3,)"),
            undone(DIMS_ADDED, (2, 3), (), "try shape (): everything is summed into one number"),
        ),
        "stretched": (
            undone(LENGTH_ONE, (2, 3, 4), (2, 1, 4), "try shape (2, 1, 4) and shape (1, 3, 1)"),
            undone(LENGTH_ONE, (2, 3, 4), (1, 3, 1), "try shape (2, 1, 4) and shape (1, 3, 1)"),
            undone(LENGTH_ONE, (2, 2, 2), (2, 1, 2), "try shape (2, 1, 4) and shape (1, 3, 1)"),
            undone(LENGTH_ONE, (3, 2), (1, 1), "try shape (1, 1): both dims stay, with length 1"),
            undone(LENGTH_ONE, (2, 0), (2, 1), "stretched to length 0: a sum of nothing is 0"),
        ),
        "shape": (
            undone(EXACT, (1, 2), (1,), "try grad (1, 2) with shape (1,): no dim may be left over"),
            undone(EXACT, (1, 1, 3), (3,), "several dims of length 1 may have been added"),
            undone(EXACT, (5, 1, 3), (1, 1), "try shape (1, 1) for a grad with three dims"),
            undone(EXACT, (1, 3), (3,), "a dim of length 1 may also have been added on the left"),
            undone(EXACT, (2, 3, 2, 4), (3, 1, 4), "try four dims, one added and one stretched"),
            undone(EXACT, (3, 1), (3, 1), "a dim of length 1 that was never stretched stays"),
            undone(EXACT, (), (), "one number (0-d) goes through unchanged"),
            undone(EXACT, (2, 0), (0,), "a dim of length 0 is a dim like any other"),
        ),
        "aligned": (
            undone(FROM_RIGHT, (3, 3), (3,), SQUARE),
            undone(FROM_RIGHT, (2, 2, 3), (2, 1), SQUARE),
            undone(FROM_RIGHT, (4, 4, 4), (4, 4), SQUARE),
        ),
        "manners": (
            undone(
                "the result must not depend on how grad lies in memory",
                (3, 4),
                (4,),
                "call it with a grad made by permuting",
                "permuted",
            ),
            undone(
                "the result must not depend on how grad lies in memory",
                (3, 4),
                (3, 1),
                "call it with a grad made by permuting",
                "permuted",
            ),
            undone(
                "the result must not depend on how grad lies in memory",
                (2, 3, 2),
                (3, 2),
                "call it with a grad made by permuting",
                "gapped",
            ),
            undone(
                "the result must not depend on how grad lies in memory",
                (3, 2),
                (3, 2),
                "call it with a grad made by permuting",
                "permuted",
            ),
            Case(
                "a grad with strides of 0 counts every copy",
                (laid([[4, 4, 4], [-3, -3, -3]], "stretched"),),
                ((2, 1),),
                hint="call it with a grad made by expand",
            ),
        ),
    },
    "permute": {
        "every": (
            moved((2, 3, 4), (2, 0, 1), ORDERS, INVERSE),
            moved((2, 3, 4), (1, 2, 0), ORDERS, INVERSE),
            moved((2, 3, 4), (0, 2, 1), ORDERS, INVERSE),
            moved((2, 3, 4, 5), (2, 0, 3, 1), ORDERS, INVERSE),
            moved((2, 3, 4), (0, 1, 2), ORDERS, "the order that changes nothing is an order too"),
            moved((3, 3, 3), (1, 2, 0), ORDERS, INVERSE),
            moved((4, 3), (1, 0), LAYOUT, IN_MEMORY, grad_layout="permuted"),
            moved((4, 3), (1, 0), LAYOUT, IN_MEMORY, grad_layout="gapped"),
            moved((4, 3), (1, 0), INPUT_LAYOUT, OF_INPUT, layout="permuted"),
            moved((4, 3), (1, 0), USED_TWICE, OWN_CONTEXT, how="interleaved"),
            moved((2, 3), (1, 0), REPEATED, OWN_CONTEXT, how="twice"),
            moved((2, 3, 4), (2, 0, 1), IN_GRAPH, THROUGH_APPLY, how="apply"),
        ),
    },
    "view": {
        "every": (
            viewed((2, 3, 4), (6, 4), SHAPES, ANY_SHAPE),
            viewed((6,), (2, 3), SHAPES, ANY_SHAPE),
            viewed((2, 3), (6,), SHAPES, ANY_SHAPE),
            viewed((3, 3), (3, 3), SHAPES, "the old shape may be the new one"),
            viewed((1, 4), (4, 1), SHAPES, ANY_SHAPE),
            viewed((6, 2), (3, 4), LAYOUT, IN_MEMORY, "permuted"),
            viewed((6, 2), (2, 3, 2), LAYOUT, IN_MEMORY, "gapped"),
            viewed((2, 3), (3, 2), USED_TWICE, OWN_CONTEXT, how="interleaved"),
            viewed((2, 3), (3, 2), REPEATED, OWN_CONTEXT, how="twice"),
            viewed((3, 4), (2, 6), IN_GRAPH, THROUGH_APPLY, how="apply"),
            Case(
                "view reads the cells of x in order, wherever they lie: copy first or refuse",
                (numbers((3, 4), 2, "permuted"),),
                ((2, 6),),
                numbers((2, 6), 5),
                may_refuse=True,
                hint="call x.contiguous() first, which copies the cells into order",
            ),
        )
    },
    "less": {
        "every": (
            Case(
                "equal numbers are not less",
                (laid([[1, 2, -3], [0, 5, 4]]), laid([[1, 3, -3], [0, 4, 6]])),
                grad_out=laid([[2, -10, 3], [7, 20, -5]]),
                hint="compare two tensors that agree in one cell",
            ),
            *elementwise(2),
            Case(
                "each gradient has the shape of its own input",
                (numbers((2, 3), 2), numbers((3,), 3)),
                grad_out=numbers((2, 3), 4),
                hint="build the zeros from the shape of x and the shape of y, not of grad_out",
            ),
        )
    },
}
