"""Where the tensors and operations of a graph go, and how lines run between them.

An operation stands just left of the tensor that it makes: its symbol in line with the values, its
local rules in line with the gradient. Between two layers, lines climb and fall in lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tensorkit.pictures.graph_layers import PORT, Box, Item, Joint, Layers, arrange_layers
from tensorkit.pictures.layout import BoxEdges, Point

SYMBOL = 0.9  # height of the cell with an operation's symbol
RULE = 0.66  # height of a cell with a local rule
NECK = 0.68  # from an operation to its output
LANE = 0.26  # between two lanes
CLEAR = 0.38  # beside the lanes
Key = tuple[int, int]  # which joint, which of its edges


@dataclass
class Plan:
    """Where everything is. Lines are points from left to right; a gradient goes the other way."""

    size: Point
    boxes: list[Point]  # the left end of each line of values
    symbols: list[BoxEdges]
    rules: dict[Key, BoxEdges] = field(default_factory=dict)
    forward: dict[Key, list[Point]] = field(default_factory=dict)
    backward: dict[Key, list[Point]] = field(default_factory=dict)


@dataclass
class Line:
    """A line on its way from a tensor to an operation: its height in each layer it meets."""

    key: Key
    layer: int
    heights: list[float]
    lanes: list[int] = field(default_factory=list)


def rules_top(box: Box, count: int, aligned: int = 0) -> float:
    """Return how far below the values the rules of the operation that makes ``box`` begin."""
    return max(SYMBOL / 2 + 0.06, box.back - RULE / 2 - RULE * aligned)


def lay_out(boxes: Sequence[Box], joints: Sequence[Joint], root: int) -> Plan:
    """Return the plan of a graph whose joints are given in the order they were made."""
    roomy = list(boxes)
    for joint in joints:  # an operation may reach lower than the tensor that it makes
        box = boxes[joint.out]
        count = sum(edge.back is not None for edge in joint.edges)
        low = rules_top(box, count) + RULE * count
        roomy[joint.out] = Box(box.width, box.cells, box.above, max(box.below, low), box.back)
    found = arrange_layers(roomy, joints, root)
    forward, backward, rules = ports(boxes, joints, found)
    plan = Plan((0, 0), [(0, item.y) for item in found.items], [(0, 0, 0, 0)] * len(joints))
    x = 0.0
    lane_x: list[list[float]] = [[]]
    for number, column in enumerate(found.columns):
        if number:
            count = share_lanes([*forward, *backward], number - 1)
            lane_x.append([x + CLEAR + LANE * k for k in range(count)][::-1])
            x += 2 * CLEAR + LANE * max(0, count - 1) + (0.15 if count else 0)
            here = [k for k, joint in enumerate(joints) if found.items[joint.out].layer == number]
            x = put_operations(plan, joints, here, rules, found.items, x) + NECK
        widest = max((boxes[i.box].width for i in column if i.box is not None), default=0.0)
        for item in column:
            if item.box is not None:
                leaf = not item.left and item.right
                indent = widest - boxes[item.box].cells if leaf and number else 0.0
                plan.boxes[item.box] = x + min(indent, widest - boxes[item.box].width), item.y
        x += widest
    for lines, put in ((forward, plan.forward), (backward, plan.backward)):
        for line in lines:
            put[line.key] = points(line, plan, joints, boxes, lane_x)
    plan.size = x, max(item.y + item.below for column in found.columns for item in column)
    return plan


def ports(
    boxes: Sequence[Box], joints: Sequence[Joint], found: Layers
) -> tuple[list[Line], list[Line], dict[Key, float]]:
    """Return the lines with their heights, and where each rule begins."""
    forward: list[Line] = []
    backward: list[Line] = []
    rules: dict[Key, float] = {}
    for number, joint in enumerate(joints):
        y = found.items[joint.out].y
        chains = [found.chains[number, k] for k in range(len(joint.edges))]
        down = sorted(range(len(chains)), key=lambda k, c=chains: (c[k][-2].y, k))  # type: ignore[misc]
        level = next((at for at, k in enumerate(down) if abs(chains[k][-2].y - y) < 0.02), None)
        middle = (len(down) - 1) / 2 if level is None else level
        pulled = [k for k in down if joint.edges[k].back is not None]
        aligned = pulled.index(down[level]) if level is not None and down[level] in pulled else 0
        rule_y = y + rules_top(boxes[joint.out], len(pulled), aligned)
        for at, k in enumerate(down):
            chain, edge = chains[k], joint.edges[k]
            start, passing = chain[0].y, [item.y for item in chain[1:-1]]
            port = y + (at - middle) * PORT
            forward.append(Line((number, k), chain[0].layer, [start, *passing, port]))
            if edge.back is not None:
                rules[number, k] = rule_y
                below = [one + PORT for one in passing]
                heights = [start + edge.back, *below, rule_y + RULE / 2]
                backward.append(Line((number, k), chain[0].layer, heights))
                rule_y += RULE
    return forward, backward, rules


def share_lanes(lines: Sequence[Line], layer: int) -> int:
    """Give every line that climbs or falls behind ``layer`` a lane, and return how many there are.

    Of lines that fall, the highest comes right-most, of lines that climb the lowest: then two that
    go the same way do not cross. Lanes are counted from the right.
    """
    steep = []
    for line in lines:
        k = layer - line.layer
        if 0 <= k < len(line.heights) - 1:
            line.lanes.append(-1)
            start, end = line.heights[k : k + 2]
            if abs(start - end) > 0.02:
                steep.append((line, start, end))
    steep.sort(key=lambda one: one[1] if one[2] > one[1] else -one[1])
    taken: list[list[tuple[float, float]]] = []
    for line, start, end in steep:
        low, high = min(start, end) - 0.1, max(start, end) + 0.1
        free = (k for k, lane in enumerate(taken) if all(high < a or b < low for a, b in lane))
        number = next(free, len(taken))
        if number == len(taken):
            taken.append([])
        taken[number].append((low, high))
        line.lanes[-1] = number
    return len(taken)


def put_operations(
    plan: Plan,
    joints: Sequence[Joint],
    here: Sequence[int],
    rules: dict[Key, float],
    items: Sequence[Item],
    x: float,
) -> float:
    """Place the operations of one layer from ``x`` on, and return where they end."""
    widest = max((joints[k].width for k in here), default=0.0)
    for k in here:
        joint = joints[k]
        left = x + (widest - joint.width) / 2
        y = items[joint.out].y
        plan.symbols[k] = (left, y - SYMBOL / 2, left + joint.width, y + SYMBOL / 2)
        for edge in range(len(joint.edges)):
            if (k, edge) in rules:
                top = rules[k, edge]
                plan.rules[k, edge] = (left, top, left + joint.width, top + RULE)
    return x + widest


def points(
    line: Line,
    plan: Plan,
    joints: Sequence[Joint],
    boxes: Sequence[Box],
    lane_x: Sequence[Sequence[float]],
) -> list[Point]:
    """Return the corners of a line, with its ends."""
    number, k = line.key
    source = joints[number].edges[k].source
    path = [(plan.boxes[source][0] + boxes[source].cells, line.heights[0])]
    for step, lane in enumerate(line.lanes):
        if lane >= 0:
            x = lane_x[line.layer + step + 1][lane]
            path += [(x, line.heights[step]), (x, line.heights[step + 1])]
    return [*path, (plan.symbols[number][0], line.heights[-1])]
