"""The race lens: two iterations of a parallel loop that meet in a cell, found without luck."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit.pictures.race import race_scene
from tensorkit.pictures.scene import Scene
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.stepper import Stepper

CELLS = (3.0, -1.0, 4.0, 1.5, -5.0, 9.0)


def race(kernel: Callable[..., Any] | None = None, *arguments: Any) -> Explorer | Stepper:
    """Show which iteration of a ``prange`` loop touches which cell, and where two of them meet.

    ``tk.explore.race(my_map, out, out_shape, out_strides, a, a_shape, a_strides)`` runs your own
    kernel, compiled or not, in plain Python on copies of its arguments: flat arrays, shapes,
    strides. Without arguments it shows a map and a sum, each racing and mended.
    """
    if kernel is not None:
        return Stepper(race_scene(kernel, *arguments))
    from tensorkit.explore import kernels

    pairs = {
        "a map": (kernels.map_shared, kernels.map_private),
        "a sum over dim 1": (kernels.sum_over_inputs, kernels.sum_over_outputs),
    }

    def scene_of(work: tuple[Callable[..., Any], ...], mended: bool) -> Scene:
        shape, strides = np.array([2, 3]), np.array([3, 1])
        summed = kernels.sum_over_inputs in work
        out_shape, out_strides = (
            (np.array([2, 1]), np.array([1, 1])) if summed else (shape, strides)
        )
        out = np.zeros(math.prod(out_shape.tolist()))
        kernel = work[int(mended)]
        return race_scene(kernel, out, out_shape, out_strides, np.array(CELLS), shape, strides)

    controls = [
        Choice("work", "the kernel", pairs),
        Choice("mended", "mended", {"no": False, "yes": True}, look="switch"),
    ]
    return Explorer("The race lens", controls, scene_of)
