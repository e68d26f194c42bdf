"""How NumPy and PyTorch spell the rows of the table, where their name is another one than ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Function = Callable[..., Any]

NUMPY: dict[str, Function] = {
    "neg": np.negative,
    "abs": np.abs,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.logaddexp(0, x),
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "is_close": np.isclose,
}
TORCH: dict[str, Function] = {
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
    "is_close": torch.isclose,
    # the numbers alone, as ours: max over a dim would also look for positions
    "max": torch.amax,
    "min": torch.amin,
}
# A comparison gives numbers here, as in the lecture: what the peers answer, true or false in one
# byte each, is made into numbers of the inputs' dtype, so that all do the same work.
COMPARED = {
    "lt": (np.less, torch.lt),
    "le": (np.less_equal, torch.le),
    "gt": (np.greater, torch.gt),
    "ge": (np.greater_equal, torch.ge),
    "eq": (np.equal, torch.eq),
    "ne": (np.not_equal, torch.ne),
}
for _name, (_numpys, _torchs) in COMPARED.items():
    NUMPY[_name] = lambda x, y, compare=_numpys: compare(x, y).astype(x.dtype)
    TORCH[_name] = lambda x, y, compare=_torchs: compare(x, y).to(x.dtype)


def spelled(name: str, table: dict[str, Function], kit: Any) -> Function | None:
    """Return a peer's function for a row of the table; None if it has none."""
    found: Function | None = table.get(name) or getattr(kit, name, None)
    return found


def numpys(name: str) -> Function | None:
    """Return NumPy's function for a row."""
    return spelled(name, NUMPY, np)


def torchs(name: str) -> Function | None:
    """Return PyTorch's function for a row."""
    return spelled(name, TORCH, torch)
