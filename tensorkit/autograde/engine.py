"""Many jobs through one `submit`: a pool of threads here, or a Dask cluster that already runs.

Kernels are processes, so threads are enough to keep every core busy. Only as many jobs exist at a
time as can run soon, so memory does not grow with the class. A worker may die at any time: its jobs
run again. Only a job that kills workers when it runs alone, where the reference runs well, is
itself to blame.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass
from typing import Any

from .job import Job, MachineNotReady, NotReady, Result

Run = Callable[[Job], Result]
PATIENCE = 30  # seconds to look for a scheduler
TRIES = 2  # of a job that fails for a reason that is not known


@dataclass(frozen=True)
class Outcome:
    """What became of one job: a result, or the reason why there is none."""

    job: Job
    result: Result | None = None
    problem: str = ""
    killed: bool = False  # whether it ended every worker that ran it


@dataclass(frozen=True)
class Pool:
    """Somewhere to run jobs: anything with the `submit` of concurrent.futures."""

    submit: Callable[..., Future[Result]]
    size: int
    name: str


def cores() -> int:
    """Return how many notebooks can run at once here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def local(jobs: int | None = None) -> Iterator[Pool]:
    """Open a pool of threads, one for each notebook that runs at a time."""
    # a kernel that starts or ends waits for messages: one more job fills the gaps
    size = jobs or cores() + 1
    executor = ThreadPoolExecutor(size, thread_name_prefix="grade")
    try:
        yield Pool(executor.submit, size, f"{size} at a time on this machine")
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """Use a Dask cluster by the address of its scheduler. Raises NotReady where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise NotReady(
            'grading on a cluster needs Dask: pip install "tensorkit[grading]"'
        ) from None
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NotReady(f"no Dask scheduler at {address}: {error}") from error
    try:
        executor: Executor = client.get_executor(pure=False)
        workers = client.scheduler_info(n_workers=-1)["workers"]
        size = sum(worker["nthreads"] for worker in workers.values())
        name = f"{len(workers)} Dask workers, {size} threads"
        yield Pool(executor.submit, max(2, size), name)
    finally:
        client.close()


def grade(
    pool: Pool, jobs: Iterator[Job], run: Run, canary: Callable[[], Job]
) -> Iterator[Outcome]:
    """Run all jobs and yield their outcomes as they come.

    ``canary`` makes a job that is known to be good. Raises NotReady when even that fails.
    """
    running: dict[Future[Result], tuple[Job, int]] = {}
    alone: list[Job] = []
    more = True
    while more or running:
        while more and len(running) < pool.size + 2:
            job = next(jobs, None)
            if job is None:
                more = False
                break
            running[pool.submit(run, job)] = (job, 1)
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job, tries = running.pop(future)
            error = _failure(future)
            if error is None:
                yield Outcome(job, future.result())
            elif _is_death(error):
                alone.append(job)
            elif tries < TRIES and not _is_final(error):
                running[pool.submit(run, job)] = (job, tries + 1)
            else:
                _try_canary(pool, run, canary(), error)
                yield Outcome(job, problem=_words(error))
    for job in alone:
        yield _try_alone(pool, job, run, canary)


def _try_alone(pool: Pool, job: Job, run: Run, canary: Callable[[], Job]) -> Outcome:
    """Run a job whose worker died with nothing beside it, so that nobody else is blamed.

    A machine may fail in just that moment, so one death alone proves nothing.
    """
    for _ in range(TRIES):
        error = _failure(future := pool.submit(run, job))
        if error is None:
            return Outcome(job, future.result())
        _try_canary(pool, run, canary(), error)
        if not _is_death(error):
            return Outcome(job, problem=_words(error))
    words = "it ended every worker that ran it, also alone; the reference does not"
    return Outcome(job, problem=words, killed=True)


def _try_canary(pool: Pool, run: Run, job: Job, error: BaseException) -> None:
    """Tell a job that fails from a machine that fails. Raises NotReady for the machine."""
    if _is_final(error):
        raise error
    again = _failure(pool.submit(run, job))
    if again is not None:
        raise NotReady(
            f"grading stopped: the author's own solution does not run either ({_words(again)})"
        ) from error


def _failure(future: Future[Result]) -> BaseException | None:
    """Wait for a job; return why it failed. Raises NotReady where its cluster is gone."""
    try:
        error = future.exception()
    except CancelledError as gone:
        raise NotReady(
            "the cluster is gone; run the command again when it is back, and it continues"
        ) from gone
    if isinstance(error, KeyboardInterrupt):
        raise error
    return error


def _is_final(error: BaseException) -> bool:
    return isinstance(error, MachineNotReady)


def _is_death(error: BaseException) -> bool:
    """Tell whether a worker died: Dask says so by the name of the error, with all its tries."""
    return type(error).__name__ == "KilledWorker"


def _words(error: BaseException) -> str:
    first = str(error).strip().split("\n")[0][:300]
    return first if isinstance(error, NotReady) else f"{type(error).__name__}: {first}"
