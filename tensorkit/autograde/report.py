"""After the last submission: a table, and a picture of the scores and of the checks that were lost.

Of each learner one number is kept, of each check a count and its commonest reasons.
"""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .job import Result
from .progress import Progress

if TYPE_CHECKING:
    from .book import Entry

SHOWN = 12  # checks in the table and in the picture
REASONS = 50  # kept of each check


class Report(Progress):
    """Collects a run."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.points = 0.0
        self.lost: Counter[str] = Counter()
        self.reasons: dict[str, Counter[str]] = {}
        self.changed: list[tuple[str, float, float]] = []
        self.without: list[tuple[str, str]] = []
        self.noted = 0
        self.flagged: list[str] = []
        self.unprotected = 0

    def graded(self, result: Result, entry: Entry) -> None:
        """Count one submission."""
        self.scores.append(entry.after)
        self.points = max(self.points, entry.points)
        self.unprotected += not result.sandboxed
        several = len(result.notebooks) > 1
        for name, graded in result.notebooks.items():
            for check, reason in graded.failed.items():
                label = f"{name}: {check}" if several else check
                self.lost[label] += 1
                reasons = self.reasons.setdefault(label, Counter())
                if reason in reasons or len(reasons) < REASONS:
                    reasons[reason] += 1
        self.noted += any(graded.notes for graded in result.notebooks.values())
        if any(graded.flags for graded in result.notebooks.values()):
            self.flagged.append(result.student)
        if entry.before is not None and entry.before != entry.after:
            self.changed.append((result.student, entry.before, entry.after))

    def failed(self, student: str, problem: str) -> None:
        """Count one submission without a grade."""
        self.without.append((student, problem))

    def table(self) -> str:
        """Write the run as a few lines of text."""
        lines = []
        if self.scores:
            mean, middle = statistics.mean(self.scores), statistics.median(self.scores)
            low, high = min(self.scores), max(self.scores)
            lines.append(
                f"{len(self.scores)} graded; of {self.points:g} points: mean {mean:.1f}, "
                f"median {middle:g}, from {low:g} to {high:g}"
            )
        else:
            lines.append("nobody was graded")
        if self.lost:
            wide = max(len(check) for check, _ in self.lost.most_common(SHOWN))
            lines += ["", f"{'check'.ljust(wide)}  lost points  commonest reason"]
            for check, count in self.lost.most_common(SHOWN):
                share = f"{count} ({100 * count / len(self.scores):.0f} %)"
                reason = self.reasons[check].most_common(1)[0][0]
                lines.append(f"{check.ljust(wide)}  {share:>11}  {_short(reason)}")
        if self.changed:
            lines += ["", f"{len(self.changed)} scores changed:"]
            lines += [f"  {name}: {old:g} -> {new:g}" for name, old, new in sorted(self.changed)]
        if self.noted:
            lines += [
                "",
                f"mended or stopped: {self.noted} submissions; the first cell of each tells why",
            ]
        if self.flagged:
            names = ", ".join(sorted(self.flagged)[:20])
            more = f" and {len(self.flagged) - 20} more" if len(self.flagged) > 20 else ""
            lines += ["", f"look at what these wrote: {names}{more}"]
        if self.unprotected:
            lines += ["", f"{self.unprotected} ran without a sandbox"]
        if self.without:
            lines += ["", f"{len(self.without)} have NO grade; run the command again:"]
            lines += [f"  {name}: {problem}" for name, problem in sorted(self.without)]
        return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)

    def draw(self, path: Path, title: str) -> None:
        """Draw the scores of the class, and how many lost points in each check."""
        from matplotlib import style
        from matplotlib.figure import Figure

        checks = self.lost.most_common(SHOWN)[::-1]
        with style.context("default"):  # whatever this person's own style is
            heights = [2.2, *([0.4 + 0.28 * len(checks)] if checks else [])]
            figure = Figure(figsize=(7.5, 0.4 + sum(heights)), layout="constrained")
            axes: Any = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
            points = self.points or 1.0
            bins = min(20, max(1, round(points)))
            axes[0].hist(self.scores, bins=bins, range=(0, points), color="#4477aa")
            axes[0].set(xlabel=f"points of {points:g}", ylabel="learners", title=title)
            axes[0].yaxis.get_major_locator().set_params(integer=True)
            if checks:
                axes[1].barh(*zip(*checks, strict=True), color="#ee6677")
                axes[1].set(xlabel="learners who lost points", xlim=(0, len(self.scores)))
                axes[1].xaxis.get_major_locator().set_params(integer=True)
            for each in axes:
                each.spines[["top", "right"]].set_visible(False)
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=150)


def _short(reason: str, width: int = 70) -> str:
    return reason if len(reason) <= width else reason[: width - 3] + "..."
