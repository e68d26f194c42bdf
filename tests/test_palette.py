"""Every mark can be told from every other by every eye, and every text can be read."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tensorkit.pictures.theme import DARK, LIGHT, MARKS, QUIET, Palette, inks, look, mix

THEMES = pytest.mark.parametrize(
    ("colours", "apart"), [(LIGHT, 16.0), (DARK, 23.0)], ids=["light", "dark"]
)
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
VISION = {
    "usual": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted(float(linear(colour) @ TO_XYZ[1]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(light: np.ndarray) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_measures_agree_with_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert mix("#ff8000", "#0000ff", 0.25) == "#4020bf"


@THEMES
def test_edges_of_marks_stand_out(colours: Palette, apart: float) -> None:
    for role in MARKS:
        assert contrast(getattr(colours, role), colours.bg) >= 5.2, role


@THEMES
def test_text_is_read_on_every_tint(colours: Palette, apart: float) -> None:
    for role in (None, *MARKS, "done", "known"):
        seen = look(role, colours)
        assert contrast(seen.text, seen.face) >= 9.5, role
    for role in ("dim", "ghost"):
        seen = look(role, colours)
        assert contrast(seen.text, seen.face) >= 4.5, role


@THEMES
@pytest.mark.parametrize("vision", VISION)
def test_marks_differ_for_every_eye(colours: Palette, apart: float, vision: str) -> None:
    seen = {role: lab(VISION[vision] @ linear(getattr(colours, role))) for role in MARKS}
    for one, other in combinations(MARKS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= apart, (one, other)


@THEMES
def test_wrong_and_missing_are_dashed_too(colours: Palette, apart: float) -> None:
    dashed = {role for role in (None, *MARKS, *QUIET) if look(role, colours).dashed}
    assert dashed == {"wrong", "ghost"}


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="no role 'reading': the roles are read, write"):
        look("reading", LIGHT)


@THEMES
def test_a_small_image_can_hold_every_colour(colours: Palette, apart: float) -> None:
    held = inks(colours)
    assert len(held) <= 256
    for role in (None, *MARKS, *QUIET):
        seen = look(role, colours)
        assert {seen.face, seen.edge, seen.text} <= set(held)
