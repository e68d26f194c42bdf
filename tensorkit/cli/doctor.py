"""`tensorkit doctor`: one line for each thing that the kit needs, in plain words.

`ok` needs nothing, `note` matters to some only, `wrong` says what to do and makes the status 1.
"""

import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from tensorkit.cli.browser import chromium


class Finding(NamedTuple):
    """One line of the report; the verdict is "ok", "note" or "wrong"."""

    verdict: str
    sentence: str


def doctor() -> int:
    """Print every finding; the status is 1 where something is wrong."""
    status = 0
    for check in (python, packages, kernel, cache, browser, exchange):
        for finding in check():
            print(f"{finding.verdict:5} {finding.sentence}", flush=True)
            status = max(status, int(finding.verdict == "wrong"))
    return status


def python() -> Iterator[Finding]:
    """Look at the interpreter."""
    here = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("ok", f"Python {here} at {sys.executable}")


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


def kernel() -> Iterator[Finding]:
    """Compile and run one kernel."""
    import tensorkit as tk

    multiply: Any = tk.ops.get("mul")
    try:
        result = multiply(tk.tensor([1.0, 2.0, 5.0]), tk.tensor([10.0])).tolist()
    except Exception as error:
        yield Finding("wrong", f"numba cannot compile a kernel: {type(error).__name__}: {error}")
        return
    if result == [10.0, 20.0, 50.0]:
        yield Finding("ok", f"numba {version('numba')} compiles a kernel, and it multiplies")
    else:
        yield Finding("wrong", f"[1, 2, 5] * 10 gave {result}: install numba again")


def cache() -> Iterator[Finding]:
    """See whether compiled kernels can be kept."""
    from tensorkit.compiler import cache_folder

    folder = cache_folder()
    temporary = folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(
        "tensorkit-"
    )
    if temporary:
        yield Finding(
            "note",
            f"compiled kernels are lost at the end ({folder}): "
            "set TENSORKIT_CACHE to a folder that can be written",
        )
    else:
        yield Finding("ok", f"compiled kernels are kept in {folder}")


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
