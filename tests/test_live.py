"""The live widget steps both ways: the reader's step reaches Python, and Python's the reader."""

from __future__ import annotations

from typing import Any

import pytest
from demo_scenes import SCENES, reduce_scene
from seeing import check, seen, stop_time

from tensorkit.widgets import Stepper

MODEL = """async ([source, payload]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const widget = (await import(url)).default;
  const state = { payload, step: 3 }, calls = {};
  saved = [];
  model = {
    get: name => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      calls['change:' + name]?.();
    },
    on: (event, f) => calls[event] = f,
    off: event => delete calls[event],
    save_changes: () => saved.push(state.step),
  };
  stop = widget.render({ model, el: document.getElementById('here') });
}"""


def test_the_live_widget_steps_both_ways(page: Any) -> None:
    scene, other = reduce_scene(), SCENES["graph"]()
    live = Stepper(scene, step=3).live()
    stop_time(page)
    page.set_content("<!doctype html><body><div id=here></div></body>")
    page.evaluate(MODEL, [str(live._esm), live.payload])
    root = page.locator(".tk")
    check(scene, 3, seen(root))
    page.evaluate("model.set('step', 5)")
    check(scene, 5, seen(root))
    assert page.evaluate("saved") == []
    root.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.clock.run_for(1000)
    assert page.evaluate("[model.get('step'), saved]") == [9, [9]]
    live.show(other)
    assert live.step == 3
    page.evaluate(
        "([payload]) => { model.set('step', 2); model.set('payload', payload) }", [live.payload]
    )
    check(other, 2, seen(root))
    page.evaluate("stop()")
    live.close()


def test_python_reads_sets_and_observes_the_step() -> None:
    import traitlets

    live = Stepper(reduce_scene()).live()
    heard: list[int] = []
    live.observe(lambda change: heard.append(change["new"]), "step")
    live.step = 4
    live.step = -1
    assert heard == [4, 13] and live.step == 13
    with pytest.raises(traitlets.TraitError, match="step 99: the scene has steps 0 to 13"):
        live.step = 99
    assert live.step == 13
    live.show(SCENES["dims"]())
    assert live.step == 1 and live.payload["title"] == "Tensors of 0 to 4 dims"
    live.close()
