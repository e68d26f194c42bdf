"""The website: pages that step, are searched and lead nowhere wrong, without a network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

import tensorkit.cli
from tensorkit import ops
from tensorkit.cli import lessons, website

FIRST = """\
# First

A formula $x^2$, the [next one](02_second.ipynb#Look-here), this [place](#First-steps), and the
[homework](../assignments/README.md).

$$\\sum_i x_i$$
"""
PRODUCT = "import tensorkit as tk\ntk.step(tk.mul, tk.tensor([1.0, 2.0]), tk.tensor([3.0, 5.0]))"


def write(folder, name, *cells):
    """Write a notebook; a cell is Markdown if it begins with a heading."""
    kinds = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    made = [kinds[text.startswith("#")](text) for text in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), folder / name)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    folder = root / "notebooks"
    folder.mkdir()
    quiz = "from tensorkit.widgets import Quiz\nQuiz('strides')"
    write(folder, "01_first.ipynb", FIRST, "## First steps\n\nHere.", PRODUCT, quiz)
    write(
        folder, "02_second.ipynb", "# Second\n\nOdometer words.", "## Look here\n\nHere.", "1 + 1"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(website, "originals", lambda: folder)
        out = root / "site"
        assert website.site([], out, "someone/somewhere") == 0
    return out


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.ids, self.links, self.fetched = set(), [], []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.ids |= {known[name] for name in ("id", "name") if known.get(name)}
        if tag == "a" and known.get("href"):
            self.links.append(known["href"])
        fetched = known.get("src") if tag in ("script", "img", "iframe") else None
        if tag == "link" and known.get("rel") in ("stylesheet", "icon", "preload"):
            fetched = known.get("href")
        if fetched:
            self.fetched.append(fetched)


def test_every_link_leads_somewhere_and_nothing_is_fetched_from_elsewhere(pages):
    read = {page.name: Links(page) for page in pages.glob("*.html")}
    assert {"index.html", "01_first.html", "02_second.html", "operations.html"} <= {*read}
    checked = 0
    for name, page in read.items():
        for link in page.links:
            if re.match(r"(https?|mailto):", link):
                continue
            target, _, anchor = unquote(link).partition("#")
            where = target.partition("?")[0] or name
            assert (pages / where).exists(), f"{name} leads to {link}"
            if anchor and where in read and where not in ("genindex.html", "search.html"):
                assert anchor in read[where].ids, f"{name} leads to {link}"
                checked += 1
        outside = [one for one in page.fetched if re.match(r"(https?:)?//", one)]
        assert not outside, f"{name} fetches {outside}"
    assert checked > 20


def test_links_of_a_notebook_are_kept_where_there_is_a_page(pages):
    text = (pages / "01_first.html").read_text("utf-8")
    assert 'href="02_second.html#look-here"' in text
    assert 'href="#first-steps"' in text
    assert "assignments/README" not in text
    assert "homework" in text


def test_badges_open_the_notebook_they_stand_in(pages):
    text = (pages / "02_second.html").read_text("utf-8")
    assert "mybinder.org/v2/gh/someone/somewhere/HEAD?urlpath=lab/tree/notebooks/02_second" in text
    assert "colab.research.google.com/github/someone/somewhere/blob/HEAD/notebooks/02_" in text


def test_formulas_are_mathml(pages):
    text = (pages / "01_first.html").read_text("utf-8")
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in text.replace("\n", "").replace(" ", "")
    assert 'display="block"' in text
    assert "MathJax" not in text


def test_every_operation_has_its_line_in_the_reference(pages):
    text = (pages / "operations.html").read_text("utf-8")
    for row in ops.TABLE:
        if row.kind in ("map", "zip", "reduce", "move"):
            assert f">{row.name}</span>" in text, row.name
    assert ">$<" not in text, "a formula was torn apart"


def test_the_reference_tells_of_the_public_functions(pages):
    text = (pages / "reference.html").read_text("utf-8")
    for name in ("tensorkit.creation.zeros", "tensorkit.using.use", "tensorkit.graph.no_grad"):
        assert f'id="{name}"' in text


def test_pages_step_and_are_searched_in_a_browser(pages, page):
    page.goto((pages / "01_first.html").as_uri())
    stepper = page.locator(".tk[aria-roledescription=stepper]").first
    stepper.focus()
    before = stepper.locator(".tk-count").inner_text()
    page.keyboard.press("ArrowRight")
    assert stepper.locator(".tk-count").inner_text() != before
    page.goto((pages / "search.html").as_uri() + "?q=odometer")
    page.wait_for_selector("#search-results li a")
    assert "02_second" in page.locator("#search-results li a").first.get_attribute("href")


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("https://github.com/someone/some.where.git\n", "someone/some.where"),
        ("git@github.com:someone/somewhere.git", "someone/somewhere"),
        ("https://example.org/someone/somewhere.git", None),
    ],
)
def test_the_home_on_github_is_found_in_the_origin(url, home):
    found = website.GITHUB.search(url.strip())
    assert (found[1] if found else None) == home


def test_without_sphinx_the_command_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(website, "find_spec", lambda name: None)
    assert tensorkit.cli.main(["site", "--output", str(tmp_path / "x")]) == 1
    assert "pip install 'tensorkit[site]'" in capsys.readouterr().err


def test_a_link_that_leads_nowhere_stops_the_site(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write(folder, "01_one.ipynb", "# One\n\n[gone](#Nowhere)")
    monkeypatch.setattr(website, "originals", lambda: folder)
    with pytest.raises(website.Problem, match="mistakes"):
        website.site([], tmp_path / "site", None)


def test_every_module_of_the_reference_exists():
    text = (Path(tensorkit.__file__).parent / "cli" / "site" / "reference.md").read_text("utf-8")
    names = re.findall(r"auto(?:module|function|class):: (\S+)", text)
    assert len(names) > 15
    assert lessons.originals().is_dir()
