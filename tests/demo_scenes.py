"""Scenes that use every kind of mark, for the tests of pictures and of the stepper."""

from __future__ import annotations

import math

import numpy as np

from tensorkit.pictures import Scene, Source, fmt
from tensorkit.pictures.text import MINUS

CODE = Source(
    [
        "def my_sum(out, out_shape, out_strides, a, a_shape, a_strides, dim):",
        "    for o in range(len(out)):",
        "        start = o * a_strides[0]",
        "        for j in range(a_shape[dim]):",
        "            out[o] += a[start + j]",
    ],
    first=11,
)


def reduce_scene() -> Scene:
    """A learner's sum over dim 1 of a (3, 4) tensor: storage, code, and a wrong read at the end."""
    a = np.array([[7, 4, -3, 1], [0, -4, 2, 8], [3, 9, -1, 5]])
    scene = Scene(16, 9.4, "my_sum over dim 1 of a (3, 4)", code=CODE)
    tensor = scene.tensor("a", a, 1, 1.3, label="a (3, 4)")
    out = scene.tensor("out", [[0], [0], [0]], 8, 1.3, label="out (3, 1)")
    tape = scene.strip("sa", a, 1, 6.3, label="storage of a, strides (4, 1)")
    scene.label(5.2, 0.9, "dim 1 \N{RIGHTWARDS ARROW}", role="dim", italic=True, size=9.5)
    for o in range(3):
        x0, y0, _, y1 = tensor.cell_box((o, 0))
        scene.outline(f"row{o}", x0, y0, tensor.box[2], y1)
        middle = (y0 + y1) / 2
        scene.arrow(f"to{o}", (tensor.box[2] + 0.1, middle), (out.box[0] - 0.05, middle), "write")
        scene.link(out.key((o, 0)), [tensor.key((o, j)) for j in range(4)])
    scene.step("out starts at 0, the value that changes no sum.", line=11, write=out.keys)
    totals = [0, 0, 0]
    for o in range(3):
        for j in range(4):
            p = 4 * o + j
            totals[o] += int(a[o, j])
            scene.step(
                f"out[{o}] += a[{p}]: {fmt(totals[o] - int(a[o, j]))} + {fmt(a[o, j])}",
                line=15,
                marks=[(22, 34)],
                variables=f"o = {o}   start = {4 * o}   j = {j}",
                text={out.key((o, 0)): totals[o]},
                read=[tensor.key((o, j)), tape.key(p)],
                write=out.key((o, 0)),
                show=[f"row{o}", f"to{o}"],
                keep={"dim": [tensor.key((o, j))], **({"done": out.keys[o]} if j == 3 else {})},
            )
    scene.step(
        "out[2] read a[0], which is not one of a[8], a[9], a[10], a[11].",
        line=15,
        marks=[(12, 18), (22, 34)],
        bad=True,
        variables="o = 2   start = 8   j = 4",
        wrong=[tensor.key((0, 0)), tape.key(0)],
        expected=[tensor.key((2, j)) for j in range(4)],
    )
    return scene


def dims_scene() -> Scene:
    """Tensors of 0 to 4 dims, one of them empty."""
    scene = Scene(24, 15.2, "Tensors of 0 to 4 dims")
    scene.tensor("s", 7, 0.5, 1.3, label="0-D ()")
    scene.tensor("v", np.arange(5), 3, 1.3, label="1-D (5,)")
    m = scene.tensor("m", np.arange(12).reshape(3, 4), 10, 1.3, label="2-D (3, 4)")
    scene.tensor("e", np.zeros((0, 3)), 16, 1.3, label="2-D (0, 3)")
    t = scene.tensor("t", np.arange(24).reshape(2, 3, 4), 0.5, 6.3, label="3-D (2, 3, 4)")
    f = scene.tensor("f", np.arange(24).reshape(2, 2, 3, 2) - 11, 13, 6.3, label="4-D (2, 2, 3, 2)")
    scene.step("Every tensor is cells in an order.", read=m.keys)
    scene.step(
        "One cell of each.", write=[t.key((1, 2, 3)), f.key((1, 0, 2, 1))], read=m.key((2, 1))
    )
    return scene


