"""Formulas become MathML when a page is written, so that reading it needs no script.

Every current browser draws MathML itself; a formula that cannot be translated stays as LaTeX text.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

IMAGE = re.compile(r"""<img\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)


def mathml(latex: str, display: bool) -> str:
    """Translate LaTeX, without its dollar signs, to MathML; on a failure show it as code."""
    try:
        return str(convert(latex, display="block" if display else "inline"))
    except Exception:
        # What latex2mathml does not know raises many kinds of exceptions, with no common base.
        return f"<code>{html.escape(latex)}</code>"


def mathml_of_output(latex: str) -> str:
    """Translate the `text/latex` of an output, which carries its own dollar signs."""
    inner = latex.strip()
    found = re.fullmatch(r"(\$\$?|\\\[|\\\()(.*?)(\$\$?|\\\]|\\\))", inner, re.DOTALL)
    if found is None:
        return mathml(inner, display=True)
    return mathml(found[2], display=found[1] in {"$$", "\\["})


class Renderer(IPythonRenderer):
    """nbconvert's Markdown renderer, with formulas as MathML and HTML as it was written."""

    def _html_embed_images(self, html: str) -> str:
        """Put pictures in, tag by tag: a parser would end what only a later block ends.

        A ``<details>`` with blank lines in it arrives here in parts.
        """
        embed = super()._html_embed_images
        return IMAGE.sub(lambda tag: embed(tag[0]), html)

    def block_math(self, body: str) -> str:
        """Draw `$$...$$`."""
        return mathml(body, display=True)

    def inline_math(self, body: str) -> str:
        """Draw `$...$`."""
        return mathml(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        r"""Draw `\begin{align}...\end{align}`."""
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)


def markdown(source: str, attachments: dict[str, Any], path: str) -> str:
    """Turn a cell's Markdown into HTML, its pictures inside."""
    renderer = Renderer(
        escape=False,
        attachments=attachments,
        embed_images=True,
        path=path,
    )
    return str(MarkdownWithMath(renderer=renderer).render(source))
