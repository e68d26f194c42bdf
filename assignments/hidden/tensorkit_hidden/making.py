"""How hidden checks are made: each varies one thing that the visible checks hold still.

``about`` is the property, told to the learner when it fails; the data never is. Numbers are
distinct and of both signs. Shapes are not square unless the square is the point.
"""

import numpy as np

from tensorkit.grading.cases import Case, Laid, Layout, laid, mixed

IN_MEMORY = "call it with a grad_out made by permuting: cells are found by index, not in storage"
OF_INPUT = "call it with an x made by permuting: cells are found by index, not in storage"
ANY_SHAPE = "try one number (0-d), one dim, three dims and four"
OWN_CONTEXT = (
    "keep what backward needs on ctx, and leave it there; nothing on the class or globally"
)
THROUGH_APPLY = "return one gradient for each argument of forward, in its exact shape"

LAYOUT = "the result must not depend on how grad_out lies in memory"
INPUT_LAYOUT = "the result must not depend on how the inputs lie in memory"
SHAPES = "the rule holds in every shape"
USED_TWICE = "two results, made one after the other, must not disturb each other"
REPEATED = "a second backward on the same ctx gives the same gradient"
IN_GRAPH = "apply and backward give the input its gradient"


def numbers(
    shape: tuple[int, ...], seed: int, layout: Layout = "plain", positive: bool = False
) -> Laid:
    """Return distinct numbers in a layout."""
    values = mixed(shape, seed)
    return Laid(np.asarray(np.abs(values) if positive else values), layout)


def elementwise(count: int, positive: bool = False) -> tuple[Case, ...]:
    """Checks that fit any map or zip of ``count`` inputs."""

    def data(shape: tuple[int, ...], seed: int, *layouts: Layout) -> tuple[Laid, ...]:
        chosen = layouts or ("plain",)
        made = [numbers(shape, seed + 4 * k, positive=positive).values for k in range(count)]
        # a quarter apart, so that no cell of one input equals its partner
        return tuple(
            Laid(np.asarray(v + k / 4), chosen[k % len(chosen)]) for k, v in enumerate(made)
        )

    return (
        Case(LAYOUT, data((3, 4), 2), grad_out=numbers((3, 4), 5, "permuted"), hint=IN_MEMORY),
        Case(LAYOUT, data((2, 5), 3), grad_out=numbers((2, 5), 4, "gapped"), hint=IN_MEMORY),
        Case(
            LAYOUT,
            data((3, 2), 3),
            grad_out=laid([[4, 4], [-3, -3], [50, 50]], "stretched"),
            hint=IN_MEMORY,
        ),
        Case(
            INPUT_LAYOUT,
            data((4, 3), 1, "permuted", "gapped"),
            grad_out=numbers((4, 3), 6),
            hint=OF_INPUT,
        ),
        Case(
            INPUT_LAYOUT,
            data((5, 2), 2, "gapped", "permuted"),
            grad_out=numbers((5, 2), 7, "permuted"),
            hint=OF_INPUT,
        ),
        Case(SHAPES, data((), 1), grad_out=laid(-3), hint=ANY_SHAPE),
        Case(SHAPES, data((5,), 4), grad_out=numbers((5,), 2), hint=ANY_SHAPE),
        Case(SHAPES, data((2, 1, 4), 5), grad_out=numbers((2, 1, 4), 3), hint=ANY_SHAPE),
        Case(
            USED_TWICE,
            data((2, 3), 2),
            grad_out=numbers((2, 3), 8),
            how="interleaved",
            other=data((3, 2), 9),  # of another shape, which may be kept, too
            hint=OWN_CONTEXT,
        ),
        Case(REPEATED, data((3, 2), 6), grad_out=numbers((3, 2), 1), how="twice", hint=OWN_CONTEXT),
        Case(
            IN_GRAPH,
            data((3, 4), 7),
            grad_out=numbers((3, 4), 2),
            how="apply",
            hint=THROUGH_APPLY,
        ),
    )


