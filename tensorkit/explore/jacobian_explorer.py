"""Jacobian: a gradient of tensors is many derivatives, and each operation has its own pattern."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorkit.explore.backward_explorer import parse, upstream_of
from tensorkit.graph import no_grad
from tensorkit.pictures.explode import explode_scene
from tensorkit.pictures.jacobian import jacobian_scene
from tensorkit.pictures.running import as_tensor
from tensorkit.pictures.scene import Scene
from tensorkit.tensor import tensor
from tensorkit.widgets.explorer import Choice, Control, Explorer, Field

Case = tuple[Callable[..., Any], tuple[Any, ...]]
SCENES: dict[str, Callable[..., Scene]] = {"grid": jacobian_scene, "explode": explode_scene}


def jacobian(f: Callable[..., Any] | None = None, *inputs: Any) -> Explorer:
    """Explore all derivatives of an expression: ``tk.explore.jacobian(lambda x, w: x * w, x, w)``.

    ``f`` is an expression, a row of the table or a tk.Function; without it there are six, one for
    each pattern. As a grid, input cells are columns and output cells rows; exploded, every cell
    stands alone. In ``live()`` grad_out can be typed in. Raises ShapeError for more than 16 cells
    on either side, unless corners of the inputs will do.
    """
    cases = _patterns() if f is None else {getattr(f, "name", "yours"): (f, inputs)}

    def scene(what: Case, view: str, upstream: str, own: Any) -> Scene:
        g, given = what
        grad_out = own if own is not None else _upstream(g, given, upstream)
        return SCENES[view](g, *given, grad_out=grad_out)

    controls: list[Control] = [
        Choice("what", "pattern", cases),
        Choice("view", "show", {"the grid": "grid", "exploded": "explode"}),
        Choice("upstream", "grad_out", {"different numbers": "distinct", "one cell": "one"}),
        Field("own", "or your own grad_out", "", parse),
    ]
    explorer = Explorer("jacobian", controls, scene)
    if len(cases) == 1:
        (only,) = cases.values()
        explorer = Explorer("jacobian", controls[1:], lambda **how: scene(only, **how))
    explorer.scene()
    return explorer


def _upstream(f: Callable[..., Any], given: tuple[Any, ...], kind: str) -> Any:
    """Return None for different numbers, which is what a scene takes by itself."""
    if kind == "distinct":
        return None
    with no_grad():
        call: Any = getattr(f, "apply", f)
        lists = (as_tensor(one) if isinstance(one, list | np.ndarray) else one for one in given)
        out = call(*lists)
    return upstream_of(out.shape, kind)


def _patterns() -> dict[str, Case]:
    x = tensor([[1.0, -2.0, 0.5], [0.25, 3.0, 2.0]])
    y = tensor([[4.0, 3.0, -1.0], [2.0, 0.5, 1.5]])
    return {
        "map": (lambda x: x.sigmoid(), (x,)),
        "zip": (lambda x, y: x * y, (x, y)),
        "reduce": (lambda x: x.sum(0), (x,)),
        "broadcast": (lambda x, b: x + b, (x, tensor([10.0, 20.0, 40.0]))),
        "permute": (lambda x: x.permute(1, 0), (x,)),
        "matmul": (lambda x, w: x @ w, (x, tensor([[4.0, 3.0], [-1.0, 2.0], [0.5, 1.5]]))),
    }
