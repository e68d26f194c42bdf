"""The derivative of a formula, as a formula: how gradients of gradients come out of the table.

The table states each operation's slopes once. A gradient is itself computed by a formula, ``g``
times such a slope, so its own slope follows by the chain rule alone: each operator and function in
a formula is a row of the table, whose slopes are known.
"""

from __future__ import annotations

import ast
from functools import lru_cache

# the slopes of an operator or function, in x, y and z = its value: entered by the rows themselves
SLOPES: dict[str, tuple[str, ...]] = {
    # the distribution function and the density, which only occur in slopes
    "normal": ("bell(x)",),
    "bell": ("-x * z",),
}


def know(formula: str, slopes: tuple[str, ...]) -> None:
    """Remember the slopes of a row whose formula is one operator or function of its inputs."""
    match ast.parse(formula, mode="eval").body:
        case ast.BinOp(left=ast.Name(id="x"), op=op, right=ast.Name(id="y")):
            SLOPES[type(op).__name__] = slopes
        case ast.Call(func=ast.Name(id=name), args=[ast.Name(id="x")]):
            SLOPES[name] = slopes


@lru_cache(maxsize=1 << 12)
def differentiate(formula: str, name: str) -> str:
    """Return d formula / d name as a formula. Raises TypeError for what has no known slope."""
    return ast.unparse(_slope(_parsed(formula), name))


@lru_cache(maxsize=1 << 12)
def chain_rule(derivative: str, g: str = "g") -> str:
    """Return the formula of the upstream gradient ``g`` times a local derivative.

    ``g`` goes into the branches of a choice: where the derivative is 0, the gradient is 0, whatever
    arrives there, be it inf or nan.
    """
    node = _parsed(derivative)
    if _chooses(node):
        return ast.unparse(_spread(node, ast.Name(g)))
    if derivative == "1.0":
        return g
    plain = derivative.isidentifier() or derivative.replace(".", "").isdigit()
    return f"{g} * {derivative if plain else f'({derivative})'}"


def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _chooses(node: ast.expr) -> bool:
    """Whether a formula is a choice, or one divided by something."""
    match node:
        case ast.BinOp(left=left, op=ast.Div()):
            return _chooses(left)
    return isinstance(node, ast.IfExp)


def _spread(node: ast.expr, g: ast.expr) -> ast.expr:
    match node:
        case ast.IfExp(test=test, body=a, orelse=b):
            return ast.IfExp(test, _spread(a, g), _spread(b, g))
        case ast.BinOp(left=left, op=ast.Div(), right=right) if _chooses(left):
            return ast.BinOp(_spread(left, g), ast.Div(), right)
    return _mul(g, node)


def _number(value: float) -> ast.expr:
    return ast.Constant(value)


def _value(node: ast.expr) -> float | None:
    """Return the number that a formula is, if it is one; a minus sign is an operator to Python."""
    match node:
        case ast.Constant(value=float() | int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float() | int() as value)):
            return -value
    return None


def _add(a: ast.expr, b: ast.expr) -> ast.expr:
    if _value(a) == 0:
        return b
    return a if _value(b) == 0 else ast.BinOp(a, ast.Add(), b)


def _mul(a: ast.expr, b: ast.expr) -> ast.expr:
    if _value(a) == 0 or _value(b) == 0:
        return _number(0.0)
    for one, other in ((a, b), (b, a)):
        if _value(one) == 1:
            return other
        if _value(one) == -1:
            return _neg(other)
    return ast.BinOp(a, ast.Mult(), b)


def _neg(a: ast.expr) -> ast.expr:
    value = _value(a)
    return ast.UnaryOp(ast.USub(), a) if value is None else _number(-value or 0.0)


def _slope(node: ast.expr, name: str) -> ast.expr:
    match node:
        case ast.Constant():
            return _number(0.0)
        case ast.Name(id=id):
            return _number(1.0 if id == name else 0.0)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return _neg(_slope(a, name))
        case ast.IfExp(test=test, body=a, orelse=b):
            # which branch is taken does not change within a small step
            da, db = _slope(a, name), _slope(b, name)
            return da if ast.dump(da) == ast.dump(db) else ast.IfExp(test, da, db)
        case ast.BinOp(left=a, op=op, right=b):
            return _through(type(op).__name__, node, {"x": a, "y": b}, name)
        case ast.Call(func=ast.Name(id=function), args=[a]):
            return _through(function, node, {"x": a}, name)
    raise TypeError(f"no slope is known for {ast.unparse(node)}")


def _through(known: str, node: ast.expr, arguments: dict[str, ast.expr], name: str) -> ast.expr:
    """Apply the chain rule: the slope along each argument, times the argument's own slope."""
    if known not in SLOPES:
        raise TypeError(f"no slope is known for {known}, in {ast.unparse(node)}")
    total = _number(0.0)
    for slope, argument in zip(SLOPES[known], arguments.values(), strict=True):
        own = _slope(argument, name)
        if _value(own) != 0:
            total = _add(total, _mul(_put(slope, {**arguments, "z": node}), own))
    return total


def _put(formula: str, values: dict[str, ast.expr]) -> ast.expr:
    """Put formulas in place of the names in another."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return values.get(node.id, node)

    put: ast.expr = Put().visit(_parsed(formula))
    return put
