"""Where random numbers come from: one generator for all, or one that you hold yourself.

The same seed draws the same numbers on every machine. Source: NumPy's PCG64 generator.
"""

from __future__ import annotations

import numpy as np


class Generator:
    """A source of random numbers with a seed of its own."""

    def __init__(self, seed: int | None = None) -> None:
        self.numbers = np.random.default_rng(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed``."""
        self.numbers = np.random.default_rng(seed)
        return self


SHARED = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the shared generator from ``seed``, so that a run can be repeated."""
    return SHARED.manual_seed(seed)


def draw(generator: Generator | None) -> np.random.Generator:
    """Return NumPy's generator behind ``generator``, or behind the shared one."""
    return (generator or SHARED).numbers
