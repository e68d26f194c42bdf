"""What travels to a worker and what comes back: frozen data, no gradebook, no course folder.

A job is one submission with everything that is needed to run and score it; `run.execute` is a
function of it alone. So a thread, another process or another machine may do it, and do it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# stands where a cell printed more than it may
CUT = "\n... more was printed; it was cut here ...\n"
Files = Mapping[str, bytes]  # paths relative to the submission's folder, with "/"


@dataclass(frozen=True)
class Limits:
    """What one notebook may use. Sizes in bytes, times in seconds."""

    memory: int = 4 << 30  # of each process, and of all processes of a sandbox together
    cpu: int = 1800  # of each process
    processes: int = 128
    file: int = 64 << 20  # the largest file that can be written
    disk: int = 256 << 20  # of each temporary folder
    output: int = 1 << 20  # characters that a cell may print; nbgrader keeps 1000 lines
    shown: int = 8 << 20  # of all that a cell shows: text, pictures, widgets
    notebook: int = 32 << 20  # the largest notebook that is opened
    cells: int = 5000  # the longest
    files: int = 16 << 20  # what a notebook wrote and is kept beside it, in all
    deadline: float = 1800  # of a whole notebook
    recoveries: int = 3  # how often a notebook whose kernel died goes on without the cell


@dataclass(frozen=True)
class Known:
    """A cell that the gradebook knows: its source as released, hidden tests included."""

    name: str
    cell_type: str
    source: str
    checksum: str
    locked: bool
    grade: bool = False
    solution: bool = False
    task: bool = False
    points: float | None = None


@dataclass(frozen=True)
class Clean:
    """A notebook as it was released, and as its author solved it."""

    name: str
    template: str  # the released notebook, as JSON
    cells: tuple[Known, ...]  # in the notebook's order
    kernelspec: Mapping[str, Any] | None = None
    reference: str | None = None  # the solved notebook with every check, as JSON

    def known(self) -> dict[str, Known]:
        """Find a cell by its grade id."""
        return {cell.name: cell for cell in self.cells}


@dataclass(frozen=True)
class Settings:
    """How a class is graded; the same for all jobs of a run."""

    sandbox: str = "auto"  # required, auto, off
    limits: Limits = field(default_factory=Limits)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    before: tuple[str, ...] = ()  # the steps before execution, as import paths
    after: tuple[str, ...] = ()  # and after it
    private: Files = field(default_factory=dict)  # modules that only checks import
    hide: tuple[str, ...] = ()  # folders that no sandbox may show
    environment: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ()  # import these once, if the reference does, then fork
    control: bool = True  # try the reference before anybody is graded


@dataclass(frozen=True)
class Job:
    """One student's submission of one assignment."""

    student: str
    assignment: str
    clean: tuple[Clean, ...]
    notebooks: Files  # as handed in, by name without the ending; a missing one is absent
    files: Files = field(default_factory=dict)  # beside the notebooks when they run
    notes: tuple[str, ...] = ()  # what was odd about the folder
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Mark:
    """The points of a graded cell; ``score`` is None where a person has to read it."""

    score: float | None
    points: float


@dataclass(frozen=True)
class Graded:
    """One notebook after it was run and scored."""

    text: str  # the notebook as JSON
    marks: Mapping[str, Mark] = field(default_factory=dict)
    comments: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # sentences for the student
    flags: tuple[str, ...] = ()  # lines for the instructor alone
    failed: Mapping[str, str] = field(default_factory=dict)  # why, by grade id


@dataclass(frozen=True)
class Result:
    """One graded submission."""

    student: str
    assignment: str
    notebooks: Mapping[str, Graded]
    files: Files = field(default_factory=dict)  # what the notebooks wrote
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    host: str = ""
    sandboxed: bool = False

    @property
    def score(self) -> float:
        """The points that need no person, added up."""
        marks = [mark for graded in self.notebooks.values() for mark in graded.marks.values()]
        return sum(mark.score or 0.0 for mark in marks)


class NotReady(RuntimeError):
    """This machine cannot grade: nobody may get marks from it, least of all zeros."""


class MachineNotReady(NotReady):
    """Not even the author's solution earns its points here: there is nothing to try again."""
