"""Print how fast steppers and explorers answer in a real browser, and how large they are.

A time runs from a synthetic key press to the frame in which its picture stands, measured in the
page; nothing of it depends on a kernel or a network. Run with ``make bench-widgets``.
"""

from __future__ import annotations

import base64
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import tensorkit as tk
from tensorkit.cli.browser import chromium
from tensorkit.pictures import Scene
from tensorkit.widgets import Choice, Explorer, Stepper

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
# a message that is posted in a frame arrives when that frame is painted
PAINTED = """() => {
window.painted = () => new Promise(done => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now());
  channel.port2.postMessage(0);
}));
window.timed = async act => {
  await painted();
  const start = performance.now();
  act();
  return await painted() - start;
};
}"""
DISPLAY = """async html => {
  document.body.replaceChildren();
  const start = performance.now();
  document.body.append(document.createRange().createContextualFragment(html));
  while (!document.querySelector('[aria-roledescription=stepper]')) await painted();
  return await painted() - start;
}"""
PRESS = """async ([keys, times]) => {
  const root = document.querySelector('[aria-roledescription=stepper]'), taken = [];
  const press = key => root.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  for (let k = 0; k < times; k += 1) for (const key of keys)
    taken.push(await timed(() => press(key)));
  return taken;
}"""
CHANGE = """async times => {
  const radios = [...document.querySelectorAll('.tkx-option input')], taken = [];
  for (let k = 0; k < times; k += 1)
    taken.push(await timed(() => radios[(k + 1) % radios.length].click()));
  return taken;
}"""


def scene(cells: int, steps: int, seed: int = 0) -> Scene:
    """Draw a map of so many cells, in and out, 25 to a line; each step reads, writes and keeps."""
    half = cells // 2
    values = np.random.default_rng(seed).integers(-99, 99, half)
    lines = half // 25
    drawn = Scene(27, 2 * lines + 5, f"{cells} cells")
    x = drawn.tensor("x", values.reshape(lines, 25), 1, 1.3, label="x")
    y = drawn.tensor("y", np.full((lines, 25), ""), 1, lines + 3.3, label="y")
    for k in range(steps):
        i = k % half
        drawn.step(
            f"y[{i}] = 2 × x[{i}] = {2 * values[i]}",
            read=x.keys[i],
            write=y.keys[i],
            text={y.keys[i]: 2 * values[i]},
            keep={"done": y.keys[i]},
        )
        drawn.link(y.keys[i], [x.keys[i]])
    return drawn


def size(bundle: dict[str, Any]) -> float:
    """Return how many kB an output takes in a notebook's file."""
    picture = len(base64.b64encode(bundle["image/png"]))
    return (picture + sum(len(bundle[kind].encode()) for kind in ("text/html", "text/plain"))) / 1e3


def first_display(page: Any, make: Any, times: int = 5) -> tuple[float, dict[str, Any]]:
    """Return the median ms from making an output to its first frame, and the last output."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        bundle = make()._repr_mimebundle_()
        made = 1e3 * (time.perf_counter() - start)
        taken.append(made + page.evaluate(DISPLAY, bundle["text/html"]))
    return statistics.median(taken), bundle


def row(what: str, taken: list[float], wanted: float | None = None, unit: str = "ms") -> str:
    """Return a line: the median, the 95th percentile, and the goal of the latter, if any."""
    middle, late = np.percentile(taken, [50, 95])
    goal = "" if wanted is None else f"<= {wanted:g}"
    verdict = "  missed" if wanted is not None and late > wanted else ""
    return f"{what:50} {middle:8.1f} {late:8.1f} {unit:3} {goal:>8}{verdict}"


def measure(page: Any) -> Iterator[str]:
    """Yield a line for each thing that is measured."""
    first_display(page, lambda: Stepper(scene(100, 10)), 1)  # fonts and modules load once a session
    taken, bundle = first_display(page, lambda: Stepper(scene(100, 100)))
    yield row("first display, 100 cells, 100 steps", [taken], 500)
    yield row("  kept in the notebook", [size(bundle)], 450, "kB")
    taken, bundle = first_display(page, lambda: Stepper(scene(1000, 200)), 3)
    yield row("first display, 1,000 cells, 200 steps", [taken])
    yield row("  kept in the notebook", [size(bundle)], 450, "kB")
    yield row("  a step forwards", page.evaluate(PRESS, [["ArrowRight"], 195]), 50)
    yield row("  a step back", page.evaluate(PRESS, [["ArrowLeft"], 150]), 50)
    yield row("  a jump to the end and home", page.evaluate(PRESS, [["End", "Home"], 40]))
    for cells in (100, 1000):
        choice = Choice("seed", "numbers", range(8))

        def make(cells: int = cells, choice: Choice = choice) -> Explorer:
            return Explorer("eight", [choice], lambda seed: scene(cells, cells // 5, seed))

        taken, bundle = first_display(page, make, 3)
        yield row(
            f"explorer of 8 scenes, {cells} cells: first display",
            [taken],
            500 if cells == 100 else None,
        )
        yield row("  kept in the notebook", [size(bundle)], 450, "kB")
        yield row("  a change of its control", page.evaluate(CHANGE, 40))


def entries(page: Any) -> Iterator[str]:
    """Yield a line for each entry of the catalogue as it opens."""
    for name in dir(tk.explore):
        make = getattr(tk.explore, name)
        if not isinstance(make(), Explorer):
            continue
        taken, bundle = first_display(page, make, 3)
        pressed = page.evaluate(PRESS, [["ArrowRight"], 20])
        late = np.percentile(pressed, 95)
        yield f"{name:16} {taken:9.0f} ms {size(bundle):8.0f} kB {late:9.1f} ms"


def main() -> None:
    """Open one page, measure, print."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.set_content("<!doctype html><body></body>")
        page.evaluate(PAINTED)
        print(f"{'':50} {'p50':>8} {'p95':>8} {'':3} {'goal':>8}")
        for line in measure(page):
            print(line, flush=True)
        print(f"\n{'tk.explore':16} {'first display':>12} {'kept':>11} {'step p95':>12}")
        for line in entries(page):
            print(line, flush=True)
        browser.close()


if __name__ == "__main__":
    main()
