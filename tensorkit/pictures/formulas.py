"""Formulas of the table as a reader writes them, with the names and numbers of a run in them.

``z * (1 - z)`` becomes y · (1 − y) where the output is called y; with y = 2, the slope of x ** y
becomes 2 · x. The text of the table is read, never repeated here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from tensorkit import ops
from tensorkit.pictures.text import MINUS, fmt
from tensorkit.tape import Call, Grid, Tape

Value = str | float
SIGNS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Add: (" + ", 1),
    ast.Sub: (f" {MINUS} ", 1),
    ast.Mult: (" · ", 2),
    ast.Div: (" / ", 2),
    ast.Pow: ("^", 4),
}
COMPARISONS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
ATOM = 9
RANKS = {
    **dict.fromkeys("<≤>≥=≠≈", 0),
    **dict.fromkeys(f"+{MINUS}", 1),
    **dict.fromkeys("×÷", 2),
    **dict.fromkeys("Σ√Π∀", 3),
    "^": 4,
}
# folds whose slope has cases: what becomes of the gradient, in words
WORDS = {"max": "to the max", "prod": "× the others", "all": "× 0", "maximum": "to the max"}


class NotShort(Exception):
    """The formula has cases: it cannot be shown in a few signs."""


def pretty(formula: str, cells: Mapping[str, Value]) -> str:
    """Return a formula with names and numbers put in, fit to stand in a product.

    Raises NotShort if it has cases.
    """
    text, rank = _write(ast.parse(formula, mode="eval").body, cells)
    return text if rank > 1 else f"({text})"


def _write(node: ast.expr, cells: Mapping[str, Value]) -> tuple[str, int]:
    value = _value(node, cells)
    if not isinstance(value, ast.expr):
        return (fmt(value), ATOM if isinstance(value, str) or value >= 0 else 3)
    node = value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        text, rank = _write(node.operand, cells)
        return MINUS + (text if rank >= 3 else f"({text})"), 3
    if isinstance(node, ast.BinOp):
        sign, rank = SIGNS[type(node.op)]
        left, right = _write(node.left, cells), _write(node.right, cells)
        if isinstance(node.op, ast.Pow) and right[0] == "1":
            return left
        if isinstance(node.op, ast.Mult) and left[0] == "1":
            return right
        a = left[0] if left[1] >= rank else f"({left[0]})"
        b = right[0] if right[1] > rank else f"({right[0]})"
        return f"{a}{sign}{b}", rank
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inner = ", ".join(_write(one, cells)[0] for one in node.args)
        return f"{node.func.id}({inner})", ATOM
    if isinstance(node, ast.IfExp):
        return _cases(node, cells)
    raise NotShort(ast.dump(node))


def _value(node: ast.expr, cells: Mapping[str, Value]) -> ast.expr | Value:
    """Return the number or the name that a node comes down to, else the node."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return cells.get(node.id, node.id)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, cells), _value(node.right, cells)
        if isinstance(left, float) and isinstance(right, float):
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, ast.Sub):
                return left - right
    return node


def _cases(node: ast.IfExp, cells: Mapping[str, Value]) -> tuple[str, int]:
    test, yes, no = node.test, _value(node.body, cells), _value(node.orelse, cells)
    if yes == 0.0 and isinstance(no, ast.expr):
        return _write(no, cells)  # a guard around a single point
    simple = isinstance(test, ast.Compare) and len(test.ops) == 1
    if yes == 1.0 and no == 0.0 and isinstance(test, ast.Compare) and simple:
        sign = COMPARISONS[type(test.ops[0])]
        left, right = _write(test.left, cells)[0], _write(test.comparators[0], cells)[0]
        return f"({left} {sign} {right})", ATOM
    raise NotShort(ast.unparse(node))


def expression(tape: Tape, call: Call) -> str:
    """Return a call as one writes it: x × w, σ(z), Σ y, x.view(6)."""
    return written(call, [short(tape.grids[k]) for k in call.inputs])


