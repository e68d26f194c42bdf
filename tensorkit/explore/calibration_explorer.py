"""Calibration: how sure you were, how often right, and which ideas you were sure of and wrong."""

from __future__ import annotations

from pathlib import Path

from tensorkit.widgets.calibration import Calibration


def calibration(path: str | Path | None = None) -> Calibration:
    """Draw your calibration curve from the answers kept here: ``tk.explore.calibration()``.

    It can be saved as a file, loaded again elsewhere, and forgotten. With the ``path`` of such a
    file it shows what the file holds. Raises ValueError for a file without saved answers.
    """
    return Calibration(path)
