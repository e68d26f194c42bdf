"""What costs seconds to make is made once: kernels that numba compiled, Matplotlib's list of fonts.

The reference solution, which is trusted, fills them. A learner's kernel gets a folder of its own
with a link for each file: it reads what is there, and what it writes nobody else ever sees.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import py_compile
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..compiler import cache_folder
from . import sandbox
from .intake import put


def folders() -> dict[str, Path]:
    """Return the caches by the name that they have in a sandbox.

    They are apart from what this user's own programs cache: a sandbox is another user's, so its
    files are made to be read by anybody, and only the reference solution fills them.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    top = base / "tensorkit-grading"
    try:
        top.mkdir(parents=True, exist_ok=True)
    except OSError:
        top = _own_temporary()
    return {name: _open_to_all(top / name) for name in ("kernels", "matplotlib")}


@functools.lru_cache(maxsize=1)
def _own_temporary() -> Path:
    """Make a folder for this process alone: what lies in a shared one may be anybody's."""
    made = Path(tempfile.mkdtemp(prefix="tensorkit-grading-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _open_to_all(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    os.chmod(folder, 0o755)  # whatever this user's umask is
    return folder


def offer(
    box: sandbox.Box, private: Mapping[str, bytes], *, trusted: bool = False
) -> dict[str, str]:
    """Fill a sandbox's home; return which folders in it are to be linked to which caches."""
    links = {}
    for name, folder in folders().items():
        (box.home / name).mkdir()
        if trusted:
            # what a trusted kernel adds is taken over from a copy, file by file
            if name == "kernels":
                _copy(cache_folder(), box.home / name)
            _copy(folder, box.home / name)
        else:
            links[name] = str(folder)
    compile_private(private, box.home / "private")
    return links


def take(box: sandbox.Box) -> None:
    """Keep what the trusted kernel added to its copies of the caches."""
    for name, folder in folders().items():
        for path in sorted((box.home / name).rglob("*")):
            target = folder / path.relative_to(box.home / name)
            if path.is_symlink():
                continue
            if path.is_dir():
                _open_to_all(target)
            elif not target.exists() or target.read_bytes() != path.read_bytes():
                temporary = target.with_name(f".{target.name}.{os.getpid()}")
                temporary.write_bytes(path.read_bytes())
                os.chmod(temporary, 0o644)
                os.utime(temporary, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
                os.replace(temporary, target)


def remember(name: str, modules: Sequence[str]) -> None:
    """Keep what a reference imports, so that the next run can load it while the reference runs."""
    path = folders()["matplotlib"].parent / f"modules-{name}.json"
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(list(modules)), encoding="utf-8")
    os.replace(part, path)


def recall(name: str) -> list[str]:
    """Return what was kept under this name, or nothing."""
    path = folders()["matplotlib"].parent / f"modules-{name}.json"
    try:
        return [str(module) for module in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []


def _copy(source: Path, target: Path) -> None:
    for base, folders, names in os.walk(source):
        place = target / Path(base).relative_to(source)
        for folder in folders:
            (place / folder).mkdir(exist_ok=True)
        for name in names:
            origin, copy = Path(base) / name, place / name
            copy.write_bytes(origin.read_bytes())
            # numba trusts its files by the time of the source
            os.utime(copy, ns=(origin.stat().st_atime_ns, origin.stat().st_mtime_ns))


def compile_private(private: Mapping[str, bytes], folder: Path) -> None:
    """Write the checks' own modules as byte code: their source is never in a sandbox."""
    folder.mkdir()
    compiled = {}
    for name, data in private.items():
        is_python = name.endswith(".py")
        compiled[f"{name}c" if is_python else name] = _byte_code(name, data) if is_python else data
    put(compiled, folder)


@functools.lru_cache(maxsize=1 << 8)  # alike for every submission
def _byte_code(name: str, data: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tk-private-") as folder:
        text, compiled = Path(folder) / "module.py", Path(folder) / "module.pyc"
        text.write_bytes(data)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(
            str(text), str(compiled), f"<{name}>", doraise=True, invalidation_mode=mode
        )
        return compiled.read_bytes()
