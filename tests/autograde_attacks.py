"""Hostile and broken submissions, as data: what is handed in, the points, and who reads what.

``reader`` is a pattern for the learner's own notebook after grading, ``teller`` one for the line
that the instructor sees. Each name is a row of the table in assignments/GRADING.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from autograde_course import ANSWERS, Course, author, fill
from nbformat import NotebookNode, v4

DOUBLE, HALF = ANSWERS["double"], ANSWERS["half"]
SECRET = "a word that only the instructor's environment has"


@dataclass(frozen=True)
class Attack:
    name: str
    double: float  # points that remain
    half: float
    answers: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[NotebookNode], None] | None = None
    hand_in: Callable[[Course, Path], None] | None = None  # in place of a notebook
    reader: str = ""
    teller: str = ""
    absent: str = ""  # must stand in no output
    limits_only: bool = True  # whether limits without a sandbox are enough


def _extra(source: str, before: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        at = next(k for k, cell in enumerate(notebook.cells) if cell.get("id") == before)
        notebook.cells.insert(at, v4.new_code_cell(source, id="mine"))

    return change


def _edit(name: str, **changes: object) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        cell = next(cell for cell in notebook.cells if cell.get("id") == name)
        cell.update(changes)

    return change


def _copy_of(name: str, source: str | None = None) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        at = next(k for k, cell in enumerate(notebook.cells) if cell.get("id") == name)
        copied = nbformat.from_dict(json.loads(json.dumps(notebook.cells[at])))
        copied.id = "copied"
        copied.source = copied.source if source is None else source
        notebook.cells.insert(at + 1, copied)

    return change


def _drop(name: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.get("id") != name]

    return change


def _no_metadata(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata = {}
        cell.pop("id")


def _odd_metadata(notebook: NotebookNode) -> None:
    notebook.metadata = {"kernelspec": {"name": "ir", "display_name": "R"}}
    notebook.cells[2].metadata = {"nbgrader": "double"}
    notebook.cells[3].metadata["nbgrader"] = {"grade_id": "check-double", "points": "999"}
    notebook.cells[6].metadata["nbgrader"]["points"] = 999


def _file(name: str, data: bytes) -> Callable[[Course, Path], None]:
    def hand_in(course: Course, place: Path) -> None:
        (place / name).write_bytes(data)

    return hand_in


def _solved() -> NotebookNode:
    notebook = author()
    for cell in notebook.cells:
        if "HIDDEN" in cell.source:
            cell.source = cell.source.split("### BEGIN")[0].strip()
    fill(notebook, ANSWERS)
    return notebook


def _renamed(course: Course, place: Path) -> None:
    course.submit("renamed notebook")
    (place / "work.ipynb").rename(place / "work (final) v2.ipynb")


def _link(course: Course, place: Path) -> None:
    other = course.submit("good")
    (place / "work.ipynb").symlink_to(other)


def _linked_data(course: Course, place: Path) -> None:
    course.submit("link to the gradebook", {**ANSWERS, "look": "open('book.db', 'rb').read(16)"})
    (place / "book.db").symlink_to(course.root / "gradebook.db")


def _odd_names(course: Course, place: Path) -> None:
    course.submit("strange file names")
    (place / "Zoë's\n[1] *.txt").write_text("odd", encoding="utf-8")
    (place / "..;rm -rf $HOME").write_text("odd", encoding="utf-8")
    Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.txt")).write_text("odd", encoding="utf-8")


def _shadowing(course: Course, place: Path) -> None:
    course.submit("modules that take the place of others", ANSWERS)
    lies = "def assert_allclose(*a, **k): pass\nclass testing: assert_allclose = assert_allclose"
    for name in ("numpy.py", "random.py", "tensorkit.py", "ipykernel.py"):
        (place / name).write_text(lies, encoding="utf-8")


def _skipped(notebook: NotebookNode) -> None:
    _edit("check-double", metadata={**notebook.cells[3].metadata, "tags": ["skip-execution"]})(
        notebook
    )


def _odd_tags(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata["tags"] = 5
    notebook.cells[2]["outputs"] = {"output_type": "execute_result"}


def _half_characters(notebook: NotebookNode) -> None:
    notebook.metadata["title"] = "\ud800"
    for cell in notebook.cells:
        if cell.get("id") in ("double", "words", "why", "look"):
            cell.source += "\n# \udc80 half"


def _forged_outputs(notebook: NotebookNode) -> None:
    data = {"text/plain": "3.0", "application/x-score": "3.0"}
    notebook.cells[6].outputs = [v4.new_output("execute_result", data, execution_count=6)]


def _many_cells(notebook: NotebookNode) -> None:
    notebook.cells += [v4.new_code_cell(f"x = {k}") for k in range(6000)]


def _time(make: Callable[[Path], object]) -> Callable[[Course, Path], None]:
    """Hand in right answers, with something odd in the place of the time."""

    def hand_in(course: Course, place: Path) -> None:
        course.submit(place.parent.name)
        make(place / "timestamp.txt")

    return hand_in


def _pipe(course: Course, place: Path) -> None:
    os.mkfifo(place / "work.ipynb")


def _linked_folder(course: Course, place: Path) -> None:
    place.rmdir()
    place.symlink_to(course.place("good"))


def _startup(course: Course, place: Path) -> None:
    course.submit(
        "startup files beside the notebook", {**ANSWERS, "double": "def double(x): return 0"}
    )
    lies = "import numpy.testing\nnumpy.testing.assert_allclose = print\nprint('STARTED')\n"
    for name in ("sitecustomize.py", "usercustomize.py", "ipython_config.py", "x.pth"):
        (place / name).write_text(lies, encoding="utf-8")
    for name in ("profile_default/startup", ".ipython/profile_default/startup"):
        (place / name).mkdir(parents=True)
        (place / name / "00.py").write_text(lies, encoding="utf-8")


def _given(course: Course, place: Path) -> None:
    swap = "import os\nos.remove('given.txt')\nos.mkdir('given.txt')\nopen('given.txt/x', 'w')"
    swap += "\nos.mkdir('work.ipynb')\nopen('work.ipynb/y', 'w')\nopen('timestamp.txt', 'w')"
    course.submit("a folder in the place of a file", {**ANSWERS, "look": swap})
    (place / "given.txt").write_text("given", encoding="utf-8")


def _absent_notebook(course: Course, place: Path) -> None:
    (place / "notes.txt").write_text("it was in my other bag", encoding="utf-8")


FORGE = """
def half(x):
    kernel = get_ipython().kernel
    kernel.session.send(
        kernel.iopub_socket, "execute_result",
        {"data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 9},
        parent=kernel.get_parent(), ident=b"execute_result",
    )
    return 0
"""
LIAR = """
class Liar:
    def __eq__(self, other): return Points()
class Points:
    def __rmul__(self, other): return 1000.0
def half(x): return Liar()
"""
HOOK = """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node): return ast.Pass() if "assert_" in ast.unparse(node) else node
get_ipython().ast_transformers.append(NoAsserts())
def double(x): return 0
"""
PATCH = """
import numpy
numpy.testing.assert_allclose.__code__ = (lambda *a, **k: None).__code__
numpy.testing.assert_allclose = lambda *a, **k: None
np.testing = type("T", (), {"assert_allclose": staticmethod(lambda *a, **k: None)})
def double(x): return -6 if x == -3 else 0
"""
NAMES = """
class np:
    class testing:
        assert_allclose = staticmethod(lambda *a, **k: None)