def written(call: Call, names: Sequence[str]) -> str:
    """Return a call on operands that are already written."""
    settings, symbol = call.settings, call.symbol
    if call.name == "where":
        return f"{names[0]} ? {names[1]} : {names[2]}"
    if call.kind == "product":
        return f"{names[0]} {symbol} {names[1]}"
    if call.kind == "zip" and not symbol.isalpha():
        return f"{names[0]}^{names[1]}" if symbol == "^" else f"{names[0]} {symbol} {names[1]}"
    if call.name == "neg":
        return f"{MINUS}{names[0]}"
    if call.name == "reciprocal":
        return f"1 / {names[0]}"
    if call.name == "expand":
        return f"{names[0]} {symbol} {settings['shape']}"
    if call.name == "view":
        return f"{names[0]}.view{call_text(settings['shape'])}"
    if call.name == "permute":
        return f"{names[0]}.permute{call_text(settings['order'])}"
    if call.kind == "move":
        return f"{names[0]}.{call.name}()"
    if symbol in ("Σ", "Π", "∀"):
        return f"{symbol} {names[0]}"
    return f"√{names[0]}" if symbol == "√" else f"{symbol}({', '.join(names)})"


def call_text(lengths: tuple[int, ...]) -> str:
    """Return lengths as the arguments of a call: (6), (2, 3)."""
    return f"({', '.join(map(str, lengths))})"


def short(grid: Grid) -> str:
    """Return the name of a grid, or the number that it is."""
    return grid.name if grid.number is None else fmt(grid.number)


def over(call: Call) -> str:
    """Return which dims a fold goes over, or an expand stretches: "dim 1", "all dims"."""
    if call.kind == "reduce":
        dims, count = call.settings["dims"], len(call.settings["from_shape"])
    else:
        dims, count = stretched(call), len(call.settings["shape"])
    if len(dims) == count:
        return "all dims" if count > 1 else "dim 0" if count else "no dim"
    return ("dim " if len(dims) == 1 else "dims ") + ", ".join(map(str, dims))


def stretched(call: Call) -> tuple[int, ...]:
    """Return the dims, counted in the result, along which an expand makes copies."""
    before, after = call.settings["from_shape"], call.settings["shape"]
    padded = (1,) * (len(after) - len(before)) + tuple(before)
    return tuple(d for d, (a, b) in enumerate(zip(padded, after, strict=True)) if a != b)


def cells_of(tape: Tape, call: Call) -> dict[str, Value]:
    """Return what x, y, z and n of a table's formula are called in this call."""
    cells: dict[str, Value] = {"z": tape.grids[call.out].name}
    row: Any = ops.ROWS.get(call.name)
    for letter, k in zip(getattr(row, "names", ("x", "y")), call.inputs, strict=False):
        number = tape.grids[k].number
        cells[letter] = tape.grids[k].name if number is None else number
    if call.kind == "reduce":
        met = tape.grids[call.inputs[0]].values.size // max(1, tape.grids[call.out].values.size)
        cells["n"] = float(met)
    return cells


def slope(tape: Tape, call: Call, k: int) -> str:
    """Return the local derivative for input ``k`` in a few signs, or "slope" if it has cases."""
    row: Any = ops.ROWS.get(call.name)
    if row is None or call.kind not in ("map", "zip", "reduce"):
        return "slope"
    try:
        text = pretty(row.derivatives[k], cells_of(tape, call))
    except NotShort:
        return "slope"
    return text if len(text) <= 16 else "slope"


def rule(tape: Tape, call: Call, k: int) -> str:
    """Return what a call does to the gradient on its way back to input ``k``, in a few signs."""
    if call.name == "expand":
        return f"Σ {over(call)}" if stretched(call) else "same"
    if call.kind == "move":
        return {"permute": "dims back", "view": "shape back"}.get(call.name, "same")
    if call.kind == "function":
        return "yours"
    if call.name in WORDS:
        return WORDS[call.name]
    text = slope(tape, call, k)
    if call.kind == "reduce":
        return "copies" if text == "1" else f"copies × {text}".replace("1 / ", "1/")
    return "same" if text == "1" else f"× {text}"


def whole(tape: Tape, most: int = 60) -> str | None:
    """Return the expression behind the result in one piece; None if it is longer than ``most``."""
    texts: dict[int, tuple[str, int]] = {}
    for number, grid in enumerate(tape.grids):
        if grid.call is None:
            texts[number] = short(grid), ATOM
            continue
        call = tape.calls[grid.call]
        parts = [texts[k] for k in call.inputs]
        if any(len(text) > most for text, _ in parts):
            return None
        if call.name in ("expand", "to"):
            texts[number] = parts[0]
            continue
        rank = RANKS.get(call.symbol, ATOM)
        least = [0] * len(parts) if rank == ATOM and call.kind != "move" else [rank, rank + 1]
        inner = [
            text if have >= need else f"({text})"
            for (text, have), need in zip(parts, least, strict=False)
        ]
        texts[number] = written(call, inner or [text for text, _ in parts]), rank
    text = texts[tape.result][0]
    return text if len(text) <= most else None
