"""Homework checks: they test properties, give partial credit, and say what, where and what next.

A graded cell reads

    from tensorkit import grading
    check = grading.sheet("gradients.mul", globals())
    check.score()

and everything a learner could have renamed in the notebook is looked up here instead.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from .sheet import Score, Sheet

__all__ = ["Score", "Sheet", "sheet"]


def sheet(where: str, names: Mapping[str, Any]) -> Sheet:
    """Open the sheet of one graded cell, named "homework.task"; ``names`` is the cell's globals().

    Raises KeyError if the homework has no such task.
    """
    homework, _, task = where.partition(".")
    module = importlib.import_module(f"{__name__}.{homework}")
    return Sheet(where, module.TASKS[task], names)
