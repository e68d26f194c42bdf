"""Layers point one way, the core stays light, and every file is short and says what it is about."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tensorkit

ROOT = Path(tensorkit.__file__).parent
# each may import only what stands before it
ORDER = [
    *(
        "errors",
        "layout",
        "view",
        "random",
        "scalars",
        "loops",
        "machine",
        "compiler",
        "storages",
        "swaps",
        "kernels",
    ),
    *("calculus", "graph", "autodiff", "functions", "moves", "elementwise", "reduction", "zips"),
    *("indexing", "others", "product", "ops", "compositions", "convolution"),
    *(
        "tensor",
        "creation",
        "transforms",
        "handles",
        "using",
        "interop",
        "optim",
        "nudging",
        "checks",
    ),
    *(
        "naming",
        "watch",
        "listing",
        "recorder",
        "trace",
        "lanes",
        "tape",
        "nn",
        "pictures",
        "widgets",
    ),
    *("grading", "explore", "autograde", "lessons", "publish", "cli"),
]
CORE = ORDER[: ORDER.index("checks") + 1]
FILES = sorted(ROOT.rglob("*.py"))
# which layers may know a library that is heavy, or belongs to the front
FRONT = {
    "matplotlib": ("pictures", "widgets", "explore", "grading", "autograde", "publish", "cli"),
    "anywidget": ("widgets",),
    "ipywidgets": ("widgets",),
    "IPython": ("widgets", "grading", "autograde", "publish", "cli"),
    "nbgrader": ("grading", "autograde", "cli"),
    "nbconvert": ("publish", "cli", "grading", "autograde"),
    "numba": ("machine", "explore", "grading", "cli"),
    "llvmlite": ("machine", "cli"),
}


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the modules that a file imports, absolute, and whether it does so at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["tensorkit", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, node.col_offset == 0) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [(f"{module}.{name.name}", node.col_offset == 0) for name in node.names]
    return found


def layers_imported(path: Path) -> set[str]:
    own = [name.split(".") for name, _ in imports(path)]
    return {parts[1] for parts in own if parts[0] == "tensorkit" and len(parts) > 1}


def test_every_file_belongs_to_a_layer():
    unknown = {layer_of(path) for path in FILES} - set(ORDER) - {"__init__", "__main__"}
    assert not unknown, f"say in ORDER where {unknown} belong"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path):
    layer = layer_of(path)
    if layer in ("__init__", "__main__"):
        return
    allowed = set(ORDER[: ORDER.index(layer) + 1])
    upward = {name for name in layers_imported(path) if name in ORDER} - allowed
    assert not upward, f"{layer} imports {upward}, which stand after it"
    if layer in CORE:
        assert layer not in layers_imported(path)


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    file = ROOT / "pictures" / "example.py"
    text = (
        "import numpy.linalg\nfrom ..view import View\nfrom .. import ops\n"
        "from .scene import Scene\n"
        "def f():\n    from tensorkit.cli import main\n    import matplotlib.pyplot\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: text)
    assert imports(file) == [
        ("numpy.linalg", True),
        ("tensorkit.view.View", True),
        ("tensorkit.ops", True),
        ("tensorkit.pictures.scene.Scene", True),
        ("tensorkit.cli.main", False),
        ("matplotlib.pyplot", False),
    ]
    assert layers_imported(file) == {"view", "ops", "pictures", "cli"}
    with pytest.raises(AssertionError, match=r"pictures imports .'cli'"):
        test_imports_point_one_way(file)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_front_knows_the_libraries_of_the_front(path):
    for name, _ in imports(path):
        library = name.split(".")[0]
        if library in FRONT:
            assert layer_of(path) in FRONT[library], f"{layer_of(path)} imports {library}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_short_and_says_what_it_is_about(path):
    text = path.read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(text))
    assert doc, "the first lines say what a reader should believe afterwards"
    assert doc.splitlines()[0].endswith((".", ":", "?"))
    assert len(text.splitlines()) <= 300


LIGHT = """
import sys
import tensorkit as tk
x = tk.zeros(2, 3)
x.expand(4, 2, 3).permute(2, 0, 1), tk.mul, tk.ops.TABLE, tk.broadcast_shapes((2,), (1,))
heavy = ("numba", "llvmlite", "matplotlib", "ipywidgets", "anywidget", "IPython", "scipy")
print([name for name in heavy if name in sys.modules])
"""
CHECKS = LIGHT.replace("x = ", "import tensorkit.checks\nx = ")
RUNS = "import tensorkit as tk, sys; tk.ones(2).exp(); print('numba' in sys.modules)"


@pytest.mark.parametrize(
    ("program", "expected"),
    [(LIGHT, ["[]"] * 2), (CHECKS, ["[]"] * 2), (RUNS, ["True", "False"])],
    ids=["import", "checks", "run"],
)
def test_import_is_light_and_what_is_compiled_already_needs_no_numba(program, expected, tmp_path):
    shown = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "TENSORKIT_CACHE": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert shown == expected
