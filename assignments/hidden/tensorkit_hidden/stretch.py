"""The hidden checks of the stretch homework, by task and block, the most telling first."""

import numpy as np

from tensorkit.grading.stretch import cell, pair

RULE = "each length of the result is the one that is not 1, or 1 if both are"
TRY_LENGTHS = "try a 1 in the first shape, in the second, and in both"
RIGHT = "shapes are aligned from the right, however many dims each has"
TRY_RANKS = "try (2, 3, 1) with (7, 2, 1, 5), one dim with four, and three with three"
MISFIT = "shapes with lengths that are neither equal nor 1 are refused"
TRY_MISFIT = "try a misfit in the first dim, in the last, and in both"
SWAPPED = "the result is the same when the two shapes are exchanged"
TRY_SWAPPED = "put the shorter or smaller shape first; then try () and a length of 0"
MANNERS = "shapes may be lists, which are left as they are; the result has only ints"
TRY_LISTS = "call it with two lists, and look at them afterwards"
ONLY_ONE = "only a length of 1 stretches; everything else is refused, with tk.IndexingError"
TRY_TILES = "try (2,) with (4,), (3, 4) with (3,), both exchanged, and three dims"
STAYS = "where nothing is stretched, the index stays as it is"
TRY_SQUARE = "try the first cell and the last, and two lengths that are equal"
ZERO = "where the length is 1, the index is 0"
TRY_ONES = "try a length of 1 in the first dim, in the last, and in both"
DROPPED = "added dims are dropped: the entries kept are those on the right"
TRY_DROPPED = "try shape (3,) and shape () inside (4, 2, 3), and a big shape of equal lengths"
AS_THEY_ARE = "arguments stay as they are, also where dims were added"
TRY_ARGUMENTS = "call it with lists, and look at them afterwards"
BOTH = "dropping and stretching go together"
TRY_BOTH = "go through shapes (2, 1), (1, 3) and (1,) inside (4, 2, 3)"
BUFFER = "every entry is written, and nothing else: any buffer, any index"
TRY_BUFFER = "use a buffer full of sevens, one that is too long, and an index that is an array"
STRETCHED = "a dim is stretched where its length changes"
TRY_STRETCHED = "try two stretched dims, none, and a length of 1 that stays 1"
IN_RESULT = "stretched dims are counted in to_shape; added ones are not among them"
TRY_ADDED = "try (3, 1) to (2, 3, 4), (1,) to (2, 3), and () to (2, 3)"

