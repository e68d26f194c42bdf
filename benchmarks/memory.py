"""How much memory a training step takes at its peak, in a process of its own for each library.

Linux keeps the highest resident size of a process (VmHWM) and lets the process reset it. The peak
is counted from the resident size just before the step, after a first, small step has loaded and
compiled what the library needs: parameters and data are there already, what the step makes counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .measure import Goal, Row

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
BATCH, WIDTH = 4096, 512


def resident(line: str) -> int:
    """Return a line of this process's status, in bytes: VmRSS is now, VmHWM the highest."""
    found = [text for text in STATUS.read_text().splitlines() if text.startswith(line)]
    return 1024 * int(found[0].split()[1])


def step(make: Any, batch: int, width: int) -> Any:
    """Return a step of training: three layers, a loss, backward; gradients stay, as they do."""
    rng = np.random.default_rng(0)
    x, y = make(rng.random((batch, width))), make(rng.random((batch, width)))
    weights = [make(rng.random((width, width)) / width).requires_grad_() for _ in range(3)]
    biases = [make(rng.random(width)).requires_grad_() for _ in range(3)]

    def run() -> None:
        h = x
        for w, b in zip(weights, biases, strict=True):
            h = (h @ w + b).tanh()
        ((h - y) * (h - y)).mean().backward()

    return run


def peak(library: str) -> int:
    """Return the bytes that a step adds at its highest, in this process."""
    make: Any
    if library == "torch":
        import torch

        torch.set_num_threads(1)
        make = torch.from_numpy
    else:
        import tensorkit as tk

        make = tk.from_numpy
    step(make, 4, 3)()
    run = step(make, BATCH, WIDTH)
    before = resident("VmRSS")
    RESET.write_text("5")
    run()
    return resident("VmHWM") - before


def rows() -> Iterator[Row]:
    """Compare the two; nothing where the system does not tell (it has to be Linux)."""
    if not STATUS.exists():
        return
    took = {}
    for library in ("tensorkit", "torch"):
        command = [sys.executable, "-m", "benchmarks.memory", library]
        runs = [subprocess.run(command, check=True, capture_output=True) for _ in range(3)]
        took[library] = statistics.median(float(run.stdout) for run in runs)
    work = f"peak of a training step, {WIDTH}-{WIDTH}-{WIDTH}-{WIDTH}, batch {BATCH}"
    yield Row(work, took, (Goal(1.5, ("torch",)),), "memory", "bytes")


if __name__ == "__main__":
    print(peak(sys.argv[1]))
