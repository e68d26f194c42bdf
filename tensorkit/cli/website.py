"""`tensorkit site`: all lessons, the gallery and the reference as pages that need no network.

Sphinx makes them, with a search that runs in the browser. Every lesson is run on the way, so the
pages show what this version of the kit does; steppers and explorers go on stepping there.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nbformat

from tensorkit.cli.lessons import checkout, originals
from tensorkit.cli.problem import Problem
from tensorkit.cli.publish import make_offline, run

SETTINGS = Path(__file__).resolve().parent / "site"
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
GITHUB = re.compile(r"github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


def site(notebooks: list[str], output: Path, repository: str | None) -> int:
    """Write the pages into ``output``. Raises Problem without Sphinx, or where a lesson fails.

    ``repository`` is the owner/name on GitHub that Binder and Colab open; without it, that of the
    checkout's origin, or no such links. ``notebooks`` are the names of those to take, all if empty.
    """
    if any(find_spec(name) is None for name in ("sphinx", "myst_nb", "furo")):
        raise Problem("the pages are made by Sphinx: pip install 'tensorkit[site]'")
    home = repository or github_home()
    with tempfile.TemporaryDirectory(prefix="tensorkit-site-") as folder:
        source = Path(folder)
        gather(source, home, notebooks)
        # -W: a link that leads nowhere is an error
        build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        done = subprocess.run([*build, folder, str(output)], check=False)
    if done.returncode:
        raise Problem("Sphinx found mistakes, told above")
    print(output / "index.html")
    return 0


def gather(source: Path, home: str | None, only: list[str]) -> None:
    """Put into ``source`` all that Sphinx is to read."""
    shutil.copytree(SETTINGS, source, dirs_exist_ok=True)
    folder = originals()
    if (folder / "images").is_dir():
        shutil.copytree(folder / "images", source / "images")
    paths = [p for p in sorted(folder.glob("*.ipynb")) if not only or p.stem in only]
    names = [path.stem for path in paths]
    for path in paths:
        nbformat.write(prepared(path, home, names), source / path.name)
    index = (source / "index.md").read_text("utf-8")
    contents = "\n".join(names)
    (source / "index.md").write_text(index.replace("NOTEBOOKS", contents), "utf-8")
    (source / "operations.md").write_text("\n".join(table()), "utf-8")


def prepared(path: Path, home: str | None, names: list[str]) -> nbformat.NotebookNode:
    """Run a notebook and return it for Sphinx, with badges and with links that lead somewhere.

    A file beside the notebooks is no page of the site, and a notebook that is left out is none.
    """
    notebook = run(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            make_offline(output.get("data", {}))
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda link: kept(link, names), cell.source)
    if home:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(badges(home, path.name)))
    return notebook


def kept(link: re.Match[str], names: list[str]) -> str:
    """Return a link to a page of the site as it is, and of any other only its text."""
    target = Path(link["target"].partition("#")[0])
    leads = link["target"].startswith(("#", "http", "images/")) or target.stem in names
    return link[0] if leads else link["text"]


def badges(home: str, name: str) -> str:
    """Return links that open a notebook on Binder and on Colab."""
    binder = f"https://mybinder.org/v2/gh/{home}/HEAD?urlpath=lab/tree/notebooks/{name}"
    colab = f"https://colab.research.google.com/github/{home}/blob/HEAD/notebooks/{name}"
    return f"[Open on Binder]({binder}) · [Open on Colab]({colab})"


def slug(title: str) -> str:
    """Return the anchor that Jupyter gives a heading."""
    return title.strip().replace(" ", "-")


def github_home() -> str | None:
    """Return the owner/name of the checkout's origin, if that is on GitHub."""
    root = checkout()
    if root is None or shutil.which("git") is None:
        return None
    asked = subprocess.run(
        ["git", "-C", str(root), "remote", "get-url", "origin"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = GITHUB.search(asked.stdout.strip())
    return found[1] if found else None


def table() -> Iterator[str]:
    """Yield a page of the operations: name, formula, what it does."""
    from tensorkit import ops

    yield "# Operations\n"
    yield "Every row of the table is a function `tk.<name>` and a method of a tensor.\n"
    kinds = {"map": "Map", "zip": "Zip", "reduce": "Reduce", "move": "Move"}
    for kind, title in kinds.items():
        yield f"\n## {title}\n\n| | formula | |\n|:--|:--|:--|"
        for row in ops.TABLE:
            if row.kind == kind:
                # a bar would end the cell of the page's table
                latex, about = row.latex.replace("|", r"\vert "), row.about.replace("|", r"\|")
                yield f"| `{row.name}` | ${latex}$ | {about} |"
