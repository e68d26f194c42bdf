"""A game accepts what its rules allow and says why not, by mouse and by keys alike."""

from __future__ import annotations

from typing import Any

import pytest
from seeing import seen, show

from tensorkit.pictures import Connect, Scene, Turn, Turns
from tensorkit.widgets import Choice, Explorer, Stepper

FOCUS = "document.activeElement.dataset.k"


def diamond() -> Scene:
    """A diamond: d feeds b and c, which both feed a; a number counts what reached a."""
    scene = Scene(9, 5, "Diamond")
    for key, x, y in (("a", 0.5, 2), ("b", 3, 0.5), ("c", 3, 3.5), ("d", 6, 2)):
        scene.pill(key, x, y, 1.6, 1, key.upper())
    scene.label(0.5, 4.5, "0 of 2", key="count")
    scene.arrow("db", (5.9, 2.3), (4.7, 1.2), "grad", dashed=True)
    scene.step("d first.", grad="d")
    scene.step("Then b and c.", grad=["b", "c"])
    counts = {"count": ["1 of 2", "2 of 2"]}
    late = {"d": "d has not reported."}
    scene.play = Turns(
        [
            Turn("d", "d reports.", keep={"known": "d"}, hold="db", name="node d"),
            Turn("b", "b reports.", ["d"], late, text={"b": "B!"}, arrivals=counts),
            Turn("c", "c reports.", ["d"], late, arrivals=counts, mark="write"),
            Turn(
                "a",
                "a reports.",
                ["b", "c"],
                {"b": "b still owes a share.", "c": "c still owes a share."},
            ),
        ],
        opening="Who reports first?",
        done="Every node has reported.",
    )
    return scene


def arrows() -> Scene:
    """Two gradients and three inputs; the edges are those of a sum over pairs."""
    scene = Scene(9, 6, "Arrows")
    scene.grid("g", [(6, 1), (6, 3)], [5, 7])
    scene.grid("x", [(1, 0.5), (1, 2.5), (1, 4.5)], [3, -1, 4])
    scene.step("g[0] feeds x[0] and x[1].", read="g.0", grad=["x.0", "x.1"])
    scene.play = Connect(
        sources=["g.0", "g.1"],
        targets=["x.0", "x.1", "x.2"],
        edges=[("g.0", "x.0"), ("g.0", "x.1"), ("g.1", "x.2")],
        opening="Draw where each gradient goes.",
        done="All three arrows are right.",
        why={
            ("g.1", "x.1"): "x[1] met in out[0] and not in out[1].",
            ("g.0", "x.1"): "Something is missing at x[1].",
        },
        names={"g.0": "gradient 0", "g.1": "gradient 1", "x.0": "x 0", "x.1": "x 1", "x.2": "x 2"},
    )
    return scene


def now(page: Any) -> str:
    said: str = page.locator(".tk-now").text_content()
    return said


def drawn(page: Any) -> list[str]:
    every: list[str] = page.evaluate(
        "[...document.querySelectorAll('g.tk-drawn')].map(e => e.dataset.r)"
    )
    return every


def turn(key: str = "a", *needs: str, **more: Any) -> Turn:
    return Turn(key, "say", needs, dict.fromkeys(needs, "wait"), **more)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Turns([turn("a"), turn("a")], "", ""), "a key has two turns"),
        (lambda: Turns([turn("a", "z")], "", ""), "'a' needs 'z', which no turn picks"),
        (
            lambda: Turns([turn("a"), Turn("b", "say", ["a"])], "", ""),
            "'b' needs 'a', but refused has no word on it",
        ),
        (
            lambda: Turns([turn("a"), turn("b", "c"), turn("c", "b")], "", ""),
            r"\['b', 'c'\] wait for one another",
        ),
        (
            lambda: Connect(["a"], ["b"], [("b", "a")], "", ""),
            r"the edge \('b', 'a'\) does not lead from a source to a target",
        ),
        (lambda: Connect(["a"], ["b"], [], "", ""), "no edges"),
    ],
)
def test_a_game_that_cannot_be_won_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (Turns([turn("z")], "", ""), "the game names 'z', which is not a cell"),
        (Turns([turn("b")], "", ""), "the game names 'b', which is not a cell of"),
        (Turns([turn("a", text={"z": 1})], "", ""), "the game names 'z'"),
        (Turns([turn("a", hold="a")], "", ""), "'a', which is not an arrow or an outline"),
        (Turns([turn("a", keep={"red": "a"})], "", ""), "no role 'red'"),
        (Turns([turn("a", mark="red")], "", ""), "no role 'red'"),
        (Connect(["a"], ["z"], [("a", "z")], "", ""), "the game names 'z'"),
    ],
)
def test_a_game_on_what_is_not_drawn_is_refused(game: Any, message: str) -> None:
    scene = Scene(4, 2, "one")
    scene.cell("a", 1, 0.5, 1)
    scene.label(2, 1, "b", key="b")
    with pytest.raises(ValueError, match=message):
        scene.play = game
    assert scene.play is None


