"""`tensorkit doctor`: one line for each thing that the kit needs, in plain words.

`ok` needs nothing, `note` matters to some only, `wrong` says what to do and makes the status 1.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from tensorkit.cli.browser import chromium

SHOWN = (
    *("tensorkit", "numpy", "numba", "llvmlite", "matplotlib", "ipywidgets", "anywidget"),
    *("jupyterlab", "nbgrader"),
)
# What a CPU has to have to be at least of a level, and what is worth a word.
LEVELS = {"x86-64-v2": "sse4.2", "x86-64-v3": "avx2", "x86-64-v4": "avx512f"}
TELLING = ("sse4.2", "avx2", "fma", "avx512f", "neon", "sve")


class Finding(NamedTuple):
    """One line of the report; the verdict is "ok", "note" or "wrong"."""

    verdict: str
    sentence: str


def doctor() -> int:
    """Print every finding; the status is 1 where something is wrong."""
    status = 0
    for check in (python, packages, cpu, kernel, cache, browser, exchange):
        for finding in check():
            print(f"{finding.verdict:5} {finding.sentence}", flush=True)
            status = max(status, int(finding.verdict == "wrong"))
    return status


def python() -> Iterator[Finding]:
    """Look at the interpreter, and at the packages that matter when something fails."""
    here = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("ok", f"Python {here} at {sys.executable}")
    found = []
    for name in SHOWN:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    yield Finding("ok", ", ".join(found))


def packages() -> Iterator[Finding]:
    """Compare every required package with its range; extras count only where they are installed."""
    needed = [Requirement(text) for text in requires("tensorkit") or []]
    well = 0
    for requirement in needed:
        optional = requirement.marker is not None
        try:
            have = version(requirement.name)
        except PackageNotFoundError:
            if not optional:
                yield Finding("wrong", f"{requirement.name} is missing: {_install(requirement)}")
            continue
        if requirement.specifier.contains(have, prereleases=True):
            well += 1
        elif optional:
            yield Finding("note", f"{requirement.name} {have} was not tested: {requirement}")
        else:
            yield Finding("wrong", f"{requirement.name} {have}: {_install(requirement)}")
    yield Finding("ok", f"{well} packages are in the ranges that were tested")


def _install(requirement: Requirement) -> str:
    return f'run: {sys.executable} -m pip install "{requirement.name}{requirement.specifier}"'


def cpu() -> Iterator[Finding]:
    """See which CPU kernels are compiled for, and whether this one is of that kind."""
    import llvmlite.binding as llvm

    from tensorkit import machine

    here = llvm.get_host_cpu_features()
    _, name, features = machine.cpu()
    pinned = [v for v in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES") if v in os.environ]
    if len(pinned) == 1:
        yield Finding(
            "wrong",
            f"only {pinned[0]} is set: the code would be for a mixture of two CPUs; set "
            "NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, or neither",
        )
    elif name in LEVELS and not here.get(LEVELS[name]):
        yield Finding(
            "wrong",
            f"kernels are compiled for {name}, but this CPU has no {LEVELS[name]} and would stop "
            "at them: unset NUMBA_CPU_NAME and NUMBA_CPU_FEATURES",
        )
    else:
        known = [f for f in TELLING if f"+{f}" in features.split(",")]
        how = "named by NUMBA_CPU_NAME" if pinned else f"this one, with {', '.join(known)}"
        yield Finding("ok", f"kernels are compiled for the CPU {name}: {how}")


def kernel() -> Iterator[Finding]:
    """Run a kernel, which may be one that is kept, and let numba compile something else anew."""
    import tensorkit as tk

    multiply: Any = tk.ops.get("mul")
    try:
        import numba

        result = multiply(tk.tensor([1.0, 2.0, 5.0]), tk.tensor([10.0])).tolist()
        numba.njit(lambda x: x + 1)(1)
    except Exception as error:
        yield Finding(
            "wrong",
            f"numba cannot compile a kernel: {type(error).__name__}: {error}; install it again: "
            f"{sys.executable} -m pip install --force-reinstall numba llvmlite",
        )
        return
    if result == [10.0, 20.0, 50.0]:
        yield Finding("ok", f"numba {version('numba')} compiles a kernel, and it multiplies")
    else:
        yield Finding(
            "wrong",
            f"[1, 2, 5] * 10 gave {result}: empty the cache (its folder is named below); if that "
            "does not help, install numba again",
        )


def cache() -> Iterator[Finding]:
    """See whether compiled kernels can be kept, and what is kept already."""
    from tensorkit.compiler import cache_folder

    folder = cache_folder()
    kept = [path.stat().st_size for path in folder.glob("*.o")]
    state = f"{len(kept)} compiled kernels, {sum(kept) / 1e6:.1f} MB, in {folder}"
    temporary = folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(
        "tensorkit-"
    )
    if not temporary:
        yield Finding("ok", f"{state}: new ones are kept there")
        return
    asked = os.environ.get("TENSORKIT_CACHE")
    yield Finding(
        "wrong" if asked else "note",
        f"new kernels are lost at the end, since {asked or 'your cache folder'} cannot be written: "
        f"set TENSORKIT_CACHE to a folder that can ({state})",
    )


def browser() -> Iterator[Finding]:
    """Look for the browser that the tests drive."""
    place = chromium()
    if place:
        yield Finding("ok", f"Chromium for the tests at {place}")
    else:
        yield Finding("note", "no Chromium: only the kit's own browser tests need it")


def exchange() -> Iterator[Finding]:
    """See where nbgrader would hand homework in, by the configuration of this folder."""
    from nbgrader.apps import NbGrader
    from nbgrader.exchange.default import Exchange

    # Without a configuration nbgrader would print a warning of its own.
    app = NbGrader(log_level="ERROR")
    app.load_config_file()
    root = Path(Exchange(config=app.config).root).expanduser()
    if not root.is_dir():
        yield Finding("note", f"no nbgrader exchange at {root}: only a course needs one")
        return
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError:
        yield Finding("wrong", f"the nbgrader exchange {root} cannot be written: ask its owner")
        return
    yield Finding("ok", f"nbgrader's exchange is {root}")
