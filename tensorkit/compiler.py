"""A kernel is a text with two lives: numba compiles it, and plain Python runs it line by line.

The text is written once to a file named after its content, and its machine code beside it in one
named after all that it was made from. So the second start of Python compiles nothing, and a changed
formula is a new file: a stale one cannot be met. What need not be compiled imports no numba.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from . import machine
from .loops import near_text, reduce_text, standing
from .scalars import FAR

Entry = machine.Entry

# contract: a * b + c may be rounded once. reassoc: a fold may be split into several running totals.
# nothing is assumed about nan, inf or the sign of zero.
FAST = {"elementwise": {"contract"}, "reduce": {"contract", "reassoc", "nsz"}}

# Cells that a loop which was never compiled works through in plain Python first: a lesson's tensors
# are so small that compiling takes longer than all of them together. The last digit may differ.
PATIENCE = int(os.environ.get("TENSORKIT_PATIENCE", "5000"))


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Return the folder for generated kernels: $TENSORKIT_CACHE, else the user's cache folder.

    Where it cannot be written, a temporary folder serves, which lists what the other one holds:
    that is used, and only what is missing is compiled anew at each start.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("TENSORKIT_CACHE") or Path(base) / "tensorkit").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        full, folder = folder, Path(tempfile.mkdtemp(prefix="tensorkit-"))
        for file in full.glob("*") if os.access(full, os.R_OK) else ():
            (folder / file.name).symlink_to(file.absolute())
    return folder


class Kernel:
    """One loop: its ``text``, the ``plain`` Python function, and compiled entries by dtype."""

    every: ClassVar[WeakSet[Kernel]] = WeakSet()

    def __init__(
        self, name: str, text: str, kind: str, inputs: tuple[str, ...], formula: str = ""
    ) -> None:
        self.name, self.text, self.kind, self.inputs = name, text, kind, inputs
        self.formula = formula
        self.every.add(self)
        self._entries: dict[tuple[Any, ...], Entry] = {}
        self.calls: dict[Any, Any] = {}  # what kernels.py has prepared, by the layouts of a call

    @cached_property
    def path(self) -> Path:
        """The file that holds the text; written if it is not there yet."""
        digest = hashlib.sha256(f"{self.kind}\n{self.text}".encode()).hexdigest()[:16]
        path = cache_folder() / f"{self.name}_{digest}.py"
        if not path.exists():
            machine.write(path, f"import math\n\nimport numpy as np\n\n\n{self.text}".encode())
        return path

    def _names(self) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": "tensorkit.scalars"}
        exec(compile(self.path.read_text(encoding="utf-8"), str(self.path), "exec"), names)
        linecache.checkcache(str(self.path))
        return names

    @cached_property
    def plain(self) -> Callable[..., None]:
        """The kernel as plain Python, from the very file that numba compiles."""
        function: Callable[..., None] = self._names()[self.name]
        return function

    def entry(self, *dtypes: np.dtype[Any], still: tuple[str, ...] = ()) -> Entry:
        """Return the compiled loop for storages of these dtypes, out first; compile it if new.

        ``still`` names inputs that the run stays at one cell of. What the compiler does not know
        of this keeps it from using vector instructions.
        """
        found = self._entries.get((dtypes, still))
        if found is None:
            found = self._entries[dtypes, still] = self._entry(dtypes, still)
        return found

    def _entry(self, dtypes: tuple[np.dtype[Any], ...], still: tuple[str, ...]) -> Entry:
        if still:
            return self._variant(standing(self.text, still)).entry(*dtypes)
        if near_text(self.text) != self.text:
            return self._near_or_far(dtypes)
        return self._compile(dtypes)

    def _variant(self, text: str) -> Kernel:
        return Kernel(self.name, text, self.kind, self.inputs)

    def _near_or_far(self, dtypes: tuple[np.dtype[Any], ...]) -> Entry:
        """Return a loop that looks first whether any number is FAR; hardly ever one is.

        A branch for such numbers keeps a loop from becoming vector instructions: only the loop that
        is taken then has it. To look costs more than it saves where cells are few.
        """
        fast = cache(lambda: self._variant(near_text(self.text)).entry(*dtypes))
        slow = cache(lambda: self._compile(dtypes))

        def entry(out: Any, *rest: Any) -> None:
            cells = int(rest[-1][0, 0] * rest[-1][-1, 0])
            near = cells > 500 and all(s.size <= 4 * cells and largest(s) <= FAR for s in rest[:-1])
            (fast() if near else slow())(out, *rest)

        return entry

    def _compile(self, dtypes: tuple[np.dtype[Any], ...]) -> Entry:
        options: dict[str, Any] = {"error_model": "numpy", "fastmath": FAST[self.kind]}
        path = self.path.with_suffix(f".{machine.recipe(options, dtypes)}.o")
        code = machine.kept(path)
        if code is not None:
            return machine.loaded(self.name, code)

        def make() -> Entry:
            code = machine.compiled(self.name, self.text, self._names(), options, dtypes)
            with suppress(OSError):  # a full disk is no reason not to compute
                machine.keep(path, code)
            return machine.loaded(self.name, code)

        return self._patient(make) if PATIENCE else make()

    def _patient(self, make: Callable[[], Entry]) -> Entry:
        """Return a loop that runs as plain Python until the work is worth compiling."""
        left, fast = PATIENCE, cache(make)

        def entry(out: Any, *rest: Any) -> None:
            nonlocal left
            *storages, dims = rest
            left -= int(dims[0, 0] * dims[-1, 0]) if left > 0 else 0
            if left <= 0:
                return fast()(out, *rest)
            with np.errstate(all="ignore"):  # as in machine code: 1 / 0 is inf
                self.plain(out, *storages, dims.astype(np.int64))

        return entry


LARGEST = Kernel("largest", reduce_text("largest", "larger(abs(x), t)", ("x",)), "reduce", ("x",))


def largest(storage: Any) -> float:
    """Return the size of the largest number of a storage; nan if there is a nan."""
    out = np.zeros(1)
    dims = np.array([[1, 0, 0], [storage.size, 0, 1]], dtype=np.uint64)
    LARGEST.entry(out.dtype, storage.dtype)(out, storage, dims)
    return float(out[0])
