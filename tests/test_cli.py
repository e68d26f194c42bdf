"""The command: it finds lessons, never overwrites, starts JupyterLab, and publishes offline."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import tensorkit.cli
from tensorkit.cli import browser, doctor, formulas, lab, lessons, publish, warm
from tensorkit.cli.problem import Problem


def cell(source, kind="-", tags=(), code=False):
    made = (new_code_cell if code else new_markdown_cell)(source)
    made.metadata["slideshow"] = {"slide_type": kind}
    made.metadata["tags"] = list(tags)
    return made


TOP = "Reveal.getCurrentSlide().scrollTop"

STEPPER = """
from IPython.display import HTML
HTML('''<div class="demo"><b>0</b><button>next</button></div><script>
(() => {
  const root = document.currentScript.previousElementSibling;
  root.querySelector("button").onclick = () => { root.querySelector("b").textContent = "1"; };
})();
</script>''')
"""

PLOT = """
import matplotlib.pyplot as plt
plt.plot([3, 1, 2]);
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A small lesson with all that is hard to publish."""
    path = tmp_path_factory.mktemp("lesson") / "03_demo.ipynb"
    cells = [
        cell("# Demo\n\n$$\\sum_i d_i J_{ij}$$ and $\\frac{\\partial f}{\\partial x}$", "slide"),
        cell("first", "fragment"),
        cell("second", "fragment"),
        cell("line\n\n" * 60 + "below the edge", "fragment"),
        cell(STEPPER, "slide", code=True),
        cell("import ipywidgets; ipywidgets.IntSlider()", code=True),
        cell("from IPython.display import Math; Math(r'\\sigma(x)')", code=True),
        cell("The answer is forty-two.", "slide", tags=["answer"]),
        cell("answer = 6 * 7", tags=["answer"], code=True),
        cell("print('it is', answer)", "fragment", code=True),
        cell(PLOT, "slide", code=True),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def published(lesson, tmp_path_factory):
    """The lesson as slides without and with answers, and as a page: three texts."""
    short, full = (tmp_path_factory.mktemp(name) for name in ("short", "full"))
    assert tensorkit.cli.main(["slides", str(lesson), "--output", str(short)]) == 0
    assert tensorkit.cli.main(["slides", str(lesson), "--answers", "--output", str(full)]) == 0
    assert tensorkit.cli.main(["export", str(lesson), "--output", str(full)]) == 0
    return {
        "slides": short / "03_demo.slides.html",
        "answers": full / "03_demo.slides.html",
        "page": full / "03_demo.html",
    }


# Lessons


def test_a_number_or_a_path_names_a_lesson(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "originals", lambda: tmp_path)
    for name in ("01_first.ipynb", "12_last.ipynb"):
        (tmp_path / name).write_text("{}")
    assert lessons.find("1").name == "01_first.ipynb"
    assert lessons.find("12") == lessons.find("12_last") == tmp_path / "12_last.ipynb"
    assert lessons.find(str(tmp_path / "12_last.ipynb")) == tmp_path / "12_last.ipynb"
    with pytest.raises(
        Problem, match=r"'7': give a path, or a name or number of 01_first.ipynb, 12"
    ):
        lessons.find("7")


def test_copying_adds_what_is_missing_and_keeps_what_is_there(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "deep").mkdir(parents=True)
    (source / "a.ipynb").write_text("as shipped")
    (source / "deep" / "b.ipynb").write_text("as shipped")
    target.mkdir()
    (target / "a.ipynb").write_text("mine")
    assert lessons.copy_missing(source, target) == [target / "deep" / "b.ipynb"]
    assert (target / "a.ipynb").read_text() == "mine"
    assert (target / "deep" / "b.ipynb").read_text() == "as shipped"


def test_without_lessons_there_is_one_sentence_and_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lessons, "PACKAGE", tmp_path / "tensorkit")
    monkeypatch.setattr(lessons, "SHIPPED", tmp_path / "tensorkit" / "_shipped")
    assert tensorkit.cli.main(["slides", "1"]) == 1
    assert capsys.readouterr().err.startswith("tensorkit: no lessons at ")


def test_the_course_folder_is_copied_for_teachers(tmp_path, monkeypatch, capsys):
    shipped = tmp_path / "package" / "_shipped"
    (shipped / "assignments" / "source").mkdir(parents=True)
    (shipped / "assignments" / "source" / "a.ipynb").write_text("{}")
    monkeypatch.setattr(lessons, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(lessons, "SHIPPED", shipped)
    assert tensorkit.cli.main(["course", str(tmp_path / "mine")]) == 0
    assert (tmp_path / "mine" / "source" / "a.ipynb").is_file()
    assert capsys.readouterr().out.startswith("1 new files in ")


# JupyterLab


def test_settings_of_the_user_are_looked_for_first():
    assert lab.config_path({}) == str(lab.SETTINGS)
    given = lab.config_path({"JUPYTER_CONFIG_PATH": "/mine"})
    assert given.split(os.pathsep) == ["/mine", str(lab.SETTINGS)]
    assert (lab.SETTINGS / "labconfig" / "default_setting_overrides.json").is_file()


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("as_root", [True, False])
def test_options_say_root_and_browser_only_where_meant(tmp_path, silent, as_root):
    chosen = lab.options(tmp_path, "notebooks/01_gradients.ipynb", 9001, silent, as_root)
    assert f"--ServerApp.root_dir={tmp_path}" in chosen
    assert "--ServerApp.port=9001" in chosen
    assert "--LabApp.default_url=/lab/tree/notebooks/01_gradients.ipynb" in chosen
    assert ("--no-browser" in chosen) is silent
    assert ("--allow-root" in chosen) is as_root


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"BROWSER": "firefox"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_window_is_expected_only_where_one_can_open(environment, platform, expected):
    assert lab.can_open_browser(environment, platform) is expected


def test_a_display_without_a_browser_opens_nothing(monkeypatch):
    def none():
        raise lab.webbrowser.Error("no browser")

    monkeypatch.setattr(lab.webbrowser, "get", none)
    assert not lab.can_open_browser({"DISPLAY": ":0"}, "linux")
    monkeypatch.setattr(lab.webbrowser, "get", object)
    assert lab.can_open_browser({"DISPLAY": ":0"}, "linux")


def fetch(url, server):
    """Get a page of a server that is about to listen: it prints its address a little earlier."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with direct.open(url, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        time.sleep(0.1)  # between two askings
    raise AssertionError(f"nothing answers at {url}")


