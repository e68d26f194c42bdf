"""What makes grading restartable: a finished result is a folder, and folders are renamed whole.

A result is written beside the course's own folders and renamed to `ready`; from there it goes into
the gradebook, then its files into `autograded`, then it is gone. After a kill at any moment, what
is in `ready` is brought to its end, and what is not there was never finished.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .job import NotReady

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment, unused-ignore]

STATE = ".tensorkit"


class Journal:
    """The state of grading one assignment, in a folder of the course."""

    def __init__(self, root: Path, assignment: str) -> None:
        self.folder = root / STATE / assignment
        self.ready = self.folder / "ready"
        self.ready.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only grader of this assignment. Raises NotReady where there is one already."""
        with (self.folder / "lock").open("a", encoding="ascii") as file:
            if fcntl is not None:
                try:
                    # the system lets go of it when this process ends, however it ends
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise NotReady("this assignment is being graded already") from None
            yield

    def stage(self, student: str, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
        """Keep a finished result: it appears in ``ready`` whole or not at all."""
        writing = self.folder / "writing"
        shutil.rmtree(writing, ignore_errors=True)
        (writing / "files").mkdir(parents=True)
        for name, data in files.items():
            path = writing / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (writing / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        shutil.rmtree(self.ready / student, ignore_errors=True)
        os.rename(writing, self.ready / student)

    def waiting(self, version: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the finished results that are not in the gradebook and in place yet.

        Those of another ``version`` of the assignment no longer fit; they are dropped.
        """
        for path in sorted(self.ready.iterdir()):
            facts = path / "facts.json"
            kept = json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}
            if kept.get("version") == version:
                yield path.name, kept
            else:
                self.drop(path.name)

    def drop(self, student: str) -> None:
        """Forget a result that cannot go into the gradebook; it will have to be made again."""
        (self.ready / student / "facts.json").unlink(missing_ok=True)
        shutil.rmtree(self.ready / student, ignore_errors=True)

    def publish(self, student: str, target: Path, *, whole: bool) -> None:
        """Move a result's files to their place; ``whole`` replaces what is there."""
        files = self.ready / student / "files"
        old = self.folder / "old"
        shutil.rmtree(old, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not files.is_dir():
            return  # it was moved before the kill
        if not whole and target.is_dir():
            shutil.copytree(files, target, dirs_exist_ok=True, copy_function=_replace)
            return
        if target.exists():
            shutil.move(target, old)
        _move(files, target)
        shutil.rmtree(old, ignore_errors=True)

    def finish(self, student: str) -> None:
        """Forget a result that is in the gradebook and in place."""
        with (self.folder / "done").open("a", encoding="utf-8") as log:
            log.write(json.dumps(student) + "\n")
        self.drop(student)

    def again(self, students: Iterable[str], version: str, force: bool) -> set[str]:
        """Return who is to be graded although graded before.

        With ``force`` these are all ``students``. The list outlives a kill: until everybody on it
        is done, a run continues it, unless the assignment itself (``version``) has changed.
        """
        plan, done = self.folder / "regrade.json", self.folder / "done"
        asked = set(students) if force else set()
        try:
            kept = json.loads(plan.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            kept = None
        if kept and (kept["version"] == version or not force):
            left = set(kept["students"]) - self._done()
            if left:
                # those who are not on the list had no part in it
                return left | (asked - set(kept["students"]))
        plan.unlink(missing_ok=True)
        done.unlink(missing_ok=True)
        wanted = sorted(asked)
        if wanted:
            part = plan.with_suffix(".part")
            part.write_text(json.dumps({"version": version, "students": wanted}), encoding="utf-8")
            os.replace(part, plan)
        return set(wanted)

    def _done(self) -> set[str]:
        try:
            lines = (self.folder / "done").read_text(encoding="utf-8").split("\n")
        except OSError:
            return set()
        found = set()
        for line in lines:
            with contextlib.suppress(ValueError):  # a line that a kill cut short
                found.add(json.loads(line))
        return found


def _replace(source: str, target: str) -> None:
    """Put a file in the place of one that may be read-only, in one step."""
    part = f"{target}.part"
    shutil.copy2(source, part)
    os.replace(part, target)


def _move(source: Path, target: Path) -> None:
    """Rename a folder; from another disk, copy it beside its place first."""
    try:
        os.rename(source, target)
    except OSError:
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
        os.rename(part, target)
