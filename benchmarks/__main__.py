"""Print what tensorkit takes of what its peers take: below 1 is faster, or smaller.

``make bench`` runs all of it and writes results.json and speed.png beside this file;
``python -m benchmarks [--quick | --all] [--write] [--into FOLDER]`` runs less, and writes if asked.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from .measure import Goal, Machine, Row  # noqa: E402 - after the thread counts, which NumPy reads

HERE = Path(__file__).resolve().parent
# MiniTorch is a course, not a package: with its official template filled in, an epoch of this
# training took 25 times as long as in PyTorch 2.13, side by side in one process.
MINITORCH, TIMES_TORCH = "MiniTorch (25 x torch)", 25.0


def rows(quick: bool, every: bool) -> Iterator[Row]:
    """Yield all measurements; ``quick`` leaves out what is long, ``every`` nothing at all."""
    import numpy as np
    import torch

    from . import cases, first, memory

    torch.set_num_threads(1)
    for row in cases.training():
        took = row.took | {MINITORCH: TIMES_TORCH * row.took["torch"]}
        goals = Goal(0.35, ("torch",)), Goal(1 / 50, (MINITORCH,))
        yield replace(row, took=took).aiming(cases.TRAINING, *goals)
    yield from memory.rows()
    yield from cases.small()
    for size in (10**5, 10**6) if quick else (10**5, 10**6, 10**7):
        yield from cases.loops(size, every and size < 10**7)
        yield from cases.chain(size)
    if not quick:
        yield from cases.loops(10**6, dtype=np.float32)
    yield from cases.products((64, 256) if quick else (64, 128, 256, 512, 1024))
    yield from first.rows(quick)


def described(row: Row) -> dict[str, Any]:
    """Return a row as it is kept in a file."""
    return {key: value for key, value in asdict(row).items() if key != "goals"} | {
        "verdicts": row.verdicts()
    }


def amount(value: float, unit: str) -> str:
    """Return seconds or bytes in a readable unit."""
    if unit == "bytes":
        return f"{value / 2**20:9.1f} MB"
    return f"{value * 1e6:9.1f} us" if value < 0.05 else f"{value:9.2f} s "


def show(row: Row) -> None:
    """Print what tensorkit took, then a line for each goal."""
    verdicts = row.verdicts() or [None]
    for k, verdict in enumerate(verdicts):
        left = f"{row.work:52} {amount(row.took['tensorkit'], row.unit)}" if k == 0 else " " * 65
        if verdict is None:
            print(left, flush=True)
            continue
        word = "met" if verdict["met"] else "MISSED"
        against = f"of {verdict['against']}" if verdict["against"] else "s"
        print(
            f"{left} {verdict['ratio']:7.2f} {against:27} goal {verdict['goal']:5.2f}  {word}",
            flush=True,
        )


def main() -> None:
    """Measure, print, and keep what was measured if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--all", action="store_true", help="every operation of the table")
    parser.add_argument("--write", action="store_true", help="write results.json and speed.png")
    parser.add_argument("--into", type=Path, default=HERE, help="the folder to write into")
    args = parser.parse_args()
    found: list[dict[str, Any]] = []
    group = None
    for row in rows(args.quick, args.all):
        if row.group != group:
            group = row.group
            print(f"\n{group}")
        show(row)
        found.append(described(row))
    verdicts = [verdict for row in found for verdict in row["verdicts"]]
    met = sum(verdict["met"] for verdict in verdicts)
    print(f"\n{met} of {len(verdicts)} goals are met")
    if args.write:
        from .plot import draw

        results = {"machine": asdict(Machine()), "rows": found}
        (args.into / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        draw(results, args.into / "speed.png")


if __name__ == "__main__":
    main()
