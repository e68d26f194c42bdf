"""The hidden checks of the engine homework, by task and block, the most telling first."""

from tensorkit.grading.engine import kept, ordered, started, walked

ONCE = "every variable that is not a constant is there, and only once"
LIST = "write down the variables of a graph with two leaves and a constant; compare"
BEFORE = "each variable comes before all that it was made from"
TWO_USES = "draw graphs in which one variable has two or three consumers, and try every order"
NO_CONSTANTS = "constants are left out, and of a constant nothing is returned"
TRY_CONSTANTS = "put a constant first, second and on both sides; then sort a constant"
PATHS = "a variable waits for its farthest consumer"
TRY_PATHS = "use one variable near the end and again far from it, on either side"
FRESH = "a call knows nothing of earlier calls"
TRY_TWICE = "call it twice in a row, and compare; what is noted must be made within the call"
DEEP = "a chain of thousands, and a graph with very many paths, are no trouble"
TRY_DEEP = "make a chain of 5000 operations; then add a variable to itself 18 times over"

SHARES = "each input has the share that function.backward gives it, and nothing is changed"
TRY_SHARES = "try every operation, x * x, one input or three, a d_output of zeros, and a leaf"
NONE = "a constant gets no pair, and neither does an input whose share is None"
TRY_NONE = "try a constant on either side, and a comparison"
ADDS = "derivatives add up in an array that nobody else holds"
TRY_ADDS = "accumulate one array in two variables, then once more in one; look at the other"
ZERO = "after zero_grad_ the next derivative counts alone"
TRY_ZERO = "call it on a fresh variable, and between two derivatives; try another shape"

CHAIN = "every leaf has the derivative that the chain rule gives it"
TRY_CHAIN = "try subtraction, a constant factor, and a chain of four"
TWICE = "all shares of a leaf are added up"
TRY_USES = "use one leaf two, three and four times, in one operation and in several"
LEAVES = "only leaves accumulate"
TRY_LEAVES = "print the derivative of every variable after the walk"
ZEROS = "a share of zeros is a share: its leaf keeps a derivative"
TRY_ZEROS = "start with a deriv of zeros, and look at what each leaf keeps"
INNER = "a variable passes on the sum of all its shares"
TRY_INNER = "use an inner variable near the end and far from it; try both sides"
SILENT = "a variable that no share reached is skipped"
TRY_SILENT = "put a comparison of two inner variables into a graph"
AGAIN = "a second call adds the same once more, no more and no less"
EDGES = "the walk may start at a leaf, and at a constant nothing happens"
TRY_EDGES = "call it on a leaf and look at its derivative; then on a constant"
ALONE = "no array that came from outside is changed"
TRY_ALONE = "use a sum, then one of its inputs again; look at deriv after the call"
CALLS = "chain_rule is called once for each variable, however many paths there are"
NO_GRAD_OUT = "without grad_out one number starts from 1, and anything else is refused"
TRY_ONE = "try the shapes (), (1,), (1, 1), (2, 1) and (0,)"
GIVEN = "grad_out comes back as it is, if its shape is right"
TRY_GIVEN = "try weights that are 0, one number, and shapes that would broadcast"


def repeated(count: int, form: str) -> str:
    """Return a graph that goes on from each variable to the next in the same way."""
    more = (f"y{k} = {form.format(f'y{k - 1}')}" for k in range(1, count + 1))
    return "; ".join(["y0 = x * w", *more])


CHAIN_OF_5000 = repeated(5000, "- {0}")
DOUBLED = repeated(18, "{0} + {0}")
DIAMONDS = "; ".join(
    [
        "y0 = x * w",
        *(f"a{k} = y{k} * c; b{k} = y{k} * k; y{k + 1} = a{k} + b{k}" for k in range(18)),
    ]
)

