"""`tensorkit lab`: JupyterLab, opened on the first lesson.

In a checkout it serves the repository; elsewhere it copies the shipped lessons to
./tensorkit-lessons, where a learner may change them.
"""

import os
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from tensorkit.cli.lessons import checkout, copy_missing, originals
from tensorkit.cli.problem import Problem

SETTINGS = Path(__file__).resolve().parent / "jupyter"


def lab(no_browser: bool, port: int) -> int:
    """Serve the lessons until the learner stops the server. Raises Problem without lessons."""
    root, first = prepare(Path.cwd())
    silent = no_browser or not can_open_browser(os.environ, sys.platform)
    if silent:
        print("Open the address that JupyterLab prints below in a browser. Ctrl-C stops it.")

    os.environ["JUPYTER_CONFIG_PATH"] = config_path(os.environ)

    from jupyterlab.labapp import main as jupyterlab

    jupyterlab(options(root, first, port, silent, is_root()))
    return 0


def prepare(here: Path) -> tuple[Path, str]:
    """Give the folder to serve and, from there, the first lesson; copy the lessons if needed."""
    root = checkout()
    if root is None:
        root = here / "tensorkit-lessons"
        new = copy_missing(originals(), root)
        if new:
            print(f"{len(new)} new files in {root}; what was there is unchanged")
        lessons = root
    else:
        lessons = root / "notebooks"
    first = min(lessons.glob("*.ipynb"), default=None)
    if first is None:
        raise Problem(f"no notebook in {lessons}")
    return root, first.relative_to(root).as_posix()


def options(root: Path, first: str, port: int, silent: bool, as_root: bool) -> list[str]:
    """Give JupyterLab's own command line."""
    chosen = [
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}",
        f"--LabApp.default_url=/lab/tree/{first}",
        # A classroom may be offline, and a lesson should not open under a question about news.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    # One Ctrl-C is enough: the kernels hold nothing that a learner could not run again.
    chosen.append("--ServerApp.answer_yes=True")
    if silent:
        chosen.append("--no-browser")
    if as_root:
        # Jupyter refuses to run as root unless told so; in a container there is often nobody else.
        chosen.append("--allow-root")
    return chosen


def config_path(environment: Mapping[str, str]) -> str:
    """Give where Jupyter looks for settings: the kit's defaults come last, what a user set wins.

    They keep JupyterLab from asking about news, which ``news_url`` alone does not.
    """
    given = environment.get("JUPYTER_CONFIG_PATH", "")
    return os.pathsep.join(filter(None, [given, str(SETTINGS)]))


def is_root() -> bool:
    """Tell whether this process has the rights of root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def can_open_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Tell whether a window could open: a browser in this terminal would hide the address."""
    if environment.get("BROWSER") or platform in {"darwin", "win32"}:
        return True
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
