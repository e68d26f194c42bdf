"""One picture of the ratios: a dot for each goal, on a log scale, left of its tick if it is met."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

INK, SOFT, LINE = "#1f2430", "#69707d", "#d9dde3"
MET, MISSED = "#0b7a75", "#c8501e"


def lines_of(rows: list[dict[str, Any]]) -> list[Any]:
    """Return what stands on each line from the top: a group's name, or (label, verdict)."""
    lines: list[Any] = []
    usual = [row for row in rows if row["usual"]]
    for group, members in groupby(usual, key=lambda row: row["group"]):
        inside = [
            (f"{row['work']}  /  {verdict['against']}", verdict)
            for row in members
            for verdict in row["verdicts"]
            if verdict["against"]
        ]
        if inside:
            lines += [group, *inside]
    return lines


def draw(results: dict[str, Any], path: Path) -> None:
    """Write the picture of the usual rows that are compared with a peer."""
    lines = lines_of(results["rows"])
    style = {"font.family": "DejaVu Sans", "font.size": 9, "text.color": INK}
    with plt.rc_context(style | {"axes.edgecolor": LINE, "ytick.color": INK, "xtick.color": SOFT}):
        figure, axes = plt.subplots(figsize=(10, 1.3 + 0.235 * len(lines)), layout="constrained")
        ratios = [v["ratio"] for _, v in (line for line in lines if not isinstance(line, str))]
        goals = [v["goal"] for _, v in (line for line in lines if not isinstance(line, str))]
        low, high = min(*ratios, *goals) / 1.3, max(*ratios, *goals) * 1.3
        axes.set(xscale="log", xlim=(low, high), ylim=(len(lines) - 0.4, -0.8))
        axes.axvline(1, color=SOFT, linewidth=1, zorder=1)
        labels = []
        for y, line in enumerate(lines):
            if isinstance(line, str):
                labels.append("")
                axes.text(
                    -0.008, y, line, weight="bold", ha="right", va="center", color=INK,
                    transform=axes.get_yaxis_transform(),
                )  # fmt: skip
                continue
            label, verdict = line
            labels.append(label)
            color = MET if verdict["met"] else MISSED
            axes.hlines(y, low, high, color=LINE, linewidth=0.6, zorder=0)
            axes.plot([verdict["goal"]] * 2, [y - 0.36, y + 0.36], color=INK, linewidth=1.8)
            marker = "o" if verdict["met"] else "D"
            axes.plot(verdict["ratio"], y, marker, color=color, markersize=6.5, zorder=3)
            axes.text(
                1.008, y, f"{verdict['ratio']:.2f}", color=color, va="center",
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        axes.set_yticks(range(len(lines)), labels)
        axes.tick_params(length=0)
        ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if low < t < high]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.set_xticks([], minor=True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_xlabel("tensorkit / peer: left of 1 is faster, or smaller", color=SOFT)
        machine = results["machine"]
        axes.set_title(
            "What tensorkit takes of what its peers take\n",
            loc="left", fontsize=13, weight="bold", color=INK,
        )  # fmt: skip
        axes.text(
            0, 1.0, f"● goal met   ◆ goal missed   ❙ goal      {machine['cpu']}, one thread, "
            f"torch {machine['packages']['torch']}, numpy {machine['packages']['numpy']}",
            transform=axes.transAxes, color=SOFT, va="bottom",
        )  # fmt: skip
        figure.savefig(path, dpi=130, facecolor="white")
        plt.close(figure)