def test_lab_serves_the_first_lesson(tmp_path, monkeypatch):
    root = tmp_path / "checkout"
    (root / "notebooks").mkdir(parents=True)
    nbformat.write(new_notebook(), root / "notebooks" / "01_gradients.ipynb")
    nbformat.write(new_notebook(), root / "notebooks" / "02_next.ipynb")
    code = (
        "import sys; from pathlib import Path; from tensorkit.cli import lab, main;"
        "lab.checkout = lambda: Path(sys.argv[1]);"
        "main(['lab', '--no-browser', '--port', sys.argv[2]])"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(root), port],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            seen = []
            for line in server.stderr:
                seen.append(line)
                found = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/(\S+)\?token=\w+", line)
                if found:
                    break
            else:
                pytest.fail("JupyterLab ended: " + "".join(seen))
            body = fetch(found[0], server)
            asked = "/lab/api/settings/@jupyterlab/apputils-extension:notification"
            news = fetch(re.sub(r"/lab/tree/[^?]+", asked, found[0]), server)
        finally:
            server.terminate()
            server.stderr.close()
    assert found[1] == "notebooks/01_gradients.ipynb"
    assert "jupyter-config-data" in body
    assert '"news": {"disabled": true}' in body
    assert json.loads(news)["schema"]["properties"]["fetchNews"]["default"] == "false"


