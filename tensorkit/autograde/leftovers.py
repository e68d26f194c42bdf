"""What a notebook wrote beside itself is kept, as nbgrader keeps it, but never followed.

A learner made this folder: only plain files count, few and small; no link, no device, no pipe.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from .job import Limits

MOST = 200  # files


def collect(
    folder: Path, before: Mapping[str, bytes], limits: Limits
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files that are new or changed, and a sentence about those that are not kept."""
    kept: dict[str, bytes] = {}
    left, notes = limits.files, []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in ("__pycache__", ".ipynb_checkpoints"))
        for name in sorted(names):
            path = os.path.join(base, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            data = _read(path, left)
            if data is not None and before.get(relative) == data:
                continue
            if data is None or len(kept) >= MOST or not _is_text(relative):
                notes.append("some files that the notebook wrote were not kept")
                continue
            kept[relative] = data
            left -= len(data)
        if len(Path(base).parts) - len(folder.parts) > 20:
            folders.clear()
    return kept, notes[:1]


def _is_text(name: str) -> bool:
    """Tell whether a name can be written elsewhere: names on Linux are bytes."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read(path: str, most: int) -> bytes | None:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1 or facts.st_size > most:
            return None
        with os.fdopen(os.dup(opened), "rb") as file:
            return file.read(most + 1)
    finally:
        os.close(opened)
