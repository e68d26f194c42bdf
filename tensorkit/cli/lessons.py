"""Where the lessons are: in a checkout they are the repository's, otherwise a copy of the shipped.

A copy never overwrites a file that is there: what a learner wrote stays.
"""

import shutil
from pathlib import Path

from tensorkit.cli.problem import Problem

PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = PACKAGE / "_shipped"


def checkout() -> Path | None:
    """Give the repository that this package lies in, or None where it came from a wheel."""
    root = PACKAGE.parent
    return root if (root / "setup.py").is_file() and (root / "notebooks").is_dir() else None


def originals() -> Path:
    """Give the folder that holds the lessons as they were written. Raises Problem without one."""
    root = checkout()
    folder = root / "notebooks" if root else SHIPPED / "notebooks"
    if not folder.is_dir():
        raise Problem(f"no lessons at {folder}: install tensorkit again, or run inside a checkout")
    return folder


def find(notebook: str) -> Path:
    """Give the notebook meant by a path, a name such as `gallery` or a lesson's number such as `1`.

    Raises Problem if there is none.
    """
    if Path(notebook).is_file():
        return Path(notebook).resolve()
    number = f"{int(notebook):02d}_" if notebook.isdecimal() else None
    for path in sorted(originals().glob("*.ipynb")):
        if path.stem == notebook or (number and path.stem.startswith(number)):
            return path
    lessons = ", ".join(path.name for path in sorted(originals().glob("*.ipynb")))
    raise Problem(f"no notebook {notebook!r}: give a path, or a name or number of {lessons}")


def copy_missing(source: Path, target: Path) -> list[Path]:
    """Copy every file below source that target lacks, and give the new ones."""
    copied = []
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_file() and "__pycache__" not in path.parts and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            copied.append(place)
    return copied


def course(folder: Path) -> int:
    """Copy the nbgrader course folder, sources with answers, to ``folder``. Raises Problem."""
    root = checkout()
    source = root / "assignments" if root else SHIPPED / "assignments"
    if not source.is_dir():
        raise Problem(f"no course folder at {source}: install tensorkit again")
    if root:
        print(f"the course folder of this checkout: {source}")
        return 0
    copied = copy_missing(source, folder)
    print(f"{len(copied)} new files in {folder}; what was there is unchanged")
    return 0