# Slides and pages


@pytest.mark.parametrize("kind", ["slides", "answers", "page"])
def test_published_files_name_nothing_on_the_network(published, kind):
    text = published[kind].read_text(encoding="utf-8")
    assert re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'> ]*""", text) == []
    assert re.findall(r"@import|url\(\s*[\"']?https?:[^)]*", text) == []
    assert "import mermaid" not in text


def test_answers_are_left_out_of_slides_unless_asked_for(published):
    assert "forty-two" not in published["slides"].read_text(encoding="utf-8")
    assert "forty-two" in published["answers"].read_text(encoding="utf-8")
    assert "forty-two" in published["page"].read_text(encoding="utf-8")


def test_answers_still_run_when_they_are_left_out(published):
    assert "it is 42" in published["slides"].read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["slides", "page"])
def test_formulas_need_no_script_and_controls_say_what_they_need(published, kind):
    text = published[kind].read_text(encoding="utf-8")
    assert text.count("<math") == 3
    assert "\\frac" not in text
    assert "open the lesson with" in text
    assert "IntSlider(value" not in text


def test_what_an_answer_opened_the_next_cell_opens():
    kept = publish.without_answers(
        [
            cell("a", "slide"),
            cell("b", "slide", tags=["answer"]),
            cell("c", "fragment"),
            cell("d", "subslide", tags=["answer"]),
            cell("e", "slide"),
            cell("f"),
        ]
    )
    kinds = [(c.source, c.metadata.slideshow.slide_type) for c in kept]
    assert kinds == [("a", "slide"), ("c", "slide"), ("e", "slide"), ("f", "-")]


