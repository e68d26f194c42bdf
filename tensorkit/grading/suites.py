"""Examine a learner's test: it must refuse wrong implementations and let right ones pass.

To refuse is to raise. Every check is a pair, one of each kind: a test that refuses everything has
found nothing, and one that lets everything pass deserves no praise for its calm.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from .cases import Case
from .exam import Exam, Stopped
from .messages import Finding, own_line
from .quiet import TooSlow, limit, quiet
from .rights import Build, Meter

CELLS, CALLS = 200, 1000  # what all tests together may ask for


def wrong(about: str, build: Build, beside: Build, hint: str = "") -> Case:
    """A wrong implementation, and a right one beside it.

    ``about`` says what is wrong with it or, when hidden, for which inputs it is right.
    """
    return Case(about, (), (build, beside), how="wrong", hint=hint)


def right(about: str, build: Build, beside: Build, hint: str = "") -> Case:
    """A right implementation, and one beside it that is wrong on any input.

    A test that refuses the right one gives a false alarm.
    """
    return Case(about, (), (beside, build), how="right", hint=hint)


@dataclass(frozen=True)
class SuiteExam(Exam):
    """A learner's test of ``of``, which is what the implementations are called."""

    of: str = ""

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return the implementations of a public check."""
        return dict(zip(("wrong", "right"), (b(Meter()) for b in case.extra), strict=False))

    def _examine(self, subject: Any, case: Case) -> None:
        if not callable(subject):
            raise Stopped(Finding(f"{self.name} is not a function any more", ends=True))
        # whoever counts the calls must not know which comes first
        places = (0, 1) if zlib.crc32(case.about.encode()) % 2 else (1, 0)
        refused = {k: self.refused(subject, case.extra[k], Meter()) for k in places}
        if refused[1] is not None:
            raise self._alarm(case, refused[1])
        if refused[0] is None:
            raise self._alive(subject, case)

    def _alarm(self, case: Case, error: BaseException) -> Stopped:
        """Say that a right implementation was refused."""
        if not case.shown:
            about = f"{self.name}: property failed: what is right passes, however it is made."
            about = about if case.how == "right" else ""  # said once
            return Stopped(Finding(about, then=f"next: {case.hint}", hidden=True))
        text = str(error).strip().split("\n")[0]
        which = case.about if case.how == "right" else "a right one too"
        what = f"{self.name}: false alarm: it refuses {which}"
        raised = f"raised {type(error).__name__}" + (f": {text}" if text else "")
        then = "next: check.right is this implementation: run your test on it, line by line"
        return Stopped(Finding(what, own_line(error.__traceback__), raised, "", then, case))

    def refused(self, subject: Any, build: Build, meter: Meter) -> BaseException | None:
        """Run the learner's test on one implementation; return what it raised, or None."""
        try:
            with quiet(), limit():
                subject(build(meter))
        except NotImplementedError:
            raise Stopped(Finding(f"{self.name} is not written yet.", ends=True)) from None
        except TooSlow as slow:
            what = f"{self.name}: {slow}. Is there a loop without end?"
            raise Stopped(Finding(what, ends=True)) from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # pytest's own are no Exceptions
            return error
        return None

    def _alive(self, subject: Any, case: Case) -> Stopped:
        """Say which wrong implementation passes: what is wrong with it, or where it is right."""
        if not case.shown:
            if case.how == "right":
                return Stopped(Finding("", hidden=True))  # the open checks say so
            what = f"{self.name}: still alive: {case.about}."
            return Stopped(Finding(what, then=f"next: {case.hint}", hidden=True))
        about = case.about if case.how == "wrong" else "one that is wrong on any input"
        what = f"{self.name}: still alive: {about}"
        then = "next: find an input on which check.wrong and check.right differ, and test with it"
        return Stopped(Finding(what, because=self._blind(subject, case), then=then, case=case))

    def _blind(self, subject: Any, case: Case) -> str:
        """Name a reason for which a test finds nothing at all, if there is one."""
        meter = Meter()
        try:
            with quiet(), limit():
                result = subject(case.extra[1](meter))
        except (Exception, SystemExit, TooSlow):
            return ""
        if inspect.isgenerator(result) or inspect.iscoroutine(result):
            return "with a yield or async in it, calling it runs nothing: take that away"
        if not meter.calls:
            return f"it never calls {self.of}: call it, and look at what comes out"
        if result is not None:
            return (
                f"it returns {type(result).__name__}, and nobody looks at that: raise with assert"
            )
        return _never_raises(subject)


def _never_raises(subject: Any) -> str:
    """Read the source of a test for what keeps an assert from failing."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(subject)))
    except (OSError, TypeError, SyntaxError):
        return ""  # not written in a cell
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple):
            return "assert (a, b) never fails: a tuple is always true. Leave the brackets away"
    caught = {"AssertionError", "Exception", "BaseException", ""}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if getattr(node.type, "id", "" if node.type is None else "?") in caught:
            return "its except catches the AssertionError too: let it out"
    raising = any(isinstance(node, (ast.Assert, ast.Raise)) for node in ast.walk(tree))
    return "" if raising or _asks_others(tree, subject) else "there is no assert in it"


def _asks_others(tree: ast.AST, subject: Any) -> bool:
    """Whether a test calls functions that could raise for it."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    known = dict(getattr(subject, "__globals__", {}))
    for name in getattr(getattr(subject, "__code__", None), "co_varnames", ()):
        known.pop(name, None)  # an argument or a variable of its own
    own = any(inspect.isfunction(known.get(getattr(each, "id", ""))) for each in called)
    return own or any("assert" in getattr(each, "attr", "") for each in called)


@dataclass(frozen=True)
class ThriftExam(SuiteExam):
    """All tests of a homework together: they find enough, and ask for little.

    ``suites`` are the exams of the single tests, each with a right implementation and wrong ones
    that it must refuse before its cells are counted.
    """

    suites: tuple[tuple[SuiteExam, tuple[Case, ...]], ...] = ()

    @property
    def title(self) -> str:
        """What is examined, for the first line of a report."""
        return "thrift"

    def subject(self, names: Mapping[str, Any]) -> Any:
        """Return the tests, in the order of the exams; None for one that is missing."""
        return tuple(names.get(exam.name) for exam, _ in self.suites)

    def at_hand(self, case: Case) -> dict[str, Any]:
        """Return nothing: there is no single implementation to look at."""
        return {}

    def _examine(self, subject: Any, case: Case) -> None:
        most = CELLS if case.how == "cells" else CALLS
        used = attrgetter(case.how)
        total, asked = 0, []
        for check, (exam, cases) in zip(subject, self.suites, strict=True):
            if check is None:
                raise Stopped(Finding(f"{exam.name} is not defined: run its cell.", ends=True))
            for each in cases:
                found = exam.examine(check, each)
                if found is not None and found.ends:
                    raise Stopped(found)
                if found is not None:
                    what = f"thrift counts once {exam.name} earns all points for the named ones"
                    raise Stopped(Finding(what, then="next: its own check cell says what is left"))
            own = Meter()
            if exam.refused(check, cases[0].extra[1], own):
                raise Stopped(Finding(f"thrift: {exam.name} does not always say the same"))
            total += used(own)
            asked.append(f"{exam.name} {used(own)}")
        if total > most:
            what = f"thrift: {total} {case.how}, at most {most}"
            then = "next: which input finds nothing that another one does not find? Drop it"
            raise Stopped(Finding(what, ", ".join(asked), then=then))
