"""Machine code is kept: found again where it may run, made anew where not, never half read."""

from __future__ import annotations

import ast
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import tensorkit as tk
from tensorkit import compiler, loops, machine

PACKAGE = Path(tk.__file__).parent
cache_folder = compiler.cache_folder.__wrapped__  # asks the environment at each call
# counts what it compiles, and tells whether it needed numba
PROGRAM = """
import json, sys
import tensorkit as tk
from tensorkit import machine

compile_one, seen = machine.compiled, []
def counting(name, *rest):
    seen.append(name)
    return compile_one(name, *rest)
machine.compiled = counting

x = tk.tensor([[0.5, -1.5, 2.0]], requires_grad=True)
(x * x).sum().backward()
print(json.dumps([len(seen), "numba" in sys.modules, x.grad.tolist()]))
"""
GRAD = [[1.0, -3.0, 4.0]]


def start(cache, **more):
    """Start the program on a cache, without any say of the environment about the CPU."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CPU")}
    environment |= {"TENSORKIT_CACHE": str(cache), **more}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    )


def finish(process):
    """Return how many kernels a started program compiled; its answer has to be right."""
    shown, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    compiled, numba, grad = json.loads(shown)
    assert grad == GRAD
    assert numba == (compiled > 0)
    return compiled


def run(cache, **more):
    return finish(start(cache, **more))


def test_a_second_start_compiles_nothing_and_needs_no_numba(tmp_path):
    assert run(tmp_path) > 0
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert run(tmp_path) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made


def test_two_processes_at_once_both_answer_and_leave_whole_files(tmp_path):
    both = [start(tmp_path), start(tmp_path)]
    assert max(map(finish, both)) > 0
    assert not list(tmp_path.glob("*.tmp"))
    assert run(tmp_path) == 0


def test_nothing_is_written_into_the_package(tmp_path):
    """As where the package was installed by somebody else."""
    package = tmp_path / "tensorkit"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (package, *package.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(package.rglob("*"))
    more = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    assert run(tmp_path / "cache", **more) > 0
    assert run(tmp_path / "cache", **more) == 0
    assert sorted(package.rglob("*")) == before
    for path in (package, *package.rglob("*/")):
        path.chmod(0o755)


def test_a_full_cache_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    kernel = made_kernel("map_kept", "x + 3.0", tmp_path, monkeypatch)
    assert call(kernel, [2.0]) == [5.0]

    def refuse(*_, **__):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", refuse)
        folder = cache_folder()
    assert folder != tmp_path
    names = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in folder.iterdir()} == names
    monkeypatch.setattr(compiler, "cache_folder", lambda: folder)
    monkeypatch.setattr(machine, "compiled", None)  # it would be called
    assert call(fresh("map_kept", "x + 3.0"), [2.0]) == [5.0]
    shutil.rmtree(folder)


# an image that is built on one CPU and run on another


def test_a_cache_built_for_a_named_cpu_serves_whoever_names_it(tmp_path):
    name = "x86-64" if platform.machine() in ("x86_64", "AMD64") else "generic"
    pinned = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""}
    built = run(tmp_path, **pinned)
    assert built > 0
    assert run(tmp_path, **pinned) == 0
    assert run(tmp_path) == built  # for this CPU, which may do more: another file, no crash
    assert run(tmp_path, **pinned) == 0


def test_the_name_of_a_file_tells_all_that_the_code_depends_on(monkeypatch):
    options = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}
    dtypes = (np.dtype("f8"), np.dtype("f4"))
    plain = machine.recipe(options, dtypes)
    assert plain == machine.recipe(dict(reversed(options.items())), dtypes)
    others = {
        machine.recipe(options | {"fastmath": {"nsz"}}, dtypes),
        machine.recipe(options, dtypes[::-1]),
    }
    for name, value in [("ENTRY", ""), ("CELLS", 0), ("cpu", lambda: ("99", "other", "+avx"))]:
        with monkeypatch.context() as patch:
            patch.setattr(machine, name, value)
            others.add(machine.recipe(options, dtypes))
    assert len(others - {plain}) == 5


# one file


def fresh(name, formula):
    text = loops.elementwise_text(name, formula, ("x",))
    return compiler.Kernel(name, text, "elementwise", ("x",))


def made_kernel(name, formula, folder, monkeypatch):
    monkeypatch.setenv("TENSORKIT_CACHE", str(folder))
    monkeypatch.setattr(compiler, "cache_folder", lambda: folder)
    return fresh(name, formula)


def call(kernel, values):
    entry, out = kernel.entry(np.dtype("f8"), np.dtype("f8")), np.empty(len(values))
    table = np.array([[1, 0, 0], [len(values), 1, 1]], np.uint64)
    assert entry(out, np.array(values), table) is None
    return out.tolist()


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_file_is_made_anew(tmp_path, monkeypatch, damage):
    call(made_kernel("map_hurt", "x - 1.0", tmp_path, monkeypatch), [2.0])
    (file,) = tmp_path.glob("*.o")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + whole[:100] if damage is None else damage)
    assert call(fresh("map_hurt", "x - 1.0"), [2.0, 7.0]) == [1.0, 6.0]
    assert len(file.read_bytes()) == len(whole)


def test_a_full_disk_is_no_reason_not_to_compute(tmp_path, monkeypatch):
    kernel = made_kernel("map_full", "x + 9.0", tmp_path, monkeypatch)
    assert kernel.path.exists()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine, "write", full)
    assert call(kernel, [2.0]) == [11.0]
    assert not list(tmp_path.glob("*.o"))


def test_code_that_could_not_run_without_numba_is_refused(tmp_path, monkeypatch):
    kernel = made_kernel("map_heap", "np.ones(int(x))[0]", tmp_path, monkeypatch)
    with pytest.raises(RuntimeError, match=r"map_heap needs \[.*NRT_.*no library here has"):
        kernel.entry(np.dtype("f8"), np.dtype("f8"))


def test_a_call_with_too_few_arrays_is_refused(tmp_path, monkeypatch):
    kernel = made_kernel("map_few", "x + 2.0", tmp_path, monkeypatch)
    entry = kernel.entry(np.dtype("f8"), np.dtype("f8"))
    with pytest.raises(SystemError):
        entry(np.empty(1), np.empty(1))


def test_a_call_holds_on_to_nothing(tmp_path, monkeypatch):
    kernel = made_kernel("map_free", "x + 4.0", tmp_path, monkeypatch)
    entry, out, x = kernel.entry(np.dtype("f8"), np.dtype("f8")), np.empty(2), np.ones(2)
    table = np.array([[1, 0, 0], [2, 1, 1]], np.uint64)
    before = [sys.getrefcount(v) for v in (None, out, x, table)]
    for _ in range(1000):
        entry(out, x, table)
    after = [sys.getrefcount(v) for v in (None, out, x, table)]
    assert all(abs(a - b) < 50 for a, b in zip(after, before, strict=True))


PATIENT = """
import sys
import numpy as np
import tensorkit as tk

x = tk.tensor([[0.5, -2.0, 3.0], [1.5, 4.0, -0.25]], requires_grad=True)
y = tk.tensor([2.0, 0.0, -1.0], requires_grad=True)
out = ((x.permute(1, 0).exp() * x.sigmoid().permute(1, 0)).sum(0) / y.cos().sum()).mean()
out.backward(), (x / y).max(0), x[:, ::-1].log()
few = "numba" in sys.modules
print(repr([out.item(), x.grad.tolist(), y.grad.tolist()]))
for _ in range(4000):
    x.exp()
print(few, "numba" in sys.modules)
"""


def test_a_lessons_small_tensors_compile_nothing_and_give_the_same_numbers(tmp_path):
    def numbers(patience):
        where = {"TENSORKIT_CACHE": str(tmp_path / patience), "TENSORKIT_PATIENCE": patience}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PATIENT],
            env={**os.environ, **where},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        result, compiled = done.stdout.splitlines()
        return ast.literal_eval(result), compiled

    plain, later = numbers("5000")
    fast, at_once = numbers("0")
    assert later == "False True", "work that goes on is compiled after a while"
    assert at_once == "True True"
    for one, other in zip(plain, fast, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
