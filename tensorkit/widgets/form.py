"""The frame around all that asks: plain HTML first, then the script that brings it alive.

Looks, palette and the search for the page's theme are those of the stepper.
"""

from __future__ import annotations

import hashlib
import html
from functools import cache
from importlib.resources import files
from typing import Any

from tensorkit.widgets import page


def form(name: str, body: str, data: dict[str, Any], *more: str) -> str:
    """Return HTML that reads well as it is, and asks where its script runs.

    ``body`` is HTML; ``data`` says which ``kind`` of form it is and what that needs, and ``more``
    names the scripts of a kind that has its own.
    """
    looks = css()
    version = hashlib.sha256(looks.encode()).hexdigest()[:10]
    told = {**data, "css": looks, "version": version}
    return (
        f'<div class="tk tkq" role="group" aria-label="{html.escape(name)}">{body}</div>'
        f"{page.scripts(told, 'ask', script(*more))}"
    )


@cache
def css() -> str:
    """Return the stepper's looks, then those of questions."""
    return page.css() + (files(__package__) / "questions.css").read_text("utf-8")


@cache
def script(*more: str) -> str:
    """Return the stepper's script, then that of questions, then those of ``more``."""
    names = ("questions.js", *more)
    own = [(files(__package__) / name).read_text("utf-8") for name in names]
    return "\n".join([page.script(), *own])
