"""Machine code: made once by a compiler, kept in a file, loaded again without the compiler.

numba turns a loop into LLVM's language; what LLVM makes of it is an object file, as from any
compiler of C. A later start of Python only reads that file: numba is not even imported. Loaded, the
code is a built-in function of Python like ``len``, and calling it costs as little.
"""

from __future__ import annotations

import ast
import ctypes
import hashlib
import os
import textwrap
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

Entry = Callable[..., None]
DTypes = tuple[np.dtype[Any], ...]

# In memory an array is: what every object begins with, the address of its cells, the number of its
# dims, the address of its lengths (NumPy's C interface, PyArrayObject). Counted in words.
CELLS = object.__basicsize__ // ctypes.sizeof(ctypes.c_void_p)
LENGTHS = CELLS + 2
# What Python calls, with the addresses of the arrays in ``args``. Returning null is an error.
ENTRY = """\
def entry(self, args, count):
    if count != {count}:
        return 0
{reads}
{loop}
    Py_IncRef(self)
    return self
"""
ALLOWED = ("llvm.", "Py_IncRef")
# LLVM makes vector instructions of a fold if it knows these as one instruction each, and if the
# running value is given last.
INSTRUCTIONS = {"larger": "llvm.maximum", "smaller": "llvm.minimum"}


def entry_text(name: str, text: str) -> str:
    """Return the loop ``name`` of ``text`` once more, taking its arrays as Python passes them."""
    functions = {f.name: f for f in ast.parse(text).body if isinstance(f, ast.FunctionDef)}
    *storages, dims = (a.arg for a in functions[name].args.args)
    reads = [
        f"{s} = carray(args[{k}][{CELLS}], MANY, dtype_{k})" for k, s in enumerate(storages)
    ] + [
        f"lengths = carray(args[{len(storages)}][{LENGTHS}], (2,), intp)",
        f"{dims} = carray(args[{len(storages)}][{CELLS}], (lengths[0], lengths[1]), uint64)",
    ]
    return ENTRY.format(
        count=len(storages) + 1,
        reads=textwrap.indent("\n".join(reads), "    "),
        loop=textwrap.indent("\n".join(map(ast.unparse, functions[name].body)), "    "),
    )


def compiled(name: str, text: str, names: dict[str, Any], options: Any, dtypes: DTypes) -> bytes:
    """Return the object file of a loop for storages of ``dtypes``: the work of numba and LLVM.

    Raises RuntimeError if the code would need more than Python and the C library to run.
    """
    import llvmlite.binding as llvm
    import numba

    for other, value in names.items():
        if other in INSTRUCTIONS:
            names[other] = instruction(INSTRUCTIONS[other])
        elif callable(value):
            # a call left standing would keep the loop from becoming vector instructions
            names[other] = numba.njit(forceinline=True, **options)(value)
    names |= {f"dtype_{k}": numba.from_dtype(d) for k, d in enumerate(dtypes)}
    # unsigned positions: numba then leaves out its test for negative indices, which would
    # keep the loop from being vectorised. Negative steps still work: they wrap around.
    names |= {"carray": numba.carray, "MANY": (1 << 59,)}  # type: ignore[attr-defined]
    names |= {"intp": np.intp, "uint64": np.uint64}
    names["Py_IncRef"] = numba.types.ExternalFunction("Py_IncRef", numba.void(numba.intp))
    exec(entry_text(name, text), names)
    array = numba.types.CPointer(numba.types.voidptr)
    signature = numba.intp(numba.intp, numba.types.CPointer(array), numba.intp)
    made = numba.cfunc(signature, **options)(names["entry"])
    module = llvm.parse_assembly(made.inspect_llvm())
    # only the entry is called from outside: LLVM can then prove that nothing in it raises, and
    # drop the code with which numba would report that
    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration and part.name != made.native_name:
            part.linkage = "internal"
    module.get_function(made.native_name).name = "entry"
    machine = target()
    # numba has made it fast already
    tools = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    tools.getModulePassManager().run(module, tools)
    needs = [f.name for f in module.functions if f.is_declaration]
    missing = [n for n in needs if not n.startswith(ALLOWED) and not hasattr(ctypes.pythonapi, n)]
    if missing:
        raise RuntimeError(f"the machine code of {name} needs {missing}, which no library here has")
    code: bytes = machine.emit_object(module)
    return code


@lru_cache
def instruction(name: str) -> Any:
    """Return, for compiled loops, the instruction of LLVM of this name, on two numbers."""
    from llvmlite import ir
    from numba import float32, float64
    from numba.extending import intrinsic

    def of_two(typing: Any, x: Any, y: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, numbers: Any) -> Any:
            number = numbers[0].type
            kind = ir.FunctionType(number, [number, number])
            return builder.call(builder.module.declare_intrinsic(name, [number], kind), numbers)

        both = x if x == y == float32 else float64
        return both(both, both), generate

    return intrinsic(of_two)


@lru_cache(maxsize=1)
def cpu() -> tuple[str, str, str]:
    """Return LLVM's version, and the name and features of the CPU that code is made for.

    $NUMBA_CPU_NAME and $NUMBA_CPU_FEATURES name another CPU than this one, as they do for numba.
    """
    import llvmlite.binding as llvm

    name = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    return ".".join(map(str, llvm.llvm_version_info)), name, features


@lru_cache(maxsize=1)
def target() -> Any:
    """Return LLVM's description of the machine that code is made for."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    _, name, features = cpu()
    here = llvm.Target.from_default_triple()
    return here.create_target_machine(cpu=name, features=features, opt=3, jit=True)


def recipe(options: dict[str, Any], dtypes: DTypes) -> str:
    """Return a short name for what code depends on beside the text of its loop."""
    chosen = [(k, sorted(v) if isinstance(v, set) else v) for k, v in sorted(options.items())]
    parts = (ENTRY, CELLS, INSTRUCTIONS, chosen, [d.str for d in dtypes], cpu())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: another process may read it, or write the same."""
    # not a file of tempfile, which only its owner could read: caches are shared
    temporary = path.with_suffix(f".{uuid4().hex}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def keep(path: Path, code: bytes) -> None:
    """Keep code in a file, with a checksum before it."""
    write(path, hashlib.sha256(code).digest() + code)


def kept(path: Path) -> bytes | None:
    """Return the code that a file keeps; None if there is no such file, or it was damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    checksum, code = content[:32], content[32:]
    return code if hashlib.sha256(code).digest() == checksum else None


class MethodDef(ctypes.Structure):
    """How Python is told of a function in machine code (PyMethodDef, part of its stable ABI)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


METH_FASTCALL = 0x80
builtin = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)
LOADED: list[Any] = []  # what must outlive all calls


def loaded(name: str, code: bytes) -> Entry:
    """Return the function in an object file as a built-in function of Python."""
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    method = MethodDef(name.encode(), engine.get_function_address("entry"), METH_FASTCALL)
    LOADED.append((engine, method))
    # what it returns is what it is bound to, here None
    function: Entry = builtin(ctypes.addressof(method), None, None)
    return function
