"""What is stated about versions in several places agrees, and what is shipped is complete."""

import ast
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]

# conda-forge splits off Matplotlib's desktop toolkits.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}


def constant(name):
    """Read a constant of setup.py without running it."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"setup.py defines no {name}")


def ranges(requirements):
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(r.name): r.specifier for r in parsed}


def conda():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert all(isinstance(entry, str) for entry in dependencies), "no nested pip section"
    return dependencies


def test_conda_and_pip_want_the_same_packages_in_the_same_ranges():
    wanted = {
        canonicalize_name(CONDA_NAMES.get(name, name)): specifier
        for name, specifier in ranges(constant("REQUIRES")).items()
    }
    entries = [e for e in conda() if not e.startswith("python=") and e != "pip"]
    assert ranges(entries) == wanted


def test_the_python_of_conda_lies_in_the_range_of_setup():
    (pin,) = [entry for entry in conda() if entry.startswith("python")]
    name, _, minor = pin.partition("=")
    assert name == "python"
    assert SpecifierSet(constant("PYTHON")).contains(f"{minor}.0"), pin


def test_this_python_is_in_the_range():
    assert SpecifierSet(constant("PYTHON")).contains(platform.python_version())


def test_every_range_has_both_ends():
    every = ranges(constant("REQUIRES") + constant("EXTRAS")["test"])
    del every["packaging"]  # its versions are dates, which promise nothing
    for name, specifier in every.items():
        assert {s.operator for s in specifier} == {">=", "<"}, name


def test_the_installed_versions_lie_in_the_ranges():
    outside = {}
    for name, specifier in ranges(constant("REQUIRES") + constant("EXTRAS")["test"]).items():
        try:
            if not specifier.contains(version(name)):
                outside[name] = f"{version(name)} is not {specifier}"
        except PackageNotFoundError:
            outside[name] = "missing"
    assert outside == {}


def test_the_installed_kit_states_what_setup_states():
    stated = {str(Requirement(text)) for text in constant("REQUIRES")}
    installed = {text for text in requires("tensorkit") if "extra ==" not in text}
    assert {str(Requirement(text)) for text in installed} == stated, "install the kit again"


def test_torch_is_only_for_the_benchmarks():
    assert "torch" not in ranges(constant("REQUIRES") + constant("EXTRAS")["test"])
    assert "torch" in ranges(constant("EXTRAS")["bench"])


def test_everything_that_the_package_imports_is_required():
    owners = packages_distributions()
    # what needs an extra says so where it is missing
    extras = [text for name in ("data", "grading", "site") for text in constant("EXTRAS")[name]]
    declared = set(ranges(constant("REQUIRES") + extras)) | {"tensorkit"}
    missing = {}
    for path in (ROOT / "tensorkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            for top in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names):
                if not declared & {canonicalize_name(owner) for owner in owners.get(top, [])}:
                    missing.setdefault(top, path.relative_to(ROOT).as_posix())
    assert missing == {}


def test_versions_agree():
    import tensorkit

    assert tensorkit.__version__ == version("tensorkit")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What a wheel would hold, laid out in a folder, from a copy so that nothing is left behind."""
    place = tmp_path_factory.mktemp("wheel")
    source, built = place / "source", place / "built"
    source.mkdir()
    shutil.copy(ROOT / "setup.py", source)
    for folder in ("tensorkit", "notebooks", "assignments"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, source / folder)
    (source / "notebooks").mkdir(exist_ok=True)
    (source / "notebooks" / "00_shipped.ipynb").write_text("{}")
    (source / "assignments" / "submitted").mkdir(parents=True, exist_ok=True)
    (source / "assignments" / "submitted" / "secret.txt").write_text("handed in")
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", built],
        cwd=source,
        check=True,
    )
    return built


def test_a_wheel_holds_every_file_of_the_package(wheel):
    def files(root):
        found = {p.relative_to(root) for p in root.rglob("*") if p.is_file()}
        return {p for p in found if not {"__pycache__", "_shipped"} & set(p.parts)}

    assert files(wheel / "tensorkit") == files(ROOT / "tensorkit")


def test_a_wheel_holds_the_lessons_but_nothing_handed_in(wheel):
    shipped = wheel / "tensorkit" / "_shipped"
    assert (shipped / "notebooks" / "00_shipped.ipynb").is_file()
    for lesson in (ROOT / "notebooks").glob("*.ipynb"):
        assert (shipped / "notebooks" / lesson.name).read_bytes() == lesson.read_bytes()
    assert not (shipped / "assignments" / "submitted").exists()


def test_an_installed_kit_copies_its_lessons_beside_the_learner(wheel, tmp_path):
    code = "from tensorkit.cli.lab import prepare; from pathlib import Path; print(prepare(Path()))"
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    run = [sys.executable, "-c", code]
    subprocess.run(run, cwd=tmp_path, env=environment, check=True)
    mine = tmp_path / "tensorkit-lessons" / "00_shipped.ipynb"
    mine.write_text("my answer")
    again = subprocess.run(
        run, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert mine.read_text() == "my answer"
    assert "00_shipped.ipynb" in again.stdout


@pytest.mark.parametrize("script", [".ci/run", "start", "postBuild"])
def test_scripts_can_be_run(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_the_server_of_binder_compiles_for_a_named_cpu():
    code = "from numba import config; print(config.CPU_NAME, repr(config.CPU_FEATURES))"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    run = subprocess.run(
        [ROOT / "start", sys.executable, "-c", code],
        env=clean,
        check=True,
        capture_output=True,
        text=True,
    )
    pinned = "x86-64-v3 ''" if platform.machine() == "x86_64" else "None None"
    assert run.stdout.strip() == pinned


def test_binder_disables_extensions_that_nbgrader_has():
    (line,) = [x for x in (ROOT / "postBuild").read_text().splitlines() if x.startswith("for part")]
    parts = line.removeprefix("for part in ").removesuffix("; do").split()
    assert len(parts) == 4
    extension = Path(sys.prefix) / "share/jupyter/labextensions/@jupyter/nbgrader/static"
    scripts = "".join(path.read_text() for path in extension.glob("*.js"))
    for part in parts:
        assert f"@jupyter/nbgrader:{part}" in scripts


def test_binder_opens_what_the_lab_opens(tmp_path):
    from tensorkit.cli.lab import prepare

    lines = (ROOT / "postBuild").read_text().splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("etc="))
    script = [f'etc="{tmp_path}/etc"', *lines[start + 1 : lines.index("", start)]]
    subprocess.run(["bash", "-euc", "\n".join(script)], check=True)
    _, first = prepare(tmp_path)
    for app, file in (("LabApp", "lab"), ("ServerApp", "server")):
        written = json.loads((tmp_path / "etc" / f"jupyter_{file}_config.json").read_text())
        assert written == {app: {"default_url": f"/lab/tree/{first}"}}


def test_the_vendored_slides_are_the_version_that_is_stated():
    folder = ROOT / "tensorkit" / "cli" / "reveal"
    stated = (folder / "README.md").read_text().split()[1].rstrip(",")
    assert f'"{stated}"' in (folder / "reveal.js").read_text().replace("`", '"')
    assert "Permission is hereby granted" in (folder / "LICENSE").read_text()
