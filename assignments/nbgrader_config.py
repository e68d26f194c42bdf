"""Settings of this course folder, for the nbgrader command, formgrader and the tests alike."""

import contextlib
import os
import sys
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)

from tensorkit.autograde.steps import MendCells, RunApart
from tensorkit.grading.course import HideHiddenChecks, NeedHiddenChecks, NeedWarmUp

c = get_config()  # noqa: F821 - the loader provides it
HERE = Path(__file__).resolve().parent

# from the file, not from the working directory: commands work here and at the repository's root
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "tensorkit"

# inside the course folder, or nbgrader would use a folder in /usr/local that all users may write
c.Exchange.root = str(HERE / "exchange")
with contextlib.suppress(OSError):  # a read-only checkout can still be graded without an exchange
    Path(c.Exchange.root).mkdir(exist_ok=True)

# kernels that grade find the hidden checks here; nothing below this folder is ever released
hidden = os.environ.get("TENSORKIT_HIDDEN", str(HERE / "hidden"))
paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
os.environ["PYTHONPATH"] = os.pathsep.join([hidden, *(p for p in paths if p and p != hidden)])

# a new gradebook calls alembic by name, which fails where the environment is not activated
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# the first use of a kernel may compile it; nbgrader's own limit is 30 seconds
c.Execute.timeout = 180
# asking a kernel politely to leave costs half a second for each submission
c.Execute.shutdown_kernel = "immediate"

# `nbgrader autograde` and formgrader's button grade as `tensorkit grade` does: answers go into a
# clean copy of the release, which runs in a sandbox. GRADING.md says what that protects.
c.Autograde.sanitize_preprocessors = [MendCells, ClearOutput, CheckCellMetadata]
c.Autograde.autograde_preprocessors = [
    NeedHiddenChecks,
    RunApart,
    NeedWarmUp,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.GenerateFeedback.preprocessors = [HideHiddenChecks, GetGrades, CSSHTMLHeaderPreprocessor]
