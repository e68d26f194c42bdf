"""Folders that a learner made: what was handed in, and what a notebook wrote while it ran.

Nothing in them is followed or believed: links, pipes and devices are left out, names are compared,
sizes are asked first. Everything odd becomes a sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from nbgrader.utils import parse_utc

from .job import Clean, Limits

# nbgrader's own files beside a submission; no notebook needs them
TIME = "timestamp.txt"
OWN = (TIME, "submission_secret.txt")
SMALL = 4096  # bytes; none of those is larger
MOST = 200  # files that a notebook wrote


class Refused(ValueError):
    """A file that is not read; the text says why."""

    def __init__(self, reason: str, is_large: bool = False) -> None:
        super().__init__(reason)
        self.is_large = is_large


def read_plain(path: str | Path, most: int, *, single: bool = False) -> bytes:
    """Read a plain file of at most ``most`` bytes, never through a link. Raises Refused.

    With ``single`` a file that has a second name is refused as well.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Refused(f"could not be read ({error.strerror})") from error
    try:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode) or (single and facts.st_nlink != 1):
            raise Refused("is not a plain file")
        if facts.st_size > most:
            raise Refused(f"is too large ({facts.st_size >> 20} MB)", is_large=True)
        with os.fdopen(os.dup(opened), "rb") as file:
            return file.read(most)
    finally:
        os.close(opened)


@dataclass
class Intake:
    """What was found in the folder of a submission."""

    notebooks: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def overlay(files: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, bytes]:
    """Put new files over others: a folder may stand where a file was, or the other way round."""
    folders = {str(above) for name in new for above in PurePosixPath(name).parents}
    kept = {
        name: data
        for name, data in files.items()
        if name not in folders and not any(str(a) in new for a in PurePosixPath(name).parents)
    }
    return {**kept, **new}


def put(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files below a folder; a path that leads out of it is refused."""
    for name, data in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"the path {name!r} leads out of its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)


def own_files(folder: Path) -> dict[str, bytes]:
    """Read what nbgrader's exchange put beside a submission."""
    found = {}
    for name in OWN if not folder.is_symlink() else ():
        with contextlib.suppress(Refused):
            found[name] = read_plain(folder / name, SMALL)
    return found


def moment(folder: Path) -> datetime | None:
    """Return when a submission was handed in, if that is written beside it. Raises ValueError."""
    text = own_files(folder).get(TIME, b"").decode("utf-8", "replace").strip()
    try:
        return parse_utc(text) if text else None
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        raise ValueError(f"{TIME} holds no time; it counts as handed in without one") from error


def intake(
    submitted: Path,
    source: Path,
    clean: Sequence[Clean],
    ignore: Sequence[str],
    most: int,
    keep: Sequence[str] = (),
) -> Intake:
    """Read a submission's folder; ``most`` is how many bytes of it are read in all.

    Files of ``source`` replace those that were handed in, except for the names in ``keep``.
    """
    found = Intake()
    left = _Budget(most)
    strangers: dict[str, bytes] = {}
    wanted = {f"{each.name}.ipynb": each.name for each in clean}
    if submitted.is_symlink():
        found.notes.append("the folder that was handed in is a link; nothing in it was read")
    for name, path in [] if submitted.is_symlink() else _walk(submitted, ignore, found.notes):
        data = left.read(path, name, found.notes)
        if data is None:
            continue
        if name in wanted:
            found.notebooks[wanted[name]] = data
        elif name.endswith(".ipynb"):
            strangers[name] = data
        elif name not in OWN:
            found.files[name] = data
    _recognise(found, strangers, clean)
    for name, path in _walk(source, ignore, []):
        if not name.endswith(".ipynb") and not (name in keep and name in found.files):
            found.files[name] = path.read_bytes()
    return found


class _Budget:
    """Reads files until the bytes are used up."""

    def __init__(self, left: int) -> None:
        self.left = left

    def read(self, path: Path, name: str, notes: list[str]) -> bytes | None:
        """Read a plain file; None, with a sentence, where that fails."""
        try:
            data = read_plain(path, self.left)
        except Refused as error:
            notes.append(f"{name!r} {error} and was left out")
            # a notebook that is too large is told from one that is missing
            return b"" if error.is_large and name.endswith(".ipynb") else None
        self.left -= len(data)
        return data


def _walk(folder: Path, ignore: Sequence[str], notes: list[str]) -> list[tuple[str, Path]]:
    """List the plain files of a folder by relative name, sorted; links get a sentence."""
    files = []
    for base, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            if os.path.islink(os.path.join(base, name)):
                notes.append(f"{name!r} is a link and was left out")
        keep = [n for n in folders if not _ignored(n, ignore)]
        folders[:] = sorted(n for n in keep if not os.path.islink(os.path.join(base, n)))
        for name in sorted(names):
            path = Path(base, name)
            relative = path.relative_to(folder).as_posix()
            if _ignored(name, ignore) or path.is_symlink():
                continue
            try:
                relative.encode("utf-8")
            except UnicodeEncodeError:
                notes.append(f"{relative.encode('utf-8', 'replace')!r} has a name that is no text")
                continue
            files.append((relative, path))
    return files


def _ignored(name: str, ignore: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in ignore)


def _recognise(found: Intake, strangers: Mapping[str, bytes], clean: Sequence[Clean]) -> None:
    """Take a renamed notebook for the one that is missing, by the cells that it has."""
    for each in clean:
        if each.name in found.notebooks:
            continue
        names = {cell.name for cell in each.cells}
        shares = {name: len(names & _grade_ids(data)) for name, data in strangers.items()}
        best = max(shares, key=lambda name: shares[name], default=None)
        if best is not None and 2 * shares[best] >= max(1, len(names)):
            found.notebooks[each.name] = strangers[best]
            found.notes.append(f"{best!r} was taken for '{each.name}.ipynb'")
        else:
            found.notes.append(f"'{each.name}.ipynb' was not handed in")


def _grade_ids(data: bytes) -> set[str]:
    try:
        cells = json.loads(data)["cells"]
        records = [cell.get("metadata", {}).get("nbgrader", {}) for cell in cells]
        return {str(record["grade_id"]) for record in records if "grade_id" in record}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


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
            data = None
            with contextlib.suppress(Refused):
                data = read_plain(path, left, single=True)
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
