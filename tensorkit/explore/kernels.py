"""Kernels to look at: loops as a learner writes them, right and almost right.

They are what the race lens and the cost meter start with, and nothing compiles them. A learner
writes no types, so there are none here.
"""

from __future__ import annotations

import numpy as np
from numba import prange


def to_index(ordinal, shape, index):
    """Write the index of the ``ordinal``-th cell of ``shape`` into ``index``."""
    for dim in range(len(shape) - 1, -1, -1):
        index[dim] = ordinal % shape[dim]
        ordinal = ordinal // shape[dim]


def to_position(index, strides):
    """Return where the cell at ``index`` sits in storage."""
    position = 0
    for dim in range(len(strides)):
        position += index[dim] * strides[dim]
    return position


def map_shared(out, out_shape, out_strides, a, a_shape, a_strides):
    """Double every cell; the index buffer is made once, before the parallel loop."""
    index = np.zeros(len(out_shape), np.int32)
    for i in prange(len(out)):
        to_index(i, out_shape, index)
        out[to_position(index, out_strides)] = 2 * a[to_position(index, a_strides)]


def map_private(out, out_shape, out_strides, a, a_shape, a_strides):
    """Double every cell; every iteration makes an index buffer of its own."""
    for i in prange(len(out)):
        index = np.zeros(len(out_shape), np.int32)
        to_index(i, out_shape, index)
        out[to_position(index, out_strides)] = 2 * a[to_position(index, a_strides)]


def sum_over_inputs(out, out_shape, out_strides, a, a_shape, a_strides):
    """Sum over the last dim, in parallel over what is summed."""
    for i in prange(len(a)):
        out[i // a_shape[1]] += a[i]


def sum_over_outputs(out, out_shape, out_strides, a, a_shape, a_strides):
    """Sum over the last dim, in parallel over the cells of out."""
    for o in prange(len(out)):
        total = 0.0
        for j in range(a_shape[1]):
            total += a[o * a_strides[0] + j * a_strides[1]]
        out[o] = total


def matmul_zip_reduce(out, out_shape, a, a_shape, b, b_shape):
    """Multiply matrices as a zip of all pairs, kept in an array, and a sum over its middle dim."""
    n, k, m = a_shape[0], a_shape[1], b_shape[1]
    product = np.empty(n * k * m)
    index = np.zeros(3, np.int32)
    for o in range(n * k * m):
        to_index(o, (n, k, m), index)
        product[o] = a[index[0] * k + index[1]] * b[index[1] * m + index[2]]
    for o in prange(n * m):
        for j in range(k):
            out[o] += product[(o // m) * k * m + j * m + o % m]


def matmul_batches(out, out_shape, a, a_shape, b, b_shape):
    """Multiply matrices with one loop, parallel over the batches: a plain product has one."""
    n, k, m = a_shape[0], a_shape[1], b_shape[1]
    for batch in prange(1):
        for i in range(n):
            for j in range(m):
                for p in range(k):
                    out[batch * n * m + i * m + j] += a[i * k + p] * b[p * m + j]


def matmul_fused(out, out_shape, a, a_shape, b, b_shape):
    """Multiply matrices with one loop over the cells of out and a running value for each."""
    n, k, m = a_shape[0], a_shape[1], b_shape[1]
    for o in prange(n * m):
        i, j = o // m, o % m
        total = 0.0
        for p in range(k):
            total += a[i * k + p] * b[p * m + j]
        out[o] = total
