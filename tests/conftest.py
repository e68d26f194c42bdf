"""A browser without a network, and a real JupyterLab: what the tests of pages need."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tensorkit import compiler
from tensorkit.cli.browser import chromium

# compiled loops are what is tested, also where nothing was compiled before
compiler.PATIENCE = 0
os.environ["TENSORKIT_PATIENCE"] = "0"
CHROMIUM = chromium()
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=direct://",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless Chromium for the whole run."""
    api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    if CHROMIUM is None:
        pytest.skip("the browser tests need Chromium: make test installs it")
    with api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Any]:
    """Make pages, with the options of a browser context; an error in a page fails the test.

    Whatever a page asks of a host other than this machine is refused and fails the test as well.
    """
    contexts, errors, asked = [], [], []

    def guard(route: Any) -> None:
        url = route.request.url
        if url.startswith("http") and not url.startswith("http://127.0.0.1:"):
            asked.append(url)
            route.abort()
        else:
            route.continue_()

    def make(**options: Any) -> Any:
        options = {
            "viewport": {"width": 1100, "height": 900},
            "reduced_motion": "reduce",
            **options,
        }
        context = browser.new_context(**options)
        contexts.append(context)
        context.route("**/*", guard)
        page = context.new_page()
        page.asked, page.errors = asked, errors
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors
    assert not asked


@pytest.fixture
def page(new_page: Any) -> Any:
    """One page in a light browser without motion."""
    return new_page()


IDLE = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@dataclass
class Lab:
    """A running JupyterLab: its folder, and the address of a notebook in it."""

    folder: Path
    port: int

    def url(self, notebook: str) -> str:
        """Return where a notebook of the folder opens, in a workspace of its own."""
        name = notebook.removesuffix(".ipynb")
        return f"http://127.0.0.1:{self.port}/lab/workspaces/{name}/tree/{notebook}"

    def run_all(self, page: Any, notebook: str, patience: float = 90) -> None:
        """Open a notebook and ask for all its cells to be run; wait ``patience`` seconds a look."""
        page.set_default_timeout(1000 * patience)
        page.goto(self.url(notebook))
        page.wait_for_function("() => window.jupyterapp !== undefined")
        page.wait_for_function(IDLE)
        page.evaluate("() => jupyterapp.commands.execute('runmenu:run-all')")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab server on a free port, with settings of its own, in an empty folder."""
    with serve(tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("jupyter")) as started:
        yield started


@contextlib.contextmanager
def serve(folder: Path, home: Path) -> Iterator[Lab]:
    """Run a JupyterLab server in ``folder``; its own settings and its log are in ``home``."""
    pytest.importorskip("jupyterlab", reason="the notebook tests need jupyterlab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    names += ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    places = {name: str(home / name.lower()) for name in names}
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser"]
    command += [f"--port={port}", "--ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    for app in ("LabApp", "JupyterNotebookApp"):
        command += [f"--{app}.expose_app_in_browser=True"]
    command += ["--LabApp.news_url=None"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **places, "PYTHONPATH": path, "PYTHONWARNINGS": "default"},
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/api/status", home / "log")
        yield Lab(folder, port)
    finally:
        _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    # the first request lets kernels go, the second does not wait for open pages
    for stop in (server.terminate, server.terminate, server.kill):
        stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
            return


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with direct.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)  # between two askings of a server that is starting
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")
