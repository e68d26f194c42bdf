"""Grading a class: seconds for each submission beside plain nbgrader, and what 1,000 cost at home.

Run with ``make bench-grading``, or ``python -m benchmarks.grading [--students N] [--simulate N]``.
The same submissions of one homework are graded by nbgrader as it comes, by nbgrader that ends
kernels at once, and by `tensorkit grade` in sandboxes, one after the other, round by round.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PLAIN, FAST, KIT = "nbgrader", "nbgrader, immediate shutdown", "tensorkit grade"
COMMANDS = {
    PLAIN: ["nbgrader", "autograde", "--force"],
    FAST: ["nbgrader", "autograde", "--force", "--Execute.shutdown_kernel=immediate"],
    KIT: ["tensorkit", "grade", "--force", "--json"],
}
# what nbgrader needs to find this course and its checks, and nothing that is not its default
CONFIG = """
import os, sys
c = get_config()
c.CourseDirectory.root = {root!r}
c.Exchange.root = {exchange!r}
c.Execute.timeout = 180
os.environ["PYTHONPATH"] = {path!r}
"""


def course(place: Path, homework: str, students: int) -> Path:
    """Make a course folder with one homework, handed in right, half done and empty."""
    root = place / "course"
    shutil.copytree(ROOT / "assignments" / "source" / homework, root / "source" / homework)
    path = os.pathsep.join([str(ROOT / "assignments" / "hidden"), str(ROOT)])
    settings = CONFIG.format(root=str(root), exchange=str(place / "exchange"), path=path)
    (root / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    command(["nbgrader", "generate_assignment", homework], root)
    for path_of in (root / "release" / homework).glob("*.ipynb"):
        solved = nbformat.read(root / "source" / homework / path_of.name, as_version=4)
        answers = {cell.id: cell.source for cell in solved.cells if "BEGIN SOLUTION" in cell.source}
        for number in range(students):
            notebook = nbformat.read(path_of, as_version=4)
            chosen = [cell for cell in notebook.cells if cell.id in answers]
            for cell in chosen[: len(chosen) * (4 - number % 4) // 4]:
                cell.source = answers[cell.id]
            target = root / "submitted" / f"s{number:04d}" / homework / path_of.name
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, target)
    return root


def command(words: list[str], root: Path) -> float:
    """Run a command in the course folder; return its seconds."""
    search = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    start = time.perf_counter()
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        cwd=root,
        env={**os.environ, "PATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def scores(root: Path, homework: str) -> dict[str, float]:
    """Return what the gradebook says, so that nobody is fast and wrong."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {each.student.id: each.score for each in book.assignment_submissions(homework)}


@dataclass
class Simulation:
    """The coordinator alone: every run returns at once what a real one returned."""

    submissions: int
    milliseconds: float = 0.0  # of the coordinator's processor time, for each submission
    memory: list[tuple[int, float]] = field(default_factory=list)  # MB, after so many


def simulate(root: Path, homework: str, submissions: int) -> Simulation:
    """Grade copies of one submission, whose results are ready."""
    from nbgrader.apps import NbGrader

    from tensorkit.autograde import grade, run
    from tensorkit.autograde.job import Job, Result
    from tensorkit.autograde.progress import Progress

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "assignments" / "hidden"), str(ROOT)])
    folder = root / "submitted"
    one = folder / "s0000"
    for number in range(1, submissions):
        shutil.copytree(one, folder / f"s{number:04d}", dirs_exist_ok=True)
    kept: dict[str, Any] = {}

    def replay(job: Job) -> Result:
        if "result" not in kept:
            kept["result"] = run.execute(job)
        real: Result = kept["result"]
        return Result(job.student, job.assignment, real.notebooks, host="here", sandboxed=True)

    simulation = Simulation(submissions)
    process = psutil.Process()

    class Watch(Progress):
        done = 0
        used = 0.0

        def graded(self, result: Any, entry: Any) -> None:
            self.done += 1
            if self.done == 1:
                self.used = time.process_time()  # the first one really ran
            if self.done % max(1, submissions // 20) == 0:
                memory = process.memory_info().rss / 2**20
                simulation.memory.append((self.done, memory))

        def end(self) -> None:
            spent = time.process_time() - self.used
            simulation.milliseconds = 1000 * spent / max(1, self.done - 1)

    before = Path.cwd()
    os.chdir(root)
    try:
        app = NbGrader(log_level="ERROR")
        app.initialize([])
        app.coursedir.assignment_id = homework
        converter = grade.ParallelAutograde(coursedir=app.coursedir, parent=app)
        converter.force, converter.run, converter.progress = True, replay, Watch()
        converter.start()
    finally:
        os.chdir(before)
    return simulation


def draw(path: Path, seconds: dict[str, float], simulation: Simulation, cores: int) -> None:
    """Draw the seconds for each submission, and the coordinator's memory as the class grows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left: Any
    right: Any
    left, right = figure.subplots(1, 2)
    names = list(seconds)
    bars = left.barh(names, [seconds[name] for name in names], color=["#bbbbbb"] * 2 + ["#4477aa"])
    left.bar_label(bars, [f"{value:.2f} s" for value in seconds.values()], padding=3)
    left.invert_yaxis()
    left.margins(x=0.25)
    left.set(xlabel="seconds for each submission", title=f"{cores} cores, in sandboxes")
    counts = [count for count, _ in simulation.memory]
    right.plot(counts, [memory for _, memory in simulation.memory], color="#ee6677")
    right.set(xlabel="submissions graded", ylabel="MB", title="the coordinator's memory")
    right.set_ylim(0, 1.3 * max(memory for _, memory in simulation.memory))
    for each in (left, right):
        each.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, print, draw, and keep the numbers if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--homework", default="gradients", help="a folder of assignments/source")
    parser.add_argument("--students", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--simulate", type=int, default=1000, help="submissions without kernels")
    parser.add_argument("--figure", type=Path, default=Path(__file__).with_name("grading.png"))
    parser.add_argument("--json", type=Path, help="also write the numbers to a file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tensorkit-bench-") as place:
        root = course(Path(place), args.homework, args.students)
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        found = []
        command([*COMMANDS[KIT], args.homework], root)  # the caches of kernels are filled
        for _ in range(args.rounds):
            for name, words in COMMANDS.items():
                taken[name].append(command([*words, args.homework], root) / args.students)
                # other work on the machine spoils a comparison of things measured in turn
                load = os.getloadavg()[0]
                print(f"{name}: {taken[name][-1]:.2f} s each, load {load:.1f}", flush=True)
                found.append(scores(root, args.homework))
        if any(each != found[0] for each in found):
            raise RuntimeError("the graders do not agree about the scores")
        simulation = simulate(root, args.homework, args.simulate)
    seconds = {name: statistics.median(times) for name, times in taken.items()}
    print(f"{args.students} submissions of {args.homework}, {args.rounds} rounds, same scores")
    for name, value in seconds.items():
        ratio = value / seconds[KIT]
        print(f"{name:30} {value:6.2f} s each   {ratio:5.2f} x the time of tensorkit grade")
    first, last = simulation.memory[0][1], simulation.memory[-1][1]
    print(
        f"coordinator, {simulation.submissions} simulated: {simulation.milliseconds:.1f} ms each, "
        f"memory {first:.0f} MB after {simulation.memory[0][0]}, {last:.0f} MB at the end"
    )
    draw(args.figure, seconds, simulation, psutil.cpu_count() or 1)
    print(args.figure)
    if args.json:
        numbers = {"seconds": seconds, "coordinator": simulation.__dict__}
        args.json.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
