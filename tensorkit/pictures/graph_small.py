"""The graph of a long expression: a box for each tensor, its numbers in short, layers that wrap.

It is the same run as in the large picture and the same order of backward. A box holds the range of
a tensor and, once it is known, of its gradient; the lines below the graph hold the numbers of the
step. Moves may be folded away.
"""

from __future__ import annotations

from dataclasses import replace

from tensorkit.errors import ShapeError
from tensorkit.pictures import graph_words as words
from tensorkit.pictures.formulas import whole
from tensorkit.pictures.graph_bands import BESIDE, PORT, Bands, beside, far_edges, lay_out_bands
from tensorkit.pictures.graph_layers import Box, Edge, Joint
from tensorkit.pictures.graph_nodes import Node, brief, listed, nodes_of, told
from tensorkit.pictures.layout import Point
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.text import text_width
from tensorkit.pictures.theme import CELL
from tensorkit.tape import Cells, Pull, Share, Tape

MARGIN = 0.45
CELLS = 0.74  # height of a cell
HEAD = 0.62  # above the cells, for what the tensor is
NARROW, WIDE = 2.7, 4.6  # a box
DETAIL = 0.62  # between two lines of numbers
TAG = 0.6  # height of a name that stands for a line
NOTED = 200  # characters that a box shows to who points at it
MOST = 120  # operations
NOTE = "upper cell: values     lower cell: gradient, dashed until known     below: the numbers"