def test_a_failing_cell_is_told_in_one_sentence(tmp_path, capsys):
    path = tmp_path / "broken.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("{}['x']")]), path)
    assert tensorkit.cli.main(["slides", str(path), "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "tensorkit: a cell of broken.ipynb failed: KeyError: 'x'\n"
    assert not (tmp_path / "broken.slides.html").exists()


def test_a_formula_that_cannot_be_translated_stays_readable():
    assert formulas.mathml(r"\left( x < y", display=False) == r"<code>\left( x &lt; y</code>"


def test_html_stays_as_it_was_written_and_its_pictures_are_put_in(tmp_path):
    source = "<details><summary>Why</summary>\n\nIt is *so*.\n\n- a\n- b\n\n</details>\n\nAfter"
    made = formulas.markdown(source, {}, "")
    assert re.sub(r"\s+", " ", made).strip() == (
        "<details><summary>Why</summary> <p>It is <em>so</em>.</p> <ul> <li>a</li> <li>b</li> "
        "</ul> </details> <p>After</p>"
    )
    (tmp_path / "dot.png").write_bytes(b"a picture")
    source = '<div><IMG alt="a > b"\n src="dot.png">\n\nmore\n\n</div>'
    made = formulas.markdown(source, {}, str(tmp_path))
    assert 'src="data:image/png;base64,YSBwaWN0dXJl"' in made
    assert made.startswith('<div><img alt="a &gt; b"') and made.count("</div>") == 1


@pytest.mark.parametrize(
    ("latex", "display"),
    [("$x$", "inline"), ("$$x$$", "block"), (r"\(x\)", "inline"), ("x", "block")],
)
def test_outputs_bring_their_own_dollar_signs(latex, display):
    drawn = formulas.mathml_of_output(latex)
    assert f'display="{display}"' in drawn
    assert "$" not in drawn


def test_slides_reveal_fragments_in_order_and_steppers_step(published, page):
    page.goto(published["slides"].as_uri())
    page.wait_for_function("Reveal.isReady()")
    shown = page.locator("section.present .fragment.visible p")
    assert page.locator("h1").is_visible()
    assert shown.count() == 0
    page.keyboard.press("ArrowRight")
    assert shown.all_text_contents() == ["first"]
    page.keyboard.press("ArrowRight")
    assert shown.all_text_contents() == ["first", "second"]
    assert page.evaluate(TOP) == 0
    page.keyboard.press("ArrowRight")
    assert page.evaluate(TOP) > 0
    page.keyboard.press("ArrowRight")
    page.locator(".demo button").click()
    assert page.locator(".demo b").inner_text() == "1"
    page.keyboard.press("End")
    assert page.locator("section.present img[src^='data:image/png']").is_visible()


def test_a_page_shows_all_and_its_steppers_step(published, page):
    page.goto(published["page"].as_uri())
    assert page.locator("math").first.bounding_box()["width"] > 20
    page.locator(".demo button").click()
    assert page.locator(".demo b").inner_text() == "1"
    assert page.locator("#Demo").inner_text().startswith("Demo")
    assert page.locator("img[src^='data:image/png']").is_visible()


# The least contrast of any text with the ground behind it, as WCAG reckons it.
CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll("p, li, th, td, h1, h2, code, .highlight span")) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const both = [numbers(getComputedStyle(e).color), ground(e)].map(light).sort((a, b) => a - b);
    found.push([(both[1] + 0.05) / (both[0] + 0.05), e.textContent.slice(0, 20)]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.mark.parametrize("kind", ["page", "slides"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_follow_the_readers_scheme_and_stay_readable(published, new_page, kind, scheme):
    page = new_page(color_scheme=scheme)
    page.goto(published[kind].as_uri())
    body = page.evaluate("getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor")
    assert body == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]
    least, words = page.evaluate(CONTRAST)
    assert least >= 4, words
    page.emulate_media(media="print")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
        " === 'rgb(255, 255, 255)'"
    )


# Doctor and warm


def test_doctor_is_content_here(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert doctor.doctor() == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "note"}
    assert any("numba" in line and "multiplies" in line for line in lines)
    assert any(f"llvmlite {version('llvmlite')}, matplotlib" in line for line in lines)
    assert any(re.search(r"[1-9]\d* compiled kernels, \d+\.\d MB, in ", line) for line in lines)
    assert any(re.search(r"compiled for the CPU \S+: ", line) for line in lines)


def test_doctor_names_what_is_missing_and_how_to_get_it(monkeypatch):
    monkeypatch.setattr(
        doctor,
        "requires",
        lambda _: ["numpy<1", "no-such-package>=2", 'torch==0.1; extra == "bench"', "numba"],
    )
    found = {finding.verdict: finding.sentence for finding in doctor.packages()}
    everything = " ".join(f"{v} {s}" for v, s in doctor.packages())
    assert "wrong numpy" in everything
    assert '-m pip install "numpy<1"' in everything
    assert "no-such-package is missing" in everything
    assert "wrong torch" not in everything
    assert found["ok"].startswith("1 packages")


def test_doctor_ends_with_status_1_where_something_is_wrong(monkeypatch, capsys):
    for name in ("python", "packages", "cpu", "cache", "browser", "exchange"):
        monkeypatch.setattr(doctor, name, lambda: [])
    monkeypatch.setattr(doctor, "kernel", lambda: [doctor.Finding("wrong", "no compiler")])
    assert doctor.doctor() == 1
    assert capsys.readouterr().out == "wrong no compiler\n"


@pytest.mark.parametrize(
    ("name", "features", "verdict", "words"),
    [
        ("x86-64-v3", "", "ok", "x86-64-v3: named by NUMBA_CPU_NAME"),
        ("x86-64-v4", "", "wrong", "has no avx512f and would stop at them: unset NUMBA_CPU_NAME"),
        ("x86-64-v3", None, "wrong", "only NUMBA_CPU_NAME is set.*or neither"),
        (None, "", "wrong", "only NUMBA_CPU_FEATURES is set"),
        (None, None, "ok", "this one, with avx2"),
    ],
)
def test_doctor_tells_the_cpu_that_kernels_are_for(monkeypatch, name, features, verdict, words):
    import llvmlite.binding as llvm

    from tensorkit import machine

    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: HasAvx2(avx2=True, avx512f=False))
    monkeypatch.setattr(machine, "cpu", machine.cpu.__wrapped__)
    for variable, value in (("NUMBA_CPU_NAME", name), ("NUMBA_CPU_FEATURES", features)):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    (finding,) = doctor.cpu()
    assert finding.verdict == verdict
    assert re.search(words, finding.sentence)


class HasAvx2(dict):
    """What llvmlite knows of a CPU."""

    def flatten(self):
        return ",".join("-+"[has] + feature for feature, has in self.items())


@pytest.mark.parametrize("asked", [True, False])
def test_doctor_says_when_kernels_cannot_be_kept(monkeypatch, tmp_path, asked):
    from tensorkit import compiler

    monkeypatch.setenv("TENSORKIT_CACHE", "/nowhere")
    if not asked:
        monkeypatch.delenv("TENSORKIT_CACHE")
    folder = Path(tempfile.mkdtemp(prefix="tensorkit-"))
    monkeypatch.setattr(compiler, "cache_folder", lambda: folder)
    (finding,) = doctor.cache()
    folder.rmdir()
    assert finding.verdict == ("wrong" if asked else "note")
    place = "/nowhere" if asked else "your cache folder"
    assert f"{place} cannot be written: set TENSORKIT_CACHE to a folder" in finding.sentence
    monkeypatch.setattr(compiler, "cache_folder", lambda: tmp_path)
    (tmp_path / "a.o").write_bytes(bytes(2_500_000))
    assert list(doctor.cache()) == [
        ("ok", f"1 compiled kernels, 2.5 MB, in {tmp_path}: new ones are kept there")
    ]


def test_doctor_reads_the_exchange_of_the_course(monkeypatch, tmp_path):
    (tmp_path / "exchange").mkdir()
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
    )
    monkeypatch.chdir(tmp_path)
    (finding,) = doctor.exchange()
    assert finding == ("ok", f"nbgrader's exchange is {tmp_path / 'exchange'}")


