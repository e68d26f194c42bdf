"""How to compare fairly: take turns, count CPU time of one thread, keep the median.

A ratio from one process survives a slow or busy machine; a number of seconds does not. Each
contender runs once before the clock starts, so that compiling and first touches are not counted.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """The median time in seconds of each contender on one piece of work."""

    work: str
    seconds: dict[str, float]

    def ratio(self, peer: str) -> float | None:
        """Return tensorkit's time over the peer's; None where the peer does not take part."""
        return self.seconds["tensorkit"] / self.seconds[peer] if peer in self.seconds else None


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
