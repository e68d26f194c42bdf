"""The games are played to their end in a browser, and what the arena killed stays dead there."""

from __future__ import annotations

from typing import Any

import pytest
from seeing import show

from tensorkit.explore.arena_explorer import arena, results
from tensorkit.explore.arrows_explorer import EXAMPLES, arrows
from tensorkit.explore.graph_explorer import schedule
from tensorkit.explore.suspects import suspects
from tensorkit.widgets import Explorer

CAPTION = ".tk-now"


def cell(page: Any, key: str) -> Any:
    return page.locator(f'[data-k="{key}"]')


def opened(page: Any, explorer: Explorer) -> Any:
    show(page, explorer.html())
    page.locator("[aria-roledescription=stepper]").wait_for()
    return page


def test_the_scheduler_refuses_what_is_not_ready_and_is_played_to_its_end(page: Any) -> None:
    explorer = schedule()
    assert isinstance(explorer, Explorer)
    opened(page, explorer)
    game = explorer.scene().play
    turns = list(game.turns)
    cell(page, turns[-1].key).click()
    assert "✗" in page.locator(CAPTION).inner_text()
    assert "has not reported yet" in page.locator(CAPTION).inner_text()
    shared = turns[-1].key
    picked: set[str] = set()
    while turns:
        turn = next(one for one in reversed(turns) if picked.issuperset(one.needs))
        turns.remove(turn)
        picked.add(turn.key)
        cell(page, turn.key).click()
        if "g1" in turn.arrivals and turns[0].key != shared and len(picked) < len(game.turns) - 1:
            assert page.locator('[data-t="g1"]').text_content() == "1 of 2 reported"
    assert game.done in page.locator(CAPTION).inner_text()
    assert cell(page, "g0").get_attribute("data-r") == "known"


@pytest.mark.parametrize("name", ["zip", "max"])
def test_arrows_are_drawn_with_the_keyboard_and_checked(page: Any, name: str) -> None:
    explorer = arrows()
    game = explorer.scene(kind=EXAMPLES[name]).play
    opened(page, explorer)
    page.get_by_label(name, exact=True).check(force=True)
    first, *rest = game.edges
    wrong = next(pair for pair in game.why if pair not in set(game.edges))
    for a, b in (first, wrong):
        cell(page, a).press("Enter")
        cell(page, b).press("Enter")
    page.get_by_role("button", name="Check").click()
    said = page.locator(CAPTION).inner_text()
    assert f"1 of {len(game.edges)} arrows are right. {game.why[wrong]}" in said
    for a, b in (wrong, *rest):  # the wrong one is taken away again
        cell(page, a).press("Enter")
        cell(page, b).press("Enter")
    page.get_by_role("button", name="Check").click()
    assert page.locator(CAPTION).inner_text() == game.done


def test_who_was_found_out_stays_so_when_the_input_changes(page: Any) -> None:
    opened(page, arena())
    slider = page.get_by_role("slider")
    slider.press("End")
    slider.press("Home")
    page.get_by_label("distinct", exact=True).check(force=True)
    dead = {
        f"s{k}" for k in range(24) if cell(page, f"s{k}").get_attribute("data-dead") is not None
    }
    found = results(((2, 3), "plain", "all ones", "ones"))
    assert dead == {f"s{k}" for k, one in enumerate(suspects()) if found[one.name]}
