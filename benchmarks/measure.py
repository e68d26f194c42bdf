"""How to compare fairly: take turns, count CPU time of one thread, keep the median.

A ratio from one process survives a slow or busy machine; a number of seconds does not. Each
contender runs once before the clock starts, so that compiling and first touches are not counted.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Work = Callable[[], object]
OURS = "tensorkit"


@dataclass(frozen=True)
class Goal:
    """What is aimed at: at most this share of the fastest of some peers, or this much alone."""

    at_most: float
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """What each contender took for one piece of work (in ``unit``), and what was aimed at."""

    work: str
    took: dict[str, float]
    goals: tuple[Goal, ...] = ()
    group: str = ""
    unit: str = "s"
    usual: bool = True  # whether it is shown in the picture, and measured without being asked for

    def ratio(self, goal: Goal) -> float | None:
        """Return what tensorkit took over what the best of the peers took.

        None if no peer of the goal took part; what it took itself if the goal names no peer.
        """
        if not goal.against:
            return self.took[OURS]
        peers = [self.took[peer] for peer in goal.against if peer in self.took]
        return self.took[OURS] / min(peers) if peers else None

    def verdicts(self) -> list[dict[str, Any]]:
        """Return, for each goal that could be judged, the ratio and whether it is met."""
        judged = [(goal, self.ratio(goal)) for goal in self.goals]
        return [
            {
                "against": " or ".join(peer for peer in goal.against if peer in self.took),
                "ratio": ratio,
                "goal": goal.at_most,
                "met": ratio <= goal.at_most,
            }
            for goal, ratio in judged
            if ratio is not None
        ]

    def aiming(self, group: str, *goals: Goal) -> Row:
        """Return the same row with its goals and the group that it is shown in."""
        return replace(self, group=group, goals=goals)


def compare(work: str, contenders: dict[str, Work], rounds: int = 15, budget: float = 3.0) -> Row:
    """Time the contenders in turns for about ``budget`` seconds and return the medians."""
    loops = {}
    for name, run in contenders.items():
        run()
        start = time.perf_counter()
        run()
        once = max(time.perf_counter() - start, 1e-7)
        loops[name] = max(1, min(5000, int(budget / len(contenders) / rounds / once)))
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in contenders.items():
                start = time.thread_time()
                for _ in range(loops[name]):
                    run()
                taken[name].append((time.thread_time() - start) / loops[name])
    finally:
        gc.enable()
    return Row(work, {name: statistics.median(times) for name, times in taken.items()})


PACKAGES = ("numpy", "numba", "llvmlite", "torch", "mygrad", "autograd")


def versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def cpu_model() -> str:
    """Return what the processor calls itself."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


@dataclass
class Machine:
    """What the numbers were measured on."""

    cpu: str = field(default_factory=cpu_model)
    cores: int = os.cpu_count() or 1
    system: str = f"{platform.system()} {platform.machine()}"
    python: str = platform.python_version()
    packages: dict[str, str] = field(default_factory=versions)
