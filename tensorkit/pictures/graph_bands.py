"""Where the nodes of a large graph go: layers from left to right that wrap, as a text does.

A graph of sixty operations is far wider than a page. Its layers are cut into bands of a page's
width, and a line that leaves one band on the right comes in again on the left of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import copysign

from tensorkit.pictures.graph_layers import (
    SEPARATION,
    Box,
    Item,
    Joint,
    Layers,
    arrange_layers,
    layers,
    settle,
)
from tensorkit.pictures.graph_layout import Key, Line, share_lanes
from tensorkit.pictures.layout import Point

PAGE = 31.0  # cells, the widest that a notebook shows without scrolling
LANE = 0.36  # between two lines that run side by side
CLEAR = 0.34  # beside the lanes
PORT = 0.46  # between two lines that enter one box
APART = 0.5  # between two bands
FAR = 3  # layers that a line may span in a graph that wraps
BESIDE = 0.17  # from a line to the one that carries the gradient back


@dataclass
class Bands:
    """Where everything is: the left ends of the boxes' middle lines, and a line for every edge."""

    size: Point
    boxes: list[Point]
    count: int = 1
    lines: dict[Key, list[Point]] = field(default_factory=dict)


@dataclass
class Band:
    """Some layers side by side: where each begins and ends, and how far all lie lower."""

    layers: range
    starts: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    lanes: dict[int, float] = field(default_factory=dict)  # the x of the right-most
    down: float = 0.0


def far_edges(count: int, joints: Sequence[Joint], root: int) -> list[Key]:
    """Return the edges that skip more than a few layers: a name says more than so long a line."""
    layer = layers(count, joints, root)
    return [
        (number, k)
        for number, joint in enumerate(joints)
        for k, edge in enumerate(joint.edges)
        if layer[joint.out] - layer[edge.source] > FAR
    ]


def lay_out_bands(
    boxes: Sequence[Box], joints: Sequence[Joint], root: int, page: float = PAGE
) -> Bands:
    """Return the plan of a graph whose joints are given in the order they were made."""
    room = page
    for _ in range(6):  # the lines between bands take room that only a first plan can tell
        plan = wrapped(boxes, joints, root, room)
        if plan.size[0] <= page:
            break
        room -= plan.size[0] - page + 0.1
    return plan


def wrapped(boxes: Sequence[Box], joints: Sequence[Joint], root: int, room: float) -> Bands:
    """Return the plan with bands at most ``room`` wide, without what stands left and right."""
    found = arrange_layers(boxes, joints, root)
    widest = [
        max((boxes[item.box].width for item in column if item.box is not None), default=0.0)
        for column in found.columns
    ]
    lines = lines_of(joints, found)
    bands = [Band(layers) for layers in cut(widest, gaps(lines, len(widest)), room)]
    for band in bands:
        settle_alone([found.columns[layer] for layer in band.layers])
    lines = lines_of(joints, found)
    between = gaps(lines, len(widest))
    going = [crossing(lines, band.layers[-1]) for band in bands[:-1]]
    side = CLEAR + LANE * max(map(len, going), default=0) if going else 0.0
    top = 0.0
    for band, after in zip(bands, [*going, []], strict=True):
        place(band, widest, between, side)
        items = [item for layer in band.layers for item in found.columns[layer]]
        high = min(item.y - item.above for item in items)
        band.down = top - high
        top += max(item.y + item.below for item in items) - high + APART + LANE * len(after)
    right = max(band.ends[band.layers[-1]] for band in bands) + side
    plan = Bands((right, top - APART), [(0.0, 0.0)] * len(boxes), len(bands))
    band_of = {layer: band for band in bands for layer in band.layers}
    for item in found.items:
        if item.box is not None:
            band = band_of[item.layer]
            plan.boxes[item.box] = band.starts[item.layer], item.y + band.down
    detours = {
        (line.key, band.layers[-1]): detour(band, bands[k + 1], line, at, len(after), found)
        for k, (band, after) in enumerate(zip(bands, going, strict=False))
        for at, line in enumerate(after)
    }
    for line in lines:
        source = joints[line.key[0]].edges[line.key[1]].source
        plan.lines[line.key] = path(line, boxes[source].width, plan.boxes[source], band_of, detours)
    return plan


def gaps(lines: Sequence[Line], count: int) -> list[float]:
    """Return the room before each layer, and give the lines their lanes."""
    for line in lines:
        line.lanes.clear()
    lanes = [0, *(share_lanes(lines, layer) for layer in range(count - 1))]
    return [2 * CLEAR + LANE * max(lane, 1) for lane in lanes]


def settle_alone(columns: list[list[Item]]) -> None:
    """Give the items of a band their heights, as if nothing stood before it or after it."""
    for item in columns[0]:
        item.left.clear()
    for item in columns[-1]:
        item.right.clear()
    settle(columns)
    for column in columns:
        for a, b in [*pairwise(column[::-1]), *pairwise(column)]:
            if not (b.left or b.right):  # nothing pulls at it: it keeps close to the others
                above = column.index(b) < column.index(a)
                near = -(a.above + b.below) if above else a.below + b.above
                b.y = a.y + near + (-SEPARATION if above else SEPARATION)


