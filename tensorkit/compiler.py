"""A kernel is a text with two lives: numba compiles it, and plain Python runs it line by line.

The text is written once to a file named after its content. Numba caches its machine code beside
that file, so the second start of Python compiles nothing, and a changed formula is a new file: a
stale cache cannot be met. Before the first call nothing is compiled, and numba is not imported.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import tempfile
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

Entry = Callable[..., None]

# contract: a * b + c may be rounded once. reassoc: a fold may be split into several running totals.
# nothing is assumed about nan, inf or the sign of zero.
FAST = {"elementwise": {"contract"}, "reduce": {"contract", "reassoc", "nsz"}}


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Return the folder for generated kernels: $TENSORKIT_CACHE, else the user's cache folder.

    Where neither can be written, a temporary folder serves: then each start compiles anew.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("TENSORKIT_CACHE") or Path(base) / "tensorkit").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="tensorkit-"))
    return folder


class Kernel:
    """One loop: its ``text``, the ``plain`` Python function, and compiled entries by dtype."""

    def __init__(self, name: str, text: str, kind: str, inputs: tuple[str, ...]) -> None:
        self.name, self.text, self.kind, self.inputs = name, text, kind, inputs
        self._entries: dict[tuple[Any, ...], Entry] = {}
        self.calls: dict[Any, Any] = {}  # what kernels.py has prepared, by the layouts of a call

    @cached_property
    def path(self) -> Path:
        """The file that holds the text; written if it is not there yet."""
        digest = hashlib.sha256(f"{self.kind}\n{self.text}".encode()).hexdigest()[:16]
        path = cache_folder() / f"{self.name}_{digest}.py"
        if not path.exists():
            # not a file of tempfile, which only its owner could read: caches are shared
            temporary = path.with_suffix(f".{uuid4().hex}.tmp")
            temporary.write_text("import math\n\nimport numpy as np\n\n\n" + self.text, "utf-8")
            os.replace(temporary, path)  # another process may write the same file: both are whole
        return path

    def _names(self) -> dict[str, Any]:
        # numba imports the module of a cached function by name, so it has to be one that exists
        names: dict[str, Any] = {"__name__": "tensorkit.scalars"}
        exec(compile(self.path.read_text(encoding="utf-8"), str(self.path), "exec"), names)
        linecache.checkcache(str(self.path))
        return names

    @cached_property
    def plain(self) -> Callable[..., None]:
        """The kernel as plain Python, from the very file that numba compiles."""
        function: Callable[..., None] = self._names()[self.name]
        return function

    def entry(self, *dtypes: np.dtype[Any]) -> Entry:
        """Return the compiled loop for storages of these dtypes, out first; compile it if new."""
        found = self._entries.get(dtypes)
        if found is None:
            found = self._entries[dtypes] = self._compile(dtypes)
        return found

    def _compile(self, dtypes: tuple[np.dtype[Any], ...]) -> Entry:
        import numba

        names = self._names()
        options: dict[str, Any] = {"error_model": "numpy", "fastmath": FAST[self.kind]}
        for name, value in names.items():
            if callable(value) and name != self.name:
                names[name] = numba.njit(**options)(value)
        flat = [numba.types.Array(numba.from_dtype(d), 1, "C") for d in dtypes]
        # unsigned positions: numba then leaves out its test for negative indices, which would
        # keep the loop from being vectorised. Negative steps still work: they wrap around.
        table = numba.types.Array(numba.uint64, 2, "C")
        signature = numba.void(*flat, table)
        compiled = numba.njit(signature, cache=True, **options)(names[self.name])
        # the entry point skips the dispatcher's type check, which costs more than a small loop
        compiled_for: Any = compiled.overloads[signature.args]
        entry: Entry = compiled_for.entry_point
        return entry
