"""The kernel that grades: IPython's own, which knows the checks by their digests.

Before a check it restores what the check relies on, and afterwards it forgets the check's text, so
that a later cell cannot read it in the history. It reports what had been changed in its reply.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

from .guard import Guard, digest, shadowed
from .job import CUT

ORDERS = "TENSORKIT_GRADING"  # the environment variable that names the checks
# the checks' modules are loaded before the first cell, from the installed package
LOADED = ("numpy.testing", "tensorkit.grading", "unittest.case")


class GradingKernel(IPythonKernel):  # type: ignore[misc, unused-ignore]
    """Runs cells as any kernel does, and checks with a clean desk."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        orders = json.loads(os.environ.pop(ORDERS, "{}"))
        self._checks = set(orders.get("checks", ()))
        self._builtins = set(orders.get("builtins", ()))
        self._caps = [Cap(stream, orders.get("output", 0)) for stream in (sys.stdout, sys.stderr)]
        self._aliases = orders.get("aliases", {})
        self._private = orders.get("private", ())
        self._guard: Guard | None = None

    async def do_execute(  # type: ignore[override, unused-ignore]
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: Any = None,
        allow_stdin: bool = False,
        *,
        cell_meta: Any = None,
        cell_id: Any = None,
    ) -> dict[str, Any]:
        """Run a cell; its reply tells what had to be put back before a check and after it."""
        shell: Any = self.shell
        for cap in self._caps:
            cap.reset()
        is_check = digest(code) in self._checks
        changed: list[str] = []
        taken: dict[str, Any] = {}
        if self._guard is None:
            # the first cell: all is set up now, and nothing of the learner's has run
            self._guard = Guard(shell, self._aliases, self._private)
        if is_check:
            changed = self._guard.restore()
            used = _names(code) & self._builtins
            taken = {name: shell.user_ns.pop(name) for name in shadowed(shell.user_ns, used)}
        reply: dict[str, Any] = await super().do_execute(  # type: ignore[no-untyped-call]
            code,
            silent,
            store_history,
            user_expressions,
            allow_stdin,
            cell_meta=cell_meta,
            cell_id=cell_id,
        )
        if is_check:
            _forget(shell)
            shell.user_ns.update(taken)
            reply["changed"] = changed
            reply["meanwhile"] = self._guard.restore_after()
        return reply


class Cap:
    """Lets a cell print so much and drops the rest, where it costs least: before it is sent."""

    def __init__(self, stream: Any, most: int) -> None:
        self.most = self.left = most
        if most:
            self._write, stream.write = stream.write, self.write

    def reset(self) -> None:
        """Begin a new cell."""
        self.left = self.most

    def write(self, text: str) -> int:
        """Print what is left of the cell's share."""
        if self.left > 0:
            self.left -= len(text)
            self._write(text if self.left >= 0 else text[: self.left] + CUT)
        return len(text)


def _names(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _forget(shell: Any) -> None:
    """Take the last input out of the history, where cells can read it."""
    names = shell.user_ns
    with suppress(Exception):
        shell.history_manager.input_hist_parsed[-1] = ""
        shell.history_manager.input_hist_raw[-1] = ""
        names["In"][-1] = names["_ih"][-1] = ""
        names["_i"] = shell.history_manager._i = shell.history_manager._i00 = ""
        names.pop(f"_i{len(names['_ih']) - 1}", None)


def load(modules: Sequence[str] = LOADED) -> None:
    """Import what checks use, before a learner's folder is on the path."""
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)
    package = sys.modules.get("tensorkit.grading")
    if package is not None:
        for path in sorted(os.listdir(os.path.dirname(str(package.__file__)))):
            name, ending = os.path.splitext(path)
            # course.py is nbgrader's side, and no check's
            if ending == ".py" and name not in ("__init__", "course"):
                importlib.import_module(f"tensorkit.grading.{name}")


def main(arguments: Sequence[str]) -> None:
    """Serve one notebook: ``arguments`` are those of ipykernel."""
    app = IPKernelApp.instance(kernel_class=GradingKernel)
    app.initialize(list(arguments))
    app.start()


if __name__ == "__main__":
    load()
    # loaded from the package; only now may the notebook's own folder be looked at
    main(sys.argv[1:])