def reducing(*more: Case) -> tuple[Case, ...]:
    """Checks that fit any reduction."""

    def case(
        about: str,
        shape: tuple[int, ...],
        dim: int,
        hint: str,
        layout: Layout = "plain",
        grad_layout: Layout = "plain",
        how: str = "once",
        seed: int = 2,
    ) -> Case:
        kept = tuple(1 if d == dim else n for d, n in enumerate(shape))
        other = (numbers((*shape[:-1], 4), seed + 5),) if how == "interleaved" else ()
        return Case(
            about,
            (numbers(shape, seed, layout),),
            (dim,),
            numbers(kept, seed + 3, grad_layout),
            how=how,  # type: ignore[arg-type]
            other=other,
            hint=hint,
        )

    each_dim = "the rule holds for every dim of a 3-D tensor"
    one_by_one = "try dim 0, 1 and 2 of shape (2, 3, 4), with grad_out distinct in every cell"
    square = "on a square tensor each number of grad_out goes back along dim, not across it"
    return (
        *more,  # first: these name a mistake more closely
        *(case(each_dim, (2, 3, 4), dim, one_by_one, seed=dim + 1) for dim in range(3)),
        *(
            case(square, (3, 3), dim, "try a 3 x 3 tensor with grad_out 1, 10, 100", seed=dim + 3)
            for dim in range(2)
        ),
        case("four dims are no other than three", (2, 3, 2, 4), 2, ANY_SHAPE),
        case("a dim of length 1 may be reduced", (3, 1, 2), 1, ANY_SHAPE),
        case("one dim is enough", (5,), 0, ANY_SHAPE),
        case(LAYOUT, (2, 4, 3), 1, IN_MEMORY, grad_layout="permuted"),
        case(LAYOUT, (4, 3), 1, IN_MEMORY, grad_layout="gapped"),
        case(INPUT_LAYOUT, (3, 4), 0, OF_INPUT, layout="permuted"),
        case(INPUT_LAYOUT, (2, 5), 1, OF_INPUT, layout="gapped"),
        case(USED_TWICE, (2, 3), 1, OWN_CONTEXT, how="interleaved"),
        case(REPEATED, (2, 3), 0, OWN_CONTEXT, how="twice"),
        case(IN_GRAPH, (3, 4), 0, THROUGH_APPLY, how="apply"),
    )


def reduced(about: str, x: object, dim: int, grad_out: object, hint: str) -> Case:
    """One special case of a reduction."""
    return Case(about, (laid(x),), (dim,), laid(grad_out), hint=hint)


def undone(
    about: str,
    shape: tuple[int, ...],
    small: tuple[int, ...],
    hint: str,
    layout: Layout = "plain",
    seed: int = 3,
) -> Case:
    """One check of unbroadcast."""
    return Case(about, (numbers(shape, seed, layout),), (small,), hint=hint)


def moved(
    shape: tuple[int, ...],
    order: tuple[int, ...],
    about: str,
    hint: str,
    layout: Layout = "plain",
    grad_layout: Layout = "plain",
    how: str = "once",
) -> Case:
    """One check of permute."""
    result = tuple(shape[d] for d in order)
    other = (numbers(shape, 9),) if how == "interleaved" else ()
    return Case(
        about,
        (numbers(shape, 2, layout),),
        (order,),
        numbers(result, 5, grad_layout),
        how=how,
        other=other,
        hint=hint,
    )  # type: ignore[arg-type]


def viewed(
    shape: tuple[int, ...],
    new: tuple[int, ...],
    about: str,
    hint: str,
    layout: Layout = "plain",
    how: str = "once",
) -> Case:
    """One check of view."""
    other = (numbers((int(np.prod(shape)),), 9),) if how == "interleaved" else ()
    return Case(
        about,
        (numbers(shape, 2),),
        (new,),
        numbers(new, 5, layout),
        how=how,
        other=other,
        hint=hint,
    )
