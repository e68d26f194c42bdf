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
    parser = _parser()
    parsed, others = parser.parse_known_args(argv)
    arguments = vars(parsed)
    if "others" in arguments:
        arguments["others"] = others
    elif others:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
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

    site = commands.add_parser("site", help="write all lessons and the reference as a website")
    site.add_argument("notebooks", nargs="*", help="only these, by name (all)", metavar="NAME")
    site.add_argument("--output", type=Path, default=Path("_site"), help="the folder (_site)")
    site.add_argument("--repository", help="owner/name on GitHub, for Binder and Colab")
    site.set_defaults(run="tensorkit.cli.website:site")

    homework = commands.add_parser(
        "homework", help="write a homework: for students, for yourself, or its answers"
    )
    homework.add_argument("names", nargs="*", help="only these (all)", metavar="NAME")
    versions = homework.add_mutually_exclusive_group()
    versions.add_argument(
        "--self-study", action="store_true", help="all checks open, answers after three tries"
    )
    versions.add_argument("--answers", action="store_true", help="the answer key")
    homework.add_argument(
        "--output", type=Path, default=Path(), help="the folder to write into (this one)"
    )
    homework.set_defaults(run="tensorkit.cli.homework:homework")

    course = commands.add_parser("course", help="copy the homework's course folder, for teachers")
    course.add_argument("folder", type=Path, nargs="?", default=Path("tensorkit-course"))
    course.set_defaults(run="tensorkit.cli.lessons:course")

    grade = commands.add_parser(
        "grade",
        help="grade an nbgrader assignment: in parallel, in sandboxes, restartable",
        usage="%(prog)s ASSIGNMENT [options]",
        # the assignment as well: which words belong to an option, nbgrader knows
        epilog="All options of `nbgrader autograde` are understood: --force, --student ID, ...",
    )
    grade.add_argument("--sandbox", choices=("required", "auto", "off"), help="(auto)")
    grade.add_argument("--jobs", type=int, help="notebooks at a time (by the cores)")
    grade.add_argument("--scheduler", help="run on this Dask cluster, tcp://host:port")
    grade.add_argument(
        "--no-control", action="store_true", help="do not try the author's solution first"
    )
    grade.add_argument("--json", action="store_true", help="one JSON object for each event")
    grade.add_argument("--figure", type=Path, help="where to draw the scores (reports/)")
    grade.set_defaults(run="tensorkit.cli.grading:grade", others=[])

    feedback = commands.add_parser(
        "feedback",
        help="write each learner's page after grading",
        usage="%(prog)s ASSIGNMENT [options]",
        epilog="All options of `nbgrader generate_feedback` are understood: --force, ...",
    )
    feedback.set_defaults(run="tensorkit.cli.grading:feedback", others=[])

    doctor = commands.add_parser("doctor", help="check that all the kit needs is here")
    doctor.set_defaults(run="tensorkit.cli.doctor:doctor")

    warm = commands.add_parser("warm", help="compile every kernel now instead of on first use")
    warm.set_defaults(run="tensorkit.cli.warm:warm")
    return parser


def _lesson(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", help="a lesson's number, its name, or the path of a notebook")
    parser.add_argument(
        "--output", type=Path, default=Path(), help="the folder to write into (this one)"
    )
