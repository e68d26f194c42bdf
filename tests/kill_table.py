"""Print what the checks of each homework catch: python tests/kill_table.py [homework ...]

Wrong answers of the bank that lose a point or more in their task; answers that are right although
they look different and keep all; mutants of the right answers, and those of them that lose nothing.
What loses nothing is listed, with its reason, in the homework's own tests. In the bad assert most
of them live: with other data a good test is another good test.
"""

import sys

from homework import HOMEWORKS, Homework
from mutants import mutants

from tensorkit.grading import quiet

HEADS = ("wrong", "killed", "right", "kept", "mutants", "alive")


def line(home: Homework) -> list[int]:
    killed = kept = 0
    quiet.SECONDS = 5.0  # a right answer may be slow on a busy machine
    for entry in home.bank:
        names = home.run(home.cell(entry), entry.id)
        lost = home.tasks[entry.task].points - home.score(entry.task, names)
        killed += entry.keeps != "all" and lost >= 1
        kept += entry.keeps == "all" and lost == 0
    quiet.SECONDS = 0.5
    made = sum(len(mutants(text)) for text in home.solutions.values())
    alive = sum(len(home.survivors(cell)) for cell in home.answers)
    return [len(home.wrong()), killed, len(home.bank) - len(home.wrong()), kept, made, alive]


def show(name: str, numbers: list[int]) -> None:
    print(f"{name:12}" + "".join(f"{number:>9}" for number in numbers), flush=True)


def main(names: list[str]) -> None:
    print(f"{'homework':12}" + "".join(f"{head:>9}" for head in HEADS))
    lines = []
    for name in names or HOMEWORKS:
        lines.append(line(HOMEWORKS[name]))
        show(name, lines[-1])
    wrong, killed, *others = [sum(column) for column in zip(*lines, strict=True)]
    show("all", [wrong, killed, *others])
    print(f"{100 * killed / wrong:.1f} % of the bank's wrong answers lose a point or more")


if __name__ == "__main__":
    main(sys.argv[1:])
