"""Print tensorkit's time as a share of each peer's: below 1 is faster.

Run with ``make bench``, or ``python -m benchmarks [--quick] [--json FILE]``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from .measure import Row  # noqa: E402 - the thread counts have to be set before NumPy loads


def rows(quick: bool) -> Iterator[Row]:
    """Yield all measurements; ``quick`` leaves out the largest size."""
    import torch

    from . import cases

    torch.set_num_threads(1)
    yield from cases.small()
    yield from cases.training()
    for size in (10**5, 10**6) if quick else (10**5, 10**6, 10**7):
        yield from cases.large(size)


def main() -> None:
    """Measure, print a line per piece of work, and keep the numbers if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest tensors")
    parser.add_argument("--json", type=Path, help="also write the medians, in seconds, to a file")
    args = parser.parse_args()
    kept = []
    print(f"{'work':52} {'microseconds':>12} {'/ torch':>8} {'/ numpy':>8}")
    for row in rows(args.quick):
        shares = [row.ratio(peer) for peer in ("torch", "numpy")]
        cells = [f"{share:8.2f}" if share is not None else " " * 8 for share in shares]
        print(f"{row.work:52} {row.seconds['tensorkit'] * 1e6:12.1f} {' '.join(cells)}", flush=True)
        kept.append(asdict(row))
    if args.json:
        args.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
