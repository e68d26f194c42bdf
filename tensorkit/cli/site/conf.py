"""Settings of the site. Formulas become MathML, so that no page fetches a script."""

from typing import Any

from docutils.nodes import SkipNode

from tensorkit import __version__
from tensorkit.cli.formulas import mathml

project = "tensorkit"
release = __version__
html_title = "tensorkit"
copyright = "the tensorkit contributors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
# it would fetch the pages it found, which a browser refuses for files
html_show_search_summary = False
templates_path: list[str] = []
exclude_patterns = ["conf.py"]

# the command has run them already
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
# the anchor that Jupyter gives a heading: links work in both
myst_heading_slug_func = "tensorkit.cli.website.slug"
suppress_warnings = ["myst.header"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
html_math_renderer = "mathml"


def inline(page: Any, node: Any) -> None:
    """Write a formula within a line."""
    page.body.append(mathml(node.astext(), display=False))
    raise SkipNode


def block(page: Any, node: Any) -> None:
    """Write a formula on lines of its own."""
    page.body.append(f'<div class="math">{mathml(node.astext(), display=True)}</div>')
    raise SkipNode


def setup(app: Any) -> None:
    """Teach Sphinx the formulas."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline, None), block_renderers=(block, None)
    )
