"""What tensorkit needs, and in which versions it was tested.

environment.yml states the same ranges for conda; tests/test_packaging.py compares the two.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent

# The upper bound is the first Python that the newest allowed numba has no wheels for.
PYTHON = ">=3.11,<3.15"

# An upper bound stands where a newer version could break the kit without an error.
REQUIRES = [
    # The stepper is JavaScript in an anywidget module: its contract is still 0.x.
    "anywidget>=0.9,<0.12",
    # Lessons run in it; 7 changed how a kernel is interrupted.
    "ipykernel>=6.29,<8",
    # 8 is the widget protocol that the explorers speak.
    "ipywidgets>=8.1,<9",
    # The sandboxed kernel is a kernel provisioner; 9 may start kernels in another way.
    "jupyter-client>=8.6,<9",
    # Slides and pages are filled in by it.
    "jinja2>=3.1,<4",
    # The lessons open in it, and steppers rely on how it hands out keys.
    "jupyterlab>=4.4,<5",
    # Formulas in exported pages, without a script from the network.
    "latex2mathml>=3.77,<4",
    # Loads the machine code that numba had it make; every numba asks for the one that fits.
    "llvmlite>=0.45,<0.51",
    # Stills are drawn by it; another release may draw them otherwise.
    "matplotlib>=3.10,<3.12",
    "nbclient>=0.10,<0.12",
    # Slides and pages extend its templates.
    "nbconvert>=7.16,<8",
    "nbformat>=5.10,<6",
    # Grading subclasses its converter and relies on how this release reads scores.
    "nbgrader>=0.9.6,<0.9.7",
    # The tools of nbgrader live in it.
    "notebook>=7.4,<8",
    # Kernels are what it compiles: their machine code is taken out of it and kept.
    # Its LLVM turns maxima into vector instructions since 0.62.
    "numba>=0.62,<0.69",
    "numpy>=2.1,<3",
    # `tensorkit doctor` compares versions with ranges; its versions are dates, so no bound above.
    "packaging>=23.2",
    # Stills of a stepper are reduced to few colours.
    "pillow>=10,<14",
    # The bar of a training that is watched.
    "tqdm>=4.66,<5",
    # A kernel's messages are limited by the options of its sockets.
    "pyzmq>=26,<28",
    # The gradebook is written through nbgrader's tables, which are of this generation.
    "sqlalchemy>=2,<3",
    "traitlets>=5.14,<6",
]

EXTRAS = {
    "test": [
        "distributed>=2025.1,<2027",
        "furo>=2025.9,<2027",
        "hypothesis>=6.100,<7",
        # The true values that the scalar maths is held to.
        "mpmath>=1.3,<2",
        "mypy>=2,<3",
        "myst-nb>=1.3,<2",
        "playwright>=1.50,<2",
        "psutil>=5.9,<8",
        "pytest>=9,<10",
        "pytest-xdist>=3.6,<4",
        "pyyaml>=6,<7",
        # The formatter's style may change with every minor version.
        "ruff>=0.17,<0.18",
        "scikit-learn>=1.6,<2",
        "sphinx>=8.2,<10",
    ],
    # The website. Sphinx renames what extensions may use about once a year.
    "site": ["docutils>=0.20,<1", "furo>=2025.9,<2027", "myst-nb>=1.3,<2", "sphinx>=8.2,<10"],
    # The 8x8 digits to train on; nothing else of it is used.
    "data": ["scikit-learn>=1.6,<2"],
    # Grading on a cluster. Versions are dates: the bound is the year after the newest one tried.
    "grading": ["distributed>=2025.1,<2027"],
    # The ratios in benchmarks/ were measured against these versions.
    "bench": ["autograd==1.9.1", "mygrad==2.5.0", "torch==2.13.0"],
}


class BuildWithLessons(build_py):
    """Copy the lessons and the course folder into the wheel; a checkout uses its own."""

    def run(self):
        """Build the modules, then add what a learner opens."""
        super().run()
        if self.editable_mode:
            return
        for folder in ("notebooks", "assignments"):
            if (HERE / folder).is_dir():
                shutil.copytree(
                    HERE / folder,
                    Path(self.build_lib) / "tensorkit" / "_shipped" / folder,
                    # What nbgrader makes from the source holds submissions and grades.
                    ignore=shutil.ignore_patterns(
                        "release",
                        "submitted",
                        "autograded",
                        "feedback",
                        "exchange",
                        "reports",
                        "gradebook.db",
                        ".*",
                        "__pycache__",
                    ),
                    dirs_exist_ok=True,
                )


setup(
    name="tensorkit",
    version="0.1.0",
    description="Tensors and gradients, one step at a time: a teaching kit for Jupyter",
    author="tensorkit contributors",
    license="MIT",
    license_files=["LICENSE", "tensorkit/cli/reveal/LICENSE"],
    python_requires=PYTHON,
    packages=find_packages(include=["tensorkit", "tensorkit.*"]),
    package_data={
        "tensorkit": [
            *("py.typed", "**/*.js", "**/*.css", "**/*.j2", "**/*.json", "**/*.toml", "**/*.md"),
        ],
        "tensorkit.cli": ["reveal/*", "site/*", "templates/*/*"],
    },
    cmdclass={"build_py": BuildWithLessons},
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": ["tensorkit = tensorkit.cli:main"],
        "jupyter_client.kernel_provisioners": [
            "tensorkit-sandbox = tensorkit.autograde.provisioner:SandboxProvisioner"
        ],
    },
)
