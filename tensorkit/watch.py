"""A watched storage is an array that tells a listener about every cell that is read or written.

It stays an ordinary array: a slice or a transposed view of it knows by its address where it lies in
storage, so ``a.T[2, 1]``, ``a[1:].sum()`` and ``a += 1`` all come down to positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["read", "write"]
# kind, storage, positions, values, whether a negative index was counted from the end
Listener = Callable[[Kind, str, list[int], list[float], bool], None]

# NumPy's functions that only look at the shape, or return a view: they read no cell.
_QUIET = {
    np.shape, np.ndim, np.size, np.empty_like, np.zeros_like, np.ones_like, np.full_like,
    np.transpose, np.reshape, np.ravel, np.squeeze, np.expand_dims, np.moveaxis, np.swapaxes,
    np.flip, np.broadcast_to, np.shares_memory, np.may_share_memory,
}  # fmt: skip
_READING = (
    "argmax", "argmin", "argsort", "astype", "copy", "cumprod", "cumsum", "dot", "flatten",
    "nonzero", "repeat", "round", "searchsorted", "take", "tolist",
)  # fmt: skip
_WRITING = ("fill", "partition", "put", "sort")
_CASTS = ("__bool__", "__complex__", "__float__", "__index__", "__int__")


class Watched(np.ndarray[Any, Any]):
    """An array whose reads and writes are told to a listener; make one with ``watch``.

    ``np.asarray`` of it is the bare array, whose use nobody notes.
    """

    _listener: Listener | None = None
    _name = ""
    _first = 0  # the address of position 0
    _count = 0

    def __array_finalize__(self, source: object) -> None:
        if isinstance(source, Watched) and source._listener is not None:
            offset = _address(self) - source._first
            if 0 <= offset < max(source._count * self.itemsize, 1):  # a copy lies elsewhere
                self._listener, self._name = source._listener, source._name
                self._first, self._count = source._first, source._count

    def _bare(self) -> NDArray[Any]:
        return self.view(np.ndarray)

    def _places(self) -> NDArray[np.int64]:
        """Return the position in storage of every cell of this view, in the shape of the view."""
        item = self.itemsize
        return np.ndarray(
            self.shape,
            np.int64,
            buffer=np.arange(max(self._count, 1)),
            offset=(_address(self) - self._first) // item * 8 if self.size else 0,
            strides=[step // item * 8 for step in self.strides],
        )

    def _tell(self, kind: Kind, index: Any = ...) -> NDArray[Any]:
        """Note a read or a write of ``self[index]`` and return the bare values."""
        values: NDArray[Any] = self._bare()[index]
        if self._listener is not None:
            places = np.ravel(self._places()[index]).tolist()
            if places:
                cells = [float(value) for value in np.ravel(values)]
                self._listener(kind, self._name, places, cells, _wraps(index))
        return values

    def __getitem__(self, index: Any) -> Any:
        try:
            found = self._bare()[index]
        except IndexError as error:
            raise self._outside(index, error) from None
        if isinstance(found, np.ndarray) and np.may_share_memory(found, self):
            return super().__getitem__(index)
        return self._tell("read", index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, Watched):
            if self._is_there(index, value):
                return  # ``a[1:] += 1`` has written already, and hands the same cells back
            value = value._tell("read")
        try:
            self._bare()[index] = value
        except IndexError as error:
            raise self._outside(index, error) from None
        self._tell("write", index)

    def _is_there(self, index: Any, value: Watched) -> bool:
        try:
            places = self._places()[index]
        except IndexError:
            return False
        return self._first == value._first and np.array_equal(places, value._places())

    def _outside(self, index: Any, error: IndexError) -> IndexError:
        where = index[0] if isinstance(index, tuple) and len(index) == 1 else index
        parts = where if isinstance(where, tuple) else (where,)
        if self.ndim > 1 and all(isinstance(part, (int, np.integer)) for part in parts):
            spelled = ", ".join(map(str, parts))
            return IndexError(f"{self._name}[{spelled}]: {self._name} has shape {self.shape} here")
        if not isinstance(where, (int, np.integer)) or self.ndim != 1:
            return error
        what = "the storage" if self.size == self._count else "this part of the storage"
        reach = f"has positions 0 to {self.size - 1}" if self.size else "is empty"
        return IndexError(f"{self._name}[{where}]: {what} of {self._name} {reach}")

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **settings: Any
    ) -> Any:
        if method == "at":  # np.add.at(out, positions, values) writes into its first input
            target, index, *values = inputs
            target._tell("read", index)
            ufunc.at(target._bare(), index, *map(_used, values))
            target._tell("write", index)
            return None
        settings = {name: _used(value) for name, value in settings.items()}
        if out is not None:
            settings["out"] = tuple(o._bare() if isinstance(o, Watched) else o for o in out)
        result = getattr(ufunc, method)(*map(_used, inputs), **settings)
        if out is None:
            return result
        for one in out:
            if isinstance(one, Watched):
                one._tell("write")
        return out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in _QUIET:
            return super().__array_function__(func, types, args, kwargs)
        kwargs = dict(kwargs)
        into = kwargs.pop("out", None)
        if func is np.copyto:
            into, args = args[0], args[1:]
        values = [_used(a) for a in args], {name: _used(a) for name, a in kwargs.items()}
        if into is None:
            return func(*values[0], **values[1])
        bare = into._bare() if isinstance(into, Watched) else into
        if func is np.copyto:
            func(bare, *values[0], **values[1])
        else:
            func(*values[0], out=bare, **values[1])
        if isinstance(into, Watched):
            into._tell("write")
        return into

    def item(self, *index: Any) -> Any:
        """Return one cell as a Python number, and note that it was read."""
        places = self.reshape(-1) if len(index) < 2 else self
        return places[index if index else 0].item()


def watch(values: NDArray[Any], name: str, listener: Listener) -> Watched:
    """Return a watched copy of a flat array, called ``name`` wherever it is told of."""
    storage = np.array(values).view(Watched)
    storage._listener, storage._name = listener, name
    storage._first, storage._count = _address(storage), storage.size
    return storage


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _used(value: Any) -> Any:
    """Note a read of every watched array in ``value``, and return it with bare arrays."""
    if isinstance(value, Watched):
        return value._tell("read")
    if isinstance(value, (list, tuple)):
        return type(value)([_used(one) for one in value])
    return value


def _wraps(index: Any) -> bool:
    parts: Sequence[Any] = index if isinstance(index, tuple) else (index,)
    return any(
        (isinstance(part, (int, np.integer)) and part < 0)
        or (isinstance(part, (list, np.ndarray)) and bool(np.any(np.asarray(part) < 0)))
        for part in parts
    )


def _noting(name: str, kind: Kind) -> Callable[..., Any]:
    bare: Callable[..., Any] = getattr(np.ndarray, name)

    def call(self: Watched, *args: Any, **kwargs: Any) -> Any:
        if kind == "read":
            self._tell("read")
        result = bare(self._bare(), *map(_used, args), **kwargs)
        if kind == "write":
            self._tell("write")
        return result

    call.__name__ = call.__qualname__ = name
    call.__doc__ = bare.__doc__
    return call


for _method in (*_READING, *_CASTS):
    setattr(Watched, _method, _noting(_method, "read"))
for _method in _WRITING:
    setattr(Watched, _method, _noting(_method, "write"))
