"""What an instructor can set for grading, in nbgrader_config.py as `c.Grading...` or by flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets import Bool, Dict, Enum, Integer, List, Unicode
from traitlets.config import LoggingConfigurable

from ..grading.sheet import HIDDEN
from .job import Limits, NotReady, Settings


class Grading(LoggingConfigurable):
    """How notebooks are run when they are graded."""

    sandbox = Enum(
        ("auto", "required", "off"),
        "auto",
        help="auto: bubblewrap where it works, limits elsewhere; required: refuse without it; "
        "off: as nbgrader does, with the rights of whoever grades",
    ).tag(config=True)
    jobs = Integer(0, help="notebooks at a time; 0 chooses by the cores").tag(config=True)
    scheduler = Unicode("", help="the address of a Dask scheduler").tag(config=True)
    limits = Dict(help="limits that differ from job.Limits, by name").tag(config=True)
    private = List(
        Unicode(),
        help="folders with modules that only checks import; by default those on PYTHONPATH that "
        f"hold {HIDDEN}",
    ).tag(config=True)
    environment = Dict(help="more variables of the kernels' environment").tag(config=True)
    preload = List(
        Unicode(),
        ["numpy", "scipy", "numba", "tensorkit"],
        help="packages that are imported once, if the author's solution imports them, and not for "
        "each notebook; [] starts every kernel anew",
    ).tag(config=True)
    control = Bool(True, help="try the author's solution before anybody is graded").tag(config=True)

    def settings(
        self, folder: CourseDirectory, before: tuple[str, ...], after: tuple[str, ...]
    ) -> Settings:
        """Write down, for the workers, how to run notebooks. Raises NotReady for unknown limits."""
        unknown = set(self.limits) - set(Limits.__dataclass_fields__)
        if unknown:
            raise NotReady(f"there is no limit {', '.join(sorted(unknown))}; see job.Limits")
        exchange = str(self.config.get("Exchange", {}).get("root", ""))
        enabled = self.config.get("Execute", {}).get("enabled", True)
        return Settings(
            sandbox=self.sandbox,
            limits=Limits(**self.limits),
            config=_plain(self.config),
            before=before,
            after=after,
            private=_modules(self.private or _private_folders()),
            hide=tuple(path for path in (str(folder.root), exchange) if path),
            environment=dict(self.environment),
            preload=tuple(self.preload),
            control=bool(self.control and enabled),
        )


def _plain(config: Any) -> dict[str, dict[str, Any]]:
    """Keep of a configuration what can travel: values of sections, no functions or classes."""
    kept: dict[str, dict[str, Any]] = {}
    for section, values in config.items():
        if section[:1].isupper() and hasattr(values, "items"):
            simple = {k: v for k, v in values.items() if _is_simple(v)}
            if simple:
                kept[section] = simple
    return kept


def _is_simple(value: Any) -> bool:
    if isinstance(value, (list, tuple, set)):
        return all(_is_simple(each) for each in value)
    if isinstance(value, dict):
        return all(_is_simple(each) for each in value.values())
    return value is None or isinstance(value, (str, int, float, bool, bytes))


def _private_folders() -> list[str]:
    """Find the hidden checks where the course's configuration puts them."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [place for place in places if place and os.path.isdir(os.path.join(place, HIDDEN))]


def _modules(folders: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
