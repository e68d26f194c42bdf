"""The loops, as text: one for map and zip, one for reduce. This text is what runs.

Numba compiles it; the stepper runs the same lines in plain Python over storage that notes every
read and write. The formula of the operation stands in the loop as it stands in the table, so that
nothing is called per cell and the loop becomes vector instructions. A loop takes any strides:

``dims`` is a small table of numbers. Line 0 holds how many runs there are, then where each storage
begins. Each later line is one dim: its length, then the step of each storage along it. The last
line is the run, the innermost loop.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from types import FunctionType

from . import scalars

START = '''\
def {name}({arguments}, dims):
    """{doc}"""
    last = len(dims) - 1
    length = dims[last, 0]
{steps}
    for run in range(dims[0, 0]):
{begins}
        rest = run
        for dim in range(last - 1, 0, -1):
            i = rest % dims[dim, 0]
            rest = rest // dims[dim, 0]
{moves}
'''

ELEMENTWISE = """\
        for j in range(length):
{reads}
            out[out_at + j * out_step] = {formula}
"""

REDUCE = """\
        if out_step == 0:
            t = out[out_at]
            for j in range(length):
{reads_deep}
                t = {formula}
            out[out_at] = t
        else:
            for j in range(length):
                t = out[out_at + j * out_step]
{reads_deep}
                out[out_at + j * out_step] = {formula}
"""


def elementwise_text(name: str, formula: str, inputs: tuple[str, ...]) -> str:
    """Return the source of ``out[i] = formula(inputs[i])`` for every index i: a map or a zip."""
    doc = f"out[i] = {formula}, for every index i."
    return _loop(name, doc, inputs, ELEMENTWISE, formula) + scalar_text(formula)


def reduce_text(name: str, formula: str, inputs: tuple[str, ...]) -> str:
    """Return the source of the fold ``t = formula(t, inputs)``; out has step 0 where cells meet."""
    doc = f"Fold t = {formula} into out, which holds the start value."
    return _loop(name, doc, inputs, REDUCE, formula) + scalar_text(formula)


def _loop(name: str, doc: str, inputs: tuple[str, ...], body: str, formula: str) -> str:
    stores = ("out", *inputs)
    reads = [f"{v} = {v}_storage[{v}_at + j * {v}_step]" for v in inputs]
    return (START + body).format(
        name=name,
        doc=doc,
        formula=formula,
        arguments=", ".join(["out", *(f"{v}_storage" for v in inputs)]),
        steps=_lines(4, [f"{v}_step = dims[last, {k}]" for k, v in enumerate(stores, 1)]),
        begins=_lines(8, [f"{v}_at = dims[0, {k}]" for k, v in enumerate(stores, 1)]),
        moves=_lines(12, [f"{v}_at += i * dims[dim, {k}]" for k, v in enumerate(stores, 1)]),
        reads=_lines(12, reads),
        reads_deep=_lines(16, reads),
    )


def _lines(indent: int, lines: list[str]) -> str:
    return "\n".join(" " * indent + line for line in lines)


def standing(text: str, still: tuple[str, ...]) -> str:
    """Return a loop's text for inputs that the run stays at one cell of: the step 0 stands in."""
    for v in still:
        text = re.sub(rf"( {v}_step = )dims\[.*", r"\g<1>0", text)
    return text


def near_text(text: str) -> str:
    """Return a loop's text for numbers that are nowhere FAR: no branch is left in it then."""
    return text.replace(f"FAR = {scalars.FAR!r}\n", 'FAR = float("inf")\n')


def names_in(formula: str) -> set[str]:
    """Return the names that a formula mentions."""
    return {node.id for node in ast.walk(ast.parse(formula)) if isinstance(node, ast.Name)}


def scalar_text(formula: str) -> str:
    """Return the text of every scalar function and constant that ``formula`` leans on."""
    texts: dict[str, str] = {}
    waiting = sorted(names_in(formula))
    while waiting:
        name = waiting.pop(0)
        value = getattr(scalars, name, None)
        if name in texts:
            continue
        if isinstance(value, FunctionType):
            text = inspect.getsource(value).replace(": Any", "").replace(" -> Any", "")
            texts[name] = text
            waiting += sorted(names_in(text) - {name})
        elif isinstance(value, float) and not math.isfinite(value):
            texts[name] = f'{name} = float("{value}")\n'
        elif isinstance(value, (int, float)):
            texts[name] = f"{name} = {value!r}\n"
    constants = [text for text in texts.values() if not text.startswith("def")]
    functions = [text for text in texts.values() if text.startswith("def")]
    return "".join(["\n" if constants else "", *constants, *("\n\n" + f for f in functions)])
