# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""Loops as one would write them by hand: a reduce that begins at a cell of out, and a slip.

The pictures beside them show these texts, so they have the form of a learner's loop: no
annotations.
"""


def to_index(ordinal, shape):
    """Return the index of the ordinal-th cell; the last dim turns fastest."""
    index = [0] * len(shape)
    for dim in range(len(shape) - 1, -1, -1):
        index[dim] = ordinal % shape[dim]
        ordinal = ordinal // shape[dim]
    return index


def index_to_position(index, strides):
    """Return where in storage the cell at an index lives."""
    return sum(i * s for i, s in zip(index, strides, strict=True))


def reduce_sum(out, out_shape, out_strides, x, x_shape, x_strides, dim):
    """Sum x over dim into out."""
    for o in range(len(out)):
        index = to_index(o, out_shape)
        out_at = index_to_position(index, out_strides)
        for j in range(x_shape[dim]):
            index[dim] = j
            x_at = index_to_position(index, x_strides)
            out[out_at] += x[x_at]


def folding(fold, along):
    """Return a reduce that puts cells together by ``fold``, in the order of ``along``."""

    def reduce(out, out_shape, out_strides, x, x_shape, x_strides, dim):
        for o in range(len(out)):
            index = to_index(o, out_shape)
            out_at = index_to_position(index, out_strides)
            for j in along(x_shape[dim]):
                index[dim] = j
                x_at = index_to_position(index, x_strides)
                out[out_at] = fold(out[out_at], x[x_at])

    return reduce


def neg_in_storage_order(out, out_shape, out_strides, a, a_shape, a_strides):
    """Walk through both storages from their beginning."""
    for p in range(len(out)):
        out[p] = -a[p]
