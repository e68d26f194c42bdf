"""What a page needs to show a scene, in one piece: its looks, its script, the scene as JSON.

Nothing is fetched, so it also steps in an exported page without a network. Without scripts, as in
an untrusted notebook, the still picture inside the element stays.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from tensorkit.pictures.scene import Scene
from tensorkit.pictures.theme import CELL, DARK, HEAT, LIGHT, MARKS, TINTS, Palette

TRUST = "Trust this notebook to step through the picture: it is a still without its script."


@cache
def script(*more: str) -> str:
    """Return the stepper's script without comments and indents, and ``more`` of them."""
    return "\n".join(_lean(_read(name)) for name in ("picture.js", "stepper.js", *more))


@cache
def css() -> str:
    """Return stepper.css and the variables of both palettes."""
    tints = "".join(
        f'.tk [data-r="{role}"]{{--tk-edge:var(--tk-{role});'
        f"--tk-face:color-mix(in srgb,var(--tk-{role}) {TINTS[role]:.0%},var(--tk-bg))}}"
        for role in MARKS
    )
    shades = "".join(
        f'.tk .tk-picture [data-k][data-r="{role}"]'
        f"{{fill:color-mix(in srgb,var(--tk-grad) {face:.0%},var(--tk-bg));"
        f"stroke:color-mix(in srgb,var(--tk-grad) {rim:.0%},var(--tk-bg))}}"
        for role, (face, rim) in HEAT.items()
    )
    rest = _lean(_read("stepper.css"))
    return f".tk{{{_variables(LIGHT)}}}.tk[data-tk-dark]{{{_variables(DARK)}}}{tints}{shades}{rest}"


def looks() -> dict[str, str]:
    """Return the CSS, and the hash by which a page knows that it has it."""
    return {"css": css(), "version": hashlib.sha256(css().encode()).hexdigest()[:10]}


def payload(scene: Scene) -> dict[str, Any]:
    """Return the scene for the browser, with its looks."""
    return {**scene.payload(), **looks()}


def fragment(
    still: bytes, alt: str, wide: float, data: dict[str, Any], starter: str, more: Sequence[str]
) -> str:
    """Return HTML to be put anywhere in a page: a still, the data, and the script that starts it.

    ``wide`` is the still's width in cells; ``starter`` names a function of the script, and ``more``
    the files that it needs besides the stepper's.
    """
    image = base64.b64encode(still).decode("ascii")
    wide = round(wide * CELL)
    return (
        f'<div class="tk"><img alt="{html.escape(alt)}" width="{wide}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{image}">'
        f"<div><small>{TRUST}</small></div></div>"
        f"{scripts({**data, **looks()}, starter, script(*more))}"
    )


def scripts(data: dict[str, Any], starter: str, code: str) -> str:
    """Return the data as JSON, and the code whose function ``starter`` finds it and begins."""
    # with no "<" left, neither </script> nor <!-- can end or change the script element
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<script type="application/json" data-tk="{starter}">{text}</script>'
        f'<script>(() => {{{code}\n{starter}(...given(document.currentScript, "{starter}"));}})()'
        "</script>"
    )


def document(title: str, body: str) -> str:
    """Return a page of its own around a fragment, light or dark as the reader's system is."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n"
        f"<style>:root{{color-scheme:light dark}}body{{margin:2rem auto;max-width:1100px;"
        f"padding:0 1rem;background:{LIGHT.bg}}}@media (prefers-color-scheme:dark)"
        f"{{body{{background:{DARK.bg}}}}}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _variables(colours: Palette) -> str:
    names = [*MARKS, "bg", "fg", "dim", "line", "cell"]
    given = "".join(f"--tk-{name}:{getattr(colours, name)};" for name in names)
    return given + "".join(
        f"--tk-{name}:color-mix(in srgb,var(--tk-{role}) {share}%,var(--tk-bg));"
        for name, role, share in (
            ("done-face", "expected", 14),
            ("known-face", "grad", 10),
            ("known-edge", "grad", 55),
        )
    )


def _read(name: str) -> str:
    return files("tensorkit.widgets").joinpath(name).read_text("utf-8")


def _lean(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