def graph_scene() -> Scene:
    """An expression's graph with pills, arrows of all kinds, long numbers, and gradients."""
    scene = Scene(21.5, 8.6, "Gradient of (x \N{MULTIPLICATION SIGN} w).exp()")
    cell = (1.5, 0.9)
    values = np.array([[1.5, -2.25, 1234567.0], [0.00042, -0.1, 3.0]])
    x = scene.tensor("x", values, 0.5, 1.4, label="x (2, 3)", cell=cell)
    dx = scene.tensor("dx", np.full((2, 3), ""), 0.5, 3.4, cell=cell, role="ghost")
    copies = np.array([[False], [True]])
    w = scene.tensor("w", [[0.5, -1, 2]] * 2, 3.6, 6.3, label="w (3,)", cell=cell, ghost=copies)
    scene.pill("mul", 6.4, 1.5, 1.1, 1.7, "\N{MULTIPLICATION SIGN}", size=15)
    scene.pill("dmul", 6.4, 3.4, 1.1, 1.7, "\N{MIDDLE DOT}w", role="ghost")
    odd = [[math.nan, math.inf, -math.inf], ["", "", ""]]
    y = scene.tensor("y", np.array(odd, dtype=object), 9, 1.4, label="y = x w", cell=cell)
    dy = scene.tensor("dy", np.full((2, 3), ""), 9, 3.4, cell=cell, role="ghost")
    scene.arrow("f1", (5.1, 2.3), (6.35, 2.3), visible=True)
    scene.arrow("f2", (7.55, 2.3), (8.95, 2.3), visible=True)
    scene.arrow("b1", (8.95, 4.3), (7.55, 4.3), "grad", dashed=True)
    scene.arrow("b2", (6.35, 4.3), (5.1, 4.3), "grad", dashed=True)
    scene.arrow("fw", (8.2, 6.75), (6.95, 5.2), visible=True, via=(8.2 + 0.6, 6.0))
    scene.arrow("jump", x.centre((0, 0)), x.centre((0, 2)), "write", curve=0.3)
    scene.arrow("elbow", (13.6, 2.3), (16.2, 5.2), "expected", via=[(15, 2.3), (15, 5.2)])
    scene.label(16.4, 5.2, "a note", key="note", italic=True)
    scene.step("The leaves.", read=x.keys + w.keys[:3])
    scene.step(
        "Forward: three products.",
        text=dict(zip(y.keys[3:], [0.00021, 0.1, 6.0], strict=True)),
        read=x.keys[3:],
        write=[*y.keys[3:], "mul"],
        show=["jump", "elbow"],
    )
    scene.step(
        "Backward starts with distinct gradients.",
        text={
            **dict(zip(dy.keys, [1, -2, 0.1966, 1e-9, 54321, -98765.4], strict=True)),
            "note": "seen",
        },
        grad=[*dy.keys, "note"],
        keep={"known": dy.keys},
    )
    scene.step(
        "Backward through the product.",
        text=dict(zip(dx.keys, [0.5, 2, 0.3932, 0, -54321.9, -2e7], strict=True)),
        read=dy.keys,
        grad=[*dx.keys, "dmul"],
        hold=["b1", "b2"],
        keep={"known": [*dx.keys, "dmul"]},
    )
    scene.step("All gradients are known.", keep={None: dx.keys[:1]})
    return scene


def hostile_scene() -> Scene:
    """Texts and keys that would break a page that trusted them."""
    bad = "</script><!--<script>alert(1)</script>&\"'"
    scene = Scene(8, 3, bad, code=Source([f"x = {bad!r}", ""]))
    scene.cell("__proto__", 1, 1, bad)
    scene.cell("a b", 2, 1, "<b>")
    scene.cell('"><img src=x onerror=alert(1)>', 3, 1, f"{MINUS}1")
    scene.label(1, 2.5, bad, key="constructor")
    scene.outline("toString", 1, 1, 2, 2)
    scene.link("__proto__", ["a b"])
    scene.step(bad, line=1, marks=[(0, 5)], variables=bad, read=["__proto__"], show=["toString"])
    scene.step("then", text={"__proto__": bad + "!", "constructor": "done"}, wrong=["a b"])
    return scene


SCENES = {
    "reduce": reduce_scene,
    "dims": dims_scene,
    "graph": graph_scene,
    "hostile": hostile_scene,
}
