"""Homework checks: they test properties, give partial credit, and say what, where and what next.

A graded cell reads

    from tensorkit import grading
    check = grading.sheet("gradients.mul", globals())
    check.score()

and everything a learner could have renamed in the notebook is looked up here instead. Without a
teacher the second line calls ``grading.study``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from .self_study import Study
from .sheet import Score, Sheet, Task

__all__ = ["Score", "Sheet", "Study", "sheet", "study"]


def sheet(where: str, names: Mapping[str, Any]) -> Sheet:
    """Open the sheet of one graded cell, named "homework.task"; ``names`` is the cell's globals().

    Raises KeyError if the homework has no such task.
    """
    return Sheet(where, _task(where), names)


def study(where: str, names: Mapping[str, Any]) -> Study:
    """Open the sheet of the self-study version: all checks in the open, solutions after tries.

    Raises KeyError if the homework has no such task.
    """
    return Study(where, _task(where), names)


def _task(where: str) -> Task:
    homework, _, name = where.partition(".")
    task: Task = importlib.import_module(f"{__name__}.{homework}").TASKS[name]
    return task
