"""What a stepper on a page shows, and that it is what Python folds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tensorkit.pictures import Scene

# What a page shows: roles and sizes by key, texts, what is visible, the words around the picture.
SEEN = """root => {
  const all = selector => [...root.querySelectorAll(selector)];
  const by = (name, value) => Object.fromEntries(
    all(`[data-${name}]`).map(e => [' ' + e.dataset[name], value(e)]));
  return {
    cells: by('k', e => e.dataset.r ?? null),
    roles: by('t', e => e.dataset.r ?? null),
    texts: by('t', e => e.textContent),
    sizes: by('t', e => parseFloat(getComputedStyle(e).fontSize)),
    shown: all('[data-a]').filter(e => getComputedStyle(e).visibility === 'visible')
      .map(e => e.dataset.a).sort(),
    caption: root.querySelector('[role=status]').textContent,
    count: root.querySelector('.tk-count').textContent,
    alt: root.querySelector('.tk-picture > svg').getAttribute('aria-label'),
    line: all('.tk-line[data-now]')
      .map(e => [+e.dataset.n, e.textContent, e.hasAttribute('data-bad')]),
    marks: all('.tk-mark').map(e => e.textContent),
  };
}"""


def show(page: Any, *bodies: str, head: str = "") -> Any:
    """Put steppers on a page and return the first."""
    page.set_content(
        f"<!doctype html><html><head>{head}</head><body>{''.join(bodies)}</body></html>"
    )
    return page.locator(".tk").first


def stop_time(page: Any) -> None:
    """Let the page's clock stand still but for page.clock.run_for, however slow the machine is."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


def seen(root: Any) -> dict[str, Any]:
    return root.evaluate(SEEN)


def open_key(table: dict[str, Any]) -> dict[str, Any]:
    """Undo the space that keeps a key such as __proto__ from meaning something to JavaScript."""
    return {key[1:]: value for key, value in table.items()}


def check(scene: Scene, k: int, got: dict[str, Any]) -> None:
    """Assert that a page shows step k of a scene, as Python folds it."""
    state, step = scene.state(k), scene.steps[k]
    roles, texts = open_key(got["roles"]), open_key(got["texts"])
    assert roles == dict(state.roles)
    assert open_key(got["cells"]) == {box.key: state.roles[box.key] for box in scene.boxes}
    assert texts == dict(state.texts)
    wanted = {key: scene.size_of(key, text) for key, text in texts.items()}
    assert open_key(got["sizes"]) == pytest.approx(wanted, abs=0.06)
    assert got["shown"] == sorted(state.shown)
    assert got["caption"] == step.caption
    assert got["count"] == f"{k} / {len(scene.steps) - 1}"
    assert got["alt"] == f"{scene.title}. Step {k} of {len(scene.steps) - 1}: {step.say}"
    lines = (
        [] if step.line is None else [[step.line, scene.code.lines[step.line - scene.code.first]]]
    )
    assert got["line"] == [[*line, step.bad] for line in lines]
    assert got["marks"] == [lines[0][1][a:b] for a, b in apart(step.marks)]


def apart(marks: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return marks from left to right, each without what one before it covers."""
    found, at = [], 0
    for start, end in sorted(marks, key=lambda mark: mark[0]):
        if end > at:
            found.append((max(start, at), end))
            at = end
    return found
