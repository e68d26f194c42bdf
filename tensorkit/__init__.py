"""tensorkit: tensors and gradients that you can step through.

``import tensorkit as tk``, make tensors with ``tk.tensor``, and watch any line of it run with
``tk.step``. Every operation of the table is also a function here: ``tk.log(x)``, ``tk.sum(x, 0)``.
"""

from __future__ import annotations

from typing import Any

from . import ops
from .autodiff import Context, no_grad
from .errors import (
    DtypeError,
    GradientError,
    GraphError,
    IndexingError,
    InPlaceError,
    ShapeError,
    TensorkitError,
)
from .functions import Function
from .tensor import (
    Tensor,
    arange,
    float32,
    float64,
    from_numpy,
    full,
    ones,
    rand,
    randn,
    tensor,
    zeros,
)
from .view import View, broadcast_shapes, row_major

__version__ = "0.1.0"

__all__ = [
    "Context",
    "DtypeError",
    "Function",
    "GradientError",
    "GraphError",
    "InPlaceError",
    "IndexingError",
    "ShapeError",
    "Tensor",
    "TensorkitError",
    "View",
    "arange",
    "broadcast_shapes",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "no_grad",
    "ones",
    "ops",
    "rand",
    "randn",
    "row_major",
    "tensor",
    "zeros",
]


def __getattr__(name: str) -> Any:
    if name in ops.ROWS:
        return ops.ROWS[name]
    raise AttributeError(f"module 'tensorkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *ops.ROWS})
