"""The page that a learner gets back: their work, the points, the reasons; never the hidden checks.

nbgrader's own converter writes it. The steps here cut what belongs to the grader, keep what tells a
learner why, and let steppers step and formulas stand without a kernel, a script or a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.apps import GenerateFeedbackApp
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from traitlets.config import Config

from ..grading.course import BEGIN, END, without_hidden
from .job import NotReady
from .marks import REFUSED

Step = tuple[Any, dict[str, Any]]
Markdown = Callable[[str, dict[str, Any], str], str]
MATHJAX = re.compile(r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->", re.DOTALL)
# what this package writes where a result would be, for the learner to read
TOLD = (REFUSED, "Unreadable", "TooMuch", "DeadKernelError", "CellTimeoutError", "NotRun")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
WIDGET = "application/vnd.jupyter.widget-view+json"
SHORTEST = 8  # characters: a shorter hidden line, such as "x = 1", may be anybody's
CUT = "(a line of a hidden check)"


class ShowWhy(NbGraderPreprocessor):  # type: ignore[misc]
    """Keep the reasons that are meant for a learner, and nothing of the hidden checks."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Step:
        """Go through all cells: a hidden line may have been printed anywhere."""
        hidden = [line for cell in nb.cells for line in _hidden(cell.source)]
        for cell in nb.cells:
            is_check = bool(cell.metadata.get("nbgrader", {}).get("grade"))
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    _shorten(output, cell.source if is_check else "", is_check)
                _redact(output, hidden)
            if is_check:
                cell.source = without_hidden(cell.source)
        return nb, resources


class KeepLive(NbGraderPreprocessor):  # type: ignore[misc]
    """Let widgets that bring their own HTML work in the page; no script comes from a network."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> Step:
        """Choose, of each output, the form that needs no kernel."""
        nb.metadata.pop("widgets", None)
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if data.pop(WIDGET, None) and not {"text/html", "image/png"} & set(data):
                    data["text/html"] = "<p><em>This control needs the notebook.</em></p>"
        return nb, resources


STEPS = [GetGrades, ShowWhy, KeepLive, CSSHTMLHeaderPreprocessor]


def _hidden(source: str) -> list[str]:
    """List the lines of a cell that no learner may read."""
    lines, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line or END in line:
            inside = BEGIN in line
        elif inside and len(line.strip()) >= SHORTEST:
            lines.append(line.strip())
    return lines


def _shorten(output: Any, source: str, is_check: bool) -> None:
    """Of an error in a check keep the message, if the line that failed is one that can be read."""
    text = ANSI.sub("", "\n".join(output.traceback))
    if output.ename in TOLD:
        output.traceback = [f"{output.ename}: {output.evalue}" if output.evalue else text]
    elif is_check and not _is_visible(text, source):
        output.evalue = ""
        output.traceback = [f"A hidden check failed: {output.ename}."]
    elif is_check:
        words = output.evalue.strip()
        output.traceback = [f"{output.ename}: {words}" if words else f"{output.ename}."]
    elif "tensorkit/grading" in text or "tensorkit_hidden" in text:
        output.traceback = [f"{output.ename}: {output.evalue}"]


def _is_visible(trace: str, source: str) -> bool:
    """Tell whether the line of a check that failed stands outside of its hidden part."""
    if BEGIN not in source:
        return True
    found = re.search(r"Cell In\[\d+\], line (\d+)", trace)
    if found is None:
        return False
    before = source.split("\n")[: int(found[1])]
    opened = sum(BEGIN in line for line in before)
    return opened == sum(END in line for line in before)


def _redact(output: Any, hidden: Sequence[str]) -> None:
    """Cut hidden lines from whatever an output shows."""

    def clean(text: str) -> str:
        for line in hidden:
            text = text.replace(line, CUT)
        return text

    for key in ("text", "evalue"):
        if isinstance(output.get(key), str):
            output[key] = clean(output[key])
    if "traceback" in output:
        output.traceback = [clean(line) for line in output.traceback]
    for kind, data in output.get("data", {}).items():
        if isinstance(data, str) and kind.startswith("text/"):
            output.data[kind] = clean(data)


def _formulas(page: Any) -> Markdown | None:
    found: Markdown | None = page.parent.formulas
    return found


class Page(HTMLExporter):
    """nbgrader's page, with formulas that need no script."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Turn a cell's Markdown into HTML."""
        write = _formulas(self)
        if write is None:
            return str(super().markdown2html(context, source))
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        return str(write(source, context.get("cell", {}).get("attachments", {}), path))

    def from_notebook_node(self, nb: NotebookNode, *args: Any, **options: Any) -> Any:
        """Write the page."""
        text, resources = super().from_notebook_node(nb, *args, **options)
        return (MATHJAX.sub("", text) if _formulas(self) else text), resources


class Pages(GenerateFeedback):  # type: ignore[misc]
    """nbgrader's converter, which knows how to write formulas."""

    formulas: Markdown | None = None


class FeedbackApp(GenerateFeedbackApp):  # type: ignore[misc]
    """nbgrader's generate_feedback with these steps."""

    name = "tensorkit-feedback"
    formulas: Markdown | None = None

    def start(self) -> None:
        """Write the pages. Raises NotReady."""
        NbGrader.start(self)
        names = [*self.extra_args, *filter(None, [self.coursedir.assignment_id])]
        if len(names) != 1:
            raise NotReady("name one assignment, such as: tensorkit feedback gradients")
        self.coursedir.assignment_id = names[0]
        self.update_config(Config(GenerateFeedback={"preprocessors": STEPS}))
        converter = Pages(coursedir=self.coursedir, parent=self)
        converter.exporter_class, converter.formulas = Page, self.formulas
        try:
            converter.start()
        except NbGraderException as error:
            raise NotReady(str(error)) from error


def feedback(arguments: Sequence[str], formulas: Markdown | None = None) -> bool:
    """Write the pages of an assignment; ``arguments`` are those of nbgrader. Raises NotReady.

    ``formulas`` turns Markdown, its attachments and the path of its pictures into HTML.
    """
    app = FeedbackApp()
    app.formulas = formulas
    app.log_level = "ERROR"
    app.initialize(list(arguments))
    app.start()
    root = app.coursedir.format_path(app.coursedir.feedback_directory, "*", "")
    print(f"the pages are in {root.rstrip('/*')}")
    return True


__all__ = ["STEPS", "FeedbackApp", "KeepLive", "ShowWhy", "feedback"]
