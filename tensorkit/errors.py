"""One exception class for each kind of mistake, each also a builtin that people already catch.

A message says what was given, which rule it broke, and what to do about it.
"""

from __future__ import annotations

from typing import Any


class TensorkitError(Exception):
    """The base of every error that tensorkit raises on purpose."""


class ShapeError(TensorkitError, ValueError):
    """Shapes, strides or dims that do not fit together."""


class IndexingError(TensorkitError, IndexError):
    """An index or a dim that lies outside the tensor."""


class DtypeError(TensorkitError, TypeError):
    """Data that is not float64 or float32, or something that is no number at all."""


class GraphError(TensorkitError, RuntimeError):
    """``backward`` asked of a graph that cannot answer: freed, absent, or without a start."""


class InPlaceError(TensorkitError, RuntimeError):
    """A tensor that backward needs was changed in place after forward had used it."""


class GradientError(TensorkitError, AssertionError):
    """A gradient that differs from what nudging the inputs measures; ``report`` holds both."""

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report