CHECKS = {
    "shape_broadcast": {
        "same": (
            pair(RULE, (1, 1), (1, 1), hint=TRY_LENGTHS),
            pair(RULE, (1, 4), (3, 4), hint=TRY_LENGTHS),
            pair(RULE, (1, 5), (1, 1), hint=TRY_LENGTHS),
        ),
        "ranks": (
            pair(RIGHT, (2, 3, 1), (7, 2, 1, 5), hint=TRY_RANKS),
            pair(RIGHT, (2, 3, 1), (2, 1, 5), hint=TRY_RANKS),
            pair(RIGHT, (1, 3, 1, 2), (4, 1, 1, 2), hint=TRY_RANKS),
            pair(RIGHT, (6,), (1,), hint=TRY_RANKS),
            pair(RIGHT, (2, 3, 4, 5), (5,), hint=TRY_RANKS),
            pair(RIGHT, (2, 5), (3, 1, 1, 1), hint=TRY_RANKS),
            pair(RIGHT, (3, 3), (2, 3, 1), hint=TRY_RANKS),
            pair(RIGHT, (2, 3, 1, 5, 1), (7, 1, 2), hint=TRY_RANKS),
        ),
        "fails": (
            pair(MISFIT, (4, 3), (2, 3), hint=TRY_MISFIT),
            pair(MISFIT, (1, 6), (5, 3), hint=TRY_MISFIT),
            pair(MISFIT, (2, 5), (3, 4), hint=TRY_MISFIT),
        ),
    },
    "shape_broadcast_any": {
        "either": (
            pair(SWAPPED, (1,), (5, 5), hint=TRY_SWAPPED),
            pair(SWAPPED, (5, 5), (1,), hint=TRY_SWAPPED),
            pair(SWAPPED, (), (2, 3), hint=TRY_SWAPPED),
            pair(SWAPPED, (2, 3), (), hint=TRY_SWAPPED),
            pair(SWAPPED, (), (), hint=TRY_SWAPPED),
            pair(SWAPPED, (0, 3), (1, 3), hint=TRY_SWAPPED),
            pair(SWAPPED, (1, 3), (0, 3), hint=TRY_SWAPPED),
            pair(MANNERS, [4, 1], [2, 1, 3], hint=TRY_LISTS, untouched=True, strict=True),
            pair(MANNERS, [2, 1, 3], [4, 1], hint=TRY_LISTS, untouched=True, strict=True),
        ),
        "refuses": (
            pair(ONLY_ONE, (2,), (4,), hint=TRY_TILES),
            pair(ONLY_ONE, (2, 3, 4), (2, 5, 4), hint=TRY_TILES),
            pair(ONLY_ONE, (2, 3, 4), (3, 1, 4), hint=TRY_TILES),
            pair(ONLY_ONE, (2, 3, 4), (1, 3, 5), hint=TRY_TILES),
            pair(ONLY_ONE, (4,), (2,), hint=TRY_TILES),
            pair(ONLY_ONE, (3, 4), (3,), hint=TRY_TILES),
            pair(ONLY_ONE, (3,), (3, 4), hint=TRY_TILES),
            pair(ONLY_ONE, (2, 3, 4), (2, 3), hint=TRY_TILES),
            pair(ONLY_ONE, (5, 2, 3), (4, 1, 3), hint=TRY_TILES),
            pair(ONLY_ONE, (0,), (2,), hint=TRY_TILES),
            pair(ONLY_ONE, (2,), (0,), hint=TRY_TILES),
        ),
    },
    "broadcast_index": {
        "same": (
            cell(STAYS, (2, 1), (3, 3), (3, 3), hint=TRY_SQUARE),
            cell(STAYS, (3, 0), (4, 2), (4, 2), hint=TRY_SQUARE),
        ),
        "ones": (
            cell(ZERO, (2, 1), (3, 2), (1, 1), hint=TRY_ONES),
            cell(ZERO, (0, 2), (1, 3), (1, 3), hint=TRY_ONES),
        ),
    },
    "broadcast_index_any": {
        "ranks": (
            cell(DROPPED, (3, 1, 2), (4, 2, 3), (3,), hint=TRY_DROPPED),
            cell(DROPPED, (1, 0, 3), (2, 3, 4), (2, 3, 4), hint=TRY_DROPPED),
            cell(DROPPED, (4,), (5,), (5,), hint=TRY_DROPPED),
            cell(DROPPED, (3, 1, 2), (4, 2, 3), (2, 3), hint=TRY_DROPPED),
            cell(DROPPED, (2, 1), (3, 3), (3,), hint=TRY_DROPPED),
            cell(DROPPED, (1, 2), (2, 3), (), hint=TRY_DROPPED),
            cell(AS_THEY_ARE, [3, 1, 2], [4, 2, 3], [3], hint=TRY_ARGUMENTS, untouched=True),
        ),
        "mixed": (
            cell(BOTH, (3, 1, 2), (4, 2, 3), (1, 3), hint=TRY_BOTH),
            cell(BOTH, (1, 2, 3), (2, 3, 4), (2, 1, 4), hint=TRY_BOTH),
            cell(BOTH, (1, 2, 3), (2, 3, 4), (1, 3, 1), hint=TRY_BOTH),
            cell(BOTH, (3, 1, 2), (4, 2, 3), (1,), hint=TRY_BOTH),
            cell(BOTH, (2, 3, 1, 2), (3, 4, 2, 3), (4, 1, 3), hint=TRY_BOTH),
            cell(BOTH, (2, 1, 1), (3, 2, 2), (2, 1), hint=TRY_BOTH),
            cell(BOTH, (1, 2, 0, 3, 2), (2, 3, 2, 5, 4), (3, 1, 5, 4), hint=TRY_BOTH),
        ),
        "buffer": (
            cell(BUFFER, (1, 2), (2, 3), (1, 3), [9, 9], hint=TRY_BUFFER),
            cell(BUFFER, (1, 2), (2, 3), (2, 3), [8, 8, 8, 8], hint=TRY_BUFFER, strict=True),
            cell(BUFFER, (1, 2), (2, 3), (2, 1), np.array([5, 6, 7]), hint=TRY_BUFFER),
            cell(
                BUFFER,
                np.array([1, 2]),
                np.array([2, 3]),
                np.array([2, 1]),
                np.array([-4, -4]),
                hint=TRY_BUFFER,
                untouched=True,
                strict=True,
            ),
        ),
    },
    "broadcast_axes": {
        "stretched": (
            pair(STRETCHED, (1, 1), (2, 3), hint=TRY_STRETCHED),
            pair(STRETCHED, (1, 3), (0, 3), hint=TRY_STRETCHED),
        ),
        "added": (
            pair(IN_RESULT, (1,), (2, 3), hint=TRY_ADDED),
            pair(IN_RESULT, (1, 4, 1), (3, 4, 2), hint=TRY_ADDED),
            pair(IN_RESULT, (2, 1, 1), (2, 1, 5), hint=TRY_ADDED),
            pair(IN_RESULT, (), (), hint=TRY_ADDED),
            pair(IN_RESULT, (1, 3), (4, 2, 3), hint=TRY_ADDED),
            pair(IN_RESULT, (), (2, 3), hint=TRY_ADDED),
            pair(IN_RESULT, (1, 2, 1), (3, 4, 2, 5), hint=TRY_ADDED),
            pair(IN_RESULT, (1,), (2, 3, 4, 5), hint=TRY_ADDED),
            pair(IN_RESULT, (2, 2), (2, 2, 2), hint=TRY_ADDED),
            pair(IN_RESULT, [3, 1], [1, 3, 1], hint=TRY_ADDED, untouched=True, strict=True),
        ),
    },
}
