"""Explorers: each shows one idea on data of its own at once, or on yours.

``tk.explore.storage()`` starts one; ``dir(tk.explore)`` names them all. The entry ``storage`` lives
in the module ``storage_explorer``: a module of the entry's own name would hide the function.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# an entry, and the module beside this one whose function of that name starts it
ENTRIES: dict[str, str] = {
    "storage": "storage_explorer",
    "odometer": "odometer_explorer",
    "broadcast": "broadcast_explorer",
    "unbroadcast": "unbroadcast_explorer",
    "arena": "arena_explorer",
    "arrows": "arrows_explorer",
    "calibration": "calibration_explorer",
    "operation": "operation_explorer",
    "reduce": "reduce_explorer",
    "jacobian": "jacobian_explorer",
    "gradcheck": "gradcheck_explorer",
    "backward": "backward_explorer",
    "graph": "graph_explorer",
    "schedule": "graph_explorer",
    "race": "race_explorer",
    "cost": "cost_explorer",
    "training": "training_explorer",
}

__all__ = list(ENTRIES)


def __getattr__(name: str) -> Any:
    if name in ENTRIES:
        return getattr(import_module(f"tensorkit.explore.{ENTRIES[name]}"), name)
    raise AttributeError(f"tk.explore has no {name!r}; it has {', '.join(ENTRIES)}")


def __dir__() -> list[str]:
    return list(ENTRIES)
