"""Before a check runs, what it relies on is put back as it was before the learner's first cell.

This undoes what plain code can undo: patched functions, classes and builtins, names that were
taken, IPython's hooks. It runs in the learner's own process, so it is no wall: somebody who knows
CPython well can get around it, and `suspects` points a person at the notebooks that try.
"""

from __future__ import annotations

import builtins
import hashlib
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from types import CodeType, FunctionType, ModuleType
from typing import Any

# whose functions and classes are kept: what checks call, and what shows their result
PACKAGES = (
    *("numpy.testing", "tensorkit", "unittest", "IPython.core", "ipykernel", "traitlets"),
    *("jupyter_client.session", "jupyter_client.jsonutil", "zmq.sugar", "zmq.eventloop"),
)
MODULES = ("builtins", "math", "operator", "numpy", "json", "inspect", "importlib", "zmq")
SHELL = ("custom_exceptions", "CustomTB", "InteractiveTB", "display_pub", "displayhook", "compile")
# nobody has an honest reason to change these while a check runs
NEVER = (
    *("builtins", "numpy.testing", "unittest", "json", "math", "operator", "tensorkit.grading"),
    *("jupyter_client", "zmq", "sys.", "IPython's printers of text/plain", "the kernel's"),
)
# IPython counts and remembers here
BUSY = {"execution_count", "user_ns", "_last_traceback", "_last_result"}

Undo = Callable[[], bool]


class Guard:
    """Keeps the state of this moment; ``restore`` returns to it and names what had changed."""

    def __init__(
        self,
        shell: Any = None,
        aliases: Mapping[str, str] | None = None,
        private: Iterable[str] = (),
    ) -> None:
        self.shell = shell
        self.private = tuple(private)  # packages of the checks: loaded anew for each
        self.aliases = dict(aliases or {})
        self._seen: set[int] = set()
        self._undo: list[tuple[str, Undo]] = []
        # thousands, looked at twice for each check: one list is quicker than a call for each
        self._functions: list[tuple[str, FunctionType, CodeType, Any, Any]] = []
        for name in list(sys.modules):
            if name in MODULES or name.startswith(tuple(f"{p}." for p in PACKAGES) + PACKAGES):
                module = sys.modules[name]
                if isinstance(module, ModuleType):
                    self._keep_module(module)
        known = {name: sys.modules[name] for name in list(sys.modules)}
        self._keep_mapping("sys.modules", sys.modules, known)
        self._undo += [("sys.path", _order_keeper(sys.path))]
        self._undo += [("sys.meta_path", _order_keeper(sys.meta_path))]
        self._undo += [("sys.settrace", _no_watch)]
        if shell is not None:
            self._keep_shell(shell)

    def restore(self) -> list[str]:
        """Put everything back; return the names of what was not as it had been."""
        changed = [name for name, undo in self._undo if undo()]
        for name, function, code, defaults, keywords in [
            each
            for each in self._functions
            if each[1].__code__ is not each[2] or each[1].__defaults__ is not each[3]
        ]:
            function.__code__, function.__defaults__ = code, defaults
            function.__kwdefaults__ = keywords
            changed.append(name)
        for name in [name for name in sys.modules if name.split(".")[0] in self.private]:
            del sys.modules[name]
        return changed + (self._names() if self.shell is not None else [])

    def restore_after(self) -> list[str]:
        """Put everything back after a check; return what nothing honest changes meanwhile."""
        return [name for name in self.restore() if name.startswith(NEVER)]

    def _names(self) -> list[str]:
        """Give the checks the released modules and Python's builtins under their usual names."""
        names, changed = self.shell.user_ns, []
        for alias, name in self.aliases.items():
            if name in sys.modules and alias in names and names[alias] is not sys.modules[name]:
                names[alias] = sys.modules[name]
                changed.append(alias)
        return changed

    def _keep_module(self, module: ModuleType) -> None:
        values = vars(module)
        self._keep_mapping(module.__name__, values, dict(values))
        for name, value in list(values.items()):
            label = f"{module.__name__}.{name}"
            if isinstance(value, FunctionType):
                self._keep_function(label, value)
            elif isinstance(value, type) and value.__module__.startswith(PACKAGES):
                self._keep_class(label, value)
            elif isinstance(value, dict) and label.startswith("tensorkit") and name[0] != "_":
                self._keep_mapping(label, value, dict(value))

    def _keep_mapping(self, label: str, live: dict[Any, Any], kept: dict[Any, Any]) -> None:
        # modules remember here what they were asked for
        kept = {k: v for k, v in kept.items() if k not in ("__warningregistry__", "_")}

        def undo() -> bool:
            if _holds(live, kept):
                return False
            for key in [k for k, v in kept.items() if k not in live or live[k] is not v]:
                live[key] = kept[key]
            return True

        self._undo.append((label, undo))

    def _keep_function(self, label: str, function: FunctionType) -> None:
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        self._functions.append(
            (label, function, function.__code__, function.__defaults__, function.__kwdefaults__)
        )

    def _keep_class(self, label: str, made: type) -> None:
        if id(made) in self._seen:
            return
        self._seen.add(id(made))
        kept = {k: v for k, v in vars(made).items() if k not in ("__dict__", "__weakref__")}
        size = len(vars(made))
        for name, value in kept.items():
            function = getattr(value, "__func__", value)
            if isinstance(function, FunctionType):
                self._keep_function(f"{label}.{name}", function)

        def undo() -> bool:
            now = vars(made)
            if len(now) == size and _holds(now, kept):
                return False
            wrong = [k for k, v in kept.items() if k not in now or now[k] is not v]
            wrong = [k for k in wrong if not k.startswith(("_abc", "__abstract"))]
            added = [k for k in now if k not in kept and k.startswith("__") and callable(now[k])]
            for key in wrong:
                setattr(made, key, kept[key])
            for key in added:
                delattr(made, key)
            return bool(wrong or added)

        self._undo.append((label, undo))

    def _keep_shell(self, shell: Any) -> None:
        """Keep IPython's hooks: what rewrites a cell, what shows a value or an error."""
        manager = shell.input_transformer_manager
        lists: dict[str, Any] = {
            "ast_transformers": shell.ast_transformers,
            "input_transformers": shell.input_transformers_post,
            "line transforms": manager.line_transforms,
            "cleanup transforms": manager.cleanup_transforms,
            "token transforms": manager.token_transformers,
        }
        # those that run after a cell are left alone: Matplotlib shows figures by them
        lists |= {f"events.{k}": v for k, v in shell.events.callbacks.items() if "pre" in k}
        for label, live in lists.items():
            self._undo.append((f"IPython's {label}", _list_keeper(live)))
        for kind, formatter in shell.display_formatter.formatters.items():
            for part in ("singleton_printers", "type_printers", "deferred_printers"):
                live = getattr(formatter, part)
                # printers are registered when a library loads: only what was changed is undone
                self._keep_mapping(f"IPython's printers of {kind}", live, dict(live))
                if kind == "text/plain" and part == "type_printers":
                    self._undo.append((f"IPython's printers of {kind}", _no_new_numbers(live)))
        session = getattr(shell.displayhook, "session", None)
        for each in (shell.displayhook, session, getattr(shell, "kernel", None)):
            if each is not None:
                self._keep_object(f"the kernel's {type(each).__name__}", each)
        own = vars(shell)
        kept = {name: getattr(shell, name) for name in SHELL if hasattr(shell, name)}
        self._undo.append(("IPython's shell", _attribute_keeper(shell, kept)))
        self._undo.append(("IPython's methods", _no_new_methods(shell, set(own))))
        self._undo.append(
            ("sys.displayhook", _attribute_keeper(sys, {"displayhook": sys.displayhook}))
        )

    def _keep_object(self, label: str, owner: Any) -> None:
        """Keep what an object calls, and through what it sends."""
        for values in (vars(owner), getattr(owner, "_trait_values", {})):
            kept = {k: v for k, v in values.items() if callable(v) or _is_tool(v)}
            self._keep_mapping(label, values, kept)
        self._undo.append((label, _no_new_methods(owner, set(vars(owner)))))


