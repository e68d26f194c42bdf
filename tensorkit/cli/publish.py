"""A lesson as slides or as a page: run once, then one file that needs neither kernel nor network.

Steppers keep stepping there, because all that they need stands in their HTML. Controls that would
rerun Python cannot work without a kernel; the file says so in their place.
"""

from pathlib import Path
from typing import Any

import nbformat
from jinja2 import pass_context
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.exporters import HTMLExporter, SlidesExporter
from nbformat import NotebookNode
from traitlets.config import Config

from tensorkit.cli.formulas import markdown, mathml_of_output
from tensorkit.cli.lessons import find
from tensorkit.cli.problem import Problem

HERE = Path(__file__).resolve().parent
TIMEOUT = 300  # seconds for one cell: on a slow machine the first kernel takes several
NEEDS_KERNEL = "These controls run Python: open the lesson with <code>tensorkit lab</code>."

# The best form of an output first: HTML, which carries the steppers, before any picture.
PRIORITY = [
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/plain",
]


def slides(notebook: str, output: Path, answers: bool) -> int:
    """Write a notebook as reveal.js slides. Raises Problem where a cell fails."""
    path = find(notebook)
    lesson = run(path)
    if not answers:
        lesson.cells = without_answers(lesson.cells)
    for cell in lesson.cells:
        if "picture" in cell.metadata.get("tags", []):
            cell.metadata["transient"] = {"remove_source": True}  # a talk needs no call beside it
    body = _convert(lesson, path, SlidesExporter, "tensorkit_slides")
    return _write(body, output / f"{path.stem}.slides.html")


def page(notebook: str, output: Path) -> int:
    """Write a notebook as a page. Raises Problem where a cell fails."""
    path = find(notebook)
    body = _convert(run(path), path, HTMLExporter, "tensorkit_page")
    return _write(body, output / f"{path.stem}.html")


def run(path: Path) -> NotebookNode:
    """Execute a notebook in its own folder, with this Python, and give it with its outputs."""
    lesson: NotebookNode = nbformat.read(path, as_version=4)
    client = NotebookClient(
        lesson,
        timeout=TIMEOUT,
        kernel_name="python3",
        # Widget state would make pages load a widget manager from the network.
        store_widget_state=False,
        # The kernel listens on this machine only: its advice about encryption would not help here.
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise Problem(f"a cell of {path.name} failed: {error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        raise Problem(f"a cell of {path.name} took more than {TIMEOUT} seconds") from error
    return lesson


def without_answers(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Leave out the cells tagged `answer`; a slide that an answer opened, the next cell opens."""
    kept: list[NotebookNode] = []
    opened = None
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if "answer" in cell.metadata.get("tags", []):
            if kind in {"slide", "subslide"}:
                opened = kind
            continue
        if opened and kind in {"-", "fragment"}:
            cell.metadata["slideshow"] = {"slide_type": opened}
        if kind not in {"notes", "skip"}:
            opened = None
        kept.append(cell)
    return kept


def _convert(lesson: NotebookNode, path: Path, kind: type[HTMLExporter], template: str) -> str:
    for cell in lesson.cells:
        for output in cell.get("outputs", []):
            make_offline(output.get("data", {}))
    exporter = kind(
        config=Config(NbConvertBase={"display_data_priority": PRIORITY}),
        template_name=template,
        extra_template_basedirs=[str(HERE / "templates")],
        extra_template_paths=[str(HERE / "templates")],  # for what both templates include
        embed_images=True,
        filters={"markdown2html": _markdown2html},
    )
    resources = {
        "metadata": {"name": path.stem, "path": str(path.parent)},
        "tensorkit": {
            "reveal_js": (HERE / "reveal" / "reveal.js").read_text(encoding="utf-8"),
            "reveal_css": (HERE / "reveal" / "reveal.css").read_text(encoding="utf-8"),
        },
    }
    body, _ = exporter.from_notebook_node(lesson, resources=resources)
    return str(body)


def _write(body: str, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(body, encoding="utf-8")
    print(target)
    return 0


def make_offline(data: dict[str, Any]) -> None:
    """Give an output an HTML form where its own would need a kernel or a script."""
    had_view = data.pop("application/vnd.jupyter.widget-view+json", None)
    if "text/html" in data:
        return
    if "text/latex" in data:
        data["text/html"] = mathml_of_output(data["text/latex"])
    elif had_view and not any(kind.startswith("image/") for kind in data):
        data["text/html"] = f"<p><em>{NEEDS_KERNEL}</em></p>"


@pass_context
def _markdown2html(context: Any, source: str) -> str:
    cell = context.get("cell", {})
    path = context.get("resources", {}).get("metadata", {}).get("path", "")
    return markdown(source, cell.get("attachments", {}), path)
