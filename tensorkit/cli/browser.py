"""Which Chromium the browser tests drive: the system's, or the one that Playwright brought.

Nobody needs a browser on this machine to learn: JupyterLab opens in the reader's own.
"""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Give the path of a Chromium, or None where there is none."""
    for name in NAMES:
        found = shutil.which(name)
        # Ubuntu ships a script of this name that only asks for a snap.
        if found and not _is_snap_stub(Path(found)):
            return found
    home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright")
    own = sorted(Path(home).expanduser().glob("chromium-*/chrome-linux*/chrome"))
    return str(own[-1]) if own else None


def _is_snap_stub(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"#!") and b"snap install" in start


if __name__ == "__main__":
    place = chromium()
    if place is None:
        raise SystemExit("no Chromium found")
    print(place)