MISSING = object()


def _holds(
    live: Mapping[Any, Any],
    kept: Mapping[Any, Any],
    # as they are now: whoever replaces them later does not change this look
    all: Any = all,
    map: Any = map,
    same: Any = operator.is_,
    repeat: Any = repeat,
) -> bool:
    """Whether every name still stands for the same object."""
    whole: bool = all(map(same, map(live.get, kept, repeat(MISSING)), kept.values()))
    return whole


def _is_tool(value: Any) -> bool:
    return type(value).__module__.startswith(("zmq", "jupyter_client", "ipykernel"))


def _no_watch() -> bool:
    watched = sys.gettrace() is not None or sys.getprofile() is not None
    sys.settrace(None)
    sys.setprofile(None)
    return watched


def _order_keeper(live: list[Any]) -> Undo:
    """Keep what stood in a list before everything that came later."""
    kept = list(live)

    def undo() -> bool:
        if live[: len(kept)] == kept:
            return False
        live[:] = [*kept, *(each for each in live if each not in kept)]
        return True

    return undo


def _list_keeper(live: list[Any]) -> Undo:
    kept = list(live)

    def undo() -> bool:
        if len(live) == len(kept) and all(a is b for a, b in zip(live, kept, strict=True)):
            return False
        live[:] = kept
        return True

    return undo


def _attribute_keeper(owner: Any, kept: Mapping[str, Any]) -> Undo:
    def undo() -> bool:
        wrong = [name for name, value in kept.items() if _differs(getattr(owner, name), value)]
        for name in wrong:
            setattr(owner, name, kept[name])
        return bool(wrong)

    return undo


def _differs(now: Any, kept: Any) -> bool:
    """Compare by identity; bound methods are made anew at each look, so by what they bind."""
    if hasattr(kept, "__func__"):
        return getattr(now, "__func__", None) is not kept.__func__
    return now is not kept


def _no_new_methods(owner: Any, known: set[str]) -> Undo:
    """Undo methods that were set on the object itself, over those of its class."""

    def undo() -> bool:
        new = [k for k in vars(owner) if k not in known and k not in BUSY]
        new = [k for k in new if callable(vars(owner)[k]) and hasattr(type(owner), k)]
        for name in new:
            delattr(owner, name)
        return bool(new)

    return undo


def _no_new_numbers(live: dict[type, Any]) -> Undo:
    """Undo printers for numbers: a score is shown as the number that it is."""
    kept = set(live)

    def undo() -> bool:
        new = [kind for kind in live if kind not in kept and issubclass(kind, (int, float))]
        for kind in new:
            del live[kind]
        return bool(new)

    return undo


def digest(source: str) -> str:
    """Name a cell by its text."""
    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:24]


def shadowed(names: Mapping[str, Any], used: Iterable[str]) -> list[str]:
    """Return which of the names are Python's own and were given another meaning."""
    return [k for k in used if k in names and hasattr(builtins, k) and k != "display"]