CHECKS = {
    "topological_sort": {
        "once": tuple(
            ordered(ONCE, graph, "members", hint=LIST)
            for graph in [
                "x",
                "a = x * w; b = v * u; y = a + b",
                "h = x * x; y = h * h",
                "y = x - w",
                "h = x * w + v; y = - h",
            ]
        ),
        "before": tuple(
            ordered(BEFORE, graph, hint=TWO_USES)
            for graph in [
                "a = x * w; b = a - x; y = b * x",
                "a = x * w; b = v * x; y = b + a",
                "a = - x; b = - x; d = a * b; y = d * x",
                "h = w * x; y = x + h",
            ]
        ),
        "constants": tuple(
            ordered(NO_CONSTANTS, graph, "members", hint=TRY_CONSTANTS)
            for graph in [
                "h = x * c; y = k + h",
                "e = c * k; h = e + x; y = h * c",
                "y = c * x",
                "c",
                "y = c + k",
            ]
        ),
    },
    "topological_sort_any": {
        "paths": tuple(
            ordered(PATHS, graph, hint=TRY_PATHS)
            for graph in [
                "h = x * w; a = h * v; b = - a; y = b + h",
                "a = - x; b = - a; d = - b; y = x + d",
                "a = - x; b = - a; d = - b; y = d + x",
                "h = - x; a = h + w; b = a * h; d = b * a; y = d * h",
                "h = - x; a = h + w; b = h * a; d = a * b; y = h * d",
                "a = x * w; p = a * v; b = x * p; q = a + b; y = q * p",
            ]
        ),
        "fresh": (
            ordered(FRESH, "a = x * w; b = x * v; y = a + b", "again", hint=TRY_TWICE),
            ordered(FRESH, "x", "again", hint=TRY_TWICE),
        ),
        "deep": (
            ordered(DEEP, CHAIN_OF_5000, hint=TRY_DEEP),
            ordered(DEEP, DOUBLED, hint=TRY_DEEP),
        ),
    },
    "chain_rule": {
        "shares": tuple(
            walked(SHARES, graph, deriv=d, hint=TRY_SHARES)
            for graph, d in [
                ("y = x + w", (5.0, -0.5)),
                ("y = x * w", (5.0, -0.5)),
                ("y = - x", (3.0, 8.0)),
                ("y = x - x", (3.0, 8.0)),
                ("y = w * v", (-2.0, 6.0)),
                ("x", (1.0, 10.0)),
                ("y = x * w + v", (5.0, -0.5)),
                ("y = x * w", (0.0, 0.0)),
            ]
        ),
        "none": tuple(
            walked(NONE, graph, deriv=(-2.0, 6.0), hint=TRY_NONE)
            for graph in ["y = x * k", "y = c - x", "y = x > w", "y = c > x", "c"]
        ),
    },
    "accumulate": {
        "adds": (
            kept(ADDS, [[2.0, -3.0], [0.5, 8.0]], [[1.0, 7.0], [-4.0, 0.25]], hint=TRY_ADDS),
            kept(ADDS, (2.0, -3.0), (-2.0, 3.0), (0.5, 8.0), how="own", hint=TRY_ADDS),
            kept(ADDS, (2.0, -3.0), how="own", hint=TRY_ADDS),
            kept(ADDS, (0.0, 0.0), (1.0, -6.0), (4.0, 9.0), hint=TRY_ADDS),
            kept(ADDS, (3.0, -3.0), (0.5, 8.0), hint=TRY_ADDS),
            kept(ADDS, 4.0, -1.5, hint=TRY_ADDS),
        ),
        "zero": (
            kept(ZERO, [[2.0, -3.0, 1.0]], [[0.5, 8.0, -2.0]], how="zero", hint=TRY_ZERO),
            kept(ZERO, (2.0, 4.0), (3.0, 9.0), (0.5, 8.0), how="zero", hint=TRY_ZERO),
            kept(ZERO, 4.0, -1.5, how="zero", hint=TRY_ZERO),
        ),
    },
    "backpropagate": {
        "chain": tuple(
            walked(CHAIN, graph, deriv=d, hint=TRY_CHAIN)
            for graph, d in [
                ("h = x - w; y = v * h", (2.0, -0.5)),
                ("a = - x; b = a * c; d = b - w; y = d * v", (-3.0, 7.0)),
                ("a = x * w; b = v - u; y = a * b", (0.0, 4.0)),
                ("h = x * w + v; y = h * u", (2.0, -0.5)),
            ]
        ),
        "twice": tuple(
            walked(TWICE, graph, deriv=(2.0, -0.5), hint=TRY_USES)
            for graph in [
                "h = x * x; y = h * x",
                "a = x * w; b = x * v; d = a - x; y = d * b",
                "y = x - x",
                "a = x * x; b = w * w; y = a * b",
            ]
        ),
        "leaves": (
            *(
                walked(LEAVES, graph, "leaves", hint=TRY_LEAVES)
                for graph in ["h = x * c; y = h * w", "a = x * w; b = - a; y = b * v", "y = c * x"]
            ),
            walked(ZEROS, "h = x * w; y = h * v", "leaves", (0.0, 0.0), hint=TRY_ZEROS),
        ),
    },
    "backpropagate_any": {
        "inner": (
            *(
                walked(INNER, graph, deriv=(2.0, -0.5), hint=TRY_INNER)
                for graph in [
                    "h = - x; a = h * w; b = a * h; d = b * a; y = d * h",
                    "h = - x; a = h * w; b = h * a; d = a * b; y = h * d",
                    "a = x * w; p = a * v; b = x * p; q = a * b; y = q * p",
                    "h = x * w; a = h * h; y = a * a",
                ]
            ),
            walked(SILENT, "g = x * w; m = g > v; y = u * m", hint=TRY_SILENT),
            walked(SILENT, "g = x * w; m = g > v; h = x * u; y = h * m", hint=TRY_SILENT),
            walked(AGAIN, "h = x * w; y = h * x", "again", hint=TRY_TWICE),
            walked(AGAIN, "a = x * w; b = a * x; y = b * a", "again", hint=TRY_TWICE),
            walked(EDGES, "x", hint=TRY_EDGES),
            walked(EDGES, "c", "leaves", hint=TRY_EDGES),
        ),
        "alone": tuple(
            walked(ALONE, graph, "alone", (3.0, -4.0), hint=TRY_ALONE)
            for graph in [
                "y = x + x",
                "z = x + w; y = z + x",
                "z = x + w; y = w + z",
                "a = x * w; b = v * u; z = a + b; y = z + a",
                "a = x * w; b = v * u; z = a + b; y = b + z",
            ]
        ),
        "calls": (
            walked(
                CALLS, "h = x * w; a = h * v; b = - h; d = b + a; y = d * h", "calls", hint=TRY_DEEP
            ),
            walked(CALLS, DIAMONDS, "calls", hint=TRY_DEEP),
            walked(DEEP, CHAIN_OF_5000, "calls", hint=TRY_DEEP),
        ),
    },
    "seed": {
        "none": tuple(
            started(NO_GRAD_OUT, data, hint=TRY_ONE)
            for data in [[7.0], [[[-2.0]]], 0.0, [[3.0], [4.0]], [], [[1.0, 2.0, 3.0]]]
        ),
        "given": tuple(
            started(GIVEN, data, grad_out, hint=TRY_GIVEN)
            for data, grad_out in [
                (3.0, 0.0),
                ([[3.0]], [[-5.0]]),
                ([[3.0, 1.0], [4.0, 2.0], [5.0, 9.0]], [[0.0, 1.0], [7.0, -2.0], [6.0, 8.0]]),
                ([3.0, 4.0], 1.0),
                ([3.0, 4.0], [5.0]),
                ([[3.0, 1.0, 8.0], [4.0, 2.0, 7.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
                ([[3.0, 4.0]], [1.0, 10.0]),
                (3.0, [2.0]),
            ]
        ),
    },
}