def test_the_still_and_the_transcript_are_the_demonstration() -> None:
    scene = diamond()
    assert scene.transcript() == "Diamond\n0. d first.\n1. Then b and c."
    scene.play = None
    assert "play" not in scene.payload()


def test_picks_in_time_are_steps_and_others_are_told_why(page: Any) -> None:
    root = show(page, Stepper(diamond()).html())
    assert now(page) == "Who reports first?"
    page.click("[data-k=a]")
    assert now(page) == "✗ b still owes a share."
    assert seen(root)["count"] == "0 / 0"
    page.click("[data-k=d]")
    assert now(page) == "d reports."
    assert seen(root)["cells"][" d"] == "grad" and seen(root)["shown"] == ["db"]
    page.click("[data-k=d]", force=True)
    assert now(page) == "✗ node d was picked already."
    page.click("[data-k=c]")
    assert seen(root)["texts"][" count"] == "1 of 2"
    assert seen(root)["cells"] == {" a": None, " b": None, " c": "write", " d": "known"}
    page.click("[data-k=a]")
    assert now(page) == "✗ b still owes a share."
    page.click("[data-k=b]")
    assert seen(root)["texts"][" count"] == "2 of 2" and seen(root)["texts"][" b"] == "B!"
    page.click("[data-k=a]")
    assert now(page) == "a reports. Every node has reported."
    assert seen(root)["count"] == "4 / 4"


def test_going_back_lets_one_choose_anew(page: Any) -> None:
    root = show(page, Stepper(diamond()).html())
    for key in "dcb":
        page.click(f"[data-k={key}]")
    root.press("ArrowLeft")
    root.press("ArrowLeft")
    assert now(page) == "d reports." and seen(root)["texts"][" count"] == "0 of 2"
    page.click("[data-k=b]")
    assert seen(root)["count"] == "2 / 2" and seen(root)["texts"][" count"] == "1 of 2"
    page.get_by_role("button", name="Start over").click()
    assert now(page) == "Who reports first?" and seen(root)["shown"] == []


def test_turns_are_taken_by_keys_alone(page: Any) -> None:
    root = show(page, Stepper(diamond()).html())
    root.focus()
    names = []
    for _ in range(4):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        if page.evaluate(FOCUS) == "d":
            page.keyboard.press("Enter")
    assert names == ["A", "B", "C", "node d"]
    assert (
        page.locator("[data-pick]").evaluate_all(
            "all => all.map(e => [e.getAttribute('role'), e.tabIndex])"
        )
        == [["button", 0]] * 4
    )
    assert page.evaluate(FOCUS) == "d" and now(page) == "d reports."
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert page.evaluate(FOCUS) == "c" and now(page) == "c reports."
    page.keyboard.press("ArrowLeft")
    assert now(page) == "d reports."
    assert page.locator("svg[role=group]").count() == 1


def test_show_me_is_the_demonstration_and_leads_back(page: Any) -> None:
    root = show(page, Stepper(diamond()).html())
    page.click("[data-k=d]")
    page.get_by_role("button", name="Show me").click()
    assert now(page) == "d first." and seen(root)["count"] == "0 / 1"
    assert page.locator("[data-pick]").count() == 0
    page.click("[data-k=a]")
    assert now(page) == "d first."
    root.press("ArrowRight")
    assert seen(root)["cells"] == {" a": None, " b": "grad", " c": "grad", " d": None}
    page.get_by_role("button", name="My turn").click()
    assert now(page) == "Who reports first?"
    assert set(seen(root)["cells"].values()) == {None}


