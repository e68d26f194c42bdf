"""A wall of suspects: each claims to compute something, and an input finds it out or does not.

A right answer on one input proves little. A suspect that survives is no better than one that dies:
the input hides its mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorkit.pictures.scene import Scene

ACROSS = 6
CARD = (4.9, 0.95)
PITCH = (5.15, 1.75)
MARGIN = 0.5
TOP = 3.1  # above the wall: the input


@dataclass(frozen=True)
class Verdict:
    """How a suspect fared: ``evidence`` against it, None if its answer was right here.

    ``sentence`` says what it really computes, and ``hides`` what would give it away if that alone
    were another: "another shape".
    """

    name: str
    claim: str
    sentence: str
    evidence: str | None
    hides: tuple[str, ...] = ()


def arena_scene(
    title: str, given: Sequence[str], verdicts: Sequence[Verdict], ends: Sequence[str] = ()
) -> Scene:
    """Return the wall for one input, which ``given`` describes in lines of text.

    ``ends`` are the sentences after the last verdict. Every scene of as many suspects and lines has
    its cells in the same places, under the same keys: ``s0``, ``s1`` ...
    """
    rows = -(-len(verdicts) // ACROSS)
    width = 2 * MARGIN + ACROSS * PITCH[0] - (PITCH[0] - CARD[0])
    scene = Scene(width, TOP + rows * PITCH[1] + 0.2, title)
    for k, line in enumerate(given):
        scene.label(MARGIN, MARGIN + 0.1 + 0.62 * k, line, key=f"d{k}", size=10.5, mono=True)
    for k, one in enumerate(verdicts):
        x, y = MARGIN + k % ACROSS * PITCH[0], TOP + k // ACROSS * PITCH[1]
        scene.label(x + 0.05, y - 0.28, one.claim, size=9.5, role="dim")
        scene.cell(f"s{k}", x, y, one.name, *CARD, size=12)
    scene.step(
        f"{len(verdicts)} suspects, each with one mistake, meet this input. "
        "Step on to see who is found out."
    )
    for k, one in enumerate(verdicts):
        tell(scene, f"s{k}", one)
    dead = sum(one.evidence is not None for one in verdicts)
    scene.step(f"This input finds out {dead} of {len(verdicts)}. Whom does another one get?")
    for said in ends:
        scene.step(said)
    return scene


def tell(scene: Scene, key: str, one: Verdict) -> None:
    """Add the step of one suspect."""
    if one.evidence is not None:
        scene.step(
            f"{one.name} ({one.claim}) is found out: {one.evidence}. "
            f"What it computes: {one.sentence}.",
            wrong=key,
            keep={"wrong": key},
        )
        return
    why = "no single change of yours would give it away"
    if one.hides:
        why = f"{' or '.join(one.hides)} would give it away"
    scene.step(
        f"{one.name} ({one.claim}) survives: its answer is right here, cell by cell; {why}.",
        expected=key,
        keep={"done": key},
    )
