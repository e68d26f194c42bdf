"""Which layer of a graph's picture a tensor stands in, and how high.

Layers run from left to right, and a tensor stands as late as its consumers allow. A line that skips
a layer takes a place in it, like a flat box, so that no line crosses a box. After Sugiyama, Tagawa
and Toda 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SEPARATION = 0.55  # between two boxes of a layer
PORT = 0.28  # between two lines that run side by side


@dataclass(frozen=True)
class Box:
    """A tensor: its width, its cells' width, and heights measured from its line of values."""

    width: float
    cells: float
    above: float
    below: float
    back: float = 0.0  # where its gradient leaves


@dataclass(frozen=True)
class Edge:
    """From a tensor to an operation; ``back`` is where the gradient arrives, None if none does."""

    source: int
    back: float | None


@dataclass(frozen=True)
class Joint:
    """An operation: the box it makes, its edges in order, its width."""

    out: int
    edges: tuple[Edge, ...]
    width: float


@dataclass(eq=False)
class Item:
    """What takes a place in a layer: a box, or (box is None) a line that passes through."""

    layer: int
    above: float
    below: float
    box: int | None = None
    weight: float = 1.0
    y: float = 0.0
    left: list[tuple[Item, float]] = field(default_factory=list)
    right: list[tuple[Item, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Layers:
    """The layers from left to right, each from top to bottom, and the items of every edge."""

    columns: list[list[Item]]
    items: list[Item]
    chains: dict[tuple[int, int], list[Item]]


def arrange_layers(boxes: Sequence[Box], joints: Sequence[Joint], root: int) -> Layers:
    """Give every box a layer and a y. The joints come in the order in which they were made."""
    layer = layers(len(boxes), joints, root)
    items = [Item(layer[k], box.above, box.below, k) for k, box in enumerate(boxes)]
    line = spine({joint.out: joint for joint in joints}, root)
    for k in line:
        items[k].weight = 1e4
    chains: dict[tuple[int, int], list[Item]] = {}
    for number, joint in enumerate(joints):
        for k, edge in enumerate(joint.edges):
            stops = range(layer[edge.source] + 1, layer[joint.out])
            low = 0.3 if edge.back is None else PORT + 0.3
            passing = [Item(at, 0.3, low, weight=2.0) for at in stops]
            chains[number, k] = chain = [items[edge.source], *passing, items[joint.out]]
            for a, b in pairwise(chain):
                straight = a.box in line and b.box in line
                pull = 20.0 if straight else 8.0 if a.box is b.box else 4.0 if k == 0 else 1.0
                a.right.append((b, pull))
                b.left.append((a, pull))
    columns = order(items[root], max(layer) + 1, items)
    settle(columns)
    top = min(item.y - item.above for column in columns for item in column)
    for column in columns:
        for item in column:
            item.y -= top
    return Layers(columns, items, chains)


def layers(count: int, joints: Sequence[Joint], root: int) -> list[int]:
    """Return the layer of each box: as far right as its consumers allow."""
    late = {root: 0}
    for joint in reversed(joints):
        for edge in joint.edges:
            before = late.get(joint.out, 0) - 1
            late[edge.source] = min(late.get(edge.source, 0), before)
    first = min(late.values())
    return [late.get(k, first) - first for k in range(count)]


def spine(made_by: dict[int, Joint], root: int) -> list[int]:
    """Return the boxes of the longest chain to the root: they shall stand in one line."""
    depth: dict[int, int] = {}
    for out, joint in made_by.items():
        depth[out] = 1 + max((depth.get(e.source, 0) for e in joint.edges), default=0)
    chain = [root]
    while chain[-1] in made_by:
        sources = [edge.source for edge in made_by[chain[-1]].edges]
        if not sources:
            break
        chain.append(max(sources, key=lambda k: depth.get(k, 0)))
    return chain


def order(root: Item, count: int, items: list[Item]) -> list[list[Item]]:
    """Return the layers with their items from top to bottom, with few crossings."""
    columns: list[list[Item]] = [[] for _ in range(count)]
    seen: set[Item] = set()
    waiting = [*reversed(items), root]  # from the root, so that first operands come out on top
    while waiting:
        item = waiting.pop()
        if item not in seen:
            seen.add(item)
            columns[item.layer].append(item)
            waiting += [before for before, _ in reversed(item.left)]
    best, fewest = columns, crossings(columns)
    for sweep in range(6):
        columns = [list(column) for column in columns]
        for column in columns if sweep % 2 else reversed(columns):
            rank = {one: k for other in columns for k, one in enumerate(other)}
            middle = {one: barycentre(one, rank, bool(sweep % 2)) for one in column}
            column.sort(key=lambda one: middle[one])
        if crossings(columns) < fewest:
            best, fewest = columns, crossings(columns)
    return best


def barycentre(item: Item, rank: dict[Item, int], leftwards: bool) -> float:
    """Return the mean place of the neighbours of an item on one side; its own if it has none."""
    places = [rank[one] for one, _ in (item.left if leftwards else item.right)]
    return sum(places) / len(places) if places else float(rank[item])


def crossings(columns: list[list[Item]]) -> int:
    """Count the pairs of lines between neighbouring layers that cross."""
    rank = {item: k for column in columns for k, item in enumerate(column)}
    total = 0
    for column in columns:
        ends = [(rank[a], rank[b]) for a in column for b, _ in a.right]
        total += sum(a < c and b > d for a, b in ends for c, d in ends)
    return total


def settle(columns: list[list[Item]]) -> None:
    """Give every item its y: in line with its neighbours where there is room."""
    for column in columns:
        place(column, [0.0] * len(column))
    ways = [(columns, True), (columns[::-1], False)] * 4 + [(columns, True)]
    for path, leftwards in ways:
        for column in path:
            place(column, [wish(item, leftwards) for item in column])
    for column in columns[::-1]:  # now that the rest stands, leaves come up to their consumers
        place(column, [item.y if item.left else wish(item, False) for item in column])


def wish(item: Item, leftwards: bool) -> float:
    """Return the weighted median of the lines that meet an item on one side; else on the other."""
    lines = item.left if leftwards else item.right
    ends = sorted((one.y, weight) for one, weight in lines or item.left or item.right)
    half, seen = sum(weight for _, weight in ends) / 2, 0.0
    for y, weight in ends:
        seen += weight
        if seen >= half:
            return y
    return item.y


def place(column: list[Item], wishes: list[float]) -> None:
    """Come as near to the wishes, in weighted squares, as the order and the heights allow.

    With the heights taken off, the answer has to rise: pool neighbours that would not.
    """
    offsets, offset = [0.0], 0.0
    for a, b in pairwise(column):
        offset += a.below + SEPARATION + b.above
        offsets.append(offset)
    pools: list[list[float]] = []  # [mean, weight, how many]
    for item, wanted, offset in zip(column, wishes, offsets, strict=False):
        pools.append([wanted - offset, item.weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight, many = pools.pop()
            last = pools[-1]
            total = last[1] + weight
            pools[-1] = [(last[0] * last[1] + mean * weight) / total, total, last[2] + many]
    means = [mean for mean, _, many in pools for _ in range(int(many))]
    for item, mean, offset in zip(column, means, offsets, strict=False):
        item.y = mean + offset
