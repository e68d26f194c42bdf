"""The cost meter: what versions of one kernel do for the same result, counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tensorkit.lanes import Lanes, run_lanes
from tensorkit.pictures.cost import cost_scene
from tensorkit.pictures.scene import Scene
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.stepper import Stepper


def cost(
    versions: Mapping[str, Callable[..., Any]] | Callable[..., Any] | None = None, *arguments: Any
) -> Explorer | Stepper:
    """Count what kernels do: calls, arrays made, bytes, cells touched, parallel iterations.

    ``tk.explore.cost({"mine": my_map, "better": other_map}, out, ...)`` runs each version plainly
    on copies of the same arguments, the first of which is out. Without arguments it compares three
    ways to multiply matrices. Raises RuntimeError for a version that does not run to its end.
    """
    if versions is None:
        return _matmul()
    given = dict(versions) if isinstance(versions, Mapping) else {versions.__name__: versions}
    runs = {name: counted(name, kernel, arguments) for name, kernel in given.items()}
    return Stepper(cost_scene(runs, int(np.size(arguments[0]))))


def counted(name: str, kernel: Callable[..., Any], arguments: tuple[Any, ...]) -> Lanes:
    """Run a kernel and return its lanes. Raises RuntimeError if it breaks."""
    ran = run_lanes(kernel, *arguments)
    if ran.ending.how != "returned":
        raise RuntimeError(f"{name} did not run to its end: {ran.ending.message}")
    return ran


def _matmul() -> Explorer:
    from tensorkit.explore import kernels

    versions = {
        "zip, then reduce": kernels.matmul_zip_reduce,
        "parallel over batches": kernels.matmul_batches,
        "fused": kernels.matmul_fused,
    }

    def scene_of(sizes: tuple[int, int, int]) -> Scene:
        n, k, m = sizes
        a, b = np.arange(1.0, n * k + 1), np.arange(1.0, k * m + 1) - 3
        arguments = (np.zeros(n * m), (n, m), a, (n, k), b, (k, m))
        runs = {name: counted(name, kernel, arguments) for name, kernel in versions.items()}
        return cost_scene(runs, n * m)

    sizes = {"2×3 by 3×4": (2, 3, 4), "3×6 by 6×2": (3, 6, 2), "4×12 by 12×5": (4, 12, 5)}
    return Explorer("The cost meter: matmul", [Choice("sizes", "shapes", sizes)], scene_of)