def cut(widest: Sequence[float], gaps: Sequence[float], page: float) -> list[range]:
    """Return which layers make each band: as few bands as fit the page, of like lengths."""

    def filled(most: int) -> list[range]:
        bands, first, x = [], 0, 0.0
        for layer, (wide, gap) in enumerate(zip(widest, gaps, strict=True)):
            if layer > first and (x + gap + wide > page or layer - first == most):
                bands.append(range(first, layer))
                first, x = layer, 0.0
            x += wide + (gap if layer > first else 0.0)
        return [*bands, range(first, len(widest))]

    fewest = filled(len(widest))
    most = -(-len(widest) // len(fewest))
    even = filled(most)
    return even if len(even) == len(fewest) else fewest


def lines_of(joints: Sequence[Joint], found: Layers) -> list[Line]:
    """Return a line for every edge: its height in each layer that it meets."""
    lines = []
    for number, joint in enumerate(joints):
        y = found.items[joint.out].y
        chains = [found.chains[number, k] for k in range(len(joint.edges))]
        down = sorted(range(len(chains)), key=lambda k, c=chains: (c[k][-2].y, k))  # type: ignore[misc]
        level = next((at for at, k in enumerate(down) if abs(chains[k][-2].y - y) < 0.02), None)
        middle = (len(down) - 1) / 2 if level is None or len(down) > 3 else level
        for at, k in enumerate(down):
            heights = [*(item.y for item in chains[k][:-1]), y + (at - middle) * PORT]
            lines.append(Line((number, k), chains[k][0].layer, heights))
    return lines


def crossing(lines: Sequence[Line], layer: int) -> list[Line]:
    """Return the lines that go on from ``layer`` to the next one, from top to bottom."""
    going = [line for line in lines if 0 <= layer - line.layer < len(line.heights) - 1]
    return sorted(going, key=lambda line: line.heights[layer - line.layer])


def place(band: Band, widest: Sequence[float], between: Sequence[float], left: float) -> None:
    """Give every layer of a band its left and right end, and its lanes, counted from the right."""
    x = left
    for layer in band.layers:
        if layer > band.layers[0]:
            x += between[layer]
            band.lanes[layer] = x - CLEAR - LANE / 2
        band.starts[layer], band.ends[layer] = x, x + widest[layer]
        x += widest[layer]


def detour(
    band: Band, following: Band, line: Line, at: int, count: int, found: Layers
) -> list[Point]:
    """Return how the line number ``at`` of ``count`` gets from one band to the next.

    The uppermost takes the outermost way on the right and the innermost on the left, so that lines
    that keep their order do not cross.
    """
    layer = band.layers[-1]
    k = layer - line.layer
    start, end = line.heights[k] + band.down, line.heights[k + 1] + following.down
    items = [item for one in following.layers for item in found.columns[one]]
    ceiling = min(item.y - item.above for item in items) + following.down
    right = band.ends[layer] + CLEAR + LANE * (count - 1 - at)
    low = ceiling - APART / 2 - LANE * at
    left = following.starts[following.layers[0]] - CLEAR - LANE * at
    return [(right, start), (right, low), (left, low), (left, end)]


def path(
    line: Line,
    width: float,
    begin: Point,
    band_of: dict[int, Band],
    detours: dict[tuple[Key, int], list[Point]],
) -> list[Point]:
    """Return the corners of a line, with its ends."""
    points = [(begin[0] + width, begin[1])]
    for step, (start, end) in enumerate(pairwise(line.heights)):
        layer = line.layer + step
        if (line.key, layer) in detours:
            points += detours[line.key, layer]
        elif line.lanes[step] >= 0:
            band = band_of[layer]
            x = band.lanes[layer + 1] - LANE * line.lanes[step]
            points += [(x, start + band.down), (x, end + band.down)]
    last = band_of[line.layer + len(line.heights) - 1]
    return [
        *points,
        (last.starts[line.layer + len(line.heights) - 1], line.heights[-1] + last.down),
    ]


def beside(line: Sequence[Point], by: float) -> list[Point]:
    """Return a line of straight pieces moved ``by`` to its right-hand side, downwards at first."""
    corners = [point for k, point in enumerate(line) if not k or point != line[k - 1]]
    shifts = []
    for (x0, y0), (x1, y1) in pairwise(corners):
        level = abs(x1 - x0) >= abs(y1 - y0)  # straight lines may be off by a hair
        shifts.append((0.0, copysign(by, x1 - x0)) if level else (copysign(by, y0 - y1), 0.0))
    moved = []
    for k, (x, y) in enumerate(corners):
        around = {shifts[max(k - 1, 0)], shifts[min(k, len(shifts) - 1)]}
        moved.append((x + sum(dx for dx, _ in around), y + sum(dy for _, dy in around)))
    return moved
