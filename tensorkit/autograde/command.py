"""`tensorkit grade` in words: nbgrader's own application reads the options, another engine runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader.apps import AutogradeApp
from nbgrader.apps.baseapp import NbGrader
from traitlets.config import Config

from .grade import ParallelAutograde
from .job import NotReady
from .options import Grading
from .progress import Both, Json, Line, Progress
from .report import Report
from .sandbox import missing

WARNING = (
    "warning: {reason}. Notebooks run with limits alone: what they do with files, with the network "
    "and with other processes is done with your rights"
)


class GradeApp(AutogradeApp):  # type: ignore[misc]
    """nbgrader's autograde with every option of it, graded by many kernels at a time."""

    name = "tensorkit-grade"
    progress: Progress = Progress()

    def _classes_default(self) -> list[Any]:
        return [*super()._classes_default(), Grading]

    def start(self) -> None:
        """Grade. Raises NotReady."""
        NbGrader.start(self)
        names = [*self.extra_args, *filter(None, [self.coursedir.assignment_id])]
        if len(names) != 1:
            raise NotReady("name one assignment, such as: tensorkit grade gradients")
        self.coursedir.assignment_id = names[0]
        converter = ParallelAutograde(coursedir=self.coursedir, parent=self)
        converter.progress = self.progress
        converter.start()


def grade(
    arguments: Sequence[str], options: dict[str, Any], json: bool, figure: Path | None
) -> bool:
    """Grade as the command line says; tell whether everybody has a grade. Raises NotReady.

    ``arguments`` are nbgrader's; ``options`` are set on Grading; ``figure`` takes the picture.
    """
    app = _app(arguments)
    app.update_config(Config(Grading=options))
    mode = Grading(parent=app).sandbox
    if missing() and mode == "auto":
        print(WARNING.format(reason=missing()), file=sys.stderr)
    report = Report()
    app.progress = Both(report, Json() if json else Line())
    try:
        app.start()
    finally:
        app.reset()
        table = report.table()
        print(table, file=sys.stderr if json else sys.stdout)
    if report.scores:
        name = app.coursedir.assignment_id
        path = figure or Path(app.coursedir.root) / "reports" / f"{name}.png"
        report.draw(path, name)
        print(path, file=sys.stderr if json else sys.stdout)
    return not report.without


def _app(arguments: Sequence[str]) -> GradeApp:
    app = GradeApp()
    # what nbgrader tells about each file would drown the progress
    app.log_level = "ERROR"
    app.initialize(list(arguments))
    return app
