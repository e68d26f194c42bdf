"""The command `tensorkit`: each subcommand is one function of a module beside this one.

A subcommand's module is imported when it is asked for, so that `tensorkit --help` is instant.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from tensorkit.cli.problem import Problem


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and give its exit status: 0 is well, 1 a problem, 2 wrong usage."""
    arguments = vars(_parser().parse_args(argv))
    module, function = arguments.pop("run").split(":")
    command: Callable[..., int] = getattr(importlib.import_module(module), function)
    try:
        return command(**arguments)
    except Problem as problem:
        print(f"tensorkit: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorkit", description="Tensors and gradients, one step at a time."
    )
    parser.add_argument("--version", action="version", version=f"tensorkit {version('tensorkit')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    lab = commands.add_parser("lab", help="open the lessons in JupyterLab")
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("--port", type=int, default=8888, help="the first port to try (8888)")
    lab.set_defaults(run="tensorkit.cli.lab:lab")

    slides = commands.add_parser("slides", help="write a lesson as slides, one file, no network")
    _lesson(slides)
    slides.add_argument("--answers", action="store_true", help="keep the cells tagged `answer`")
    slides.set_defaults(run="tensorkit.cli.publish:slides")

    export = commands.add_parser("export", help="write a lesson as a page, one file, no network")
    _lesson(export)
    export.set_defaults(run="tensorkit.cli.publish:page")

    course = commands.add_parser("course", help="copy the homework's course folder, for teachers")
    course.add_argument("folder", type=Path, nargs="?", default=Path("tensorkit-course"))
    course.set_defaults(run="tensorkit.cli.lessons:course")

    doctor = commands.add_parser("doctor", help="check that all the kit needs is here")
    doctor.set_defaults(run="tensorkit.cli.doctor:doctor")

    warm = commands.add_parser("warm", help="compile every kernel now instead of on first use")
    warm.set_defaults(run="tensorkit.cli.warm:warm")
    return parser


def _lesson(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", help="a lesson's number, or the path of a notebook")
    parser.add_argument(
        "--output", type=Path, default=Path(), help="the folder to write into (this one)"
    )