class SmallGraph:
    """A tape on a canvas. The values of grid 3 have the key ``v3``, its gradient the key ``g3``."""

    def __init__(
        self, tape: Tape, name: str, fold: bool = False, forward: bool = True, foot: int = 0
    ) -> None:
        """Draw and tell a tape, with ``fold`` without its moves.

        Without ``forward`` the values are there from the start, only backward is told, and pointing
        at a cell lights no other. ``foot`` is how many lines there are at least to write numbers
        on: ``d0``, ``d1`` ...
        """
        self.tape, self.forward = tape, forward
        self.nodes = nodes_of(tape, fold)
        if len(self.nodes) > MOST:
            raise ShapeError(
                f"this expression has {len(self.nodes)} tensors, and a picture can be followed up "
                f"to about {MOST}: draw a part of it"
            )
        found = {k: tape.gradient(k) for k in self.nodes}
        self.needs = {k: gradient for k, gradient in found.items() if gradient is not None}
        self.made = [node for node in self.nodes.values() if node.call is not None]
        self.widths = {k: self.width(node) for k, node in self.nodes.items()}
        self.tags: set[tuple[int, int]] = set()
        plan = self.plan()
        title = whole(tape) or (name if name.isidentifier() else "an expression")
        self.scene = self.canvas(plan.size, foot, title)
        for place, node in enumerate(self.nodes.values()):
            x, y = plan.boxes[place]
            self.draw(node, x + MARGIN, y + MARGIN, self.widths[node.grid])
        for (number, edge), line in plan.lines.items():
            shifted = [(x + MARGIN, y + MARGIN) for x, y in line]
            self.connect(self.made[number], edge, shifted, (number, edge) in self.tags)
        self.tell()

    def plan(self) -> Bands:
        """Lay out the boxes; where layers wrap, a name takes the place of too long a line."""
        place = {grid: k for k, grid in enumerate(self.nodes)}
        boxes = [self.box(k) for k in self.nodes]
        joints = [
            Joint(place[n.grid], tuple(Edge(place[k], None) for k in n.sources), 0.0)
            for n in self.made
        ]
        root = place[self.tape.result]
        plan = lay_out_bands(boxes, joints, root)
        if plan.count == 1:
            return plan
        for number, edge in far_edges(len(boxes), joints, root):
            self.tags.add((number, edge))
            edges = list(joints[number].edges)
            edges[edge] = Edge(len(boxes), None)
            joints[number] = replace(joints[number], edges=tuple(edges))
            wide = self.tag_width(self.made[number].sources[edge])
            boxes.append(Box(wide, wide, TAG / 2, TAG / 2))
        return lay_out_bands(boxes, joints, root)

    def canvas(self, size: Point, foot: int, name: str) -> Scene:
        """Return the scene with the lines below the graph."""
        given = len(self.nodes) - len(self.made)
        count = max(foot, min(4, max([given, *(1 + len(node.sources) for node in self.made)])))
        wide = max(size[0], text_width(NOTE) * 9.5 / CELL) + 2 * MARGIN
        top = MARGIN + size[1] + 0.75
        scene = Scene(wide, top + DETAIL * count + 0.75, f"{name}, forward and backward")
        self.lines = [f"d{k}" for k in range(count)]
        for k, key in enumerate(self.lines):
            scene.label(MARGIN, top + DETAIL * k, " ", key=key, size=10.5, mono=True)
        scene.label(MARGIN, scene.height - 0.42, NOTE, size=9.5, role="dim")
        return scene

    def width(self, node: Node) -> float:
        """Return how wide the box of a node is: as its words ask, within limits."""
        shape = str(self.tape.grids[node.grid].shape)
        words = text_width(node.title) * 10 * 1.13 + text_width(shape) * 8.5
        return min(WIDE, max(NARROW, words / CELL + 0.35))

    def tag_width(self, grid: int) -> float:
        """Return how wide the name of a tensor is where its line would be too long."""
        return max(0.9, text_width(self.tape.grids[grid].name) * 9.5 / CELL + 0.5)

    def box(self, grid: int) -> Box:
        """Return the room of a node, around the middle line of its cells."""
        half = CELLS if grid in self.needs else CELLS / 2
        ports = max(0, len(self.nodes[grid].sources) - 1) * PORT + BESIDE
        width = self.widths[grid]
        return Box(width, width, HEAD + half, max(half, ports))

    def draw(self, node: Node, x: float, y: float, width: float) -> None:
        """Draw a node around the line at y: what it is, its shape, its two cells."""
        grid, scene, k = self.tape.grids[node.grid], self.scene, node.grid
        top = y - (CELLS if k in self.needs else CELLS / 2)
        shape = str(grid.shape)
        room = width * CELL - text_width(shape) * 8.5 - 8
        title = node.title
        while text_width(title) * 10 * 1.13 > room and len(title) > 4:
            title = title[:-2].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
        scene.label(x + 0.03, top - 0.3, title, bold=True, size=10)
        scene.label(x + width - 0.04, top - 0.3, shape, size=8.5, role="dim", align="right")
        known = brief(grid.values) if node.call is None or not self.forward else " "
        scene.cell(f"v{k}", x, top, known, width, CELLS, size=10)
        scene.note(f"v{k}", f"{grid.name} = {listed(grid.values, NOTED)}")
        if k in self.needs:
            first = k == self.tape.result and not self.forward
            text, role = (brief(self.tape.grad_out), "known") if first else (" ", "ghost")
            scene.cell(f"g{k}", x, top + CELLS, text, width, CELLS, role, size=10)
            if self.forward:
                scene.note(f"g{k}", f"gradient of {grid.name} = {listed(self.needs[k], NOTED)}")

    def connect(self, node: Node, edge: int, line: list[Point], tagged: bool) -> None:
        """Draw both directions of an edge, which begins at the name of its tensor if ``tagged``."""
        scene, source, key = self.scene, node.sources[edge], f"{node.call}.{edge}"
        (x0, y0), (x1, y1) = line[0], line[-1]
        if tagged:
            wide, name = self.tag_width(source), self.tape.grids[source].name
            scene.pill(f"t{key}", x0 - wide, y0 - TAG / 2, wide, TAG, name, 9.5, "dim")
            scene.link(f"t{key}", f"v{source}")
        way = [(x0 + 0.04, y0), *line[1:-1], (x1 - 0.02, y1)]
        scene.arrow(f"f{key}", way[0], way[-1], "read", visible=True, via=way[1:-1] or None)
        if self.forward:
            scene.link(f"v{node.grid}", f"v{source}")
        if self.flows(node, edge):
            if self.forward:
                scene.link(f"g{source}", f"g{node.grid}")
            back = beside(way, BESIDE)[::-1]
            scene.arrow(f"b{key}", back[0], back[-1], "grad", dashed=True, via=back[1:-1] or None)

    def flows(self, node: Node, edge: int) -> bool:
        """Tell whether a gradient comes back along an edge."""
        return node.sources[edge] in self.needs and node.grid in self.needs

    def tell(self) -> None:
        """Add all steps."""
        tape, scene = self.tape, self.scene
        if self.forward:
            given = [k for k, node in self.nodes.items() if node.call is None]
            said = words.leaves(tape)
            scene.step(said, read=[f"v{k}" for k in given], text=self.values(given))
            for node in self.nodes.values():
                if node.call is not None:
                    self.tell_forward(node)
        last = f"g{tape.result}"
        begun = {last: brief(tape.grad_out)}
        scene.step(
            words.start(tape),
            text=begun | self.numbers([("grad_out", tape.grad_out)]),
            grad=last,
            keep={"known": last},
        )
        for group in told(tape, self.nodes):
            self.tell_backward(group)

    def tell_forward(self, node: Node) -> None:
        """Add the step that computes a node, with what is folded into its lines."""
        tape = self.tape
        assert node.call is not None
        before = [words.forward(tape, tape.calls[k]) for k in node.inside[::-1]]
        own, ins = f"v{node.grid}", tuple(dict.fromkeys(node.sources))
        self.scene.step(
            " ".join([*before, words.forward(tape, tape.calls[node.call])]),
            read=[f"v{k}" for k in ins],
            write=own,
            text={own: brief(tape.grids[node.grid].values)} | self.values([*ins, node.grid]),
        )

    def tell_backward(self, group: tuple[Pull, ...]) -> None:
        """Add one step of backward: what the engine sent from a node to those before it."""
        tape, own = self.tape, group[0]
        node = self.nodes[tape.calls[own.call].out]
        shares = [
            share
            for pull in group
            for share in pull.shares
            if share is not None and share.to in self.nodes
        ]
        text = {f"g{share.to}": self.arrived(share) for share in shares}
        self.scene.step(
            " ".join(words.backward(tape, pull) for pull in group),
            text=text | self.told(*group),
            read=f"g{node.grid}",
            grad=list(text),
            hold=[f"b{node.call}.{k}" for k in range(len(node.sources)) if self.flows(node, k)],
            keep={"known": [f"g{share.to}" for share in shares if share.completes]},
        )

    def told(self, *pulls: Pull) -> dict[str, str]:
        """Return the lines below the graph for steps of backward: what came, what was sent."""
        tape = self.tape
        name = tape.grids[tape.calls[pulls[0].call].out].name
        sent = [
            (f"to {tape.grids[share.to].name}", share.values)
            for pull in pulls
            for share in pull.shares
            if share is not None and share.to in self.nodes
        ]
        return self.numbers([(f"gradient of {name}", pulls[0].grad_out), *sent])

    def arrived(self, share: Share) -> str:
        """Return what a gradient's cell shows once a share is here."""
        if share.completes:
            return brief(share.total)
        return f"{share.number} of {share.count} shares here"

    def values(self, grids: list[int]) -> dict[str, str]:
        """Return the lines below the graph with the values of some tensors."""
        return self.numbers([(self.tape.grids[k].name, self.tape.grids[k].values) for k in grids])

    def numbers(self, named: list[tuple[str, Cells]]) -> dict[str, str]:
        """Return the lines below the graph: a name, a shape and the numbers on each."""
        heads = [f"{name} {values.shape}" for name, values in named]
        wide = max(map(len, heads)) + 2
        room = int((self.scene.width - 2 * MARGIN) * CELL / 6.4) - wide
        said = [
            f"{head:<{wide}}".replace(" ", "\N{NO-BREAK SPACE}") + listed(values, room)
            for head, (_, values) in zip(heads, named, strict=True)
        ]
        return dict(zip(self.lines, said + [" "] * len(self.lines), strict=False))
