"""The first minutes: what a fresh Python spends before the first answer, in seconds of CPU.

Run with ``python -m benchmarks.first``. Each number is the median over fresh processes, children
included; "warm" means that the compiled kernels are kept already, "cold" that the cache is empty.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .measure import Goal, Row

GROUP = "first minutes"
LESSON = Path(__file__).resolve().parent.parent / "notebooks" / "14_lecture.ipynb"

OPERATION = "import tensorkit as tk; tk.tensor([1.0, 2.0, 5.0]).exp()"
BACKWARD = "import tensorkit as tk; x = tk.tensor([1.0, 2.0], True); (x * x).sum().backward()"
# the code cells of the lesson, as a kernel would run them
CELLS = f"""
import os, nbformat
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in nbformat.read({str(LESSON)!r}, 4).cells:
    if cell.cell_type == "code":
        shell.run_cell(cell.source).raise_error()
"""


def cpu(program: str, cache: str | None = None, runs: int = 7) -> float:
    """Return the median CPU time of fresh processes that run ``program``."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", MPLBACKEND="agg")
    taken = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as empty:
            environment["TENSORKIT_CACHE"] = cache or empty
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [sys.executable, "-c", program],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(sum(after[:2]) - sum(before[:2]))
    return statistics.median(taken)


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield what is waited for; ``quick`` leaves out the lesson."""

    def row(work: str, seconds: float, *goals: Goal) -> Row:
        return Row(work, {"tensorkit": seconds}, goals, GROUP)

    with tempfile.TemporaryDirectory() as warm:
        numpy = cpu("import numpy")
        yield row(
            "import tensorkit, above import numpy", cpu("import tensorkit") - numpy, Goal(0.15)
        )
        for name, program in (("operation", OPERATION), ("backward", BACKWARD)):
            cpu(program, warm, 1)
            yield row(f"first {name} in a fresh process, warm", cpu(program, warm), Goal(0.6))
            yield row(f"first {name} in a fresh process, cold", cpu(program, runs=3))
        if quick:
            return
        cpu(CELLS, warm, 1)
        done = cpu(CELLS, warm, 3)
        yield row("the cells of lesson 1, warm, pictures and all", done)
        yield row("what a cold cache adds to lesson 1", cpu(CELLS, runs=1) - done, Goal(3.0))


if __name__ == "__main__":
    for found in rows():
        goals = "".join(f"   at most {goal.at_most}" for goal in found.goals)
        print(f"{found.work:50} {found.took['tensorkit']:6.2f} s{goals}", flush=True)
