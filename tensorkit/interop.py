"""Other libraries: NumPy functions on tensors, memory shared with PyTorch, and files.

A NumPy function that is a row of the table runs as that row, so ``np.exp(t)`` and ``array * t``
stay on the graph. DLPack hands memory over without a copy, both ways.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from .creation import from_numpy
from .errors import DtypeError, GraphError
from .ops import CALLS
from .tensor import Tensor, tensor

UFUNCS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "div", np.power: "pow",
    np.negative: "neg", np.exp: "exp", np.log: "log", np.sqrt: "sqrt", np.tanh: "tanh",
    np.reciprocal: "reciprocal", np.absolute: "abs", np.square: "square", np.log1p: "log1p",
    np.expm1: "expm1", np.sin: "sin", np.cos: "cos", np.sign: "sign", np.floor: "floor",
    np.maximum: "maximum", np.minimum: "minimum", np.less: "lt", np.less_equal: "le",
    np.greater: "gt", np.greater_equal: "ge", np.equal: "eq", np.not_equal: "ne",
    np.matmul: "matmul",
}  # fmt: skip


REDUCTIONS = {
    np.sum: "sum", np.mean: "mean", np.prod: "prod", np.max: "max", np.amax: "max",
    np.min: "min", np.amin: "min", np.all: "all", np.any: "any",
    np.var: "var", np.std: "std",
}  # fmt: skip


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """Run a NumPy function as the row of the table that computes the same.

    Any other gets the numbers. Raises DtypeError where that would lose the history of a tensor, as
    it does not for truth values, and for a tensor as ``out``.
    """
    if method == "__call__" and not settings and ufunc in UFUNCS:
        return CALLS[UFUNCS[ufunc]](*inputs)
    numbers = [np.asarray(t) if isinstance(t, Tensor) else t for t in inputs]
    lost = any(isinstance(t, Tensor) and t.requires_grad for t in inputs)
    into = any(lost or isinstance(t, Tensor) for t in settings.get("out", ()))
    found = None if into else getattr(ufunc, method)(*numbers, **settings)
    if into or (lost and np.asarray(found).dtype.kind == "f"):
        raise DtypeError(
            f"np.{ufunc.__name__} called like this is no operation of the table, so its result "
            "would not be on the graph: use the tensor's own methods, or np.asarray(t) for the "
            "numbers alone"
        )
    return found


def array_function(self: Tensor, function: Any, types: Any, args: Any, settings: Any) -> Any:
    """Run a NumPy reduction as the row of the table; any other function gets the numbers."""
    if function in (np.var, np.std):
        settings = {"correction": settings.pop("ddof", 0), **settings}
    if function in REDUCTIONS:
        return reduced(function, *args, **settings)
    return np.ndarray.__array_function__(self.numpy(), function, (), args, settings)


def reduced(function: Any, t: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
    """Reduce a tensor with NumPy's names for dim and keepdim, and its default to drop the dim."""
    name, unknown = REDUCTIONS[function], sorted(more.keys() - {"correction"})
    if unknown:
        raise DtypeError(
            f"np.{function.__name__} of a tensor takes axis and keepdims, not {unknown}: use "
            f"t.{name}(dim), or np.asarray(t) for the numbers alone"
        )
    return getattr(t, name)(axis, keepdim=keepdims, **more)


def writable(t: Tensor) -> Any:
    """Return the NumPy array over a tensor's memory, open for writing, to be shared.

    Raises GraphError for a tensor that requires a gradient: writes elsewhere would go unnoticed.
    """
    if t.requires_grad:
        raise GraphError("memory is shared outside the graph only: use t.detach()")
    array = t.numpy()
    if t.storage.flags.writeable:
        array.flags.writeable = True
    return array


def from_dlpack(other: Any) -> Tensor:
    """Return a tensor over the memory of another library's array; a write shows in both.

    Raises DtypeError unless it holds float64 or float32 on the CPU.
    """
    try:
        array = np.from_dlpack(other)
    except (RuntimeError, TypeError, AttributeError, BufferError) as error:
        raise DtypeError(f"cannot share the memory of {type(other).__name__}: {error}") from None
    return from_numpy(array)


def save(path: str | Path, tensors: dict[str, Tensor]) -> None:
    """Write named tensors to an ``.npz`` file. Raises DtypeError if a value is no tensor."""
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise DtypeError(f"{name!r} is {type(t).__name__}: save takes a dict of tensors")
    # as np.savez writes it, which could not take a tensor called "file"
    with ZipFile(path, "w") as archive:
        for name, t in tensors.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(t), allow_pickle=False)


def load(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of an ``.npz`` file. It holds numbers only: no pickled object is run."""
    with np.load(path, allow_pickle=False) as file:
        return {name: tensor(file[name], dtype=file[name].dtype) for name in file.files}


setattr(Tensor, "__array_ufunc__", array_ufunc)  # noqa: B010 - a method for what tensor.py cannot know
setattr(Tensor, "__array_function__", array_function)  # noqa: B010
setattr(Tensor, "__dlpack__", lambda self, **asked: writable(self).__dlpack__(**asked))  # noqa: B010
setattr(Tensor, "__dlpack_device__", lambda self: self.numpy().__dlpack_device__())  # noqa: B010
