"""Learners' code runs inside ``quiet``: it may print, warn, log or loop, and it costs no points.

nbgrader gives no points to a graded cell that writes anything to stderr, so a harmless warning from
a correct answer would cost everything. Endless loops are stopped here, not by nbgrader's own time
limit, because the traceback of an interrupted cell would show the check that was running.
"""

from __future__ import annotations

import contextlib
import io
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from types import FrameType

import numpy as np

SECONDS = 10.0


class TooSlow(BaseException):
    """The code did not finish in time. Not an Exception: ``except Exception`` lets it pass."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow prints, warnings and log records, whatever filters the learner has set."""
    silenced = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(silenced)


@contextlib.contextmanager
def limit() -> Iterator[None]:
    """Raise TooSlow when the block runs too long. Only on the main thread, and not on Windows."""
    seconds = SECONDS
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"no answer within {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
