"""Mutants: a right answer with one thing changed, for every thing that can be changed.

Each is a slip that a hand could make: another operator, a constant off by one, two indices or
arguments exchanged, a term, a statement or a reversal left out, another start, a comparison that is
almost right. A check that lets one pass is blind to it, unless the mutant is right as well.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

BINARY = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.FloorDiv: (ast.Mult, ast.Div, ast.Mod),
    ast.Div: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
COMPARE = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
TWINS = {"min": "max", "max": "min", "all": "any", "any": "all", "zeros": "ones", "ones": "zeros"}
TWINS |= {"shape": "strides", "strides": "shape", "append": "extend", "sum": "max"}
SYMMETRIC = (ast.Add, ast.Mult)
DROPPED = ("reversed", "sorted", "abs", "tuple", "list", "set", "int", "float", "max", "min")


@dataclass(frozen=True)
class Mutant:
    """``label`` says which line was changed and into what; ``source`` is the whole answer."""

    label: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of an answer that reads differently from it, each once."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    lines = original.split("\n")
    found: dict[str, Mutant] = {}
    for changed in _changed(tree):
        text = ast.unparse(ast.fix_missing_locations(changed))
        if text != original and text not in found:
            found[text] = Mutant(_label(lines, text.split("\n")), text + "\n")
    return list(found.values())


def _label(before: list[str], after: list[str]) -> str:
    """Show the first line that differs, as it was and as it is; a line may be gone."""
    place = next((k for k, (a, b) in enumerate(zip(before, after)) if a != b), len(after))  # noqa: B905
    gone = len(after) < len(before) and before[place + 1 :] == after[place:]
    now = "(gone)" if gone or place >= len(after) else after[place].strip()
    return f"{before[place].strip() if place < len(before) else '(nothing)'} -> {now}"


def _changed(tree: ast.Module) -> Iterator[ast.Module]:
    """Yield copies of the tree with one node replaced, and the tree's nodes in order."""
    for number, node in enumerate(ast.walk(tree)):
        for replacement in _instead(node):
            yield _with(tree, number, replacement)
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.FunctionDef):
            for made in _renamed(node):
                yield _with(tree, number, made)


def _with(tree: ast.Module, number: int, replacement: ast.AST) -> ast.Module:
    made = copy.deepcopy(tree)
    wanted = list(ast.walk(made))[number]

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return replacement if node is wanted else self.generic_visit(node)

    put: ast.Module = Put().visit(made)
    return put


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what could stand in the place of one node."""
    for rule in (_operator, _comparison, _constant, _place, _call, _statement, _collection):
        yield from rule(node)


def _like(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _operator(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp):
        for other in BINARY.get(type(node.op), ()):
            yield _like(node, op=other())
        yield node.left
        yield node.right
        if not isinstance(node.op, SYMMETRIC):
            yield _like(node, left=node.right, right=node.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.AugAssign):
        for other in BINARY.get(type(node.op), ()):
            yield _like(node, op=other())
        yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.BoolOp):
        yield _like(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        yield from node.values


def _comparison(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in COMPARE[type(op)]:
                yield _like(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
    elif isinstance(node, (ast.IfExp, ast.If, ast.While)):
        yield _like(node, test=ast.UnaryOp(ast.Not(), node.test))
        if isinstance(node, ast.IfExp):
            yield node.body
            yield node.orelse


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant) or isinstance(node.value, str):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)


def _place(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Subscript):
        return
    if isinstance(node.slice, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node.slice, part):
                yield _like(node, slice=_like(node.slice, **{part: None}))
    elif isinstance(node.slice, ast.Tuple):
        return  # _collection exchanges its parts
    else:
        for sign in (ast.Add(), ast.Sub()):
            yield _like(node, slice=ast.BinOp(node.slice, sign, ast.Constant(1)))


def _call(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            name = "id" if isinstance(node, ast.Name) else "attr"
            if getattr(node, name) in TWINS:
                yield _like(node, **{name: TWINS[getattr(node, name)]})
        return
    called = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if called in DROPPED and node.args and not isinstance(node.args[0], ast.Starred):
        yield from node.args
    if called == "range":
        yield from _ranges(node)
    yield from _exchanged(node, "args")
    for place, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield _like(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])


def _ranges(node: ast.Call) -> Iterator[ast.AST]:
    """One less at either end."""
    start, *rest = node.args if len(node.args) > 1 else [ast.Constant(0), *node.args]
    later = ast.BinOp(start, ast.Add(), ast.Constant(1))
    earlier = ast.BinOp(rest[0], ast.Sub(), ast.Constant(1))
    yield _like(node, args=[later, *rest])
    yield _like(node, args=[start, earlier, *rest[1:]])


def _statement(node: ast.AST) -> Iterator[ast.AST]:
    dropped = (ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Continue, ast.Break, ast.Raise)
    is_call = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    if isinstance(node, dropped) or is_call:
        yield ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return()
    if isinstance(node, ast.If) and not node.orelse:
        yield _like(node, test=ast.Constant(True))
    if isinstance(node, (ast.For, ast.While)):
        yield _like(node, body=[*node.body, ast.Break()])
        yield from _exchanged(node, "body")


def _collection(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.Tuple, ast.List)):
        yield from _exchanged(node, "elts")
        if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
            for place in range(len(node.elts)):
                yield _like(node, elts=node.elts[:place] + node.elts[place + 1 :])
    elif isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield _like(node, ifs=node.ifs[:place] + node.ifs[place + 1 :])
    elif isinstance(node, ast.DictComp):
        yield _like(node, key=node.value, value=node.key)


def _exchanged(node: ast.AST, field: str) -> Iterator[ast.AST]:
    """Exchange each pair of neighbours in a list of parts."""
    parts = getattr(node, field)
    for k in range(len(parts) - 1):
        yield _like(node, **{field: [*parts[:k], parts[k + 1], parts[k], *parts[k + 2 :]]})


def _renamed(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Read another variable of the same kind: a_shape for out_shape, shape2 for shape1, j for i."""
    loads = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    names = sorted(
        {n.id for n in loads if isinstance(n.ctx, ast.Store)}
        | {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
    )
    for number, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in names:
                if other != node.id and _kind(other) == _kind(node.id):
                    made = copy.deepcopy(function)
                    for each, copied in enumerate(ast.walk(made)):
                        if each == number and isinstance(copied, ast.Name):
                            copied.id = other
                    yield made


def _kind(name: str) -> str:
    """What a name is likely to hold: its last word, or that it is one letter, without a number."""
    word = re.sub(r"\d+$", "", name).rpartition("_")[2]
    return "one letter" if len(word) <= 1 else word
