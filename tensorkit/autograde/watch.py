"""What a sandbox uses, seen from outside: Linux tells it for every process and its children.

Nothing here trusts the sandbox: counting stops where there is too much to count.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1024  # bytes that a name costs


@dataclass(frozen=True)
class Usage:
    """Memory in bytes, shared pages counted once for the whole tree where Linux says so."""

    memory: int
    processes: int


def usage(pid: int, most: int = 1000) -> Usage:
    """Add up a process and its descendants, up to ``most``; zeros where /proc does not tell."""
    memory = count = 0
    waiting = [pid]
    while waiting and count < most:
        process = waiting.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{process}/statm").read_text("ascii").split()
            # pages that are shared with others, such as libraries, are not this tree's own
            memory += (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")
            count += 1
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text("ascii").split()]
    return Usage(memory, count)


def stored(folder: str, most: int) -> int:
    """Add up what lies below a folder, in bytes, until it is more than ``most``.

    An empty file counts as a block: what is made in millions need not be large.
    """
    found, waiting = 0, [folder]
    while waiting and found <= most:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found += BLOCK + 512 * entry.stat(follow_symlinks=False).st_blocks
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if found > most:
                    break
    return found
