"""Whether anything in a scene lies on anything else. Every picture has to pass."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tensorkit.pictures import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL


def check_layout(scene: Scene) -> None:
    """No box on another, no text outside or on a cell, no line through a cell."""
    for a, b in combinations(scene.boxes, 2):
        apart = (
            a.x + a.w <= b.x + 1e-6
            or b.x + b.w <= a.x + 1e-6
            or a.y + a.h <= b.y + 1e-6
            or b.y + b.h <= a.y + 1e-6
        )
        assert apart, f"{a.key} lies on {b.key}"
    for box in scene.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.w <= scene.width and box.y + box.h <= scene.height
    labels = [t for t in scene.texts if t.key is None]
    for text in labels:
        wide = text_width(text.text) * text.size * (1.1 if text.bold else 1) / CELL
        left = text.x - {"left": 0, "center": wide / 2, "right": wide}[text.align]
        assert left >= 0 and left + wide <= scene.width + 0.05, text.text
        for box in scene.boxes:
            beside = left + wide <= box.x or box.x + box.w <= left
            assert beside or abs(box.y + box.h / 2 - text.y) >= box.h / 2 + 0.1, (text, box)
    edges = np.array([(b.x, b.y, b.x + b.w, b.y + b.h) for b in scene.boxes]).T
    for arrow in scene.arrows:
        corners = np.array([point for _, group in arrow.line for point in group])
        share = np.linspace(0, 1, 40)[:, None, None]
        x, y = np.moveaxis(corners[:-1] * (1 - share) + corners[1:] * share, -1, 0)[..., None]
        across = (edges[0] + 0.06 < x) & (x < edges[2] - 0.06)
        through = across & (edges[1] + 0.06 < y) & (y < edges[3] - 0.06)
        met = np.flatnonzero(through.any((0, 1)))
        assert not met.size, f"{arrow.key} runs through {scene.boxes[met[0]].key}"