def test_a_script_that_asks_for_a_snap_is_no_browser(monkeypatch, tmp_path):
    for name, text in {
        "chromium-browser": '#!/bin/sh\necho "run: snap install chromium"\n',
        "google-chrome": "#!/bin/sh\nexec chrome\n",
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.chromium() == str(tmp_path / "google-chrome")
    (tmp_path / "google-chrome").unlink()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    assert browser.chromium() is None
    own = tmp_path / "none" / "chromium-1200" / "chrome-linux" / "chrome"
    own.parent.mkdir(parents=True)
    own.touch()
    assert browser.chromium() == str(own)


def test_warm_runs_every_row(monkeypatch, capsys):
    import tensorkit as tk

    assert warm.warm() == 0
    assert capsys.readouterr().out.startswith(f"{len(tk.ops.TABLE)} operations are ready")


# The command itself


@pytest.mark.parametrize(
    "run", [["-m", "tensorkit"], ["-c", "import tensorkit.cli as c; c.main()"]]
)
def test_help_names_every_command(run):
    shown = subprocess.run(
        [sys.executable, *run, "--help"], check=True, capture_output=True, text=True
    ).stdout
    for command in ("lab", "slides", "export", "course", "doctor", "warm"):
        assert re.search(rf"^    {command} ", shown, re.MULTILINE), command


def test_the_command_is_installed_beside_python():
    script = Path(sys.executable).parent / "tensorkit"
    shown = subprocess.run([script, "--version"], check=True, capture_output=True, text=True)
    assert shown.stdout.startswith("tensorkit ")
