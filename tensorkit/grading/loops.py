"""The loops homework: 25 points, 23 of them in 11 graded cells, with the checks its notebook shows.

Map, zip and reduce over storages. Fresh tensors of two dims come first; where cells lie, where a
fold begins and in which order it goes are points of their own.
"""

from __future__ import annotations

from typing import Any

from .cases import Case, Laid, Layout, laid
from .fold_rules import REDUCE, times
from .loop_rules import MAP, ZIP, digits, shifted
from .mean_rules import MAX_REDUCE, MEAN
from .sheet import Block, Task


def plus(x: float, y: float) -> float:
    """Return x + y."""
    return x + y


def minus(t: float, x: float) -> float:
    """Return t - x: the same for any order of the cells, but not of the arguments."""
    return t - x


def halved(t: float, x: float) -> float:
    """Return (t + x) / 2: the same for either order of arguments, but not of the cells."""
    return (t + x) / 2


def larger(t: float, x: float) -> float:
    """Return the larger number."""
    return max(t, x)


A = [[3, 1, 4], [2, 6, 5]]
B = [[7, 2, 9], [1, 8, 4]]
NEGATIVE = [[-3, -1, -4], [-2, -6, -5]]
DEEP = [[[3, 1], [4, 2], [6, 5]], [[9, 7], [8, 0], [2, 4]]]
LOWEST = float("-inf")


def one(about: str, a: object, layout: Layout = "plain", shape: Any = None, **more: Any) -> Case:
    """A map; ``shape`` is that of out, where a is stretched."""
    extra = (shifted,) if shape is None else (shifted, shape)
    return Case(about, (Laid(laid(a).values, layout),), extra, **more)


def two(about: str, a: Laid, b: Laid, **more: Any) -> Case:
    """A zip."""
    return Case(about, (a, b), (digits,), **more)


def fold(
    about: str, a: object, dim: int, layout: Layout = "plain", fn: Any = plus, **more: Any
) -> Case:
    """One fold, from 0 unless out holds something else."""
    return Case(about, (Laid(laid(a).values, layout),), (fn, dim), **more)


def of(about: str, x: object, dim: int | None, layout: Layout = "plain", **more: Any) -> Case:
    """A mean or a maximum."""
    return Case(about, (Laid(laid(x).values, layout),), (dim,), untouched=True, **more)


def _single(key: str, title: str, *cases: Case) -> Block:
    return Block(key, title, 1, cases)


TASKS = {
    "tensor_map": Task(
        MAP,
        (
            _single("plain", "fresh tensors", one("shape (2, 3)", A)),
            _single(
                "stretched",
                "a length of 1 is stretched",
                one("dim 1 is stretched", [[3], [2]], shape=(2, 3)),
                one("dim 0 is stretched", [[3, 1, 4]], shape=(2, 3)),
            ),
        ),
    ),
    "tensor_map_layout": Task(
        MAP,
        (
            _single("read", "a lies in any way", one("a permuted", A, "permuted")),
            _single(
                "write",
                "out lies in any way",
                one("out permuted", A, how="permuted"),
                one("both permuted", A, "permuted", how="permuted"),
            ),
        ),
    ),
    "tensor_map_manners": Task(
        MAP,
        (_single("manners", "old numbers, any size", one("out holds 5", A, buffer=5)),),
    ),
    "tensor_zip": Task(
        ZIP,
        (
            _single("same", "two fresh tensors", two("both (2, 3)", laid(A), laid(B))),
            _single(
                "outer",
                "lengths of 1 are stretched",
                two("(3, 1) and (1, 2)", laid([[3], [1], [4]]), laid([[7, 2]])),
                two("(2, 3) and (2, 1)", laid(A), laid([[7], [2]])),
                two("(1, 3) and (2, 3)", laid([[3, 1, 4]]), laid(B)),
            ),
        ),
    ),
    "tensor_zip_layout": Task(
        ZIP,
        (
            _single(
                "read",
                "a and b lie in different ways",
                two("a permuted", laid(A, "permuted"), laid(B)),
                two("b permuted", laid(A), laid(B, "permuted")),
            ),
            _single(
                "write",
                "out lies in any way and holds anything",
                two("out permuted", laid(A), laid(B), how="permuted"),
                two("out holds 5", laid(A), laid(B), buffer=5),
            ),
            _single(
                "ranks",
                "any number of dims",
                two("(2, 3) and (3,)", laid(A), laid([7, 2, 9])),
                two("three dims", laid(DEEP), laid(DEEP, "permuted")),
            ),
        ),
    ),
    "tensor_reduce": Task(
        REDUCE,
        (
            _single("last", "dim 1 of two", fold("dim 1", A, 1)),
            _single("first", "dim 0 of two", fold("dim 0", A, 0)),
            _single(
                "deep", "any dim of three", *(fold(f"dim {dim}", DEEP, dim) for dim in range(3))
            ),
        ),
    ),
    "tensor_reduce_layout": Task(
        REDUCE,
        (
            _single("read", "a lies in any way", fold("a permuted", A, 1, "permuted")),
            _single("write", "out lies in any way", fold("out permuted", DEEP, 2, how="permuted")),
            _single(
                "many",
                "both, and any number of dims",
                fold("a and out permuted", DEEP, 1, "permuted", how="permuted"),
                fold("a permuted", DEEP, 2, "permuted"),
            ),
        ),
    ),
    "tensor_reduce_start": Task(
        REDUCE,
        (
            _single("start", "it begins with what is in out", fold("out holds 7", A, 1, buffer=7)),
            _single(
                "passing",
                "0 is a number like others",
                fold("a 0 on the way", [[2, 0, 5, 3]], 1, fn=times, buffer=1),
                fold("all below 0", NEGATIVE, 0, fn=larger, buffer=LOWEST),
            ),
        ),
    ),
    "tensor_reduce_order": Task(
        REDUCE,
        (
            _single(
                "arguments",
                "fn gets t first",
                fold("dim 1", A, 1, fn=minus),
                fold("dim 0", A, 0, fn=minus),
            ),
            _single(
                "cells",
                "the first cell first",
                fold("dim 1", A, 1, fn=halved),
                fold("dim 0", A, 0, fn=digits),
            ),
        ),
    ),
    "mean": Task(
        MEAN,
        (
            _single("dim", "along a dim", of("dim 1", A, 1), of("dim 0", A, 0)),
            _single("whole", "of all cells", of("no dim", A, None)),
        ),
    ),
    "max_reduce": Task(
        MAX_REDUCE,
        (
            _single(
                "every",
                "along a dim",
                of("dim 1", A, 1),
                of("dim 0, all below 0", NEGATIVE, 0),
            ),
        ),
    ),
}
