"""`tensorkit warm`: compile every kernel of the table now, so that nobody waits in a lesson.

What is compiled is kept on disk. Running each row once, forward and backward, in both dtypes, makes
exactly the kernels that lessons use, because it calls them as lessons do.
"""

import time
from typing import Any

from tensorkit import compiler


def warm() -> int:
    """Run every row on tiny tensors, forward and backward, and a training step, in both dtypes."""
    import tensorkit as tk

    compiler.PATIENCE = 0
    start = time.perf_counter()
    for dtype in (tk.float64, tk.float32):
        # Inside the domain of every row.
        x = tk.tensor([[0.25, 0.5, 0.75], [1.25, 1.5, 2.0]], requires_grad=True, dtype=dtype)
        y = tk.tensor([0.5, 1.0, 1.75], requires_grad=True, dtype=dtype)
        for row in tk.ops.TABLE:
            for out in _results(row, x, y):
                (out * out).sum().backward()
        tk.optim.SGD([x], lr=0.1).step()
    print(f"{len(tk.ops.TABLE)} operations are ready ({time.perf_counter() - start:.0f} s)")
    return 0


def _results(row: Any, x: Any, y: Any) -> list[Any]:
    """Call a row in the ways in which lessons call it."""
    if row.kind == "map":
        return [row(x)]
    if row.kind == "zip":
        return [row(x, y)] if len(row.names) == 2 else [row(x > y, x, y)]
    if row.kind == "reduce":
        return [row(x), row(x, 0), row(x, 1)]
    calls: dict[str, Any] = {
        "expand": lambda: row(y, (2, 3)),
        "permute": lambda: row(x, (1, 0)),
        "transpose": lambda: row(x),
        "getitem": lambda: row(x, (0, [1, 1])),
        "scatter": lambda: row(y, [0, 0, 1], (2,)),
        "cat": lambda: row([x, x]),
        "matmul": lambda: row(x, y),
        "view": lambda: row(x, (3, 2)),
        "contiguous": lambda: row(x.permute(1, 0)),
        "to": lambda: row(x, "float64" if x.dtype == "float32" else "float32"),
    }
    return [calls[row.name]()]