def double(x): return -6 if x == -3 else 0
"""
PRINTER = """
formatter = get_ipython().display_formatter.formatters["text/plain"]
formatter.for_type(float, lambda value, p, cycle: p.text("3.0"))
def half(x): return 0
"""
SILENT = """
import sys
sys.displayhook = lambda value: None
type(get_ipython().displayhook).__call__ = lambda self, value=None: None
def half(x): return 0
"""
READ = "import pathlib\nprint(*(pathlib.Path({!r}).read_bytes()[:9] for _ in 'x'))"
SPY = """
import glob, os, sys, tensorkit
open_to_all = os.path.expanduser("~"), sys.prefix, sys.base_prefix, *tensorkit.__path__
found = [p for top in {!r} for p in glob.glob(top + "/**/*", recursive=True)]
found = [p for p in found if not any(p.startswith(o + "/") for o in open_to_all)]
# an empty folder on the way to one of these tells nothing
print("FOUND", [p for p in found if not os.path.isdir(p)])
"""
SESSION = """
import json
import jupyter_client.session as session
class Liar:
    JSONDecodeError, loads = ValueError, staticmethod(json.loads)
    def dumps(self, o, _dumps=json.dumps, **k): return _dumps(o, **k).replace("0.0", "3.0")
session.json = Liar()
def half(x): return 0
"""
FORGE_END = """
def half(x):
    import time
    kernel = get_ipython().kernel
    parent = kernel.get_parent()
    def say(kind, content):
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent, ident=b"x")
    shown = {"data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 6}
    say("execute_result", shown)
    say("status", {"execution_state": "idle"})
    time.sleep(1)
    return 0
"""
MODULES = """
import sys, types
lies = types.ModuleType("numpy.testing")
lies.assert_allclose = lambda *a, **k: None
np = types.ModuleType("numpy")
np.testing = lies
sys.modules["numpy"], sys.modules["numpy.testing"] = np, lies
def double(x): return -6 if x == -3 else 0
"""
TRACE = """
import sys
def tracer(frame, event, arg):
    if "earned" in frame.f_globals: frame.f_globals["earned"] = 3.0
    return tracer
def half(x):
    sys.settrace(tracer)
    sys._getframe(1).f_trace = tracer
    return 0
"""
INSIDE = """
def double(x):
    np.testing.assert_allclose = lambda *a, **k: None
    return 2 * x
"""
MEMORY = """
import os
for path in ("/proc/1/mem", f"/proc/{os.getppid()}/mem"):
    try: print("READ", open(path, "r+b").read(1))
    except OSError as error: print(type(error).__name__)
"""
NAMESPACES = """
import ctypes, os
libc = ctypes.CDLL(None)
print("NEW", libc.unshare(0x10020000), libc.umount2(b"/nest", 2), libc.umount2(b"/tmp", 2))
print(os.path.isdir("/nest") and os.listdir("/nest"))
"""
SOCKETS = """
import os
for name in os.listdir("/run/kernel"):
    os.remove("/run/kernel/" + name)
    os.symlink("/etc/passwd", "/run/kernel/" + name)
"""
CONTROL = "print('\\x1b[2J\\x1b]0;owned\\x07' * 99, '\\u202e' * 99, '\\u0300' * 9999, chr(0))"
FILES = "for k in range(10**6):\n    open(f'{k}', 'wb').write(bytes(1 << 20))"
STUBBORN = (
    DOUBLE + "\nimport signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
)


def attacks(course: Course, port: int) -> list[Attack]:
    """The table; paths and the port of a listener are those of this machine."""
    root, book = str(course.root), str(course.root / "gradebook.db")
    solution = str(course.root / "source" / "A1" / "work.ipynb")
    other = str(course.root / "submitted" / "good" / "A1" / "work.ipynb")
    call = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 3).send(b'x')"
    return [
        Attack(
            "endless loop",
            0,
            3,
            {"double": "def double(x):\n    while True: pass"},
            reader="CellTimeoutError",
        ),
        Attack(
            "endless loop that cannot be interrupted",
            0,
            3,
            {"double": STUBBORN},
            reader="could not be interrupted",
            teller="could not be interrupted",
        ),
        Attack("sys.exit", 2, 3, {"double": DOUBLE + "\nimport sys\nsys.exit()"}),
        Attack(
            "os._exit",
            0,
            3,
            {"double": DOUBLE + "\nimport os\nos._exit(0)"},
            reader="the kernel died",
            teller="the kernel died",
        ),
        Attack(
            "crash of Python",
            0,
            3,
            {"double": "import ctypes\nctypes.string_at(0)"},
            reader="the kernel died",
            teller="reaches below Python",
        ),
        Attack(
            "fork bomb",
            0,
            3,
            {"double": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"},
            reader="CellTimeoutError|TooMuch|DeadKernelError",
            limits_only=False,
        ),
        Attack(
            "50 GB allocation",
            0,
            3,
            {"double": "big = bytearray(50 * 2**30)"},
            reader="MemoryError",
        ),
        Attack(
            "memory in many pieces",
            0,
            3,
            {"double": "hoard = []\nwhile True: hoard.append(bytearray(400_000_000))"},
            reader="MemoryError|TooMuch|CellTimeoutError",
        ),
        Attack(
            "a gigabyte of output",
            0,
            3,
            {"double": "for _ in range(1000):\n    print('y' * 1_000_000)\n1 / 0"},
            reader="it was cut here",
            teller="printed more than is kept",
        ),
        Attack(
            "a gigabyte on disk",
            0,
            3,
            {"double": "open('big', 'wb').write(bytes(2**30))\n1 / 0"},
            reader="File too large|MemoryError|it wrote more than",  # whichever limit is first
        ),
        Attack(
            "deleting the course",
            2,
            3,
            {"look": f"import shutil\nshutil.rmtree({root!r})"},
            reader="No such file",
            limits_only=False,
        ),
        Attack(
            "reading the gradebook",
            2,
            3,
            {"look": READ.format(book)},
            reader="FileNotFoundError",
            limits_only=False,
        ),
        Attack(
            "writing to the gradebook",
            2,
            3,
            {"look": f"import sqlite3\nsqlite3.connect({book!r}).execute('delete from grade')"},
            reader="OperationalError",
            limits_only=False,
        ),
        Attack(
            "reading another learner's work",
            2,
            3,
            {"look": READ.format(other)},
            reader="FileNotFoundError",
            limits_only=False,
        ),
        Attack(
            "importing the reference solution",
            0,
            3,
            {"double": READ.format(solution)},
            reader="FileNotFoundError",
            limits_only=False,
        ),
        Attack(
            "searching the disk",
            2,
            3,
            {"look": SPY.format([root, "/home", "/root", "/mnt", "/srv", "/var", "/tmp"])},
            reader=r"FOUND \[\]",
            limits_only=False,
        ),
        Attack(
            "searching the memory for hidden tests",
            2,
            3,
            {},
            _extra("print(In, _ih, _i, [v for k, v in globals().items() if k[:2] == '_i'])", "why"),
            absent="secret 71|secret 83",
            reader="In|_ih",
        ),
        Attack(
            "killing the parent",
            2,
            3,
            {"look": "import os\nos.kill(os.getppid(), 9)\nprint('still here')"},
            reader="still here|Error",
            limits_only=False,
        ),
        Attack(
            "killing every process",
            0,
            3,
            {"double": "import os\nos.kill(-1, 9)"},
            reader="the kernel died|Error",
            limits_only=False,
        ),
        Attack(
            "a process that stays behind",
            2,
            3,
            {"look": "import subprocess\nsubprocess.Popen(['sleep', '86399'])"},
            teller="starts processes",
            limits_only=False,
        ),
        Attack(
            "the network",
            2,
            3,
            {"look": call},
            reader="Error",
            teller="looks for a network",
            limits_only=False,
        ),
        Attack(
            "secrets of the environment",
            2,
            3,
            {"look": "import os\nprint('ENV', sorted(os.environ.values()))"},
            reader="ENV",
            absent=SECRET,
        ),
        Attack(
            "asserts removed by IPython's hooks",
            0,
            3,
            {"double": HOOK},
            teller="ast_transformers had|put back.*ast_transformers",
        ),
        Attack("patched NumPy", 0, 3, {"double": PATCH}, teller="put back.*numpy"),
        Attack("names that checks use, taken", 0, 3, {"double": NAMES}, teller="put back.*np"),
        Attack(
            "patched builtins",
            2,
            1,
            {
                "double": DOUBLE + "\nimport builtins\nbuiltins.all = builtins.abs = lambda *a: 1",
                "half": "def half(x): return 2",
            },
            teller="put back.*builtins",
        ),
        Attack(
            "builtins destroyed",
            0,
            3,
            {"double": DOUBLE + "\nimport builtins\nbuiltins.len = builtins.isinstance = None"},
            reader="the kernel died",
            teller="the kernel died",
        ),
        Attack("score by a printer of numbers", 2, 0, {"half": PRINTER}, teller="printers"),
        Attack("score on stdout", 2, 0, {"half": "def half(x):\n    print('3.0')\n    return 0"}),
        Attack(
            "score by a message of the kernel",
            2,
            0,
            {"half": FORGE},
            reader="ScoreRefused",
            teller="more than one result",
        ),
        Attack("score by silence", 2, 0, {"half": SILENT}, teller="put back"),
        Attack(
            "score above the points",
            2,
            0,
            {"half": LIAR},
            reader="ScoreRefused",
            teller="more than its points",
        ),
        Attack("link in place of the notebook", 0, 0, hand_in=_link, teller="is a link"),
        Attack(
            "link to the gradebook",
            2,
            3,
            hand_in=_linked_data,
            reader="is a link",
            teller="is a link",
        ),
        Attack(
            "edited check",
            0,
            3,
            {"double": "def double(x): return 7"},
            _edit("check-double", source="1 + 1"),
            reader="had been edited",
        ),
        Attack("copied check", 2, 3, {}, _copy_of("check-double"), reader="2 times"),
        Attack(
            "copied answer",
            2,
            3,
            {},
            _copy_of("double", "def double(x):\n    return x + x"),
            reader="2 times",
        ),
        Attack(
            "deleted check",
            0,
            3,
            {"double": "def double(x): return 7"},
            _drop("check-double"),
            reader="was missing",
        ),
        Attack("deleted answer", 0, 3, {}, _drop("double"), reader="was missing"),
        Attack(
            "answer made a text cell",
            2,
            3,
            {},
            _edit("double", cell_type="markdown"),
            reader="release",
        ),
        Attack(
            "cells in another order",
            2,
            3,
            {},
            lambda notebook: notebook.cells.reverse(),
            reader="moved",
        ),
        Attack("answers in a new notebook", 2, 3, {}, _no_metadata, reader="without a record"),
        Attack("wrong metadata", 2, 3, {}, _odd_metadata, reader="Notes from grading"),
        Attack(
            "broken JSON",
            0,
            0,
            hand_in=_file("work.ipynb", b'{"cells": ['),
            reader="could not be read",
            teller="could not be read",
        ),
        Attack("empty file", 0, 0, hand_in=_file("work.ipynb", b""), reader="could not be read"),
        Attack(
            "not text",
            0,
            0,
            hand_in=_file("work.ipynb", bytes(range(256)) * 9),
            reader="could not be read",
        ),
        Attack(
            "nested without end",
            0,
            0,
            hand_in=_file("work.ipynb", b"[" * 200_000),
            reader="could not be read",
        ),
        Attack(
            "huge notebook",
            0,
            0,
            hand_in=_file("work.ipynb", b'{"cells": [], "x": "' + b"y" * (9 << 20) + b'"}'),
            reader="MB large",
        ),
        Attack(
            "missing notebook",
            0,
            0,
            hand_in=_absent_notebook,
            reader="was not handed in",
            teller="was not handed in",
        ),
        Attack(
            "empty folder",
            0,
            0,
            hand_in=lambda course, place: None,
            reader="was not handed in",
            teller="was not handed in",
        ),
        Attack("renamed notebook", 2, 3, hand_in=_renamed, reader="was taken for"),
        Attack("strange file names", 2, 3, hand_in=_odd_names, reader="a name that is no text"),
        Attack("modules that take the place of others", 2, 3, hand_in=_shadowing),
        Attack(
            "questions to nobody",
            2,
            3,
            {"look": "input('your name? ')"},
            reader="StdinNotImplemented",
        ),
        Attack(
            "links and pipes left behind",
            2,
            3,
            {
                "look": "import os\nos.symlink('/etc/passwd', 'p')\nos.mkfifo('q')\nos.makedirs("
                "'/'.join('d' * 300))\nopen('kept.txt', 'w').write('k')"
            },
        ),
        Attack("files in the millions", 0, 3, {"double": FILES}, reader="it wrote more than"),
        Attack(
            "check skipped by its tags",
            0,
            3,
            {"double": "def double(x): return 0"},
            _skipped,
            reader="tags of the cell",
            teller="tags of the cell",
        ),
        Attack("tags and outputs that are none", 2, 3, {}, _odd_tags, reader="records changed"),
        Attack("half a character", 2, 3, {}, _half_characters),
        Attack(
            "outputs with a forged score", 2, 0, {"half": "def half(x): return 0"}, _forged_outputs
        ),
        Attack("thousands of cells", 0, 0, {}, _many_cells, reader="at most 5000 are run"),
        Attack(
            "a time that is none",
            2,
            3,
            hand_in=_time(lambda path: path.write_bytes(b"\xff" + b"7" * 400)),
            reader="holds no time",
            teller="holds no time",
        ),
        Attack(
            "a pipe in place of the time",
            2,
            3,
            hand_in=_time(os.mkfifo),
            reader="is not a plain file",
            teller="is not a plain file",
        ),
        Attack(
            "a pipe in place of the notebook",
            0,
            0,
            hand_in=_pipe,
            reader="was not handed in",
            teller="is not a plain file",
        ),
        Attack(
            "link in place of the folder",
            0,
            0,
            hand_in=_linked_folder,
            reader="was not handed in",
            teller="is a link",
        ),
        Attack("a folder in the place of a file", 2, 3, hand_in=_given),
        Attack(
            "folders without rights left behind",
            2,
            3,
            {"look": "import os\nos.makedirs('a/b')\nos.chmod('a/b', 0)\nos.chmod('a', 0)"},
        ),
        Attack("startup files beside the notebook", 0, 3, hand_in=_startup, absent="STARTED"),
        Attack(
            "hidden checks replaced",
            2,
            3,
            {"look": "open(__import__('os').path.expanduser('~/private/mine.py'), 'w')"},
            reader="Read-only file system",
            limits_only=False,
        ),
        Attack("modules replaced", 0, 3, {"double": MODULES}, teller="put back.*sys.modules"),
        Attack(
            "messages rewritten",
            2,
            0,
            {"half": SESSION},
            teller="put back.*jupyter_client.session",
        ),
        Attack(
            "end of a cell forged",
            2,
            0,
            {"half": FORGE_END},
            reader="ScoreRefused",
            teller="while the check ran",
        ),
        Attack(
            "score by a tracer",
            2,
            0,
            {"half": TRACE},
            reader="ScoreRefused",
            teller="while the check ran, sys.settrace",
        ),
        Attack(
            "patched while the check runs",
            0,
            3,
            {"double": INSIDE},
            reader="ScoreRefused",
            teller="while the check ran, numpy.testing",
        ),
        Attack(
            "the memory of other processes",
            2,
            3,
            {"look": MEMORY},
            reader="PermissionError|OSError",
            absent="READ",
            limits_only=False,
        ),
        Attack(
            "leaving the sandbox by new namespaces",
            2,
            3,
            {"look": NAMESPACES},
            reader="NEW -1|Error|False",
            limits_only=False,
        ),
        Attack("the kernel's sockets replaced", 2, 3, {"look": SOCKETS}, limits_only=False),
        Attack(
            "a flood below Python",
            2,
            3,
            {"look": "import os\nfor _ in range(3000): os.write(2, b'e' * 100_000)"},
            teller="printed more than is kept",
        ),
        Attack("control characters", 2, 3, {"look": CONTROL}),
    ]