def test_arrows_are_drawn_taken_away_and_checked(page: Any) -> None:
    root = show(page, Stepper(arrows()).html())
    check = page.get_by_role("button", name="Check")
    check.click()
    assert now(page) == "✗ 0 of 3 arrows are right. An arrow at x 0 is missing."
    for a, b in (("g.0", "x.0"), ("g.1", "x.1")):
        page.click(f"[data-k='{a}']")
        page.click(f"[data-k='{b}']")
    assert now(page) == "Drawn: gradient 1 → x 1. 2 arrows so far."
    assert drawn(page) == ["read", "read"]
    check.click()
    assert now(page) == "✗ 1 of 3 arrows are right. x[1] met in out[0] and not in out[1]."
    assert drawn(page) == ["expected", "wrong"]
    dashes = "e => getComputedStyle(e.lastChild).strokeDasharray"
    assert page.locator("g.tk-drawn").last.evaluate(dashes) != "none"
    page.click("[data-k='g.1']")
    page.click("[data-k='x.1']")
    assert now(page) == "Taken away: gradient 1 → x 1. 1 arrow so far."
    page.click("[data-k='g.1']")
    page.click("[data-k='x.2']")
    check.click()
    assert now(page) == "✗ 2 of 3 arrows are right. Something is missing at x[1]."
    page.click("[data-k='g.0']")
    page.click("[data-k='x.1']")
    check.click()
    assert now(page) == "All three arrows are right."
    assert drawn(page) == ["expected"] * 3
    page.get_by_role("button", name="Start over").click()
    assert drawn(page) == [] and now(page) == "Draw where each gradient goes."
    assert not seen(root)["caption"].startswith("✗")


def test_an_arrow_begins_at_a_source(page: Any) -> None:
    show(page, Stepper(arrows()).html())
    page.click("[data-k='x.0']")
    assert now(page) == "✗ Begin at a cell that an arrow can leave: gradient 0, gradient 1."
    page.click("[data-k='g.0']")
    pressed = "[...document.querySelectorAll('[aria-pressed=true]')].map(e => e.dataset.k)"
    assert page.evaluate(pressed) == ["g.0"]
    page.click("[data-k='g.1']")
    assert page.evaluate(pressed) == ["g.1"]
    page.click("[data-k='g.1']")
    assert page.evaluate(pressed) == [] and drawn(page) == []


def test_arrows_are_drawn_by_keys_and_by_dragging(page: Any) -> None:
    show(page, Stepper(arrows()).html())
    page.focus("[data-k='g.1']")
    page.keyboard.press("Enter")
    assert now(page) == "From gradient 1 to where?"
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "x.0"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert now(page) == "Drawn: gradient 1 → x 2. 1 arrow so far."
    page.hover("[data-k='g.0']")
    page.mouse.down()
    page.hover("[data-k='x.1']")
    page.mouse.up()
    assert now(page) == "Drawn: gradient 0 → x 1. 2 arrows so far."
    page.get_by_role("button", name="Show me").click()
    assert drawn(page) == [] and now(page) == "g[0] feeds x[0] and x[1]."


def test_an_arrow_runs_from_edge_to_edge(page: Any) -> None:
    root = show(page, Stepper(arrows()).html())
    page.click("[data-k='g.0']")
    page.click("[data-k='x.1']")
    inside = """root => {
      const line = root.querySelector('g.tk-drawn path:last-child');
      const at = share => line.getPointAtLength(line.getTotalLength() * share);
      return [...root.querySelectorAll('rect[data-k]')].filter(cell => {
        const c = cell.getBBox();
        return [0, 0.25, 0.5, 0.75, 1].some(share => { const p = at(share);
          return p.x > c.x && p.x < c.x + c.width && p.y > c.y && p.y < c.y + c.height });
      }).length }"""
    assert root.evaluate(inside) == 0


def test_a_game_works_behind_controls(page: Any) -> None:
    games = {"diamond": diamond, "arrows": arrows}
    one = Explorer("Games", [Choice("game", "Game", games)], lambda game: game())
    show(page, one.html())
    page.click("[data-k=d]")
    assert now(page) == "d reports."
    page.get_by_role("radio", name="arrows").check(force=True)
    assert now(page) == "Draw where each gradient goes."
    said = page.locator(".tk-unseen[role=status]").text_content()
    assert said == "Game: arrows. Draw where each gradient goes."


@pytest.mark.parametrize("width", [1100, 420])
def test_the_buttons_stay_where_they_are(new_page: Any, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    show(page, Stepper(diamond()).html())
    places = [page.locator(".tk-tools").bounding_box()]
    for key in "adacba":
        page.click(f"[data-k={key}]")
        places.append(page.locator(".tk-tools").bounding_box())
    assert all(place == places[0] for place in places)
