"""`tensorkit grade` and `tensorkit feedback`: from the command line to the engine."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorkit.cli.problem import Problem


def grade(
    sandbox: str | None,
    jobs: int | None,
    scheduler: str | None,
    no_control: bool,
    json: bool,
    figure: Path | None,
    others: Sequence[str],
) -> int:
    """Grade an assignment; the status is 1 where somebody has no grade. Raises Problem."""
    _spare_a_grammar()
    from tensorkit.autograde import command
    from tensorkit.autograde.job import NotReady

    options: dict[str, Any] = {"sandbox": sandbox, "jobs": jobs, "scheduler": scheduler}
    options = {name: value for name, value in options.items() if value is not None}
    if no_control:
        options["control"] = False
    try:
        return int(not command.grade(others, options, json, figure))
    except NotReady as error:
        raise Problem(str(error)) from error


def feedback(others: Sequence[str]) -> int:
    """Write the pages that learners get back. Raises Problem."""
    _spare_a_grammar()
    from tensorkit.autograde import feedback as pages
    from tensorkit.autograde.job import NotReady
    from tensorkit.cli.formulas import markdown

    try:
        return int(not pages.feedback(others, markdown))
    except NotReady as error:
        raise Problem(str(error)) from error


def _spare_a_grammar() -> None:
    """Let jsonschema do without the grammar of international addresses, which takes two seconds.

    It is optional there, and no notebook's or nbgrader's schema asks for that format.
    """
    modules: dict[str, Any] = sys.modules  # type: ignore[assignment, unused-ignore]
    modules.setdefault("rfc3987_syntax", None)
