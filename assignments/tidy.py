"""Store the source notebooks in one form, without outputs, so that a diff shows what changed.

Run it after editing in JupyterLab: python assignments/tidy.py
"""

from pathlib import Path

import nbformat


def tidy(path: Path) -> None:
    """Rewrite one notebook: no outputs, no editor's leftovers, ids that are names."""
    notebook = nbformat.read(path, as_version=4)
    spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": spec, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        record = cell.metadata.get("nbgrader")
        cell.metadata = {"nbgrader": record} if record else {}
        if record:
            cell.id = record["grade_id"]
        elif not cell.id.replace("-", "").isalpha():
            cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    for found in sorted((Path(__file__).parent / "source").glob("*/*.ipynb")):
        tidy(found)
