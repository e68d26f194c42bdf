"""How long the cells of the lessons take: `python -m benchmarks.lessons [name ...]`.

No cell should take more than five seconds once the kernels are compiled. A notebook is run as the
command `tensorkit export` runs it, in a kernel of its own; its start is no cell's time.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from tensorkit.cli.lessons import find, originals
from tensorkit.cli.publish import run

LIMIT = 5.0


def times(path: Path) -> dict[str, float]:
    """Return the seconds of every code cell, by its id."""
    found = {}
    for cell in run(path).cells:
        if cell.cell_type == "code" and (stamps := cell.metadata.get("execution")):
            begin, end = stamps["iopub.execute_input"], stamps["shell.execute_reply"]
            taken = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
            found[cell.id] = taken.total_seconds()
    return found


def main(names: list[str]) -> None:
    """Print a line for each notebook, and one for each cell beyond the limit."""
    paths = [find(name) for name in names] or sorted(originals().glob("*.ipynb"))
    print(f"{'notebook':24}{'cells':>6}{'all s':>8}{'longest s':>11}  which")
    for path in paths:
        each = times(path)
        slowest = max(each, key=lambda cell: each[cell])
        sums = f"{len(each):6}{sum(each.values()):8.1f}{each[slowest]:11.2f}"
        print(f"{path.stem:24}{sums}  {slowest}", flush=True)
        for cell, seconds in each.items():
            if seconds > LIMIT:
                print(f"    over {LIMIT:g} s: {cell} {seconds:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
