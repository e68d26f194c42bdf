"""tensorkit: tensors and gradients that you can step through.

``import tensorkit as tk``, make tensors with ``tk.tensor``, and watch any line of it run with
``tk.step``. Every operation of the table is also a function here: ``tk.log(x)``, ``tk.sum(x, 0)``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import ops
from .compositions import COMPOSITIONS
from .convolution import CONVOLUTIONS
from .creation import arange, from_numpy, full, ones, rand, randn, zeros
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
from .graph import Context, no_grad
from .interop import from_dlpack, load, save
from .layout import broadcast_shapes, row_major
from .ops import source
from .random import Generator, manual_seed
from .tensor import Tensor, float32, float64, tensor
from .transforms import grad, gradients, jacobian
from .using import use
from .view import View

__version__ = "0.1.0"

__all__ = [
    "Context",
    "DtypeError",
    "Function",
    "Generator",
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
    "from_dlpack",
    "from_numpy",
    "full",
    "grad",
    "gradients",
    "jacobian",
    "load",
    "manual_seed",
    "no_grad",
    "ones",
    "ops",
    "rand",
    "randn",
    "row_major",
    "save",
    "source",
    "tensor",
    "use",
    "zeros",
]


COMPOSED = COMPOSITIONS | CONVOLUTIONS

# pictures and checks load Matplotlib and more: on first use, so that the import stays light
LATER = {
    "nn": ("tensorkit.nn", None),
    "optim": ("tensorkit.optim", None),
    "check_gradient": ("tensorkit.checks", "check_gradient"),
    "step": ("tensorkit.widgets.step", "step"),
    "figures": ("tensorkit.widgets.figures", None),
    "explore": ("tensorkit.explore", None),
    "Quiz": ("tensorkit.widgets.quiz", "Quiz"),
    "practice": ("tensorkit.lessons", "practice"),
    "Predict": ("tensorkit.widgets.predict", "Predict"),
}


# the submodule of this name would otherwise hide the operation
view = ops.ROWS["view"]


def __getattr__(name: str) -> Any:
    if name in ops.ROWS:
        return ops.ROWS[name]
    if name in COMPOSED:
        return COMPOSED[name]
    if name in LATER:
        module, attribute = LATER[name]
        found = import_module(module)
        return found if attribute is None else getattr(found, attribute)
    raise AttributeError(f"module 'tensorkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER, *ops.ROWS, *COMPOSED})
